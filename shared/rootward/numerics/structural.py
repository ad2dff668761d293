"""Linear structural equations: sampling, interventions, and what is left of each equation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from rootward.errors import InvalidInput
from rootward.numerics.dags import is_acyclic


@dataclass(frozen=True, eq=False)
class LinearEquations:
    """`x_j = level_j + sum_i x_i weights[i, j] + noise_j e_j`, acyclic; `e` is standard normal."""

    weights: Float[np.ndarray, "variables variables"]
    """[cause, effect]."""
    noise: Float[np.ndarray, " variables"]
    """Deviation of each variable's own noise."""
    level: Float[np.ndarray, " variables"] | None = None
    """What each equation adds by itself; 0 unless given."""

    def __post_init__(self) -> None:
        if not is_acyclic(self.edges):
            raise InvalidInput("structural equations must be acyclic")

    @property
    def edges(self) -> Bool[np.ndarray, "variables variables"]:
        """True at [cause, effect]."""
        return np.asarray(self.weights != 0)

    def sample(
        self, rows: int, rng: np.random.Generator, do: Mapping[int, float] | None = None
    ) -> Float[np.ndarray, "rows variables"]:
        """Independent rows; variables in `do` are held at their value, whatever their causes."""
        own = self.noise * rng.standard_normal((rows, len(self.noise)))
        if self.level is not None:
            own = own + self.level
        weights = self.weights.copy()
        for variable, value in (do or {}).items():
            weights[:, variable], own[:, variable] = 0.0, value
        return np.asarray(np.linalg.solve((np.eye(len(weights)) - weights).T, own.T).T)


def random_equations(
    variables: int,
    edges: float,
    rng: np.random.Generator,
    *,
    weights: tuple[float, float],
    noise_variance: tuple[float, float],
) -> LinearEquations:
    """A random acyclic graph with `edges` edges on average, in a random order of the variables.

    Weights are drawn between two sizes, of either sign; variances of the noise between two values.
    """
    likely = edges / (variables * (variables - 1) / 2)
    upper = np.triu(rng.random((variables, variables)) < likely, 1)
    size = rng.uniform(*weights, (variables, variables)) * rng.choice([-1.0, 1.0], upper.shape)
    order = rng.permutation(variables)
    shuffled = np.zeros_like(size)
    shuffled[np.ix_(order, order)] = np.where(upper, size, 0.0)
    return LinearEquations(shuffled, np.sqrt(rng.uniform(*noise_variance, variables)))
