"""Whose data it is."""

DEFAULT_TENANT = "default"
"""The tenant of a request that names none."""
