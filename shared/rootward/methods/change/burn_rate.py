"""Burn rate: how fast the error budget goes, in a long and a short window at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from rootward.errors import InsufficientData
from rootward.methods.base import About, Cost, Family, Method, Need, Provenance
from rootward.methods.ranking.incident import onset_of
from rootward.model.case import Case
from rootward.model.kind import Kind, harmful_direction, kind_of
from rootward.model.result import Bars, Caveat, CaveatCode, Figure, Inputs, Result, Table
from rootward.model.wording import clock, duration


@dataclass(frozen=True)
class Rule:
    """Alerts while the budget burns `rate` times too fast over both windows."""

    long_seconds: float
    short_seconds: float
    rate: float
    pages: bool
    """Wakes someone up, or opens a ticket."""


RULES = (
    Rule(3600.0, 300.0, 14.4, True),
    Rule(21600.0, 1800.0, 6.0, True),
    Rule(259200.0, 21600.0, 1.0, False),
)
"""Two percent of a month's budget in an hour, five in six hours, ten in three days."""
LEAST_SHORT_ROWS = 3


def burn(
    bad: Float[np.ndarray, " rows"],
    total: Float[np.ndarray, " rows"],
    rows: int,
    budget: float,
) -> Float[np.ndarray, " rows"]:
    """At each row: the bad share of the last `rows` rows over the budget; shorter at the start.

    Weighted by `total`; 0 where nothing was asked. NaN counts as nothing asked.
    """
    known = np.isfinite(bad) & np.isfinite(total)
    sums = np.stack([np.where(known, x, 0.0) for x in (bad, total)])
    sums = np.concatenate([np.zeros((2, 1)), np.cumsum(sums, axis=1)], axis=1)
    end = np.arange(1, len(bad) + 1)
    failed, asked = sums[:, end] - sums[:, np.maximum(end - rows, 0)]
    return np.where(asked > 0, failed / np.maximum(asked, 1e-300), 0.0) / budget


def burning(
    bad: Float[np.ndarray, " rows"],
    total: Float[np.ndarray, " rows"],
    step_seconds: float,
    budget: float,
    rule: Rule,
) -> Bool[np.ndarray, " rows"]:
    """Rows at which a rule alerts.

    The short window makes it end soon after the trouble does; neither is shorter than three
    rows. A long window that reaches beyond the first row is cut to what there is, which alerts
    sooner than the rule says.
    """
    long_rows = max(round(rule.long_seconds / step_seconds), LEAST_SHORT_ROWS)
    short_rows = max(round(rule.short_seconds / step_seconds), LEAST_SHORT_ROWS)
    both = np.minimum(burn(bad, total, long_rows, budget), burn(bad, total, short_rows, budget))
    alert = both >= rule.rate
    alert[: LEAST_SHORT_ROWS - 1] = False
    return alert


@dataclass(frozen=True, eq=False)
class Objective:
    """What a service owes: a share of rows or requests that are good."""

    name: str
    bad: Float[np.ndarray, " rows"]
    total: Float[np.ndarray, " rows"]
    budget: float


@dataclass(frozen=True, kw_only=True)
class BurnRate(Method):
    """Says which objectives burn their error budget too fast, and since when.

    Where errors and requests are counted their share is the objective's; of the symptom, every
    row worse than nearly all rows before the onset is a bad one.
    """

    objective: float = 0.99
    """Share of requests that must succeed."""
    slow_rows: float = 0.02
    """Share of rows in which the symptom may be worse than usual."""

    about = About(
        name="burn_rate",
        family=Family.CHANGE,
        question="Does this incident spend the error budget fast enough to wake someone?",
        paper="Beyer, Murphy, Rensin, Kawahara, Thorne 2018, The Site Reliability Workbook, "
        "chapter 5, multiwindow, multi-burn-rate alerts",
        needs=frozenset({Need.ONSET}),
        provenance=Provenance.RECONSTRUCTION,
        provenance_note="a symptom without an objective of its own gets one from the rows before "
        "the onset; windows are cut to the recording",
        cost=Cost.INSTANT,
        assumptions=("The objective is one that the service has promised.",),
        limits=("A fast burn tells that users suffer, not why.",),
    )

    def run(self, case: Case) -> Result:
        onset = onset_of(case)
        objectives = [*_counted(case, 1 - self.objective), *_symptom(case, onset, self.slow_rows)]
        if not objectives:
            raise InsufficientData(
                "no service counts errors and requests, and no symptom is named or measured"
            )
        step = case.window.step_seconds
        rates = [
            (one.name, float(burn(one.bad, one.total, _short(step), one.budget)[-1]))
            for one in objectives
        ]
        rows = [row for one in objectives for row in _alerts(case, onset, one)]
        return _shown(case, rates, rows)


def _alerts(case: Case, onset: int, one: Objective) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for rule in RULES:
        alert = burning(one.bad, one.total, case.window.step_seconds, one.budget, rule)[onset:]
        if alert.any():
            began = clock(float(case.window.times[onset + int(alert.argmax())]))
            what = "page" if rule.pages else "ticket"
            words = f"{rule.rate:g} × in {duration(rule.long_seconds)}"
            found.append((one.name, what, words, began, "yes" if alert[-1] else "no"))
    return found


def _short(step_seconds: float) -> int:
    return max(round(RULES[0].short_seconds / step_seconds), LEAST_SHORT_ROWS)


def _shown(
    case: Case, rates: Sequence[tuple[str, float]], rows: Sequence[tuple[str, ...]]
) -> Result:
    ranked = sorted(rates, key=lambda pair: (-round(pair[1], 6), pair[0]))
    name, fastest = ranked[0]
    paged = sorted({row[0] for row in rows if row[1] == "page"})
    answer = f"{name} burns its budget {fastest:.3g} times as fast as it may"
    answer += f"; {len(paged)} of {len(rates)} objectives would have paged." if paged else (
        "; no objective would have paged."
    )  # fmt: skip
    span = float(case.window.times[-1] - case.window.times[0])
    cut = span < RULES[0].long_seconds
    caveat = Caveat(
        CaveatCode.FEW_EFFECTIVE_ROWS,
        f"The rows cover {duration(span)}, less than the shortest long window; "
        "alerts come sooner than the rules say.",
    )
    columns = ("objective", "what", "rule", "since", "still burning")
    blocks = (Table("Alerts", columns, tuple(rows)),) if rows else ()
    top = ranked[:10]
    bars = Bars("Burn rate of the last minutes", tuple(n for n, _ in top),
                tuple(round(r, 4) for _, r in top), "× the budget")  # fmt: skip
    return Result(
        answer,
        (*blocks, bars),
        status="weak" if cut else "ok",
        caveats=(caveat,) if cut else (),
        headline=Figure("fastest burn rate", round(fastest, 4), "× the budget"),
        inputs=Inputs.of(case.window),
    )


def _counted(case: Case, budget: float) -> list[Objective]:
    """Services with a counter of errors beside one of requests, or with a share of errors."""
    window, found = case.window, []
    for service in window.services:
        own = {s.metric: k for k, s in enumerate(window.series) if s.service == service}
        for metric, k in sorted(own.items()):
            column = window.values[:, k]
            if kind_of(metric) is not Kind.ERRORS or harmful_direction(metric) < 0:
                continue
            if metric.endswith("_errors_ratio") or metric == "errors_ratio":
                found.append(Objective(f"{service} {metric}", column, np.ones(len(column)), budget))
                continue
            total = next((own[m] for m in (metric.replace("errors", "requests"),
                          metric.replace("_errors_rate", "_rate")) if m != metric and m in own),
                         None)  # fmt: skip
            if total is not None and "errors" in metric:
                found.append(
                    Objective(f"{service} {metric}", column, window.values[:, total], budget)
                )
    return found


def _symptom(case: Case, onset: int, budget: float) -> list[Objective]:
    """Rows in which the symptom is worse than in nearly all rows before the onset."""
    if case.symptom is None:
        return []
    series, column = case.window.series[case.symptom], case.window.values[:, case.symptom]
    before = column[:onset][np.isfinite(column[:onset])]
    if not len(before):
        return []
    low, high = np.quantile(before, (budget / 2, 1 - budget / 2))
    harm = harmful_direction(series.metric)
    bad = np.where(harm < 0, column < low, column > high) | ((harm == 0) & (column < low))
    known = np.isfinite(column)
    share = np.where(known, bad.astype(float), np.nan)
    return [Objective(f"{series}: rows worse than usual", share, np.ones(len(share)), budget)]
