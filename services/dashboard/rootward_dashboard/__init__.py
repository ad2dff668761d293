"""Dashboard: the RCA API and the incident pages."""
