"""Which few patterns make up an incident: adaptive sparse autoencoders."""
