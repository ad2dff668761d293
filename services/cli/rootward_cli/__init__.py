"""The rootward command."""
