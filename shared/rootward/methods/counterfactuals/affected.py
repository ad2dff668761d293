"""Which series a counterfactual is drawn for: the symptom, its load, and what moved furthest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from rootward.errors import InsufficientData
from rootward.model.case import Case
from rootward.model.kind import Kind, kind_of
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.numerics.memory import whitened
from rootward.numerics.scores import robust_z

MOST_MISSING = 0.2
"""Series of which more is missing before or since the onset are left out."""
ALIKE = 0.999
"""Series that correlate so far are one series twice."""
STILL = 1e-3
"""Deviation since the onset, in those of the baseline, below which a series stands still."""
_LEAST_FREEDOM = 4.0


@dataclass(frozen=True, eq=False)
class Affected:
    """Chosen series in baseline deviations, gaps filled, in the order of their names."""

    series: tuple[Series, ...]
    values: Float[np.ndarray, "rows chosen"]
    """Deviations from the baseline's mean, all rows of the window."""
    mean: Float[np.ndarray, " chosen"]
    deviation: Float[np.ndarray, " chosen"]
    onset: int
    symptom: int
    """Column of the symptom; of what moved furthest where nobody named one."""
    considered: int
    """Series that the chosen ones were chosen from."""
    dropped: Mapping[str, str]
    """Series that could not be used and why; those that were only not chosen are not in it."""

    @property
    def before(self) -> Float[np.ndarray, "baseline_rows chosen"]:
        """The rows before the onset."""
        return self.values[: self.onset]

    @property
    def since(self) -> Float[np.ndarray, "incident_rows chosen"]:
        """The rows from the onset on."""
        return self.values[self.onset :]


def moved_p(chosen: Affected) -> Float[np.ndarray, " chosen"]:
    """P-value of each series' mean being the same since the onset, for all that were considered.

    A t-test with effective rows in place of rows (at least one), their share and the variance
    taken from before the onset, and Bonferroni's correction, because the furthest movers are
    chosen. That the share is itself an estimate costs half of the degrees of freedom.
    """
    share = whitened(chosen.before).effective_share
    before, since = (np.maximum(len(x) * share, 1.0) for x in (chosen.before, chosen.since))
    z = np.abs(chosen.since.mean(axis=0)) / np.sqrt(1 / before + 1 / since)
    freedom = np.maximum(before / 2 - 1, _LEAST_FREEDOM)
    return np.minimum(2 * stats.t.sf(z, freedom) * chosen.considered, 1.0)


def affected(case: Case, most: int, *, least_before: int, least_since: int) -> Affected:
    """At most `most` series: the symptom, its service's traffic, then what moved furthest.

    Raises:
        InsufficientData: no onset, too few rows around it, or fewer than two usable series.
    """
    window = case.window
    onset = window.onset
    if onset is None:
        raise InsufficientData("needs a known onset to tell before from after")
    since = len(window.values) - onset
    if onset < least_before or since < least_since:
        raise InsufficientData(
            f"needs {least_before} rows before the onset and {least_since} since, got {onset} "
            f"and {since}; widen the window"
        )
    usable, dropped = _usable(window, onset)
    chosen = _chosen(case, usable, dropped, most)
    if len(chosen) < 2:
        raise InsufficientData(
            f"needs two series that vary before and since the onset, got {len(chosen)}"
        )
    values = _filled(window.values[:, chosen])
    mean, deviation = values[:onset].mean(axis=0), values[:onset].std(axis=0)
    series = tuple(window.series[c] for c in chosen)
    standard = (values - mean) / deviation
    furthest = int(np.abs(standard[onset:].mean(axis=0)).argmax())
    named = chosen.index(case.symptom) if case.symptom in chosen else furthest
    return Affected(series, standard, mean, deviation, onset, named, len(usable), dropped)


def _usable(window: Window, onset: int) -> tuple[list[int], dict[str, str]]:
    """Columns to choose from, by name, and what is wrong with the others."""
    usable, dropped = [], {}
    order = sorted(range(len(window.series)), key=lambda c: window.series[c])
    for column in order:
        x = window.values[:, column]
        reason = _fault(x[:onset], x[onset:])
        if reason:
            dropped[str(window.series[column])] = reason
        else:
            usable.append(column)
    return usable, dropped


def _fault(before: Float[np.ndarray, " before"], since: Float[np.ndarray, " since"]) -> str:
    """Why a series cannot be used, or an empty string."""
    known, after = before[np.isfinite(before)], since[np.isfinite(since)]
    if min(len(known) / len(before), len(after) / len(since)) < 1 - MOST_MISSING:
        return f"more than {MOST_MISSING:.0%} missing"
    if not known.std() > 1e-9 * np.abs(known).max():
        return "constant before the onset"
    if after.std() < STILL * known.std():
        return "constant since the onset"
    return ""


def _chosen(case: Case, usable: list[int], dropped: dict[str, str], most: int) -> list[int]:
    """Columns in the order of their names; a duplicate of a chosen one is dropped."""
    window, onset = case.window, case.window.onset
    measured = np.where(np.isfinite(window.values), window.values, np.nan)
    moved = robust_z(measured[:onset], measured[onset:])
    wanted = sorted(usable, key=lambda c: -float(moved[c]))
    if case.symptom in usable:
        service = window.series[case.symptom].service
        load = [
            c
            for c in usable
            if window.series[c].service == service
            and kind_of(window.series[c].metric) is Kind.TRAFFIC
        ]
        wanted = list(dict.fromkeys([case.symptom, *load[:1], *wanted]))
    taken: list[int] = []
    for column in wanted:
        if len(taken) == most:
            break
        twin = next((c for c in taken if _alike(window, c, column)), None)
        if twin is None:
            taken.append(column)
        else:
            dropped[str(window.series[column])] = f"follows {window.series[twin]}"
    return sorted(taken, key=lambda c: window.series[c])


def _alike(window: Window, one: int, other: int) -> bool:
    """Whether two columns are nearly the same before or since the onset."""
    for part in (window.baseline, window.incident):
        pair = part[:, [one, other]]
        pair = pair[np.isfinite(pair).all(axis=1)]
        if len(pair) < 3 or abs(np.corrcoef(pair.T)[0, 1]) > ALIKE:
            return True
    return False


def _filled(values: Float[np.ndarray, "rows chosen"]) -> Float[np.ndarray, "rows chosen"]:
    """Gaps bridged by straight lines."""
    at = np.arange(len(values))
    columns = []
    for x in values.T:
        known = np.isfinite(x)
        columns.append(np.interp(at, at[known], x[known]))
    return np.column_stack(columns)
