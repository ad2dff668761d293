"""Small regressions to choose from: straight lines, smooth curves, any smooth surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from jaxtyping import Float
from scipy.special import expit

from rootward.numerics.crossfit import Learner, Predictor

Basis = Callable[[np.ndarray], np.ndarray]
"""Inputs (rows, columns) to values of functions of them (rows, functions), a constant first."""
MakeBasis = Callable[[np.ndarray], Basis]
"""Chooses the functions after the rows that will be fitted."""

Scale = tuple[np.ndarray, np.ndarray]
"""Mean and deviation of each input."""

_KNOTS = (0.2, 0.4, 0.6, 0.8)
_CENTRES = 25
_NEWTON_STEPS = 12
_CLOSE = 1e-6


def lines(x: Float[np.ndarray, "rows inputs"]) -> Basis:
    """Each input as it is."""
    return partial(_lines_at, scale=_scale(x))


def _lines_at(asked: np.ndarray, scale: Scale) -> np.ndarray:
    return _with_one((asked - scale[0]) / scale[1])


def curves(x: Float[np.ndarray, "rows inputs"]) -> Basis:
    """A cubic spline of each input, added up, with knots at four quantiles."""
    scale = _scale(x)
    knots = np.quantile((x - scale[0]) / scale[1], _KNOTS, axis=0)
    return partial(_curves_at, scale=scale, knots=knots)


def _curves_at(asked: np.ndarray, scale: Scale, knots: np.ndarray) -> np.ndarray:
    z = np.clip((asked - scale[0]) / scale[1], -4.0, 4.0)
    bends = [np.maximum(z - knot, 0.0) ** 3 for knot in knots]
    return _with_one(np.column_stack((z, z**2, z**3, *bends)))


def surfaces(x: Float[np.ndarray, "rows inputs"]) -> Basis:
    """Each input as it is, and Gaussian bumps around some of the rows: inputs may act together."""
    scale = _scale(x)
    every = max(1, len(x) // _CENTRES)
    centres = ((x - scale[0]) / scale[1])[::every][:_CENTRES]
    return partial(_surfaces_at, scale=scale, centres=centres)


def _surfaces_at(asked: np.ndarray, scale: Scale, centres: np.ndarray) -> np.ndarray:
    z = (asked - scale[0]) / scale[1]
    squared = (z**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1) - 2 * z @ centres.T
    width = max(1.0, z.shape[1])
    return _with_one(np.column_stack((z, np.exp(-np.maximum(squared, 0.0) / (2 * width)))))


BASES: Mapping[str, MakeBasis] = {"lines": lines, "curves": curves, "surfaces": surfaces}
"""By name, simplest first."""


def ridge_on(make: MakeBasis, penalty: float = 1.0) -> Learner:
    """Least squares on a basis, shrunk as by `penalty` rows."""
    return partial(_ridge, make=make, penalty=penalty)


def _ridge(x: np.ndarray, y: np.ndarray, make: MakeBasis, penalty: float) -> Predictor:
    basis = make(x)
    return partial(_linear, basis=basis, weights=solve(basis(x), y, penalty))


def _linear(asked: np.ndarray, basis: Basis, weights: np.ndarray) -> np.ndarray:
    return np.asarray(basis(asked) @ weights)


def logistic_on(make: MakeBasis, penalty: float = 1.0) -> Learner:
    """Chance of a 1, by penalised logistic regression on a basis (Newton's method)."""
    return partial(_logistic, make=make, penalty=penalty)


def _logistic(x: np.ndarray, y: np.ndarray, make: MakeBasis, penalty: float) -> Predictor:
    basis = make(x)
    columns = basis(x)
    weights = np.zeros(columns.shape[1])
    shrink = penalty * np.eye(len(weights))
    shrink[0, 0] = 1e-6
    for _ in range(_NEWTON_STEPS):
        chance = expit(columns @ weights)
        slope = columns.T @ (y - chance) - shrink @ weights
        curvature = (columns * (chance * (1 - chance))[:, None]).T @ columns + shrink
        step = np.linalg.solve(curvature, slope)
        weights = weights + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _CLOSE:
            break
    return partial(_chance, basis=basis, weights=weights)


def _chance(asked: np.ndarray, basis: Basis, weights: np.ndarray) -> np.ndarray:
    return np.asarray(expit(basis(asked) @ weights))


def solve(
    columns: Float[np.ndarray, "rows functions"], y: Float[np.ndarray, " rows"], penalty: float
) -> Float[np.ndarray, " functions"]:
    """Ridge weights; the constant, the first column, is not shrunk."""
    shrink = penalty * np.eye(columns.shape[1])
    shrink[0, 0] = 1e-9
    return np.asarray(np.linalg.solve(columns.T @ columns + shrink, columns.T @ y))


def _scale(x: Float[np.ndarray, "rows inputs"]) -> Scale:
    deviation = x.std(axis=0)
    return x.mean(axis=0), np.where(deviation > 0, deviation, 1.0)


def _with_one(columns: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, "rows functions"]:
    return np.column_stack((np.ones(len(columns)), columns))
