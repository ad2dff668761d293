"""What differs between SQLite and PostgreSQL, all of it: how they open, lock, wait and refuse."""
