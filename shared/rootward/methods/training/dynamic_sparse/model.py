"""One small forecaster for each series, all trained side by side, dense or sparse.

After Wang, Wang et al. 2024, Dynamic Sparse Learning: A Novel Paradigm for Efficient
Recommendation, WSDM, arXiv 2402.02855: weights are few from the first step on, and every so often
the smallest give way to those whose gradient is largest. There the weights are the embeddings of a
recommender; here they are the first two layers of forecasters.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum

import torch
from jaxtyping import Float
from torch import Tensor

from rootward.numerics.masks import Masked, Schedule, random_mask
from rootward.numerics.pace import GoOn, always
from rootward.numerics.training import generator

LOOK = 20
"""Steps between two looks at watched rows."""


class Kind(StrEnum):
    """How the weights of a fit are chosen."""

    DENSE = "dense"
    SMALL = "small dense"
    """Dense with so few hidden units that it has as many weights as a sparse one."""
    STATIC = "static sparse"
    """A random mask that stays."""
    DYNAMIC = "dynamic sparse"


@dataclass(frozen=True)
class Plan:
    """Sizes and length of a fit."""

    hidden: int = 64
    density: float = 0.1
    """Of the first two layers; the last one is always dense."""
    steps: int = 800
    batch: int = 256
    rate: float = 3e-3
    """Of Adam; falls along a cosine to a hundredth."""
    schedule: Schedule = field(default_factory=Schedule)


def weights_of(inputs: int, hidden: int, density: float = 1.0) -> int:
    """Weights of one forecaster without biases."""
    return round(density * (inputs * hidden + hidden**2)) + hidden


def small_hidden(inputs: int, plan: Plan) -> int:
    """Hidden units with which a dense forecaster has about as many weights as a sparse one."""
    budget = weights_of(inputs, plan.hidden, plan.density)
    return max(1, round((-(inputs + 1) + math.sqrt((inputs + 1) ** 2 + 4 * budget)) / 2))


class Stack:
    """`out . relu(second relu(first x + a) + b) + c` for every target, no weight shared."""

    def __init__(self, targets: int, inputs: int, hidden: int, random: torch.Generator) -> None:
        def drawn(rows: int, columns: int) -> Tensor:
            return torch.randn(targets, rows, columns, generator=random) * (2 / rows) ** 0.5

        self.first, self.second = drawn(inputs, hidden), drawn(hidden, hidden)
        self.out = drawn(hidden, 1) / 2
        self.a, self.b = torch.zeros(targets, 1, hidden), torch.zeros(targets, 1, hidden)
        self.c = torch.zeros(targets, 1, 1)

    @property
    def parameters(self) -> list[Tensor]:
        return [self.first, self.second, self.out, self.a, self.b, self.c]

    def __call__(self, x: Float[Tensor, "samples inputs"]) -> Float[Tensor, "samples targets"]:
        inner = torch.relu(x @ self.first + self.a)
        inner = torch.relu(inner @ self.second + self.b)
        return (inner @ self.out + self.c)[:, :, 0].T


@dataclass(frozen=True, eq=False)
class Fit:
    """Trained forecasters and what they cost."""

    stack: Stack
    weights: int
    """Of one forecaster, without biases."""
    explored: float
    """Share of the positions of the first two layers that were ever active."""
    multiply_adds: int
    """Of one forecast of one series."""
    steps: int


def fit(
    x: Float[Tensor, "samples inputs"],
    y: Float[Tensor, "samples targets"],
    kind: Kind,
    plan: Plan,
    seed: int,
    *,
    watched: tuple[Tensor, Tensor] | None = None,
    go_on: GoOn = always,
) -> Fit:
    """Train all targets on random batches; the mask of a sparse fit has a constant size.

    With `watched` rows, each target keeps the weights with which it foretold those best.
    """
    random = generator(seed)
    inputs, targets = x.shape[1], y.shape[1]
    sparse = kind in (Kind.STATIC, Kind.DYNAMIC)
    hidden = small_hidden(inputs, plan) if kind is Kind.SMALL else plan.hidden
    stack = Stack(targets, inputs, hidden, random)
    masked = _masked(stack, plan.density if sparse else 1.0, random)
    leaves = [p.requires_grad_() for p in stack.parameters]
    optimiser = torch.optim.Adam(leaves, lr=plan.rate)
    best = _Best(stack, y.shape[1])
    taken = 0
    for taken in range(1, plan.steps + 1):
        if not go_on(taken / plan.steps):
            break
        drawn = torch.randint(len(x), (min(plan.batch, len(x)),), generator=random)
        _set_rate(optimiser, plan, taken)
        loss = ((stack(x[drawn]) - y[drawn]) ** 2).mean(dim=0).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if sparse:
            _keep_sparse(masked, optimiser, kind, plan.schedule.share(taken, plan.steps))
        if watched is not None and taken % LOOK == 0:
            best.note(stack, errors(stack, *watched))
    if watched is not None:
        best.restore(stack)
    for parameter in leaves:
        parameter.requires_grad_(False)
    weights = masked.count // targets + hidden
    return Fit(stack, weights, masked.explored, 2 * weights, taken)


class _Best:
    """For each target the weights of the step at which it erred least; zero steps at first."""

    def __init__(self, stack: Stack, targets: int) -> None:
        self.error = torch.full((targets,), torch.inf)
        self.kept = [p.detach().clone() for p in stack.parameters]

    def note(self, stack: Stack, error: Float[Tensor, " targets"]) -> None:
        better = error < self.error
        self.error = torch.where(better, error, self.error)
        for kept, now in zip(self.kept, stack.parameters, strict=True):
            kept[better] = now.detach()[better]

    def restore(self, stack: Stack) -> None:
        with torch.no_grad():
            for parameter, kept in zip(stack.parameters, self.kept, strict=True):
                parameter.copy_(kept)


def _masked(stack: Stack, density: float, random: torch.Generator) -> Masked:
    layers = [stack.first, stack.second]
    if density >= 1:
        return Masked(layers, [torch.ones_like(w, dtype=torch.bool) for w in layers])
    masks = [random_mask(len(w), (w.shape[1], w.shape[2]), density, random) for w in layers]
    with torch.no_grad():
        for layer in layers:
            layer /= density**0.5  # as many inputs of a unit are gone, the others grow
    return Masked(layers, masks)


def _keep_sparse(masked: Masked, optimiser: torch.optim.Adam, kind: Kind, share: float) -> None:
    if kind is Kind.DYNAMIC and share > 0:
        slopes = [w.grad for w in masked.weights if w.grad is not None]
        masked.exchange(slopes, share)
    state = optimiser.state
    masked.keep_to([(state[w]["exp_avg"], state[w]["exp_avg_sq"]) for w in masked.weights])


def _set_rate(optimiser: torch.optim.Adam, plan: Plan, step: int) -> None:
    wave = 0.5 * (1 + math.cos(math.pi * step / plan.steps))
    optimiser.param_groups[0]["lr"] = plan.rate * (0.01 + 0.99 * wave)


def errors(
    stack: Stack, x: Float[Tensor, "samples inputs"], y: Float[Tensor, "samples targets"]
) -> Float[Tensor, " targets"]:
    """Mean squared error of each target."""
    with torch.no_grad():
        return ((stack(x) - y) ** 2).mean(dim=0)


def sensitivities(
    stack: Stack, x: Float[Tensor, "samples inputs"], series: int
) -> Float[Tensor, "series targets"]:
    """Mean size of the slope of each target's forecast by each series, summed over its lags.

    Inputs are ordered by series, then by lag.
    """
    leaf = x.detach().clone().requires_grad_()
    foretold = stack(leaf)
    found = [
        torch.autograd.grad(foretold[:, k].sum(), leaf, retain_graph=True)[0].abs().mean(dim=0)
        for k in range(foretold.shape[1])
    ]
    return torch.stack([f.view(series, -1).sum(dim=1) for f in found], dim=1)
