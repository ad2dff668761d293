"""Which rows a diagnosis or an analysis of an incident looks at."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from rootward.errors import InsufficientData
from rootward.model.incident import Incident, Status
from rootward.model.window import Window
from rootward.ports import Platform, WindowQuery
from rootward_worker import story
from rootward_worker.detect import MARGIN_ROWS
from rootward_worker.options import WorkerOptions

LEAST_BASELINE = 30
"""Rows that must be left when those of earlier incidents are taken out."""


def window_of(
    platform: Platform, options: WorkerOptions, incident: Incident, end_unix: float
) -> Window:
    """The raw rows up to a time, with the incident's onset.

    Raises:
        InsufficientData: no samples there, or none from the incident.
    """
    query = WindowQuery(end_unix, options.window_rows, options.step_seconds, incident.tenant)
    window = platform.samples.window(query)
    measured = np.flatnonzero(np.any(np.isfinite(window.values), axis=1))
    window = window.rows(int(measured[0]), len(window.times))
    onset = window.row_at(incident.onset_unix)
    if not 0 < onset < len(window.times):
        raise InsufficientData(
            f"of the {len(window.times)} rows up to the end of the window none lies before "
            "the onset, or none after it; widen ROOTWARD_WINDOW_ROWS"
        )
    return window.with_onset(onset)


def without_earlier(
    platform: Platform, incident: Incident, window: Window
) -> tuple[Window, tuple[str, ...]]:
    """The window with the rows of earlier incidents taken out of its baseline, and a word on it.

    They stay where too few other rows would be left to tell what is normal.
    """
    margin = MARGIN_ROWS * window.step_seconds
    before = window.times < incident.onset_unix - margin
    out = np.zeros(len(window.times), dtype=bool)
    for one in platform.incidents.page(incident.tenant, status=Status.RESOLVED).items:
        if one.id != incident.id and not story.is_new_normal(one):
            begun, ended = one.onset_unix - margin, one.last_change_unix + margin
            out |= before & (window.times >= begun) & (window.times <= ended)
    if not out.any():
        return window, ()
    if np.count_nonzero(before & ~out) < LEAST_BASELINE:
        return window, ("The baseline holds rows of earlier incidents.",)
    values = np.where(out[:, None], np.nan, window.values)
    word = f"{np.count_nonzero(out)} rows of earlier incidents were left out of the baseline."
    return replace(window, values=values), (word,)


def last_row_unix(platform: Platform, options: WorkerOptions, incident: Incident) -> float:
    """The newest row that is complete; of a resolved incident, the last one with a symptom."""
    row = complete_row_unix(platform, options, incident.tenant)
    if incident.status is Status.RESOLVED:
        return min(row, max(incident.last_change_unix, incident.opened_unix))
    return row


def complete_row_unix(platform: Platform, options: WorkerOptions, tenant: str) -> float:
    """The newest row that is complete; raises InsufficientData where nothing is stored."""
    latest = platform.samples.latest_unix(tenant)
    if latest is None:
        raise InsufficientData("no samples are stored")
    latest = min(latest, platform.clock.now())
    return (math.ceil(latest / options.step_seconds) - 1) * options.step_seconds
