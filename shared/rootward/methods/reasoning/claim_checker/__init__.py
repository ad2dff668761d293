"""Claim checker: what is said of an incident, held against its graph."""
