"""The nouns of Rootward: frozen dataclasses on the standard library and numpy."""
