"""From a window to ranked causes: pure functions, no ports."""
