"""A linear forecast of one series from the encoder's vectors of all: the head downstream."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rootward.methods.signatures.tokens import Tokens
from rootward.numerics.regression import ridge


@dataclass(frozen=True, eq=False)
class Forecast:
    """`y[t + 1] = level + sum over series of weights[s] . vector[t, s]`, in log deviations."""

    weights: Float[Tensor, "series d"]
    level: float
    at: Int[np.ndarray, " steps"]
    """Positions in `Tokens.rows` that a forecast is made from; the row after each is there."""
    foretold: Float[np.ndarray, " steps"]
    measured: Float[np.ndarray, " steps"]
    after: Bool[np.ndarray, " steps"]
    """Whether the row that is foretold lies after the onset."""
    skill: float
    """Share of the variance of quiet rows kept from training that it foretells."""

    @property
    def moved(self) -> float:
        """Mean forecast after the onset less that before it."""
        return float(self.foretold[self.after].mean() - self.foretold[~self.after].mean())

    @property
    def departed(self) -> float:
        """The same of what was measured."""
        return float(self.measured[self.after].mean() - self.measured[~self.after].mean())

    @property
    def slopes(self) -> Float[Tensor, "steps series d"]:
        """Of the forecast by each vector: the same in every row."""
        return self.weights[None].expand(len(self.at), -1, -1)

    @property
    def error_slopes(self) -> Float[Tensor, "steps series d"]:
        """Of the squared error by each vector."""
        off = torch.from_numpy((self.foretold - self.measured).astype(np.float32))
        return 2 * off[:, None, None] * self.weights[None]


def forecast_of(seen: Tokens, symptom: int) -> Forecast:
    """Ridge on the rows before the onset, so that the incident is new to it.

    `symptom` is a position in `seen.series`. The penalty minimises generalised cross-validation,
    in the span of the rows where there are fewer rows than inputs.
    """
    at = np.flatnonzero(np.diff(seen.rows) == 1)
    target = _compressed(seen.z[at + 1, symptom])
    after = seen.after[at + 1]
    x = seen.vectors[torch.from_numpy(at)].reshape(len(at), -1).double().numpy()
    quiet = ~after
    fitted = quiet & seen.training[at]
    mean, level = x[fitted].mean(axis=0), float(target[fitted].mean())
    u, s, v = np.linalg.svd(x[fitted] - mean, full_matrices=False)
    told = s > 1e-9 * s[0] if len(s) else np.zeros(0, dtype=bool)
    inside = ridge((u * s)[:, told], (target[fitted] - level)[:, None]).weights[:, 0]
    weights = v[told].T @ inside
    foretold = level + (x - mean) @ weights
    kept = quiet & ~seen.training[at]
    left = np.sum((foretold - target)[kept] ** 2)
    spread = max(float(np.sum((target[kept] - level) ** 2)), 1e-12)
    shape = seen.vectors.shape[1:]
    return Forecast(
        torch.from_numpy(weights.astype(np.float32)).reshape(shape),
        level - float(mean @ weights),
        at,
        foretold,
        target,
        after,
        1.0 - float(left) / spread,
    )


def deviations(value: float) -> float:
    """From the logarithm that forecasts are made in to baseline deviations."""
    return float(np.sign(value) * np.expm1(abs(value)))


def _compressed(z: Float[np.ndarray, " steps"]) -> Float[np.ndarray, " steps"]:
    return np.asarray(np.sign(z) * np.log1p(np.abs(z)))
