"""The ports made real, one library each."""
