"""The previous regime's view: what these very minutes would have looked like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from rootward.errors import InvalidParameters
from rootward.methods.base import About, Cost, Family, Method, Need, Provenance
from rootward.methods.counterfactuals.affected import Affected, affected, moved_p
from rootward.methods.counterfactuals.domain_shift.model import DomainModel, sparsest
from rootward.model.case import Case
from rootward.model.kind import unit_of
from rootward.model.result import (
    Bars,
    Block,
    Caveat,
    CaveatCode,
    Figure,
    Inputs,
    Line,
    Lines,
    Result,
    Table,
)
from rootward.model.window import Window
from rootward.model.wording import duration, number, quantity
from rootward.numerics.memory import whitened

_LEAST_BEFORE = 60
_ROWS_PER_SERIES = 5
_LEAST_EFFECTIVE = 10.0
_LEVEL = 0.05
_CLEAR = 0.01
"""P-value from which on something moved; the effective rows are an estimate, so that on noise
with a memory of 0.8 claims at 0.01 come near to the level."""
_SHOWN_ROWS = 240
_SHOWN_SERIES = 4
_EQUALLY_LIKELY = 0.02
"""Nats per row within which two fits explain the rows alike."""
_MOST_BEYOND = 0.1
"""Share of rows replayed far outside of the baseline from which on they are not believed."""


@dataclass(frozen=True, eq=False)
class View:
    """Rows since the onset as the regime before would have shown them, in baseline deviations."""

    chosen: Affected
    changed: int
    """Mechanisms that differ from before."""
    rows: Float[np.ndarray, "incident_rows chosen"]
    disagreement: Float[np.ndarray, " chosen"]
    """Largest distance of the mean from that of a fit that explains the rows equally well."""

    @property
    def difference(self) -> Float[np.ndarray, " chosen"]:
        """Mean of what was recorded less what would have been."""
        return np.asarray((self.chosen.since - self.rows).mean(axis=0))


def unchanged(chosen: Affected) -> View:
    """The view where nothing moved: the rows as they were recorded."""
    return View(chosen, 0, chosen.since, np.zeros(len(chosen.series)))


def previous_regime(chosen: Affected, models: tuple[DomainModel, ...]) -> View:
    """The view of the likeliest model, and how far equally likely ones differ from it."""
    seen = [m.counterfactual(chosen.since, 1, 0) for m in models]
    near = [
        rows.mean(axis=0)
        for m, rows in zip(models, seen, strict=True)
        if m.loss <= models[0].loss + _EQUALLY_LIKELY
    ]
    apart = np.max([np.abs(mean - near[0]) for mean in near], axis=0)
    return View(chosen, models[0].changed, seen[0], apart)


@dataclass(frozen=True, kw_only=True)
class DomainShift(Method):
    """Replays the minutes since the onset through the mechanisms that held before it.

    The noise of each row is kept (what users did, what chance did), only the mechanisms that
    changed are put back; so load that was the same stays as it was recorded.
    """

    most_series: int = 6
    """Series looked at: the symptom, its service's traffic, and those that moved furthest."""
    restarts: int = 16
    """Random starts of each fit; more find a likelier model and take longer."""

    quick: ClassVar[Mapping[str, int | float | str | bool]] = {"most_series": 3, "restarts": 3}
    exceptions: ClassVar[Mapping[str, str]] = {
        "scaling_units": "it answers in the units of the series; its own test scales them"
    }
    about = About(
        name="domain_shift",
        family=Family.COUNTERFACTUALS,
        question="What would these minutes have looked like had the previous regime continued?",
        paper="Zhou, Bai, Kulinski, Kocaoglu, Inouye 2024, Towards Characterizing Domain "
        "Counterfactuals for Invertible Latent Causal Models, ICLR, arXiv 2306.11281",
        needs=frozenset({Need.ONSET}),
        provenance=Provenance.PAPER,
        cost=Cost.SECONDS,
        measured=(
            "Planted truth, four series, two changed mechanisms, three regimes of 1000 rows, five "
            "seeds: mean squared error 0.16; 10.3 where every mechanism may change, 6.5 for "
            "shifting by the difference of means, 11.7 for doing nothing.",
        ),
        level=_LEVEL,
        assumptions=(
            "The series are an invertible mixture of as many latent variables with Gaussian noise.",
            "Few mechanisms changed at the onset; the others are as they were.",
            "Rows are taken one by one: an effect that comes rows later is not put back.",
        ),
        limits=(
            "It shows what the old mechanisms would have made of the same noise, not what "
            "a repair will bring.",
            "Which latent mechanism changed is not identified, only its effect on the series.",
        ),
    )

    def __post_init__(self) -> None:
        if self.most_series < 2 or self.restarts < 1:
            raise InvalidParameters("most_series is at least 2, restarts at least 1")

    def run(self, case: Case) -> Result:
        since = len(case.window.incident)
        most = max(2, min(self.most_series, since // _ROWS_PER_SERIES))
        chosen = affected(case, most, least_before=_LEAST_BEFORE, least_since=2 * _ROWS_PER_SERIES)
        p = float(moved_p(chosen).min())
        if p > _CLEAR:
            return told(case, unchanged(chosen), p)
        rng = np.random.default_rng(case.seed)
        domains = (chosen.before, chosen.since)
        models = sparsest(domains, rng, restarts=self.restarts, go_on=case.go_on)
        return told(case, previous_regime(chosen, models), p)


def told(case: Case, view: View, p: float) -> Result:
    """What the view shows; `p` is that of the furthest move."""
    chosen, at = view.chosen, view.chosen.symptom
    series, unit = chosen.series[at], unit_of(chosen.series[at].metric)
    effective = float(whitened(chosen.since).effective_share.mean() * len(chosen.since))
    caveats = _caveats(case, view, effective)
    kept = chosen.mean[at] + chosen.deviation[at] * view.rows[:, at].mean()
    recorded = chosen.mean[at] + chosen.deviation[at] * chosen.since[:, at].mean()
    plain = recorded - chosen.mean[at]
    return Result(
        _answer(case, view, float(recorded), float(kept), p=p),
        _blocks(case.window, view),
        cautions=("A difference is the old regime's view of the same noise, no forecast.",),
        status="weak" if caveats else "ok",
        caveats=caveats,
        headline=None
        if _untold(view)
        else Figure(f"{series}, recorded less previous regime", float(recorded - kept), unit),
        baseline=Figure("difference of the means since and before the onset", float(plain), unit),
        inputs=Inputs.of(
            case.window.select([case.window.series.index(s) for s in chosen.series]),
            effective_rows=effective,
            dropped=chosen.dropped,
        ),
        found=view.changed > 0,
    )


def _answer(case: Case, view: View, recorded: float, kept: float, *, p: float) -> str:
    chosen, changed = view.chosen, view.changed
    span = duration(len(chosen.since) * case.window.step_seconds)
    if not changed:
        return (
            f"In the {span} since the onset none of {chosen.considered} series moved further than "
            f"its memory explains (p = {p:.2g} for the furthest): the previous regime would have "
            "shown the same."
        )
    series = chosen.series[chosen.symptom]
    service, size = next(iter(_by_service(view).items()))
    if _untold(view):
        return (
            f"What the previous regime would have shown of {series} cannot be told: replayed "
            f"through it, the {span} since the onset lie far outside of all that the baseline saw. "
            f"{changed} of {len(chosen.series)} mechanisms changed. {case.done_to(service)}"
        ).rstrip()
    return (
        f"Over the {span} since the onset {series} averaged {quantity(recorded, series)}; the "
        f"previous regime would have shown {quantity(kept, series)}. {changed} of "
        f"{len(chosen.series)} mechanisms changed, and {service} differs most, by {number(size)} "
        f"baseline deviations over its series. {case.done_to(service)}"
    ).rstrip()


def _by_service(view: View) -> dict[str, float]:
    """Mean size of the difference in deviations, summed over the series of each service."""
    found: dict[str, float] = {}
    sizes = np.abs(view.difference)
    for series, size in zip(view.chosen.series, sizes, strict=True):
        found[series.service] = found.get(series.service, 0.0) + float(size)
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _beyond(view: View) -> Bool[np.ndarray, "rows series"]:
    """Where the counterfactual is further out than the baseline is wide."""
    low, high = view.chosen.before.min(axis=0), view.chosen.before.max(axis=0)
    return np.asarray((view.rows < 2 * low - high) | (view.rows > 2 * high - low))


def _untold(view: View) -> bool:
    """Whether the symptom's own course leaves all that was seen."""
    return float(_beyond(view)[:, view.chosen.symptom].mean()) > _MOST_BEYOND


def _caveats(case: Case, view: View, effective: float) -> tuple[Caveat, ...]:
    found = []
    sizes = np.abs(view.difference)
    at = view.chosen.symptom
    if view.disagreement[at] > 0.25 * max(sizes[at], 0.5):
        text = (
            f"Fits that explain the rows equally well differ by "
            f"{number(float(view.disagreement[at]))} deviations on the symptom."
        )
        found.append(Caveat(CaveatCode.NOT_IDENTIFIED, text))
    if view.changed == len(view.chosen.series):
        text = (
            "Every mechanism changed, so that sparsity, which the method rests on, does not hold."
        )
        found.append(Caveat(CaveatCode.MODEL_MISFIT, text))
    if effective < _LEAST_EFFECTIVE:
        text = f"The rows since the onset are worth {effective:.1f} independent ones."
        found.append(Caveat(CaveatCode.FEW_EFFECTIVE_ROWS, text))
    beyond = _beyond(view)
    if view.changed and max(beyond.mean(), beyond[:, at].mean()) > _MOST_BEYOND:
        text = (
            f"{beyond.mean():.0%} of the counterfactual lies far outside of the baseline, "
            f"{beyond[:, at].mean():.0%} on {view.chosen.series[at]}."
        )
        found.append(Caveat(CaveatCode.EXTRAPOLATION, text))
    if case.deadline.passed:
        found.append(Caveat(CaveatCode.DEADLINE, "Time was up before every start was tried."))
    return tuple(found)


def _blocks(window: Window, view: View) -> tuple[Block, ...]:
    chosen = view.chosen
    services = _by_service(view)
    order = sorted(
        range(len(chosen.series)),
        key=lambda k: (k != chosen.symptom, -abs(view.difference[k]), k),
    )
    lines = tuple(_lines(window, view, k) for k in order[:_SHOWN_SERIES])
    bars = Bars(
        "Difference to the previous regime, summed over series",
        tuple(services),
        tuple(services.values()),
        "baseline deviations",
    )
    return (*lines, _table(view, order), bars)


def _lines(window: Window, view: View, k: int) -> Lines:
    chosen = view.chosen
    first = max(0, chosen.onset - _SHOWN_ROWS // 2)
    last = min(len(window.values), chosen.onset + _SHOWN_ROWS)
    recorded = chosen.values[first:last, k] * chosen.deviation[k] + chosen.mean[k]
    seen = view.rows[: last - chosen.onset, k] * chosen.deviation[k] + chosen.mean[k]
    empty: tuple[float | None, ...] = (None,) * (chosen.onset - first)
    return Lines(
        str(chosen.series[k]),
        tuple(window.times[first:last].tolist()),
        (
            Line("recorded", tuple(recorded.tolist())),
            Line("previous regime", empty + tuple(seen.tolist())),
        ),
        unit_of(chosen.series[k].metric),
    )


def _table(view: View, order: list[int]) -> Table:
    chosen = view.chosen
    rows = []
    for k in order:
        recorded = chosen.since[:, k].mean() * chosen.deviation[k] + chosen.mean[k]
        seen = view.rows[:, k].mean() * chosen.deviation[k] + chosen.mean[k]
        rows.append(
            (
                str(chosen.series[k]),
                unit_of(chosen.series[k].metric),
                float(recorded),
                float(seen),
                float(recorded - seen),
                float(view.difference[k]),
            )
        )
    columns = ("series", "unit", "recorded", "previous regime", "difference", "in deviations")
    return Table("Means since the onset", columns, tuple(rows))
