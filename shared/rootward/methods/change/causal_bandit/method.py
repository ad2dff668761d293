"""Mechanism changes by asymmetric laws: what broke itself, apart from what follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rootward.methods.base import About, Cost, Family, Method, Need, Provenance
from rootward.methods.change.alarms import Alarm, Ready, ready, shown, watched
from rootward.model.case import Case
from rootward.model.result import Result, Table
from rootward.numerics.laws import Group, links


@dataclass(frozen=True, kw_only=True)
class CausalBandit(Method):
    """Finds the series whose own mechanism changed, and those that only follow.

    Each series is foretold from its own past and that of the others, doubtful ones included: a
    superfluous cause costs precision, a missed one makes a victim look guilty. Only what the
    law does not foretell counts.
    """

    false_alarms: float = 0.05
    """Chance of any false alarm in the window, all series together."""
    most_inputs: int = 24
    """Other series that one service is foretold from, the most correlated ones."""
    model_error: float = 0.1
    """Share of a forecast's distance from normal by which the law may be wrong."""

    about = About(
        name="causal_bandit",
        family=Family.CHANGE,
        question="Whose own mechanism changed, whatever its causes did?",
        paper="Peng, Zhang, Mitra 2025, Asymmetric Graph Error Control with Low Complexity in "
        "Causal Bandits, IEEE TSP 73, arXiv 2408.11240",
        needs=frozenset({Need.ONSET}),
        provenance=Provenance.RECONSTRUCTION,
        provenance_note="the change detection of its sub-graphs, with lagged causes and sums that "
        "are calibrated on the baseline in place of a fixed window; the bandit, which chooses "
        "actions, is in the folder's model and plays in benchmarks only",
        cost=Cost.SECONDS,
        level=0.05,
        assumptions=(
            "Causes act within two rows, about linearly, and are among the series.",
            "Nothing changes before the onset.",
        ),
        limits=(
            "A mechanism that changed need not be the first cause of the incident.",
            "A leap that stays is told from a mechanism only within its first rows: where series "
            "carry their past on, one row is new and the rest follows from it.",
        ),
    )

    def run(self, case: Case) -> Result:
        one = ready(case, _groups(case, self.most_inputs))
        alarms = watched(one, self.false_alarms, model_error=self.model_error)
        return shown(one, alarms, "mechanism", *_followers(one, alarms))


def _groups(case: Case, most: int) -> list[Group]:
    """One group a service; its inputs are what is most correlated with the rows after it."""
    window = case.window
    order = sorted(range(len(window.series)), key=window.series.__getitem__)
    services = [window.series[c].service for c in order]
    strength_of = links(window.values[: window.onset][:, order])
    groups = []
    for service in sorted(set(services)):
        own = [k for k, name in enumerate(services) if name == service]
        strength = strength_of[:, own].max(axis=1)
        strength[own] = -1.0
        likeliest = np.argsort(-strength, kind="stable")[: min(most, len(order) - len(own))]
        groups.append(Group(tuple(own), tuple(sorted(likeliest.tolist()))))
    return groups


def _followers(one: Ready, alarms: list[Alarm]) -> list[Table]:
    """Series that left their baseline as their law foretells."""
    after = one.values[one.onset :]
    known = np.isfinite(after)
    mean = np.where(known, after, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    size = (mean - one.laws.centre) / one.laws.scale
    broken = {a.column for a in alarms}
    rows = [
        (one.series(int(c)), round(float(size[c]), 2))
        for c in np.argsort(-np.abs(size), kind="stable")
        if abs(size[c]) > 3 and c not in broken and one.laws.watched[c] and known[:, c].any()
    ]
    if not rows:
        return []
    columns = ("series", "mean since the onset (deviations)")
    return [Table("Away, but as causes or their own last rows foretell", columns, tuple(rows[:30]))]
