"""Average effect of an exposure whose instrument may act on the outcome by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from rootward.numerics.crossfit import Learner, folds, mean_with_interval
from rootward.numerics.learners import BASES, MakeBasis, logistic_on, ridge_on
from rootward.numerics.pace import GoOn, always

_LEAST_CHANCE = 0.02
"""Chances of the flag are clipped here: no unit may count for more than fifty."""
_LEAST_DIFFERENCE = 0.02
"""Smallest difference of the exposure's variances that is divided by."""
_SHRUNK = 1e-3
_LEARNERS = tuple(BASES)
_SETS = ((2, 3), (0, 3), (0, 1), (1,))
"""What is varied while a set that makes the estimate right is held: (flag, exposure, effect,
outcome) are axes 0 to 3; held are {0, 1}, {1, 2}, {2, 3} and {0, 2, 3}."""


@dataclass(frozen=True)
class Estimate:
    """An effect with its 95 % interval."""

    value: float
    error: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Effect:
    """Average effect of the exposure, and what it rests on."""

    exposure: Estimate
    flag: float
    """What the flag does to the outcome by itself, on average."""
    learners: tuple[str, str, str, str]
    """Chosen for the flag, the exposure, the effect and the outcome."""
    spread: float
    """Largest difference between estimates that should agree whichever learners are varied."""
    first_stage: float
    """How much likelier the flag makes the exposure, on average."""
    strength: float
    """Mean difference of the exposure's variances, in standard errors; weak below 10."""
    no_overlap: float
    """Share of units whose chance of the flag had to be clipped."""
    complete: bool


@dataclass(frozen=True, eq=False)
class _Nuisances:
    """Out-of-fold values of each learner for each unit.

    Those of the outcome without the effect belong to a learner of it and one of the effect.
    """

    flag: Float[np.ndarray, "learners units"]
    exposure: Float[np.ndarray, "learners two units"]
    effect: Float[np.ndarray, "learners units"]
    joint: Float[np.ndarray, "learners units"]
    outcome: Float[np.ndarray, "learners learners two units"]


def invalid_instrument(
    flag: Float[np.ndarray, " units"],
    exposure: Float[np.ndarray, " units"],
    outcome: Float[np.ndarray, " units"],
    covariates: Float[np.ndarray, "units covariates"],
    rng: np.random.Generator,
    *,
    groups: np.ndarray | None = None,
    splits: int = 5,
    go_on: GoOn = always,
) -> Effect:
    """Average effect of an exposure whose instrument may act on the outcome by itself.

    `delta(x) = [Cov(A,Y|Z=1,x) - Cov(A,Y|Z=0,x)] / [Var(A|Z=1,x) - Var(A|Z=0,x)]`, averaged by its
    efficient influence function with cross-fitted nuisances (Sun, Cui, Tchetgen Tchetgen 2022;
    identification as in GENIUS, Tchetgen Tchetgen, Sun, Walter 2021). The nuisances' learners are
    those whose change moves the estimate least where it should not move at all: the mixed-minimax
    rule, its extension to four robustness sets being our reading.
    """
    fold = folds(len(flag), splits, rng, groups)
    found, complete = _nuisances(flag, exposure, outcome, covariates, fold, go_on)
    count = len(found.flag)
    influence = np.empty((count, count, count, count, len(flag)))
    for choice in np.ndindex(count, count, count, count):
        influence[choice] = _influence(flag, exposure, outcome, found, choice)
    estimates = influence.mean(axis=-1)
    perturbations = [_range(estimates, varied) ** 2 for varied in _SETS]
    chosen = np.unravel_index(int(np.sum(perturbations, axis=0).argmin()), estimates.shape)
    picked = tuple(int(k) for k in chosen)
    strength, first = _strength(flag, exposure, found, picked)
    names = tuple(_LEARNERS[k] for k in picked)
    return Effect(
        exposure=Estimate(*mean_with_interval(influence[picked], groups=groups)),
        flag=_direct(found, picked),
        learners=(names[0], names[1], names[2], names[3]),
        spread=float(max(np.sqrt(p[picked]) for p in perturbations)),
        first_stage=first,
        strength=strength,
        no_overlap=float(np.mean(np.abs(found.flag[picked[0]] - 0.5) > 0.5 - _LEAST_CHANCE)),
        complete=complete,
    )


def _range(estimates: np.ndarray, varied: tuple[int, ...]) -> np.ndarray:
    low, high = estimates.min(axis=varied, keepdims=True), estimates.max(axis=varied, keepdims=True)
    return np.broadcast_to(high - low, estimates.shape)


def _nuisances(
    flag: np.ndarray,
    exposure: np.ndarray,
    outcome: np.ndarray,
    x: np.ndarray,
    fold: Int[np.ndarray, " units"],
    go_on: GoOn,
) -> tuple[_Nuisances, bool]:
    """Every learner's values; out of time the simplest one alone."""
    known = []
    for k, name in enumerate(_LEARNERS):
        if k and not go_on(k / len(_LEARNERS)):
            break
        known.append(_of_learner(BASES[name], flag, exposure, outcome, x, fold))
    effects = [each[2] for each in known]
    outcomes = np.array(
        [
            [
                _given_flag(ridge_on(BASES[name]), outcome - d * exposure, flag, x, fold)
                for d in effects
            ]
            for name in _LEARNERS[: len(known)]
        ]
    )
    flags, exposures, deltas, joints = (np.array(part) for part in zip(*known, strict=True))
    found = _Nuisances(flags, exposures, deltas, joints, outcomes)
    return found, len(known) == len(_LEARNERS)


def _of_learner(
    make: MakeBasis,
    flag: np.ndarray,
    exposure: np.ndarray,
    outcome: np.ndarray,
    x: np.ndarray,
    fold: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Chance of the flag, of the exposure given it, the effect and the joint covariance."""
    chance = np.empty(len(flag))
    delta, omega = np.empty(len(flag)), np.empty(len(flag))
    taken = _given_flag(logistic_on(make), exposure, flag, x, fold)
    usual = _given_flag(ridge_on(make), outcome, flag, x, fold)
    which = flag.astype(np.int64)
    units = np.arange(len(flag))
    away = exposure - taken[which, units]
    product, square = away * (outcome - usual[which, units]), away**2
    for k in np.unique(fold):
        held = fold == k
        chance[held] = logistic_on(make)(x[~held], flag[~held])(x[held])
        basis = make(x[~held])
        columns = basis(x[~held])
        weights = _moments(columns, flag[~held], product[~held], square[~held])
        delta[held], omega[held] = basis(x[held]) @ weights[0], basis(x[held]) @ weights[1]
    return chance, taken, delta, omega


def _given_flag(
    learner: Learner, y: np.ndarray, flag: np.ndarray, x: np.ndarray, fold: np.ndarray
) -> Float[np.ndarray, "two units"]:
    """Forecasts without and with the flag, each learnt on the units of the other folds."""
    found = np.empty((2, len(y)))
    for k in np.unique(fold):
        held = fold == k
        for value in (0, 1):
            rows = ~held & (flag == value)
            found[value, held] = learner(x[rows], y[rows])(x[held])
    return found


def _moments(
    basis: np.ndarray, flag: np.ndarray, product: np.ndarray, square: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Weights of delta and omega on the basis: `E[(B, Z B)' (R - V B'd - B'o)] = 0`.

    The functions of the covariates are shrunk, the constants are not: the two constants alone
    are the ratio of the differences of covariances and variances.
    """
    both = np.column_stack((basis, flag[:, None] * basis))
    inner = np.column_stack((square[:, None] * basis, basis))
    functions = basis.shape[1]
    weights = np.zeros(2 * functions)
    constants = [0, functions]
    weights[constants] = np.linalg.lstsq(
        both[:, constants].T @ inner[:, constants], both[:, constants].T @ product, rcond=1e-10
    )[0]
    left = product - inner @ weights
    shrink = _SHRUNK * np.diag([0.0 if k in constants else 1.0 for k in range(2 * functions)])
    system = both.T @ inner
    weights += np.linalg.solve(
        system.T @ system
        + shrink * np.trace(system.T @ system) / len(system)
        + 1e-9 * np.eye(len(system)),
        system.T @ (both.T @ left),
    )
    return weights[:functions], weights[functions:]


def _influence(
    flag: np.ndarray,
    exposure: np.ndarray,
    outcome: np.ndarray,
    found: _Nuisances,
    choice: tuple[int, ...],
) -> Float[np.ndarray, " units"]:
    """The uncentred efficient influence function of the average effect, one value a unit."""
    of_flag, of_exposure, of_effect, of_outcome = choice
    chance = np.clip(found.flag[of_flag], _LEAST_CHANCE, 1 - _LEAST_CHANCE)
    chance = np.where(flag == 1, chance, 1 - chance)
    which, units = flag.astype(np.int64), np.arange(len(flag))
    taken, delta = found.exposure[of_exposure], found.effect[of_effect]
    usual = found.outcome[of_outcome, of_effect, which, units]
    surplus = (exposure - taken[which, units]) * (outcome - delta * exposure - usual)
    weight = (2 * flag - 1) / (chance * _difference(taken))
    return np.asarray(delta + weight * (surplus - found.joint[of_effect]))


def _difference(taken: Float[np.ndarray, "two units"]) -> Float[np.ndarray, " units"]:
    """Var(A|Z=1,x) - Var(A|Z=0,x), of the sign that it has on average and not too near to 0."""
    found = taken[1] * (1 - taken[1]) - taken[0] * (1 - taken[0])
    sign = 1.0 if found.mean() >= 0 else -1.0
    return sign * np.maximum(sign * found, _LEAST_DIFFERENCE)


def _strength(
    flag: np.ndarray, exposure: np.ndarray, found: _Nuisances, choice: tuple[int, ...]
) -> tuple[float, float]:
    """Mean difference of the variances in standard errors, and mean difference of the means."""
    chance = np.clip(found.flag[choice[0]], _LEAST_CHANCE, 1 - _LEAST_CHANCE)
    chance = np.where(flag == 1, chance, 1 - chance)
    taken = found.exposure[choice[1]]
    now = taken[flag.astype(np.int64), np.arange(len(flag))]
    variance = taken * (1 - taken)
    surplus = (exposure - now) ** 2 - now * (1 - now)
    mean, error, _, _ = mean_with_interval(
        variance[1] - variance[0] + (2 * flag - 1) / chance * surplus
    )
    return mean / max(error, 1e-12), float((taken[1] - taken[0]).mean())


def _direct(found: _Nuisances, choice: tuple[int, ...]) -> float:
    """`E[Y - delta A | Z=1] - E[Y - delta A | Z=0]`: what the flag does without the exposure."""
    outcome = found.outcome[choice[3], choice[2]]
    return float((outcome[1] - outcome[0]).mean())


def two_stage(
    flag: Float[np.ndarray, " units"],
    exposure: Float[np.ndarray, " units"],
    outcome: Float[np.ndarray, " units"],
    covariates: Float[np.ndarray, "units covariates"],
) -> Estimate:
    """Two-stage least squares, the baseline: right only where the flag is harmless by itself."""
    given = np.column_stack((np.ones(len(flag)), covariates))
    y, a, z = (
        v - given @ np.linalg.lstsq(given, v, rcond=None)[0] for v in (outcome, exposure, flag)
    )
    shared = float(z @ a)
    value = float(z @ y) / shared if abs(shared) > 1e-9 * len(z) else 0.0
    error = float(np.sqrt(((y - value * a) ** 2 * z**2).sum())) / max(abs(shared), 1e-9)
    return Estimate(value, error, value - 1.96 * error, value + 1.96 * error)


def adjusted(
    exposure: Float[np.ndarray, " units"],
    outcome: Float[np.ndarray, " units"],
    covariates: Float[np.ndarray, "units covariates"],
) -> Estimate:
    """Regression on the covariates, blind to what nobody wrote down."""
    given = np.column_stack((np.ones(len(exposure)), covariates))
    y, a = (v - given @ np.linalg.lstsq(given, v, rcond=None)[0] for v in (outcome, exposure))
    own = max(float(a @ a), 1e-12)
    value = float(a @ y) / own
    error = float(np.sqrt(((y - value * a) ** 2 * a**2).sum())) / own
    return Estimate(value, error, value - 1.96 * error, value + 1.96 * error)
