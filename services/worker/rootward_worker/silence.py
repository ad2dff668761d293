"""Services that stop reporting while others go on. Pure: a window in, findings out."""

from __future__ import annotations

import numpy as np

from rootward.model.window import Window
from rootward.numerics.departure import LARGEST_SCORE, longest_run
from rootward_worker.finding import Finding
from rootward_worker.names import Names

SILENT_ROWS = 4
LEAST_PRESENT_ROWS = 30
"""A service that reported in fewer rows is not missed."""


def vanished(frame: Window, usable: np.ndarray, names: Names) -> tuple[Finding, ...]:
    """One finding for each service that reported all along and has stopped, while others go on.

    It must be silent for longer than it ever was in the baseline.
    """
    reporting = np.zeros(len(names.services), dtype=bool)
    reporting[names.service[np.isfinite(frame.values[-1])]] = True
    if np.all(reporting):
        return ()
    anyone = np.any(np.isfinite(frame.values), axis=1)
    found = []
    for silent in np.flatnonzero(~reporting):
        columns = np.flatnonzero(names.service == silent)
        heard = np.any(np.isfinite(frame.values[:, columns]), axis=1)
        if _fell_silent(heard, anyone, usable):
            found.append(_gone(frame, columns, heard, names))
    return tuple(found)


def _fell_silent(heard: np.ndarray, anyone: np.ndarray, usable: np.ndarray) -> bool:
    last = int(np.flatnonzero(heard)[-1]) if np.any(heard) else -1
    before = heard[: last + 1][usable[: last + 1]]
    silent = np.count_nonzero(anyone[last + 1 :])
    usual = longest_run(~before)
    return len(before) >= LEAST_PRESENT_ROWS and bool(silent >= SILENT_ROWS + 2 * usual)


def _gone(frame: Window, columns: np.ndarray, heard: np.ndarray, names: Names) -> Finding:
    """The finding for a silent service; the series that a caller feels most speaks for it."""
    felt = columns[names.symptom[columns]]
    column = int(felt[0] if len(felt) else columns[0])
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
