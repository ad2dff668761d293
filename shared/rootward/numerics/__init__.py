"""What two or more methods need: arrays in, arrays out."""
