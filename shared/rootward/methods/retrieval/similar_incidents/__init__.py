"""When did we see this before? Sparse retrieval whose queries need no network."""
