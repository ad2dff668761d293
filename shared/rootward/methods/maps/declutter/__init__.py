"""Can one read the map? Lines among hubs go first (TEDDY)."""
