"""Whether a departure is passed on by its causes, or its own mechanism broke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from rootward.numerics.anomaly import quantiles

_HELD_OUT = 1 / 3
"""Last part of the baseline, on which the fit is judged."""
LEAST = 20
"""Fewest rows that a fit is made on."""
_SUSTAINED = 0.8
FURTHEST = 10.0
"""Deviations at which inputs are cut in the fit, so that one burst does not make the law."""


@dataclass(frozen=True)
class Mechanism:
    """How well a series follows its causes, and whether it still does."""

    fit: float
    """Share of the variance that the causes foretell on held-out baseline rows, 0 to 1."""
    explained: float
    """Share of the departure that the causes foretell, 0 to 1."""

    @property
    def passed_on(self) -> float:
        """Share of the departure that can be put down to the causes: believed as far as it fits."""
        return self.fit * self.explained


UNKNOWN = Mechanism(0.0, 0.0)


def mechanism(
    z: Float[np.ndarray, "rows series"],
    onset: int,
    since_gap: Int[np.ndarray, " rows"],
    effect: int,
    causes: Sequence[tuple[int, int]],
) -> Mechanism:
    """Fit an effect on its (column, lag) causes before the onset, and watch the residual after.

    `z` are deviations, NaN where not measured. Its own past is no cause here: a series that
    stays where its broken mechanism put it is not explained by being there. After CIRCA's
    regression test (Li et al., KDD 2022), on learnt and lagged parents.
    """
    if not causes:
        return UNKNOWN
    longest = max(lag for _, lag in causes)
    inputs = np.column_stack([np.roll(z[:, column], lag) for column, lag in causes])
    usable = np.isfinite(inputs).all(axis=1) & np.isfinite(z[:, effect]) & (since_gap >= longest)
    rows = np.arange(len(z))
    before, after = rows[usable & (rows < onset)], rows[usable & (rows >= onset)]
    if len(before) < LEAST + len(causes) or not len(after):
        return UNKNOWN
    held = before[-max(1, round(_HELD_OUT * len(before))) :]
    fit = skill(inputs, z[:, effect], before[: len(before) - len(held)], held)
    if fit <= 0:
        return UNKNOWN
    weights, mean = fitted(inputs[before], z[before, effect])
    left = z[after, effect] - mean - inputs[after] @ weights
    size = _sustained(z[after, effect])
    explained = 1 - _sustained(left) / size if size > 0 else 0.0
    return Mechanism(fit, float(np.clip(explained, 0.0, 1.0)))


def fitted(
    x: Float[np.ndarray, "samples causes"], y: Float[np.ndarray, " samples"]
) -> tuple[Float[np.ndarray, " causes"], float]:
    """Ridge weights and the offset; the penalty is one row's worth of the inputs' spread."""
    x, y = np.clip(x, -FURTHEST, FURTHEST), np.clip(y, -FURTHEST, FURTHEST)
    centre, mean = x.mean(axis=0), float(y.mean())
    away = x - centre
    penalty = float((away**2).mean()) + 1e-12
    gram = away.T @ away + penalty * np.eye(x.shape[1])
    weights = np.linalg.solve(gram, away.T @ (y - mean))
    return weights, mean - float(centre @ weights)


def skill(
    inputs: Float[np.ndarray, "rows causes"],
    output: Float[np.ndarray, " rows"],
    learnt: Int[np.ndarray, " learnt"],
    held: Int[np.ndarray, " held"],
) -> float:
    """Share of the variance in the rows `held` that a fit on the rows `learnt` foretells."""
    weights, mean = fitted(inputs[learnt], output[learnt])
    truth = np.clip(output[held], -FURTHEST, FURTHEST)
    guess = mean + np.clip(inputs[held], -FURTHEST, FURTHEST) @ weights
    spread = float(((truth - truth.mean()) ** 2).sum())
    error = float(((truth - guess) ** 2).sum())
    return max(0.0, 1 - error / spread) if spread > 0 else 0.0


def _sustained(x: Float[np.ndarray, " rows"]) -> float:
    return float(quantiles(np.abs(x)[:, None], (_SUSTAINED,))[0, 0])
