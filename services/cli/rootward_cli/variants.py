"""The same case told in another way: other column order, other units, a wrong onset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rootward_cli.cases import Recording
from rootward_cli.evaluation import AS_GIVEN

FACTORS = (1e-3, 1 / 60, 100.0, 1000.0, 1024.0, 2.0**20)
"""What units of the same quantity differ by."""
_LEAST_ROWS = 3
"""Rows of baseline that are left however early the onset is said to be."""


@dataclass(frozen=True)
class Variant:
    """How a case is changed before a method sees it."""

    name: str
    change: Callable[[Recording, int], Recording]
    """The changed recording, from a recording and a seed."""
    shift: int = 0
    same_answer: bool = False
    """Whether the ranking must stay what it was."""


def variants(shifts: Sequence[int], check: bool) -> list[Variant]:
    """The case as given first, then what was asked for."""
    found = [Variant(AS_GIVEN, lambda recording, seed: recording)]
    if check:
        found.append(Variant("columns permuted", permuted, same_answer=True))
        found.append(Variant("units rescaled", rescaled, same_answer=True))
    return found + [_shifted(rows) for rows in dict.fromkeys(shifts) if rows]


def permuted(recording: Recording, seed: int) -> Recording:
    """The columns in a drawn order."""
    window = recording.window
    order = np.random.default_rng(seed).permutation(len(window.series))
    return replace(recording, window=window.select(order.tolist()))


def rescaled(recording: Recording, seed: int) -> Recording:
    """Every metric in a drawn other unit, the same one on all services."""
    window = recording.window
    metrics = sorted({series.metric for series in window.series})
    drawn = np.random.default_rng(seed).choice(FACTORS, len(metrics))
    factor = dict(zip(metrics, drawn, strict=True))
    values = window.values * np.array([factor[series.metric] for series in window.series])
    return replace(recording, window=replace(window, values=values))


def _shifted(rows: int) -> Variant:
    def change(recording: Recording, seed: int) -> Recording:
        return shifted(recording, rows)

    return Variant(f"onset {rows:+d}", change, shift=rows)


def shifted(recording: Recording, rows: int) -> Recording:
    """The onset so many rows later (earlier if negative), kept inside of the recording."""
    window = recording.window
    if window.onset is None:
        return recording
    moved = int(np.clip(window.onset + rows, _LEAST_ROWS, len(window.times) - 1))
    return replace(recording, window=window.with_onset(moved))
