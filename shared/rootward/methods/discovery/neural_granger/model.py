"""All forecasters in one batched network whose inputs can be switched off, source by source."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from rootward.numerics.masks import Masked, Schedule, random_mask
from rootward.numerics.pace import GoOn, always
from rootward.numerics.sparsity import group_shrinkage
from rootward.numerics.training import Bounds, generator, train

HELD_OUT = 0.25
MOMENTUM = 0.9
MOVES = Schedule(every=20)
"""How weights move where a density is given."""
FLOPS = 6e10
"""Work of one fit at most; it shortens the steps of wide systems, the same on every machine."""


@dataclass(frozen=True)
class Shape:
    """Sizes and strength of a fit."""

    hidden: int
    penalty: float
    steps: int
    patience: int
    density: float = 1.0
    """Share of the weights to hidden units that may differ from zero; under 1 they move."""


@dataclass(frozen=True, eq=False)
class Found:
    """What switching off each candidate does: (target, candidate), the first is the target."""

    share: Float[Tensor, "targets candidates"]
    """Share of the squared error without the candidate that the candidate removes, all rows."""
    gain: Float[Tensor, "held_out targets candidates"]
    """Squared error saved on each held-out row."""
    blocks: Float[Tensor, "targets candidates"]
    """Share of eight blocks of rows in which the candidate saves error."""
    slopes: Float[Tensor, "targets candidates inputs"]
    """Mean derivative of the forecast by each input."""
    sizes: Float[Tensor, "targets candidates inputs"]
    """Norm of all weights from each input; 0 where the candidate was removed."""
    steps: int


class Forecasters:
    """`skip . z + out . tanh(weights . z + bias) + level` for every target on its candidates.

    The weights from one candidate to one target, skip and hidden together, form a group that a
    proximal step shrinks to exactly zero; a target's own past is never shrunk. `out` is kept
    within norm one, so that it cannot undo the shrinking. Units come before samples in memory:
    a product with so few of them is several times faster that way.
    """

    def __init__(
        self, z: Float[Tensor, "targets samples inputs"], candidates: int, shape: Shape, seed: int
    ) -> None:
        targets, _, inputs = z.shape
        random = generator(seed)
        self.candidates = candidates
        self.shape = shape
        draw = torch.randn(targets, inputs, shape.hidden, generator=random).mT
        skip = torch.zeros(targets, 1, inputs)
        self.weights = torch.cat((0.5 / inputs**0.5 * draw, skip), dim=1).to(z.device)
        """From inputs to hidden units, and in the last row to the forecast itself."""
        self.bias = (0.7 * torch.randn(targets, 1, shape.hidden, generator=random)).mT.to(z.device)
        out = torch.randn(targets, shape.hidden, 1, generator=random).mT
        self.out = (out / out.norm(dim=2, keepdim=True)).to(z.device)
        self.level = torch.zeros(targets, 1, 1, device=z.device)
        self.masked = _masked(self.hidden, shape.density, random)
        self.taken = 0
        self.speed = [torch.zeros_like(p) for p in self.parameters]
        start = torch.randn(targets, inputs, 1, generator=random).to(z.device)
        self.moments = z.mT @ z
        """Of the inputs, summed over samples."""
        self.rate = (1 - MOMENTUM) / (_curvature(self.moments / z.shape[1], start) + 1)

    @property
    def parameters(self) -> list[Tensor]:
        return [self.weights, self.bias, self.out, self.level]

    @property
    def hidden(self) -> Float[Tensor, "targets hidden inputs"]:
        """Weights from inputs to hidden units."""
        return self.weights[:, :-1]

    @property
    def skip(self) -> Float[Tensor, "targets inputs"]:
        """Weights from inputs to the forecast itself."""
        return self.weights[:, -1]

    def start_at_ridge(
        self, z: Float[Tensor, "targets samples inputs"], y: Float[Tensor, "targets 1 samples"]
    ) -> None:
        """The linear skip begins as a ridge regression."""
        penalty = 0.03 * z.shape[1] * torch.eye(z.shape[2], device=z.device)
        moments = (y @ z).mT
        self.weights[:, -1] = torch.linalg.solve(self.moments + penalty, moments)[:, :, 0]

    def __call__(self, z: Float[Tensor, "targets samples inputs"]) -> Tensor:
        return self.forecast(self.weights @ z.mT)

    def forecast(
        self, sums: Float[Tensor, "targets units samples"]
    ) -> Float[Tensor, "targets 1 samples"]:
        """Forecasts from the weighted sums of inputs, one row a unit, the skip last."""
        return self.out @ torch.tanh(sums[:, :-1] + self.bias) + sums[:, -1:] + self.level

    def step(
        self, z: Float[Tensor, "targets samples inputs"], y: Float[Tensor, "targets 1 samples"]
    ) -> None:
        """One accelerated gradient step on the squared error, then the proximal step."""
        sums = self.weights @ z.mT
        active = torch.tanh(sums[:, :-1] + self.bias)
        wrong = self.out @ active + sums[:, -1:] + self.level - y
        wrong *= 2 / y.shape[2]
        by_sums = torch.empty_like(sums)
        by_sums[:, -1:] = wrong
        torch.mul(1 - active**2, self.out.mT * wrong, out=by_sums[:, :-1])
        gradients = [
            by_sums @ z,
            by_sums[:, :-1].sum(dim=2, keepdim=True),
            wrong @ active.mT,
            wrong.sum(dim=2, keepdim=True),
        ]
        for one, speed, gradient in zip(self.parameters, self.speed, gradients, strict=True):
            speed.mul_(MOMENTUM).add_(gradient)
            one -= self.rate * (gradient + MOMENTUM * speed)
        self.out /= self.out.norm(dim=2, keepdim=True).clamp_min(1)
        self._shrink()
        if self.masked is not None:
            self._move(self.masked, gradients[0][:, :-1])

    def _move(self, masked: Masked, gradient: Tensor) -> None:
        """Dynamic sparse learning: the smallest weights give way to the largest gradients."""
        self.taken += 1
        share = MOVES.share(self.taken, self.shape.steps)
        if share > 0:
            masked.exchange([gradient], share)
        masked.keep_to([[self.speed[0][:, :-1]]])

    def _shrink(self) -> None:
        targets = len(self.weights)
        groups = self.weights.view(targets, self.shape.hidden + 1, self.candidates, -1)
        norms = (groups**2).sum(dim=(1, 3)).sqrt()
        thresholds = (self.shape.penalty / (1 - MOMENTUM) * self.rate[:, :, 0]).expand_as(norms)
        factors = group_shrinkage(norms, thresholds)
        factors[:, 0] = 1.0
        groups *= factors[:, None, :, None]


def _masked(
    weights: Float[Tensor, "targets hidden inputs"], density: float, random: torch.Generator
) -> Masked | None:
    if density >= 1:
        return None
    mask = random_mask(len(weights), (weights.shape[2], weights.shape[1]), density, random)
    return Masked([weights], [mask.mT.contiguous().to(weights.device)])


def _curvature(
    covariance: Float[Tensor, "targets inputs inputs"], start: Float[Tensor, "targets inputs 1"]
) -> Float[Tensor, "targets 1 1"]:
    """Largest eigenvalue of each target's input covariance, by fifteen power iterations."""
    u = start
    for _ in range(15):
        u = covariance @ u
        size = u.norm(dim=1, keepdim=True)
        u = u / size.clamp_min(1e-12)
    return size


def fit_targets(
    design: tuple[
        Float[Tensor, "samples series inputs"],
        Float[Tensor, "samples series"],
        Int[Tensor, "series candidates"],
    ],
    targets: Int[Tensor, " targets"],
    shape: Shape,
    seed: int,
    go_on: GoOn = always,
) -> Found:
    """Train forecasters of some series on the first rows and switch their candidates off.

    The first candidate of a series is itself. The targets end their training together.
    """
    inputs, present, candidates = design
    samples, series, width = inputs.shape
    count = candidates.shape[1]
    z = inputs[:, candidates[targets]].permute(1, 0, 2, 3)
    z = z.reshape(len(targets), samples, count * width)
    y = present.T[targets, None]
    cut = samples - int(HELD_OUT * samples)
    model = Forecasters(z[:, :cut], count, shape, seed)
    model.start_at_ridge(z[:, :cut], y[:, :, :cut])
    early, late = (z[:, :cut].contiguous(), y[:, :, :cut]), (z[:, cut:], y[:, :, cut:])
    work = 6.0 * series * cut * count * width * shape.hidden
    steps = min(shape.steps, max(60, int(FLOPS / work)))

    def held_out_loss() -> float:
        return float(((model(late[0]) - late[1]) ** 2).mean())

    bounds = Bounds(steps, min(shape.patience, steps))
    taken = train(lambda: model.step(*early), held_out_loss, bounds, go_on)
    return _switched_off(model, z, y, cut, taken)


def _switched_off(model: Forecasters, z: Tensor, y: Tensor, cut: int, taken: int) -> Found:
    series, samples, _ = z.shape
    count = model.candidates
    sums = model.weights @ z.mT
    error = ((model.forecast(sums) - y) ** 2)[:, 0]
    saved = torch.empty(series, samples, count)
    for k, (inputs, weights) in enumerate(
        zip(z.tensor_split(count, dim=2), model.weights.tensor_split(count, dim=2), strict=True)
    ):
        without = sums - weights @ inputs.mT
        saved[:, :, k] = (((model.forecast(without) - y) ** 2)[:, 0] - error).cpu()
    mean = saved.mean(dim=1).clamp_min(0)
    eight = torch.stack([part.mean(dim=1) > 0 for part in saved.tensor_split(8, dim=1)])
    bend = 1 - torch.tanh(sums[:, :-1] + model.bias) ** 2
    slopes = model.skip + ((bend.mean(dim=2)[:, None] * model.out) @ model.hidden)[:, 0]
    sizes = (model.weights**2).sum(dim=1).sqrt()
    return Found(
        share=mean / (mean + error.mean(dim=1).cpu()[:, None]).clamp_min(1e-12),
        gain=saved[:, cut:].permute(1, 0, 2),
        blocks=eight.float().mean(dim=0),
        slopes=slopes.view(series, count, -1).cpu(),
        sizes=sizes.view(series, count, -1).cpu(),
        steps=taken,
    )
