"""A rollout that all took who were meant to, as a canary is: who got it against who did not.

Flag and path are one then, and no estimator can tell them apart; what both did together can be
told, by Welch's test on the means of the clusters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import stats

from rootward.errors import InsufficientData
from rootward.model.case import Case
from rootward.model.experiment import Experiment
from rootward.model.result import Bars, Caveat, CaveatCode, Figure, Inputs, Result
from rootward.model.wording import number

_LEAST_CLUSTERS = 2
_LEAST_UNITS = 50
_SHOWN = 20


@dataclass(frozen=True)
class Difference:
    """Mean of those who got it less that of the others, with its 95 % interval."""

    value: float
    low: float
    high: float


def is_full(experiment: Experiment) -> bool:
    """Whether exposure follows the flag in every unit."""
    return np.array_equal(experiment.instrument, experiment.exposure)


def welch(got: Float[np.ndarray, " got"], others: Float[np.ndarray, " others"]) -> Difference:
    """Difference of means where both groups have a variance of their own (Welch 1947)."""
    value = float(got.mean() - others.mean())
    parts = [float(x.var(ddof=1)) / len(x) for x in (got, others)]
    error = float(np.sqrt(sum(parts)))
    if error == 0:
        return Difference(value, value, value)
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(x) - 1) for part, x in zip(parts, (got, others), strict=True)
    )
    reach = float(stats.t.ppf(0.975, freedom)) * error
    return Difference(value, value - reach, value + reach)


def by_cluster(
    experiment: Experiment,
) -> tuple[tuple[str, ...], Float[np.ndarray, " clusters"], Float[np.ndarray, " clusters"]]:
    """Names, mean outcomes and flags of the clusters; every unit is one where none are named.

    Raises:
        InsufficientData: a cluster got the rollout in part, or too few got it or did not.
    """
    names = experiment.clusters or tuple(str(k) for k in range(len(experiment.outcome)))
    found, member = np.unique(np.array(names), return_inverse=True)
    count = np.bincount(member)
    outcome = np.bincount(member, experiment.outcome) / count
    flag = np.bincount(member, experiment.instrument) / count
    if not np.isin(flag, (0.0, 1.0)).all():
        raise InsufficientData(
            f"every unit that was meant for {experiment.name} took it, and some clusters hold "
            "units of both kinds: the effect cannot be told from what the flag does by itself"
        )
    least = _LEAST_CLUSTERS if experiment.clusters else _LEAST_UNITS
    got = int(flag.sum())
    if min(got, len(flag) - got) < least:
        what = "clusters" if experiment.clusters else "units"
        raise InsufficientData(
            f"needs {least} {what} that got {experiment.name} and {least} that did not, got "
            f"{got} and {len(flag) - got}"
        )
    return tuple(found.tolist()), outcome, flag


def answer(case: Case, experiment: Experiment) -> Result:
    """What the rollout and its flag did together.

    Raises:
        InsufficientData: there is nothing to compare.
    """
    names, outcome, flag = by_cluster(experiment)
    got, others = outcome[flag == 1], outcome[flag == 0]
    found = welch(got, others)
    clear = not found.low <= 0 <= found.high
    plain = float(
        experiment.outcome[experiment.instrument == 1].mean()
        - experiment.outcome[experiment.instrument == 0].mean()
    )
    unit, times = experiment.outcome_name, case.window.times
    what = "clusters" if experiment.clusters else "units"
    said = f"changed {unit} by {number(found.value)}" if clear else f"did nothing clear to {unit}"
    order = np.argsort(-outcome, kind="stable").tolist()[:_SHOWN]
    return Result(
        f"{experiment.name} {said}: {len(got)} {what} that got it average {number(got.mean())}, "
        f"{len(others)} that did not {number(others.mean())} (95 % of the difference "
        f"{number(found.low)} to {number(found.high)}).",
        (
            Bars(
                f"Mean {unit}",
                tuple(f"{names[k]}{' (got it)' if flag[k] else ''}" for k in order),
                tuple(float(outcome[k]) for k in order),
                unit,
            ),
        ),
        status="weak",
        caveats=(
            Caveat(
                CaveatCode.NOT_IDENTIFIED,
                "All that were meant to get it took it: what the flag or the restart did by "
                "itself is in the figure, as is whatever decided who got it.",
            ),
        ),
        headline=Figure("difference to those that did not get it", found.value, unit),
        baseline=Figure("the same over all units, none weighed", plain, unit),
        inputs=Inputs(
            series=(),
            series_count=0,
            start_unix=float(times[0]) if len(times) else 0.0,
            end_unix=float(times[-1]) if len(times) else 0.0,
            rows=len(experiment.outcome),
            effective_rows=float(len(flag)),
        ),
        found=clear,
    )
