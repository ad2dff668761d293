"""Invalid instrument as a method: the records of a rollout in, its effect in words out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rootward.errors import InsufficientData, InvalidParameters
from rootward.methods.base import (
    TIME_IS_UP,
    About,
    Anchor,
    Cost,
    Family,
    Method,
    Need,
    Provenance,
    Scope,
)
from rootward.methods.effects.invalid_instrument import full_uptake
from rootward.methods.effects.invalid_instrument.estimate import (
    Effect,
    Estimate,
    adjusted,
    invalid_instrument,
    two_stage,
)
from rootward.model.case import Case
from rootward.model.experiment import Experiment
from rootward.model.result import Bars, Caveat, CaveatCode, Figure, Inputs, Result, Table
from rootward.model.wording import number

_LEAST_UNITS = 200
_LEAST_OF_EACH = 50
_WEAK = 10.0
"""Standard errors of the difference of variances below which the estimate is not to be trusted."""
_NONE = 2.0
"""The same, below which there is no estimate."""
_MUCH_CLIPPED = 0.01
_LEAST_CLUSTERS = 10
_FAR_APART = 2.0
"""Standard errors by which learners may disagree."""


@dataclass(frozen=True, kw_only=True)
class InvalidInstrument(Method):
    """Estimates what really taking a new path did, when only a flag for it was randomised.

    Who takes the path is not random, and the flag may act by itself (a larger bundle, a warmer
    cache). Both are borne: the effect is read off how the flag changes the spread of the exposure
    and how it goes together with the outcome. Where all took it who were meant to, as with a
    canary, those who got it are compared with the others.
    """

    folds: int = 5
    """Parts of the units; each is judged by fits on the others."""

    about = About(
        name="invalid_instrument",
        family=Family.EFFECTS,
        question="What did this rollout do to those who really took the new path?",
        paper="Sun, Cui, Tchetgen Tchetgen 2022, Selective Machine Learning of the Average "
        "Treatment Effect with an Invalid Instrumental Variable, JMLR 23(204), arXiv 1907.11882",
        needs=frozenset({Need.EXPERIMENT}),
        provenance=Provenance.RECONSTRUCTION,
        provenance_note="No code was published; the influence function was derived again and "
        "checked by simulation. Mixed-minimax selection over four sets, and the three learners "
        "(lines, splines, Gaussian surfaces) are ours.",
        scope=Scope.EXPERIMENT,
        anchors=(Anchor.CHANGES,),
        cost=Cost.SECONDS,
        assumptions=(
            "Who gets the flag is random given the covariates.",
            "What nobody wrote down shifts exposure and outcome by the same amount with the flag "
            "as without it.",
            "The flag changes how much the exposure varies, not only how often it happens.",
            "Units of different clusters do not act on each other.",
        ),
        limits=(
            "It is an average over all units; some may fare otherwise.",
            "It says nothing of units whose chance of the flag was nearly 0 or 1.",
        ),
        level=0.05,
        measured=(
            "4000 units, true effect 1, a flag that adds 0.8 by itself, 20 rollouts: 0.99 on "
            "average (deviation 0.19), the 95 % interval holds the truth in 19; two-stage least "
            "squares says 3.89, regression on covariates 1.64.",
        ),
    )

    def __post_init__(self) -> None:
        if not 2 <= self.folds <= 20:
            raise InvalidParameters(f"folds is {self.folds}; it lies in 2 to 20")

    def run(self, case: Case) -> Result:
        experiment = case.experiment
        if experiment is None:
            raise InsufficientData(
                "needs the records of a rollout: for each unit the flag, whether the new path was "
                "taken, and the outcome"
            )
        if full_uptake.is_full(experiment):
            return full_uptake.answer(case, experiment)
        check(experiment)
        found = invalid_instrument(
            experiment.instrument,
            experiment.exposure,
            experiment.outcome,
            experiment.covariates,
            np.random.default_rng(case.seed),
            groups=np.array(experiment.clusters) if experiment.clusters else None,
            splits=self.folds,
            go_on=case.go_on,
        )
        if abs(found.strength) < _NONE:
            raise InsufficientData(
                "whether the new path is taken varies as much with the flag as without it "
                f"({number(found.strength)} standard errors apart, {_NONE:g} are needed): the "
                "effect cannot be told from what the flag does by itself"
            )
        return _result(case, experiment, found)


def check(experiment: Experiment) -> None:
    """Stop where there is nothing to compare.

    Raises:
        InsufficientData: too few units in all or in a group, too few clusters, or a flag or an
            exposure that is not 0 or 1.
    """
    units = len(experiment.instrument)
    if units < _LEAST_UNITS:
        raise InsufficientData(f"needs {_LEAST_UNITS} units, got {units}")
    for name, values in (("flag", experiment.instrument), ("exposure", experiment.exposure)):
        if not np.isin(values, (0.0, 1.0)).all():
            raise InsufficientData(f"the {name} of {experiment.name} is not 0 or 1 for every unit")
    for flag in (0, 1):
        of_flag = experiment.exposure[experiment.instrument == flag]
        if len(of_flag) < _LEAST_OF_EACH:
            raise InsufficientData(
                f"needs {_LEAST_OF_EACH} units with and without the flag, got {len(of_flag)} "
                f"{'with' if flag else 'without'}"
            )
    taken = int(experiment.exposure.sum())
    if not _LEAST_OF_EACH <= taken <= units - _LEAST_OF_EACH:
        raise InsufficientData(
            f"needs {_LEAST_OF_EACH} units that took the new path and as many that did not; "
            f"{taken} of {units} took it"
        )
    if 0 < len(set(experiment.clusters)) < _LEAST_CLUSTERS:
        raise InsufficientData(
            f"needs {_LEAST_CLUSTERS} clusters, got {len(set(experiment.clusters))}"
        )


def _result(case: Case, experiment: Experiment, found: Effect) -> Result:
    effect = found.exposure
    baseline = two_stage(
        experiment.instrument, experiment.exposure, experiment.outcome, experiment.covariates
    )
    caveats = _caveats(found)
    clear = not effect.low <= 0 <= effect.high
    name = experiment.outcome_name
    return Result(
        answer=_answer(experiment, found, baseline, clear),
        blocks=(
            _estimates(experiment, effect, baseline),
            Bars(
                "What the rollout did, by whom you believe",
                ("this method", "flag taken for harmless (2SLS)", "regression on covariates"),
                (effect.value, baseline.value, _adjusted(experiment).value),
                name,
            ),
            _diagnostics(found),
        ),
        status="weak" if caveats else "ok",
        caveats=caveats,
        headline=Figure("effect of the new path", effect.value, name),
        baseline=Figure("two-stage least squares", baseline.value, name),
        inputs=Inputs(
            series=(),
            series_count=0,
            start_unix=float(case.window.times[0]) if len(case.window.times) else 0.0,
            end_unix=float(case.window.times[-1]) if len(case.window.times) else 0.0,
            rows=len(experiment.outcome),
            effective_rows=float(len(set(experiment.clusters)) or len(experiment.outcome)),
        ),
        found=clear,
    )


def _adjusted(experiment: Experiment) -> Estimate:
    return adjusted(experiment.exposure, experiment.outcome, experiment.covariates)


def _answer(experiment: Experiment, found: Effect, baseline: Estimate, clear: bool) -> str:
    effect, name = found.exposure, experiment.outcome_name
    if clear:
        moved = "raises" if effect.value > 0 else "lowers"
        said = f"Taking the new path of {experiment.name} {moved} {name} by "
        said += number(abs(effect.value))
    else:
        said = f"No effect of taking the new path of {experiment.name} on {name} can be told"
        said += f": {number(effect.value)}"
    return (
        f"{said} on average (95 % interval {number(effect.low)} to {number(effect.high)}); the "
        f"flag by itself adds {number(found.flag)}, which two-stage least squares takes for the "
        f"path's and so says {number(baseline.value)}."
    )


def _estimates(experiment: Experiment, effect: Estimate, baseline: Estimate) -> Table:
    of_each = [experiment.outcome[experiment.exposure == taken] for taken in (1, 0)]
    apart = float(of_each[0].mean() - of_each[1].mean())
    error = float(np.sqrt(sum(v.var() / len(v) for v in of_each)))
    rows = tuple(
        (who, e.value, e.low, e.high, says)
        for who, e, says in (
            ("this method", effect, "bears a flag that acts by itself, and hidden causes"),
            ("2SLS", baseline, "bears hidden causes; takes the flag for harmless"),
            ("regression on covariates", _adjusted(experiment), "bears neither"),
            (
                "plain difference",
                Estimate(apart, error, apart - 1.96 * error, apart + 1.96 * error),
                "compares who took the path with who did not",
            ),
        )
    )
    unit = experiment.outcome_name
    columns = ("Estimate", f"Effect ({unit})", f"95 % from ({unit})", f"95 % to ({unit})", "Bears")
    return Table("Effect of the new path", columns, rows)


def _diagnostics(found: Effect) -> Table:
    rows = (
        ("The flag makes the path likelier by (%)", 100 * found.first_stage),
        ("Difference of the exposure's variances (standard errors)", found.strength),
        ("Units whose chance of the flag was clipped (%)", 100 * found.no_overlap),
        ("Largest disagreement of learners that should agree", found.spread),
        ("Learners for flag, exposure, effect, outcome", ", ".join(found.learners)),
    )
    return Table("What it rests on", ("Check", "Value"), rows)


def _caveats(found: Effect) -> tuple[Caveat, ...]:
    said = []
    if not found.complete:
        said.append(TIME_IS_UP)
    if abs(found.strength) < _WEAK:
        said.append(
            Caveat(
                CaveatCode.WEAK_INSTRUMENT,
                "The flag changes the spread of the exposure by "
                f"{number(abs(found.strength))} standard errors; below {_WEAK:g} the interval can "
                "be too narrow.",
            )
        )
    if found.no_overlap > _MUCH_CLIPPED:
        said.append(
            Caveat(
                CaveatCode.POOR_OVERLAP,
                f"{number(100 * found.no_overlap)} % of the units nearly always or nearly never "
                "got the flag.",
            )
        )
    if found.spread > _FAR_APART * found.exposure.error:
        said.append(
            Caveat(
                CaveatCode.UNSTABLE,
                f"Learners that should agree differ by {number(found.spread)}: the model of the "
                "rollout fits the data badly.",
            )
        )
    return tuple(said)
