"""Ingest: what comes in over HTTP, and scraping."""
