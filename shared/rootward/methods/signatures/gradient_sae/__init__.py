"""Which patterns moved the forecast: sparse autoencoders that look downstream."""
