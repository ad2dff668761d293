"""CUSUM: running sums of log-likelihood ratios of each series by itself."""

from __future__ import annotations

from dataclasses import dataclass

from rootward.methods.base import About, Cost, Family, Method, Need, Provenance
from rootward.methods.change.alarms import ready, shown, watched
from rootward.model.case import Case
from rootward.model.result import Result


@dataclass(frozen=True, kw_only=True)
class Cusum(Method):
    """Finds series that left what their own past foretells, with the chance of a false alarm set.

    The second opinion to `causal_bandit`: it looks at no other series, so that a change that is
    passed on counts like one that began here.
    """

    false_alarms: float = 0.05
    """Chance of any false alarm in the window, all series together."""

    about = About(
        name="cusum",
        family=Family.CHANGE,
        question="Which series left their own course, and when?",
        paper="Page 1954, Continuous inspection schemes, Biometrika 41; thresholds by Lundberg's "
        "exponent, Asmussen 2003, Applied Probability and Queues, chapter XIII",
        needs=frozenset({Need.ONSET}),
        provenance=Provenance.RECONSTRUCTION,
        provenance_note="five sums for shifts of one and three deviations and a wider spread, on "
        "what an autoregression leaves; the paper has one sum on the values themselves",
        cost=Cost.INSTANT,
        level=0.05,
        limits=("A series that changed need not be a cause: changes are passed on.",),
    )

    def run(self, case: Case) -> Result:
        one = ready(case)
        return shown(one, watched(one, self.false_alarms, model_error=0.0), "level")
