"""Which services and which kinds of metric were hit, when everything downstream moves."""
