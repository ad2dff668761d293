"""Causal bandit: a linear system whose wiring is learnt while the best action is looked for."""
