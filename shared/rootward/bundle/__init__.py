"""What it takes to make a diagnosis again elsewhere, in one file. Pure."""
