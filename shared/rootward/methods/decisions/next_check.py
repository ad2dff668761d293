"""Next best check: which one check or remedy is worth most now, from what helped before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from rootward.errors import InsufficientData
from rootward.methods.base import About, Cost, Family, Method, Need, Provenance, Trigger
from rootward.model.action import ACTIONS
from rootward.model.case import Case
from rootward.model.incident import Candidate
from rootward.model.kind import Kind, kind_of
from rootward.model.outcome import Outcome
from rootward.model.result import (
    Bars,
    Caveat,
    CaveatCode,
    Figure,
    Inputs,
    Result,
    Table,
)

MOST_CANDIDATES = 5
OTHER_KINDS = 0.3
"""Weight of an outcome of the same action on another kind of series."""
PRIOR_WEIGHT = 3.0
"""Outcomes that the prior chance of an action counts for."""
LEAST_OUTCOMES = 5
FALSE_SHOWS = 0.1
"""How often a check seems to show the cause where it is not."""


@dataclass(frozen=True)
class Arm:
    """An action on a candidate."""

    action: str
    candidate: Candidate
    tried: float
    """Outcomes that speak for its chance, those of other kinds by their weight."""
    helped: float

    @property
    def words(self) -> str:
        return ACTIONS[self.action].words.format(self.candidate.service)


@dataclass(frozen=True)
class Then:
    """The remedies that follow a check, as places among the arms; None: none is worth it."""

    shown: int | None
    """Where the check shows the cause."""
    missed: int | None
    """Where it does not."""


@dataclass(frozen=True, eq=False)
class Worth:
    """What arms are worth in minutes of incident saved, in many draws of what is unknown."""

    arms: tuple[Arm, ...]
    draws: Float[np.ndarray, "draws arms"]
    then: Mapping[int, Then]
    """What follows each check."""

    @property
    def mean(self) -> Float[np.ndarray, " arms"]:
        return np.asarray(self.draws.mean(axis=0))

    @property
    def deviation(self) -> Float[np.ndarray, " arms"]:
        return np.asarray(self.draws.std(axis=0))

    def changes_something(self, k: int) -> bool:
        """No for a check that one and the same remedy follows: that is better done at once."""
        then = self.then.get(k)
        return then is None or then.shown is None or then.shown != then.missed

    @property
    def best(self) -> Float[np.ndarray, " arms"]:
        """Share of the draws in which an arm is worth most: Thompson's chance of choosing it."""
        first = np.bincount(self.draws.argmax(axis=1), minlength=len(self.arms))
        return np.asarray(first / len(self.draws))


def arms_of(candidates: Sequence[Candidate], outcomes: Sequence[Outcome]) -> tuple[Arm, ...]:
    """Every action that fits, on every candidate of the first few."""
    found = []
    for candidate in candidates[:MOST_CANDIDATES]:
        kind = kind_of(candidate.series.metric)
        for name, action in ACTIONS.items():
            if not action.kinds or kind in action.kinds:
                found.append(Arm(name, candidate, *_record(name, kind, outcomes)))
    return tuple(found)


def _record(action: str, kind: Kind, outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """How often it was tried and helped; a series of another kind counts for less."""
    tried = helped = 0.0
    for outcome in outcomes:
        if outcome.action == action:
            weight = 1.0 if outcome.kind == kind else OTHER_KINDS
            tried += weight
            helped += weight * min(max(outcome.helped, 0.0), 1.0)
    return tried, helped


def worth(arms: Sequence[Arm], minutes_left: float, draws: int, rng: np.random.Generator) -> Worth:
    """Minutes saved by each arm, for draws of its chance to help.

    The chance given the right cause is Beta distributed after the outcomes; the chance of the
    cause is the candidate's score. A remedy that helps saves the incident's minutes but those that
    it takes. A check saves what the remedy that its answer recommends will, by Bayes' rule and
    that much later: the value of information (Howard 1966). The remedy is chosen by what is
    expected of it: a check tells where the cause is, not what would help.
    """
    stakes = _Stakes(
        np.column_stack([_chances(arm, draws, rng) for arm in arms]),
        np.array([minutes_left - ACTIONS[a.action].minutes for a in arms]),
        np.array([a.candidate.score for a in arms]),
        np.array([a.candidate.rank for a in arms]),
        np.flatnonzero([ACTIONS[a.action].remedy for a in arms]),
    )
    saved = stakes.belief * stakes.chance * stakes.left
    then = {}
    for k, arm in enumerate(arms):
        if not ACTIONS[arm.action].remedy:
            saved[:, k], then[k] = stakes.of_check(k, ACTIONS[arm.action].minutes)
    return Worth(tuple(arms), saved, then)


@dataclass(frozen=True, eq=False)
class _Stakes:
    """What the worth of all arms is computed from; columns are arms."""

    chance: Float[np.ndarray, "draws arms"]
    left: Float[np.ndarray, " arms"]
    """Minutes of the incident that are left once the action is done."""
    belief: Float[np.ndarray, " arms"]
    owner: Int[np.ndarray, " arms"]
    """Rank of the candidate."""
    remedies: Int[np.ndarray, " remedies"]

    def of_check(self, k: int, minutes: float) -> tuple[Float[np.ndarray, " draws"], Then]:
        """Minutes saved by a check and the remedy after it, and which remedies those are."""
        chance, belief = self.chance[:, k], self.belief[k]
        shows = belief * chance + (1 - belief) * FALSE_SHOWS
        hit, gain_if_shown = self._after(k, belief * chance / shows, minutes)
        miss, gain_if_not = self._after(k, belief * (1 - chance) / (1 - shows), minutes)
        return shows * gain_if_shown + (1 - shows) * gain_if_not, Then(hit, miss)

    def _after(
        self, k: int, posterior: Float[np.ndarray, " draws"], minutes: float
    ) -> tuple[int | None, Float[np.ndarray, " draws"]]:
        """The remedy of which most is expected once the belief in arm k's candidate has changed."""
        others = (1 - posterior) / max(1 - self.belief[k], 1e-9)
        same = self.owner[self.remedies] == self.owner[k]
        belief = np.where(same, posterior[:, None], others[:, None] * self.belief[self.remedies])
        gains = belief * self.chance[:, self.remedies] * (self.left[self.remedies] - minutes)
        best = int(gains.mean(axis=0).argmax())
        if gains[:, best].mean() <= 0:
            return None, np.zeros(len(posterior))
        return int(self.remedies[best]), gains[:, best]


def _chances(arm: Arm, draws: int, rng: np.random.Generator) -> Float[np.ndarray, " draws"]:
    prior = ACTIONS[arm.action].helps
    good = PRIOR_WEIGHT * prior + arm.helped
    bad = PRIOR_WEIGHT * (1 - prior) + arm.tried - arm.helped
    return rng.beta(good, bad, draws)


@dataclass(frozen=True, kw_only=True)
class NextCheck(Method):
    """Names the one check or remedy that is worth most now, with what it may gain and why.

    A bandit: arms are checks and remedies on the likeliest causes; what came of earlier ones is
    learnt from; little tried ones get the benefit of the doubt. It never acts by itself.
    """

    minutes_left: float = 30.0
    """How long the incident would last if nothing were done."""
    choice: Literal["ucb", "thompson"] = "ucb"
    """Order by mean plus deviations, or by the share of draws in which an arm is best."""
    width: float = 0.5
    """Deviations that an arm gets as the benefit of the doubt."""
    draws: int = 1000
    """Draws of what is unknown."""

    about = About(
        name="next_check",
        family=Family.DECISIONS,
        question="Which one check or remedy is worth most next?",
        paper="Thompson 1933, Biometrika 25; Auer, Cesa-Bianchi, Fischer 2002, Machine Learning "
        "47; value of information after Howard 1966, IEEE TSSC 2",
        needs=frozenset({Need.CANDIDATES}),
        provenance=Provenance.ASSUMED,
        provenance_note="the list of actions, their minutes and their chances before anything "
        "was recorded are ours",
        cost=Cost.INSTANT,
        trigger=Trigger.INCIDENT,
        assumptions=(
            "One of the candidates is the cause, as likely as its score says.",
            "What helped against one kind of trouble helps against it again.",
        ),
        limits=("It proposes; nothing is ever done by itself.",),
    )

    def run(self, case: Case) -> Result:
        arms = arms_of(case.candidates, case.outcomes)
        if not arms:
            raise InsufficientData("no ranked causes to act upon; wait for the diagnosis")
        found = worth(arms, self.minutes_left, self.draws, np.random.default_rng(case.seed))
        index = found.mean + self.width * found.deviation
        if self.choice == "thompson":
            index = found.best
        order = [
            int(k) for k in np.argsort(-index, kind="stable") if found.changes_something(int(k))
        ]
        return _shown(case, found, order)


def _shown(case: Case, found: Worth, order: Sequence[int]) -> Result:
    first = order[0]
    arm, mean = found.arms[first], float(found.mean[first])
    low, high = np.quantile(found.draws[:, first], (0.05, 0.95))
    answer = (
        f"Next: {arm.words}; expected to save {mean:.1f} min of the incident "
        f"({low:.1f} to {high:.1f}), {_because(found, first)}."
    )
    rows = tuple(_row(found, k) for k in order[:10])
    columns = (
        "step", "kind", "expected gain (min)", "5 %", "95 %", "chance to be the best", "why",
    )  # fmt: skip
    told = sum(a.tried for a in found.arms)
    few = told < LEAST_OUTCOMES
    caveat = Caveat(
        CaveatCode.FEW_EXAMPLES,
        "Hardly any outcome was recorded: the chances are those that were assumed.",
    )
    top = order[:5]
    return Result(
        answer,
        (
            Table("What to do next", columns, rows),
            Bars(
                "Expected gain",
                tuple(found.arms[k].words for k in top),
                tuple(round(float(found.mean[k]), 3) for k in top),
                "min",
            ),
            *_learnt(case.outcomes),
        ),
        status="weak" if few else "ok",
        caveats=(caveat,) if few else (),
        headline=Figure("expected gain of the first step", round(mean, 3), "min"),
        baseline=_baseline(found),
        inputs=Inputs.of(case.window),
    )


def _learnt(outcomes: Sequence[Outcome]) -> tuple[Table, ...]:
    """All that the chances were learnt from: with it and the seed the answer comes out again."""
    steps: dict[tuple[str, str], list[float]] = {}
    for one in outcomes:
        steps.setdefault((one.action, one.kind), []).append(min(max(one.helped, 0.0), 1.0))
    rows = tuple((*step, len(shares), sum(shares)) for step, shares in sorted(steps.items()))
    columns = ("action", "kind of series", "tried", "helped")
    return (Table("What was learnt from", columns, rows),) if rows else ()


def _baseline(found: Worth) -> Figure:
    """Rolling back the likeliest cause, whatever was recorded."""
    k = next(k for k, a in enumerate(found.arms) if a.action == "roll_back")
    words = "expected gain of rolling back the likeliest cause"
    return Figure(words, round(float(found.mean[k]), 3), "min")


def _row(found: Worth, k: int) -> tuple[str | float, ...]:
    low, high = np.quantile(found.draws[:, k], (0.05, 0.95))
    arm = found.arms[k]
    return (
        arm.words,
        "remedy" if ACTIONS[arm.action].remedy else "check",
        round(float(found.mean[k]), 2),
        round(float(low), 2),
        round(float(high), 2),
        round(float(found.best[k]), 3),
        _because(found, k),
    )


def _because(found: Worth, k: int) -> str:
    arm = found.arms[k]
    candidate = arm.candidate
    said = f"{candidate.service} is the cause with a share of {candidate.score:.0%}"
    if candidate.evidence:
        said += f": {candidate.evidence[0].text.rstrip('.')}"
    if k in found.then:
        said += f"; {_plan(found, found.then[k])}"
    if arm.tried:
        said += f"; it helped in {arm.helped:.3g} of {arm.tried:.3g} earlier cases"
        weighed = f", one on another kind of series counting {OTHER_KINDS:g}"
        return said if arm.tried == round(arm.tried) else said + weighed
    return f"{said}; never tried so far"


def _plan(found: Worth, then: Then) -> str:
    """What its answer is good for."""
    shown, otherwise = (
        "wait" if k is None else found.arms[k].words for k in (then.shown, then.missed)
    )
    if shown == otherwise:
        return f"whatever it shows, {shown} after it"
    return f"if it shows the cause there, {shown}; if not, {otherwise}"
