"""For our tests, and for the authors of outside methods."""
