"""Causal dropouts: the graph in spite of scrapes that failed and zeros that are none."""
