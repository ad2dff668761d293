"""CoLiDE on arrays: weights of an acyclic linear model and its noise levels, estimated together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from rootward.numerics.acyclicity import acyclic, log_det_penalty
from rootward.numerics.pace import GoOn, always

Noise = Literal["unequal", "equal", "unit"]
_BETAS = (0.99, 0.999)
_SMALLEST = 1e-8
_STAGE_RADII = (1.0, 0.9, 0.8, 0.7)
_MOST_RESTARTS = 10
_LEAST_NOISE = 1e-6


@dataclass(frozen=True)
class Schedule:
    """How long Adam works on each stage."""

    rate: float = 3e-3
    steps: int = 2000
    """Of every stage but the last."""
    last_steps: int = 7000
    checkpoint: int = 500
    """Steps between two looks at the objective."""
    tolerance: float = 1e-6
    """Relative change of the objective between two looks at which a stage ends."""


PUBLISHED = Schedule(3e-4, 20_000, 70_000, 1000)
FAST = Schedule()
BRIEF = Schedule(3e-3, 1000, 3000, 250)
"""For a page that opens: on twenty series one edge more is wrong than with `FAST`."""


@dataclass(frozen=True, eq=False)
class Equations:
    """`x = x W + past V + noise`: what each variable is made of, and how much is its own."""

    weights: Float[np.ndarray, "variables variables"]
    """[cause, effect] in the same row; acyclic."""
    past_weights: Float[np.ndarray, "inputs variables"]
    noise: Float[np.ndarray, " variables"]
    """Deviation of what each equation leaves over."""
    complete: bool
    """Whether every stage had the time that it needed."""

    def residuals(
        self,
        x: Float[np.ndarray, "rows variables"],
        past: Float[np.ndarray, "rows inputs"] | None = None,
    ) -> Float[np.ndarray, "rows variables"]:
        """What each equation leaves over of new rows, in deviations of its noise."""
        left = x - x @ self.weights
        if past is not None:
            left = left - past @ self.past_weights
        return left / self.noise


def colide(
    x: Float[np.ndarray, "rows variables"],
    past: Float[np.ndarray, "rows inputs"] | None = None,
    *,
    noise: Noise = "unequal",
    sparsity: float = 0.05,
    least: float = 0.3,
    least_noise: float = 1e-6,
    schedule: Schedule = FAST,
    go_on: GoOn = always,
) -> Equations:
    """Weights and noise levels estimated together (Saboksayr, Mateos, Tepper 2024).

    Minimises `tr((I-W)'C(I-W) diag(1/s))/2 + sum(s)/2 + sparsity |W|_1` over acyclic W and noise
    levels s (eq. 7, "unequal"; "equal" shares one level, eq. 4; "unit" fixes it to 1, which is
    least squares). The log-det penalty is weighed up in four stages; noise levels follow each
    step in closed form (eqs. 6 and 8). Weights up to `least` are then dropped, and the smallest
    of any cycle; those that stay are fitted once more without their price (ours). No noise is
    called smaller than `least_noise`. Columns are centred here; they are not scaled. `past` holds
    inputs that drive and are not driven, such as earlier rows.
    """
    inputs = np.empty((len(x), 0)) if past is None else past
    both = np.column_stack((x, inputs))
    fit = _Fit(np.cov(both, rowvar=False, bias=True).reshape(both.shape[1], -1), x.shape[1])
    weights = np.zeros((both.shape[1], x.shape[1]))
    complete = True
    for stage, radius in enumerate(_STAGE_RADII):
        last = stage == len(_STAGE_RADII) - 1
        steps = schedule.last_steps if last else schedule.steps
        goal = _Goal(noise, sparsity, 0.1**stage, radius)
        weights, done = fit.stage(weights, goal, replace(schedule, steps=steps), go_on)
        complete &= done
    d = x.shape[1]
    kept = np.vstack((acyclic(weights[:d], least), weights[d:] * (np.abs(weights[d:]) > least)))
    refitted = fit.on_support(kept != 0)
    level = np.sqrt(fit.left_over(refitted))
    return Equations(refitted[:d], refitted[d:], np.maximum(level, least_noise), complete)


@dataclass(frozen=True)
class _Goal:
    noise: Noise
    sparsity: float
    weight: float
    """mu: what fit and sparsity count against acyclicity."""
    radius: float


@dataclass(frozen=True, eq=False)
class _Fit:
    """The covariance of variables and inputs; everything is computed from it."""

    covariance: Float[np.ndarray, "all all"]
    variables: int

    def left_over(
        self, weights: Float[np.ndarray, "all variables"]
    ) -> Float[np.ndarray, " variables"]:
        """Variance of each equation's residual: the diagonal of (I-W)'C(I-W)."""
        away = self._away(weights)
        return np.maximum((away * (self.covariance @ away)).sum(axis=0), _LEAST_NOISE**2)

    def on_support(
        self, support: Bool[np.ndarray, "all variables"]
    ) -> Float[np.ndarray, "all variables"]:
        """Least squares of each variable on those that drive it."""
        weights = np.zeros(support.shape)
        for effect in range(self.variables):
            causes = np.flatnonzero(support[:, effect])
            gram = self.covariance[np.ix_(causes, causes)]
            gram = gram + 1e-9 * np.diag(np.diagonal(gram))
            weights[causes, effect] = np.linalg.solve(gram, self.covariance[causes, effect])
        return weights

    def _away(self, weights: np.ndarray) -> np.ndarray:
        return np.asarray(np.eye(*weights.shape) - weights)

    def _levels(self, left: np.ndarray, noise: Noise) -> np.ndarray:
        if noise == "unit":
            return np.ones_like(left)
        if noise == "equal":
            return np.full_like(left, np.sqrt(left.mean()))
        return np.sqrt(left)

    def stage(
        self, start: np.ndarray, goal: _Goal, schedule: Schedule, go_on: GoOn
    ) -> tuple[np.ndarray, bool]:
        """Adam on one stage; where an iterate leaves the penalty's domain, slower and wider."""
        rate, radius = schedule.rate, goal.radius
        for _ in range(_MOST_RESTARTS):
            found = self._descend(
                start, replace(goal, radius=radius), replace(schedule, rate=rate), go_on
            )
            if found is not None:
                return found
            rate, radius = rate / 2, radius + 0.1
        return start, False

    def _descend(
        self, start: np.ndarray, goal: _Goal, schedule: Schedule, go_on: GoOn
    ) -> tuple[np.ndarray, bool] | None:
        weights, first, second = start.copy(), np.zeros_like(start), np.zeros_like(start)
        free = _allowed(self.variables, len(start))
        before = 0.0
        for step in range(1, schedule.steps + 1):
            value, gradient, inside = self._objective(weights, goal)
            if not inside:
                return None
            if step % schedule.checkpoint == 0:
                if abs(before - value) <= schedule.tolerance * abs(before):
                    break
                before = value
            if step % 100 == 0 and not go_on(step / schedule.steps):
                return weights, False
            first = _BETAS[0] * first + (1 - _BETAS[0]) * gradient
            second = _BETAS[1] * second + (1 - _BETAS[1]) * gradient**2
            unbiased = first / (1 - _BETAS[0] ** step)
            spread = np.sqrt(second / (1 - _BETAS[1] ** step)) + _SMALLEST
            weights = np.where(free, weights - schedule.rate * unbiased / spread, 0.0)
        return weights, True

    def _objective(self, weights: np.ndarray, goal: _Goal) -> tuple[float, np.ndarray, bool]:
        penalty, slope, inside = log_det_penalty(weights[: self.variables], goal.radius)
        if not inside:
            return np.inf, weights, False
        away = self._away(weights)
        pull = self.covariance @ away
        left = np.maximum((away * pull).sum(axis=0), _LEAST_NOISE**2)
        levels = self._levels(left, goal.noise)
        score = 0.5 * float((left / levels).sum() + levels.sum())
        value = goal.weight * (score + goal.sparsity * float(np.abs(weights).sum())) + penalty
        gradient = goal.weight * (goal.sparsity * np.sign(weights) - pull / levels)
        gradient[: self.variables] += slope
        return value, gradient, True


def _allowed(variables: int, every: int) -> Bool[np.ndarray, "all variables"]:
    """Nothing drives itself in the same row."""
    free = np.ones((every, variables), dtype=bool)
    np.fill_diagonal(free, False)
    return free
