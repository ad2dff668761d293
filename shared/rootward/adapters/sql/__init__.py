"""SQLAlchemy: SQLite and PostgreSQL."""
