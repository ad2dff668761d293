"""Window repair: only the broken stretch is redrawn."""
