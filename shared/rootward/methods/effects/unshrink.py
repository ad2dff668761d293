"""Un-shrinking predicted scores: what a rollout did to a score that a model predicted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from rootward.errors import InsufficientData, InvalidParameters
from rootward.methods.base import About, Cost, Family, Method, Need, Scope
from rootward.model.case import Case
from rootward.model.experiment import Calibration, Experiment
from rootward.model.result import Caveat, CaveatCode, Figure, Result, Table
from rootward.model.wording import number
from rootward.numerics.pace import GoOn, always

LEAST_SLOPE = 1e-8
STEEP_ENOUGH = 0.2
"""A calibration slope below it makes the linear correction noisy."""
ENOUGH_PAIRS = 100
LEAST_PAIRS = 20
GRID = 512
FOLDS, CONTRASTS = 5, 100

Scores = Float[np.ndarray, " units"]
Correction = Callable[[Scores], Scores]
"""Predictions in, un-shrunk scores out: right on average over a group, not one by one."""


def linear_calibration(predicted: Scores, true: Scores) -> Correction:
    """The inverse of the line that leads from true scores to predictions.

    Pettersson, Jerzak, Daoud 2025: `predicted = b0 + b1 true`, corrected `(predicted - b0) / b1`.

    Raises:
        InsufficientData: predictions hardly follow the truth.
    """
    slope, level = calibration_line(predicted, true)
    if slope <= LEAST_SLOPE:
        raise InsufficientData(
            f"predictions do not rise with the truth (slope {slope:.2g}); nothing can be undone"
        )
    return lambda scores: (scores - level) / slope


def calibration_line(predicted: Scores, true: Scores) -> tuple[float, float]:
    """Slope and level of predictions on true scores."""
    spread = true - true.mean()
    slope = float(spread @ predicted / max(float(spread @ spread), 1e-300))
    return slope, float(predicted.mean() - slope * true.mean())


def tweedie(predicted: Scores, true: Scores) -> Correction:
    """`predicted - sigma² score(predicted)`, sigma the error's deviation, score of their density.

    With truth = prediction + independent Gaussian error, the mean of the corrected score given
    the truth is the truth. The density is a Gaussian kernel estimate with Scott's width; its
    score is exact (the paper takes a difference quotient), tabulated between the smallest and the
    largest calibration prediction, and held beyond them.
    """
    noise = float(np.var(predicted - true))
    width = max(float(predicted.std(ddof=1)), 1e-300) * len(predicted) ** -0.2
    grid = np.linspace(predicted.min(), predicted.max(), GRID)
    away = (predicted - grid[:, None]) / width
    near = np.exp(-0.5 * (away**2 - (away**2).min(axis=1, keepdims=True)))
    score = (near * away).sum(axis=1) / near.sum(axis=1) / width
    return lambda scores: scores - noise * np.interp(scores, grid, score)


def unchanged(predicted: Scores, true: Scores) -> Correction:
    """Predictions as they are: the baseline."""
    return lambda scores: scores


WAYS: dict[str, Callable[[Scores, Scores], Correction]] = {
    "as predicted": unchanged,
    "linear calibration": linear_calibration,
    "tweedie": tweedie,
}


def contrast(scores: Scores, treated: Bool[np.ndarray, " units"]) -> float:
    """Mean of the treated less mean of the others."""
    return float(scores[treated].mean() - scores[~treated].mean())


@dataclass(frozen=True)
class Effect:
    """A difference of group means and the range that resamples give it."""

    value: float
    low: float
    high: float


def effects(
    calibration: Calibration,
    scores: Scores,
    treated: Bool[np.ndarray, " units"],
    rng: np.random.Generator,
    *,
    clusters: Sequence[str] = (),
    resamples: int = 200,
    go_on: GoOn = always,
) -> dict[str, Effect]:
    """The effect by each of `WAYS` with its 95 % interval.

    Pairs and units are resampled together, so that the interval holds the doubt about the
    correction as well; units of a cluster stay together.
    """
    pairs = len(calibration.predicted)
    members = _members(len(scores), clusters)
    drawn: dict[str, list[float]] = {name: [] for name in WAYS}
    for k in range(resamples):
        if k >= 2 and not go_on(k / resamples):
            break
        at = rng.integers(pairs, size=pairs)
        who = np.concatenate([members[m] for m in rng.integers(len(members), size=len(members))])
        if not 0 < treated[who].sum() < len(who):
            continue
        for name, way in WAYS.items():
            correct = way(calibration.predicted[at], calibration.true[at])
            drawn[name].append(contrast(correct(scores[who]), treated[who]))
    found = {}
    for name, way in WAYS.items():
        value = contrast(way(calibration.predicted, calibration.true)(scores), treated)
        low, high = np.quantile(drawn[name], (0.025, 0.975))
        found[name] = Effect(value, float(low), float(high))
    return found


def _members(units: int, clusters: Sequence[str]) -> list[np.ndarray]:
    """Units that are drawn together."""
    if not clusters:
        return list(np.arange(units)[:, None])
    labels = np.unique(np.asarray(clusters), return_inverse=True)[1]
    return [np.flatnonzero(labels == k) for k in range(int(labels.max()) + 1)]


@dataclass(frozen=True)
class Trial:
    """How a way did on contrasts with a known truth."""

    slope: float
    """Of estimated on true contrasts; 1 is right, less is shrunk."""
    error: float
    """Root mean square."""


def tried(calibration: Calibration, rng: np.random.Generator) -> dict[str, Trial]:
    """Each of `WAYS` on a hundred made-up contrasts of the calibration pairs, out of fold.

    A contrast compares those above a high quantile with those below a low one. The quantiles are
    of the true scores: groups picked by their predictions would make shrinking look right,
    since predictions are calibrated in that direction.
    """
    predicted, true = calibration.predicted, calibration.true
    fold = rng.permutation(len(true)) % FOLDS
    corrected = {name: np.empty_like(true) for name in WAYS}
    for k in range(FOLDS):
        for name, way in WAYS.items():
            learnt = way(predicted[fold != k], true[fold != k])
            corrected[name][fold == k] = learnt(predicted[fold == k])
    highs, lows = rng.uniform(0.65, 0.95, CONTRASTS), rng.uniform(0.05, 0.35, CONTRASTS)
    cuts = np.quantile(true, np.column_stack((lows, highs)))
    return {name: _trial(scores, true, cuts) for name, scores in corrected.items()}


def _trial(scores: Scores, true: Scores, cuts: Float[np.ndarray, "contrasts 2"]) -> Trial:
    pairs = []
    for low, high in cuts:
        top, bottom = true >= high, true <= low
        pairs.append([x[top].mean() - x[bottom].mean() for x in (scores, true)])
    estimated, actual = np.array(pairs).T
    slope = float(estimated @ actual / (actual @ actual))
    return Trial(slope, float(np.sqrt(np.mean((estimated - actual) ** 2))))


@dataclass(frozen=True, kw_only=True)
class Unshrink(Method):
    """Undoes a prediction's pull to the average before a rollout is compared with its control.

    A score that a model predicts varies less than the truth, so that differences between groups
    come out too small. Pairs of a predicted and a true score, such as incidents whose severity
    people have set, say by how much. Which correction is better is tried on those pairs and
    recommended; all figures are shown.
    """

    resamples: int = 200
    """Bootstrap resamples behind the interval."""

    quick: ClassVar[Mapping[str, int | float | str | bool]] = {"resamples": 20}
    about = About(
        name="unshrink",
        family=Family.EFFECTS,
        question="How large is the effect on a predicted score without its pull to the average?",
        paper="Pettersson, Jerzak, Daoud 2025, Debiasing Machine Learning Predictions for Causal "
        "Inference Without Additional Ground Truth Data, arXiv 2508.01341",
        needs=frozenset({Need.EXPERIMENT}),
        scope=Scope.EXPERIMENT,
        cost=Cost.SECONDS,
        assumptions=(
            "The error of a prediction does not depend on the prediction.",
            "The rollout changes the prediction only through what is predicted.",
            "The true scores of the calibration pairs are exact; noisy ones over-correct.",
            "Who got the rollout was decided by chance.",
        ),
        limits=(
            "An un-shrunk score is right on average over a group, never better for one unit.",
            "Units are compared by whether the rollout was meant for them, not by whether they "
            "took it.",
        ),
        measured=(
            "Planted effect of 0.5, thirty runs of 4000 units and 1000 pairs: 0.25 as predicted, "
            "0.51 by linear calibration, 0.49 by Tweedie's correction.",
        ),
    )

    def __post_init__(self) -> None:
        if self.resamples < 2:
            raise InvalidParameters("resamples is at least 2")

    def run(self, case: Case) -> Result:
        experiment = case.experiment
        if experiment is None:
            raise InsufficientData("needs an experiment: units with and without a rollout")
        calibration = experiment.calibration
        if calibration is None:
            raise InsufficientData(
                f"{experiment.outcome_name} was measured, not predicted, or no pairs of a "
                "predicted and a true score were given; there is nothing to un-shrink"
            )
        treated = experiment.instrument > 0.5
        _require(calibration, treated)
        rng = np.random.default_rng(case.seed)
        found = effects(
            calibration,
            experiment.outcome,
            treated,
            rng,
            clusters=experiment.clusters,
            resamples=self.resamples,
            go_on=case.go_on,
        )
        return _result(case, experiment, calibration, found, tried(calibration, rng))


def _require(calibration: Calibration, treated: Bool[np.ndarray, " units"]) -> None:
    pairs, smaller = len(calibration.true), int(min(treated.sum(), (~treated).sum()))
    if pairs < LEAST_PAIRS or smaller < 2:
        raise InsufficientData(
            f"needs {LEAST_PAIRS} calibration pairs and 2 units in each group, got {pairs} and "
            f"{smaller}"
        )
    if not (calibration.true.std() > 0 and calibration.predicted.std() > 0):
        raise InsufficientData("the calibration pairs do not vary")


def _result(
    case: Case,
    experiment: Experiment,
    calibration: Calibration,
    found: dict[str, Effect],
    trials: dict[str, Trial],
) -> Result:
    best = min(trials, key=lambda name: (trials[name].error, name))
    plain, chosen = found["as predicted"], found[best]
    caveats = _caveats(case, experiment, calibration)
    told = (
        f"{experiment.name} changed {experiment.outcome_name} by {number(chosen.value)} "
        f"({number(chosen.low)} to {number(chosen.high)}) by {best}"
    )
    if best == "as predicted":
        told += "; neither correction does better on the calibration pairs, so none is advised."
    else:
        told += f"; as predicted it would be {number(plain.value)}."
    rows = tuple(
        (name, e.value, e.low, e.high, trials[name].slope, trials[name].error)
        for name, e in found.items()
    )
    columns = ("way", "effect", "low 95 %", "high 95 %", "trial slope", "trial error")
    return Result(
        told,
        (Table(f"Effect on {experiment.outcome_name}", columns, rows),),
        status="weak" if caveats else "ok",
        caveats=caveats,
        headline=Figure(f"effect by {best}", chosen.value),
        baseline=Figure("effect on the score as predicted", plain.value),
    )


def _caveats(case: Case, experiment: Experiment, calibration: Calibration) -> tuple[Caveat, ...]:
    found = []
    if len(calibration.true) < ENOUGH_PAIRS:
        text = f"{len(calibration.true)} calibration pairs; {ENOUGH_PAIRS} make it steady."
        found.append(Caveat(CaveatCode.FEW_EXAMPLES, text))
    low, high = calibration.predicted.min(), calibration.predicted.max()
    outside = float(np.mean((experiment.outcome < low) | (experiment.outcome > high)))
    if outside > 0:
        text = f"{outside:.1%} of the units lie outside of the calibration pairs' range."
        found.append(Caveat(CaveatCode.EXTRAPOLATION, text))
    slope, _ = calibration_line(calibration.predicted, calibration.true)
    if slope < STEEP_ENOUGH:
        text = f"Predictions follow the truth with a slope of {slope:.2f} only."
        found.append(Caveat(CaveatCode.MODEL_MISFIT, text))
    if case.deadline.passed:
        found.append(Caveat(CaveatCode.DEADLINE, "Time was up before all resamples were drawn."))
    return tuple(found)
