"""Laws: what foretells each series, how well, and how sure that is; learnt from a quiet stretch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.errors import InsufficientData
from rootward.numerics.regression import lagged_design, ridge

LEAST_ROWS = 60
HELD_OUT = 1 / 3
"""Last part of the rows, on which the laws are judged."""
_FURTHEST = 8.0
"""Deviations at which values are cut in the fit, so that one burst does not make the law."""


@dataclass(frozen=True)
class Group:
    """Series that are foretold from the same inputs.

    A doubtful input stays: it costs variance, whereas a missing cause makes a departure that is
    passed on look like a broken mechanism (asymmetric error, Peng, Zhang, Mitra 2025).
    """

    outputs: tuple[int, ...]
    """Columns that are foretold, from their own past too."""
    past: tuple[int, ...] = ()
    """Other columns whose past is used."""
    present: tuple[int, ...] = ()
    """Columns whose present is used as well: known to be causes within one step."""


@dataclass(frozen=True, eq=False)
class Laws:
    """One linear law for each series, packed by groups; unused places point at a zero.

    `at[g]` are places in (present, last row, row before …, 0), `weights[g]` lead from there to
    the series `outputs[g]`. All in deviations: (value - centre) / scale.
    """

    centre: Float[np.ndarray, " series"]
    scale: Float[np.ndarray, " series"]
    outputs: Int[np.ndarray, "groups outputs"]
    at: Int[np.ndarray, "groups inputs"]
    weights: Float[np.ndarray, "groups outputs inputs"]
    covariance: Float[np.ndarray, "groups inputs inputs"]
    """Of the weights, over the noise variance."""
    doubt: Float[np.ndarray, " series"]
    """Usual variance of a forecast by unsure weights, over the noise variance."""
    noise: Float[np.ndarray, " series"]
    """Deviation of what the law leaves, in deviations of the series."""
    left: Float[np.ndarray, "rows series"]
    """What the laws left, over `noise`: the held-out rows, then the others as fitted; NaN where
    not measured."""
    lags: int

    @property
    def watched(self) -> Bool[np.ndarray, " series"]:
        """Series that have a law."""
        return np.isfinite(self.noise)


def learnt_laws(
    values: Float[np.ndarray, "rows series"],
    since_gap: Int[np.ndarray, " rows"],
    groups: Sequence[Group],
    *,
    lags: int = 2,
) -> Laws:
    """Laws from quiet rows; a hole counts as the value before it.

    Raises:
        InsufficientData: fewer than `LEAST_ROWS` rows.
    """
    if len(values) < LEAST_ROWS:
        raise InsufficientData(f"{len(values)} rows, laws need {LEAST_ROWS}; widen the window")
    centre, scale = _moments(values)
    z = np.clip((carried(values) - centre) / scale, -_FURTHEST, _FURTHEST)
    z = np.where(np.isfinite(z), z, 0.0)
    series = values.shape[1]
    held = since_gap >= lags
    held[: round((1 - HELD_OUT) * len(values))] = False
    packed = _Packed(groups, series, lags)
    noise, left = np.full(series, np.nan), np.full((len(values), series), np.nan)
    doubt = np.zeros(series)
    for g, group in enumerate(groups):
        past, present = lagged_design(z, since_gap, lags)
        x = packed.inputs(g, past, present)
        outputs = np.array(group.outputs, dtype=np.int64)
        y = present[:, outputs]
        rows = np.flatnonzero(since_gap >= lags)
        first = ~held[rows]
        if np.count_nonzero(first) < LEAST_ROWS / 2 or first.all():
            continue
        judged = y[~first] - x[~first] @ ridge(x[first], y[first]).weights
        fit = ridge(x, y)
        packed.put(g, fit.weights, fit.inverse)
        doubt[outputs] = fit.degrees / len(x)
        inside = np.sqrt((fit.residuals**2).sum(axis=0) / max(len(x) - fit.degrees, 1.0))
        # The upper limit of the variance that so few held-out rows allow.
        few = 1 + np.sqrt(2 / len(judged))
        own = np.maximum(inside, np.sqrt(few * (judged**2).mean(axis=0)))
        noise[outputs] = np.where(own > 1e-6, own, np.nan)
        left[np.ix_(rows, outputs)] = fit.residuals
        left[np.ix_(rows[~first], outputs)] = judged
    left = np.where(np.isfinite(values), left, np.nan) / noise
    left = np.concatenate([left[held], left[~held & (since_gap >= lags)]])
    usable = np.isfinite(left).sum(axis=0) >= LEAST_ROWS * HELD_OUT / 2
    return Laws(
        centre, scale, packed.outputs, packed.at, packed.weights, packed.covariance, doubt,
        np.where(usable, noise, np.nan), left, lags,
    )  # fmt: skip


class _Packed:
    """Groups of unequal size in arrays of one shape."""

    def __init__(self, groups: Sequence[Group], series: int, lags: int) -> None:
        self._lags = lags
        self._present = [np.array(g.present, dtype=np.int64) for g in groups]
        self._past = [np.array((*g.outputs, *g.past), dtype=np.int64) for g in groups]
        most_out = max((len(g.outputs) for g in groups), default=0)
        sizes = [len(a) + lags * len(b) for a, b in zip(self._present, self._past, strict=True)]
        most_in = max(sizes, default=0)
        self.outputs = np.full((len(groups), most_out), series)
        self.at = np.full((len(groups), most_in), (lags + 1) * series)
        self.weights = np.zeros((len(groups), most_out, most_in))
        self.covariance = np.zeros((len(groups), most_in, most_in))
        for g, group in enumerate(groups):
            self.outputs[g, : len(group.outputs)] = group.outputs
            past = [self._past[g] + lag * series for lag in range(1, lags + 1)]
            self.at[g, : sizes[g]] = np.concatenate([self._present[g], *past])

    def inputs(self, g: int, past: np.ndarray, present: np.ndarray) -> np.ndarray:
        """The design of a group, inputs in the order of `at`."""
        parts = [past[:, self._past[g], lag] for lag in range(self._lags)]
        return np.column_stack([present[:, self._present[g]], *parts])

    def put(self, g: int, weights: np.ndarray, inverse: np.ndarray) -> None:
        inputs, outputs = weights.shape
        self.weights[g, :outputs, :inputs] = weights.T
        self.covariance[g, :inputs, :inputs] = inverse


def carried(values: Float[np.ndarray, "rows series"]) -> Float[np.ndarray, "rows series"]:
    """The last value in place of a hole; NaN before the first."""
    row = np.arange(len(values))[:, None]
    last = np.maximum.accumulate(np.where(np.isfinite(values), row, 0), axis=0)
    return np.asarray(np.take_along_axis(values, last, axis=0))


def links(values: Float[np.ndarray, "rows series"]) -> Float[np.ndarray, "series series"]:
    """|correlation| of each series' last row with each series' present."""
    if len(values) < 3:
        return np.zeros((values.shape[1], values.shape[1]))
    z = carried(np.where(np.isfinite(values), values, np.nan))
    z = np.diff(np.nan_to_num(z), axis=0)
    z = z - z.mean(axis=0)
    length = np.sqrt((z**2).sum(axis=0))
    unit = z / np.where(length > 0, length, 1.0)
    return np.asarray(np.round(np.abs(unit[:-1].T @ unit[1:]) + np.abs(unit.T @ unit), 9))


def _moments(
    values: Float[np.ndarray, "rows series"],
) -> tuple[Float[np.ndarray, " series"], Float[np.ndarray, " series"]]:
    """Mean and deviation of each series; 0 and 1 of one that does not vary."""
    known = np.isfinite(values)
    rows = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, values, 0.0).sum(axis=0) / rows
    away = np.where(known, values - centre, 0.0)
    scale = np.sqrt((away**2).sum(axis=0) / rows)
    varies = scale > 1e-9 * np.maximum(np.abs(centre), 1e-300)
    return centre, np.where(varies, scale, 1.0)
