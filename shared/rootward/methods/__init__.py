"""Methods: one file, one paper. `registry.load()` finds them all."""
