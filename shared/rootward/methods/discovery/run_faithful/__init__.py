"""RUN as it was released, as far as it runs; for comparison."""
