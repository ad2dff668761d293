"""What the detectors of this family share: rows made ready, alarms, and how they are shown."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from jaxtyping import Float, Int

from rootward.errors import InsufficientData
from rootward.methods.base import Method
from rootward.methods.ranking.incident import onset_of
from rootward.model.case import Case
from rootward.model.result import Block, Caveat, CaveatCode, Figure, Inputs, Result, Table
from rootward.model.window import Window
from rootward.numerics.laws import LEAST_ROWS, Group, Laws, learnt_laws
from rootward.numerics.regression import rows_since_gap
from rootward.numerics.watch import Watch

MOST_SHOWN = 30
LEAST_HELD_OUT = 40
"""Rows below which the tail of the noise is hardly known."""


@dataclass(frozen=True)
class Alarm:
    """A series that a detector found changed."""

    column: int
    row: int
    """Row of the window at which it was noticed."""
    began: int
    """Row at which it began, as far as can be told."""
    score: float
    """The largest multiple of the threshold, negative for a fall."""


@dataclass(frozen=True, eq=False)
class Ready:
    """A window with its laws."""

    window: Window
    onset: int
    order: Int[np.ndarray, " series"]
    """Columns of the window in the order of their series: fits see the same numbers in the same
    places however the columns are ordered."""
    values: Float[np.ndarray, "rows series"]
    """In that order; infinities are holes."""
    laws: Laws

    def series(self, column: int) -> str:
        """Name of a column of `values`."""
        return str(self.window.series[self.order[column]])


def ready(case: Case, groups: Sequence[Group] | None = None) -> Ready:
    """Laws of the rows before the onset; without groups each series is foretold from itself.

    Groups count columns in the order of the series.

    Raises:
        InsufficientData: no onset, too few rows before it, or no series that varies.
    """
    window, onset = case.window, onset_of(case)
    if onset < LEAST_ROWS:
        raise InsufficientData(
            f"{onset} rows before the onset, {LEAST_ROWS} are needed; widen the window"
        )
    order = np.array(sorted(range(len(window.series)), key=window.series.__getitem__))
    values = window.values[:, order]
    values = np.where(np.isfinite(values), values, np.nan)
    since_gap = rows_since_gap(window.times, window.step_seconds)
    alone = [Group((c,)) for c in range(len(order))]
    laws = learnt_laws(values[:onset], since_gap[:onset], groups or alone)
    if not laws.watched.any():
        raise InsufficientData("no series varies enough before the onset to be foretold")
    return Ready(window, onset, order, values, laws)


def watched(one: Ready, level: float, *, model_error: float) -> list[Alarm]:
    """Run a watch from the onset on; one alarm a series, the first.

    `level` is the chance of any false alarm in the rows after the onset.
    """
    rows = len(one.values) - one.onset
    tried = int(one.laws.watched.sum()) * max(rows, 1)
    watch = Watch(one.laws, level / tried, model_error=model_error)
    found: dict[int, Alarm] = {}
    for row in range(max(one.onset - one.laws.lags, 0), len(one.values)):
        seen = watch.step(one.values[row])
        for column in np.flatnonzero(seen.changed):
            c, score = int(column), float(seen.score[column])
            known = found.get(c)
            began = max(row - int(seen.began[column]) + 1, one.onset)
            if known is None:
                found[c] = Alarm(c, row, began, score)
            elif abs(score) > abs(known.score):
                found[c] = Alarm(c, known.row, known.began, score)
    return list(found.values())


def shown(one: Ready, alarms: Sequence[Alarm], what: str, *blocks: Block) -> Result:
    """The alarms in words and as a table, the earliest first; `what` is what changed."""
    ranked = sorted(alarms, key=lambda a: (a.began, -round(abs(a.score), 6), one.series(a.column)))
    judged = int(one.laws.watched.sum())
    away = _away(one)
    answer = f"No {what} of {judged} series changed after the onset."
    if away:
        answer = (
            f"No {what} of {judged} series is shown to have changed after the onset, though "
            f"{away} are three deviations away: from its second row on, a leap that stays is "
            "what the rows before foretell."
        )
    if ranked:
        first = ranked[0]
        answer = (
            f"The {what} of {one.series(first.column)} changed first, at {_utc(one, first.began)}; "
            f"{len(ranked)} of {judged} series changed."
        )
    rows = tuple(
        (one.series(a.column), _utc(one, a.began), _utc(one, a.row), round(a.score, 2))
        for a in ranked[:MOST_SHOWN]
    )
    columns = ("series", "began (UTC)", "noticed (UTC)", "score (multiples of the threshold)")
    caveats = []
    if np.count_nonzero(np.isfinite(one.laws.left).any(axis=1)) < LEAST_HELD_OUT:
        text = "Few rows before the onset: how far noise reaches is guessed more than measured."
        caveats.append(Caveat(CaveatCode.FEW_EFFECTIVE_ROWS, text))
    if away and not ranked:
        text = "The laws account for all departures, some perhaps by the series' own leaps."
        caveats.append(Caveat(CaveatCode.NOT_IDENTIFIED, text))
    dropped = {
        one.series(int(c)): "does not vary, or is hardly measured, before the onset"
        for c in np.flatnonzero(~one.laws.watched)
    }
    return Result(
        answer,
        (Table(f"Series whose {what} changed", columns, rows), *blocks) if rows else blocks,
        status="weak" if caveats else "ok",
        caveats=tuple(caveats),
        headline=Figure(f"series whose {what} changed", float(len(ranked))),
        baseline=Figure("series three deviations away from their baseline", float(away)),
        inputs=Inputs.of(one.window, dropped=dropped),
        found=bool(ranked),
    )


def _utc(one: Ready, row: int) -> str:
    return datetime.fromtimestamp(float(one.window.times[row]), UTC).strftime("%H:%M:%S")


def _away(one: Ready) -> int:
    """Series whose mean since the onset is three deviations of the baseline away."""
    after = one.values[one.onset :]
    known = np.isfinite(after)
    mean = np.where(known, after, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    away = np.abs(mean - one.laws.centre) > 3 * one.laws.scale
    return int(np.count_nonzero(away & known.any(axis=0) & one.laws.watched))


class SeriesDetector(Method):
    """Judges each series by itself; subclasses judge noise without memory."""

    @abstractmethod
    def scores(
        self, innovations: Float[np.ndarray, "rows series"], false_rows: float
    ) -> tuple[Float[np.ndarray, "rows series"], Int[np.ndarray, "rows series"]]:
        """Multiples of the threshold, signed, and rows since the change began, at every row.

        Innovations are what the series' own past does not foretell, in deviations; no NaN.
        """

    def run(self, case: Case) -> Result:
        one = ready(case)
        level = self.about.level or 0.05
        innovations = _innovations(one)
        judged = int(one.laws.watched.sum())
        false_rows = level / (judged * max(len(innovations), 1))
        scores, since = self.scores(innovations, false_rows)
        found = []
        for c in np.flatnonzero(one.laws.watched):
            rows = np.flatnonzero(np.abs(scores[:, c]) >= 1)
            if len(rows):
                row = int(rows[0])
                best = int(np.abs(scores[:, c]).argmax())
                began = max(row - int(since[row, c]) + 1, 0)
                found.append(
                    Alarm(int(c), one.onset + row, one.onset + began, float(scores[best, c]))
                )
        return shown(one, found, "level")


def _innovations(one: Ready) -> Float[np.ndarray, "rows series"]:
    watch = Watch(one.laws, 0.5, model_error=0.0)
    start = max(one.onset - one.laws.lags, 0)
    every = [watch.innovations(row) for row in one.values[start:]]
    return np.nan_to_num(np.array(every)[one.onset - start :])
