"""When the incident began: where nobody says so, and where the detector was late."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

from rootward.model.traits import traits
from rootward.model.window import Window
from rootward.numerics.anomaly import Departures, departures, median
from rootward.numerics.suspicion import DEPARTED, NEVER, first_rows
from rootward.rca.observation import Observation, observe
from rootward.rca.ranking import most

Matrix = Float[np.ndarray, "rows series"]
PerSeries = Int[np.ndarray, " series"]
Calls = tuple[tuple[str, str], ...]

MIN_BASELINE = 3
"""Fewest rows that can serve as a baseline."""
_TRIED = 60
"""Most rows that are tried as the onset."""
_LEADING = 3
"""Series that carry the decision: a fault may move few."""
_LEAST_SHIFT = float(np.log1p(DEPARTED))
"""Mean log shift of the leading series from which on something began."""
_HORIZON = 8
"""The rows looked at after a possible onset are one part in this many of the window."""
_SHORTEST, _LONGEST = 3, 60
_RANKED = 3
"""Possible onsets that a ranking is made for."""
_AS_GOOD = 0.9
"""Share of the best from which on a possible onset is as good."""
_BACK = 6
"""Rows that are looked back at in any case."""
_LATE = 0.25
"""Share of the baseline that may turn out to belong to the incident already."""
_CLEAR = 2.5
"""Score of the first service, in log deviations, from which on nothing is looked for before."""
_WIDE = 1_800_000
"""Values of a window from which on nothing is looked for before: it would take seconds."""
_OVER = 2.0
"""Times as much that must speak against a service at an earlier row, and the least score there."""


def find_onset(window: Window, calls: Calls = ()) -> int | None:
    """The row of a framed window where an incident began; None where nothing clearly did.

    At each of up to 60 rows, the median of the next rows (an eighth of the window) is held
    against all rows before, which are at least as many, or a quarter of the window. The three
    times at which the three leading series shift most are dated by the first of these series to
    depart, and then ranked: what counts is how much speaks against the first service, both soon
    and to the end of the window. The latest of those that come near the best is the onset: a
    lone series that leaps is less than a service in trouble, what has passed less than what
    lasts, and of two incidents alike the one asked about is the newer.
    """
    siblings = traits(window.series).siblings
    horizon = int(np.clip(len(window.values) // _HORIZON, _SHORTEST, _LONGEST))
    likely = _likely(window.values, horizon, siblings)
    if len(likely) < 2:
        return likely[0] if likely else None
    weights = {row: _standing_out(window, row, horizon, calls) for row in likely}
    enough = _AS_GOOD * max(weights.values())
    return max(row for row, weight in weights.items() if weight >= enough)


def with_onset(window: Window, calls: Calls = ()) -> Window:
    """The same framed window with its onset: the one it has, else the one that is found."""
    if window.onset is not None:
        return window
    return window.with_onset(find_onset(window, calls))


def _likely(values: Matrix, horizon: int, siblings: PerSeries) -> tuple[int, ...]:
    """The rows where the leading series shift most, each dated, a horizon apart or more."""
    rows = len(values)
    first = max(MIN_BASELINE, min(horizon, rows // 4))
    last = rows - _SHORTEST
    if last < first or not values.shape[1]:
        return ()
    tried = np.unique(np.linspace(first, last, min(last, _TRIED)).astype(int))
    leading = np.array(
        [_leading_shift(values[: row + horizon], row, siblings) for row in tried.tolist()]
    )
    found: list[int] = []
    while len(found) < _RANKED and leading.max() >= _LEAST_SHIFT:
        row = int(tried[np.argmax(leading)])
        leading[np.abs(tried - row) < horizon] = 0.0
        dated = _dated(values[: row + horizon], row, siblings)
        found.append(began_before(values, dated, siblings))
    return tuple(dict.fromkeys(found))


def _standing_out(window: Window, row: int, horizon: int, calls: Calls) -> float:
    """What speaks against the first service if it began here: the lesser of soon and to the end."""
    parts = {min(row + horizon, len(window.values)), len(window.values)}
    return min(most(observe(window.rows(0, end), row), calls) for end in parts)


def _leading_shift(values: Matrix, row: int, siblings: PerSeries) -> float:
    shift = _shift(departures(values, row, siblings), row)
    return float(np.sort(shift)[-_LEADING:].mean())


def _shift(found: Departures, row: int) -> Float[np.ndarray, " series"]:
    level = np.abs(np.nan_to_num(median(found.z[row:])))
    return np.log1p(level) * found.trust


def _dated(values: Matrix, row: int, siblings: PerSeries) -> int:
    """The first row from which on one of the leading series is away."""
    found = departures(values, row, siblings)
    leading = np.argsort(_shift(found, row))[-_LEADING:]
    began = first_rows(found.z[:, leading], row)
    return int(began[began != NEVER].min()) if (began != NEVER).any() else row


def around(
    window: Window,
    calls: Calls = (),
    at_first: Callable[[Observation], None] = lambda _: None,
) -> Observation:
    """What is seen around the onset that a framed window was told, put right by a few rows.

    A late onset is followed back as far as the leading series were away already. Where little
    departs after it, what broke may be over: of the six rows before it the one is taken at which
    a service stands out most, if it does so twice as much. An early onset is moved on to the row
    before the leading series depart. `at_first` is given what is seen before the last two.
    """
    told = window.onset
    assert told is not None
    began = began_before(window.values, told, traits(window.series).siblings)
    seen = observe(window, began)
    at_first(seen)
    if began == told:
        seen = _over_already(seen, calls)
    later = _departed_first(seen) - 1
    return seen if later <= seen.onset else observe(window, later)


def _over_already(seen: Observation, calls: Calls) -> Observation:
    """The same, or what is seen from the row before where twice as much stands out."""
    if seen.window.values.size > _WIDE:
        return seen
    least = most(seen, calls)
    if least >= _CLEAR:
        return seen
    best, highest = seen, max(_OVER * least, _OVER)
    for row in range(max(MIN_BASELINE, seen.onset - _BACK), seen.onset):
        other = observe(seen.window, row)
        score = most(other, calls)
        if score >= highest:
            best, highest = other, score
    return best


def _departed_first(seen: Observation) -> int:
    """The row at which the first of the leading series departs; the onset where none does."""
    leading = _furthest(seen.found)
    began = seen.onsets[leading]
    began = began[began != NEVER]
    return int(began.min()) if len(began) else seen.onset


def _furthest(found: Departures) -> Int[np.ndarray, " leading"]:
    """The columns that departed furthest, three at most."""
    leading = np.argsort(np.log1p(found.size) * found.trust)[-_LEADING:]
    return leading[found.size[leading] >= DEPARTED]


def began_before(values: Matrix, onset: int, siblings: PerSeries) -> int:
    """The row where the incident began, at or before an onset that may have come late.

    The series that lead after the onset are followed back, row by row, as long as they were
    away already: at most a quarter of the baseline, and twice as long as is known of the
    incident. A series that was away for all of that drifts, and dates nothing.
    """
    furthest = min(round(_LATE * onset), max(_BACK, 2 * (len(values) - onset)))
    earliest = max(MIN_BASELINE, onset - furthest)
    if earliest >= onset:
        return onset
    outside = np.vstack([values[:earliest], values[onset:]])
    found = departures(outside, earliest, siblings)
    leading = _furthest(found)
    if not len(leading):
        return onset
    z = (values[earliest:onset, leading] - found.centre[leading]) / found.scale[leading]
    away = (z * found.direction[leading] >= DEPARTED)[::-1]
    running = np.where(away.all(axis=0), 0, (~away).argmax(axis=0))
    return onset - int(running.max())
