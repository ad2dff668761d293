"""Services that stop reporting while others go on. Pure: a window in, findings out."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from rootward.model.kind import kind_of
from rootward.model.window import Window
from rootward.numerics.departure import LARGEST_SCORE, longest_run
from rootward_worker.finding import Finding
from rootward_worker.symptoms import symptom_columns

SILENT_ROWS = 4
LEAST_PRESENT_ROWS = 30
"""A service that reported in fewer rows is not missed."""


def vanished(frame: Window, usable: np.ndarray) -> tuple[Finding, ...]:
    """One finding for each service that reported all along and has stopped, while others go on.

    It must be silent for longer than it ever was in the baseline.
    """
    measured = np.isfinite(frame.values)
    columns: dict[str, list[int]] = defaultdict(list)
    for c, one in enumerate(frame.series):
        columns[one.service].append(c)
    heard = {s: np.any(measured[:, own], axis=1) for s, own in columns.items()}
    anyone = np.any(measured, axis=1)
    return tuple(
        _gone(frame, own, heard[service])
        for service, own in columns.items()
        if not heard[service][-1] and _fell_silent(heard[service], anyone, usable)
    )


def _fell_silent(heard: np.ndarray, anyone: np.ndarray, usable: np.ndarray) -> bool:
    last = int(np.flatnonzero(heard)[-1]) if np.any(heard) else -1
    before = heard[: last + 1][usable[: last + 1]]
    silent = np.count_nonzero(anyone[last + 1 :])
    usual = longest_run(~before)
    return len(before) >= LEAST_PRESENT_ROWS and bool(silent >= SILENT_ROWS + 2 * usual)


def _gone(frame: Window, columns: list[int], heard: np.ndarray) -> Finding:
    """The finding for a silent service; the series that a caller feels most speaks for it."""
    felt = symptom_columns(tuple(frame.series[c] for c in columns), tuple(
        kind_of(frame.series[c].metric) for c in columns))  # fmt: skip
    column = next((c for c, yes in zip(columns, felt, strict=True) if yes), columns[0])
    known = frame.values[:, column][np.isfinite(frame.values[:, column])]
    return Finding(
        series=frame.series[column],
        onset=int(np.flatnonzero(heard)[-1]) + 1,
        score=-LARGEST_SCORE,
        size=-LARGEST_SCORE,
        before=float(np.median(known)) if len(known) else 0.0,
        after=0.0,
        harmful=True,
        gone=True,
    )
