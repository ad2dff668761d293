"""What a symptom would do were other series held at their baseline: a linear lagged model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from rootward.numerics.mechanism import FURTHEST, LEAST, fitted, skill

_HELD_OUT = 1 / 3
"""Last part of the baseline, on which a law is judged."""
_SURE = 3.0
"""Standard errors that a weight must differ from 0 by: what is held may lie far outside."""

Parents = Mapping[int, Sequence[tuple[int, int]]]
"""For each effect its (column, lag) causes; a lag of 0 is the same row."""


@dataclass(frozen=True, eq=False)
class Law:
    """`z[t, effect] = own z[t-1, effect] + sum of weights z[t - lag, cause] + rest`."""

    own: float
    causes: tuple[tuple[int, int], ...]
    weights: tuple[float, ...]
    fit: float
    """Share of the variance of held-out baseline rows that causes and own past foretell."""


def laws(
    z: Float[np.ndarray, "rows series"],
    onset: int,
    since_gap: Int[np.ndarray, " rows"],
    parents: Parents,
) -> dict[int, Law]:
    """The law of each effect that its baseline rows teach; none where no cause counts surely."""
    found = {effect: _law(z, onset, since_gap, effect, parents[effect]) for effect in parents}
    return {effect: law for effect, law in found.items() if law is not None}


def _law(
    z: Float[np.ndarray, "rows series"],
    onset: int,
    since_gap: Int[np.ndarray, " rows"],
    effect: int,
    causes: Sequence[tuple[int, int]],
) -> Law | None:
    kept = tuple(causes)
    terms = ((effect, 1), *kept)
    inputs = np.column_stack([np.roll(z[:, column], lag) for column, lag in terms])
    usable = np.isfinite(inputs).all(axis=1) & np.isfinite(z[:, effect])
    usable &= since_gap >= max(lag for _, lag in terms)
    rows = np.flatnonzero(usable[:onset])
    if len(rows) < LEAST + len(terms):
        return None
    x, y = inputs[rows], z[rows, effect]
    sure = _sure(x, y)[1:]
    if not sure.any():
        return None
    x = x[:, np.append(True, sure)]
    kept = tuple(cause for cause, is_sure in zip(kept, sure, strict=True) if is_sure)
    split = len(rows) - round(_HELD_OUT * len(rows))
    fit = skill(x, y, np.arange(split), np.arange(split, len(rows)))
    weights = fitted(x, y)[0].tolist()
    return Law(weights[0], kept, tuple(weights[1:]), fit)


def _sure(x: Float[np.ndarray, "samples inputs"], y: Float[np.ndarray, " samples"]) -> np.ndarray:
    """Which inputs have a weight that is surely not 0."""
    weights, mean = fitted(x, y)
    x, y = np.clip(x, -FURTHEST, FURTHEST), np.clip(y, -FURTHEST, FURTHEST)
    away = x - x.mean(axis=0)
    rest = y - mean - x @ weights
    variance = float(rest @ rest) / max(len(y) - x.shape[1] - 1, 1)
    gram = away.T @ away + 1e-9 * np.trace(away.T @ away) * np.eye(x.shape[1]) + 1e-12
    error = np.sqrt(variance * np.maximum(np.diag(np.linalg.pinv(gram)), 0))
    return np.asarray(np.abs(weights) > _SURE * error)


def shares_taken_away(
    z: Float[np.ndarray, "rows series"],
    onset: int,
    known: Mapping[int, Law],
    held: Bool[np.ndarray, "cases series"],
    symptom: int,
) -> Float[np.ndarray, " cases"]:
    """The share of the symptom's excess after the onset that goes when series stay at baseline.

    Each case holds some series. The model is linear, so the difference to what happened runs
    through it alone: all else that moved the series stays as it was. Not cut to 0 … 1: a value
    far outside says that the model does not hold at this distance. 0 without an excess.
    """
    order = _in_order(known)
    columns = sorted({symptom, *order, *(c for law in known.values() for c, _ in law.causes)})
    place = {column: k for k, column in enumerate(columns)}
    after = z[onset:, columns]
    fixed = held[:, columns].T
    less = np.where(fixed, -_filled(after)[:, :, None], 0.0)
    for row in range(len(after)):
        for effect in order:
            at, law = place[effect], known[effect]
            moved = law.own * less[row - 1, at] if row else np.zeros(len(held))
            for (cause, lag), weight in zip(law.causes, law.weights, strict=True):
                if row >= lag:
                    moved = moved + weight * less[row - lag, place[cause]]
            less[row, at] = np.where(fixed[at], less[row, at], moved)
    at = place[symptom]
    measured = np.isfinite(after[:, at])
    total = float(after[measured, at].sum())
    taken = -less[measured, at].sum(axis=0)
    return np.asarray(taken / total if abs(total) > 0 else np.zeros(len(held)))


def _in_order(known: Mapping[int, Law]) -> list[int]:
    """Effects after those that cause them in the same row; `parents` hold no such circle."""
    waiting, order = sorted(known), list[int]()
    while waiting:
        ready = [
            effect
            for effect in waiting
            if not any(lag == 0 and cause in waiting for cause, lag in known[effect].causes)
        ]
        order += ready or waiting
        waiting = [effect for effect in waiting if ready and effect not in ready]
    return order


def _filled(values: Float[np.ndarray, "rows series"]) -> Float[np.ndarray, "rows series"]:
    """Gaps filled with the value before; 0 where there is none."""
    rows = np.arange(len(values))[:, None]
    last = np.maximum.accumulate(np.where(np.isfinite(values), rows, -1), axis=0)
    found = np.take_along_axis(values, np.maximum(last, 0), axis=0)
    return np.where(last >= 0, found, 0.0)
