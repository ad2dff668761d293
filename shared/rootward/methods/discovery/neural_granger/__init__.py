"""Neural Granger causal discovery after RUN, put right."""
