"""RUN's two training stages: the arithmetic of the release, all targets and channels at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rootward.numerics.pace import GoOn, always

CONTEXT = 32
"""Rows that a forecast sees."""
HIDDEN = 128
PROJECTED = 256
KERNEL = 25
"""Width of the moving average. In RUN it runs over neighbouring channels, not over time."""
BATCH = 128
RATE = 1e-3
_MOST_WEIGHTS = 16_000_000
"""Weights that are trained at a time; targets beyond wait for the next turn."""


@dataclass(frozen=True)
class Branch:
    """One of the two linear paths of a forecaster, seasonal or trend, with leading target axis."""

    encode: Tensor
    encode_bias: Tensor
    decode: Tensor
    decode_bias: Tensor
    point: Tensor

    def tensors(self) -> list[Tensor]:
        """All that is trained."""
        return [self.encode, self.encode_bias, self.decode, self.decode_bias, self.point]


def decomposed(
    x: Float[Tensor, "batch series rows"],
) -> tuple[Float[Tensor, "batch series rows"], Float[Tensor, "batch series rows"]]:
    """Seasonal part and trend, averaged over series as in the release."""
    half = KERNEL // 2
    padded = torch.cat([x[:, :1].expand(-1, half, -1), x, x[:, -1:].expand(-1, half, -1)], dim=1)
    trend = padded.unfold(1, KERNEL, 1).mean(dim=-1)
    return x - trend, trend


def batches(samples: int, random: torch.Generator) -> Iterator[Tensor]:
    """Shuffled batches, the last one dropped unless it is the only one."""
    order = torch.randperm(samples, generator=random)
    for start in range(0, max(samples - BATCH, 0) + 1, BATCH):
        yield order[start : start + BATCH]


def linear(shape: tuple[int, ...], fan_in: int, random: torch.Generator) -> Tensor:
    """Weights as `nn.Linear` draws them."""
    return (2 * torch.rand(shape, generator=random) - 1) / fan_in**0.5


def pretrained(
    x: Float[Tensor, "samples series rows"],
    epochs: int,
    random: torch.Generator,
    go_on: GoOn = always,
) -> list[tuple[Tensor, Tensor]]:
    """Encoders (weights, bias) of the seasonal part and of the trend, for each series one.

    The release trains them again for each target without looking at it; once is enough.
    """
    series = x.shape[1]
    encoders = [
        (
            linear((series, CONTEXT, HIDDEN), CONTEXT, random),
            linear((series, 1, HIDDEN), CONTEXT, random),
        )
        for _ in range(2)
    ]
    heads = [_head(series, random) for _ in range(2)]
    trained = [t.requires_grad_() for pair in (*encoders, *heads) for t in pair]
    optimiser = torch.optim.Adam(trained, lr=RATE, fused=True)
    for epoch in range(epochs):
        for batch in batches(len(x), random) if go_on(epoch / epochs / 2) else ():
            loss = torch.zeros(())
            for part, (weight, bias), head in zip(
                decomposed(x[batch]), encoders, heads, strict=True
            ):
                code = torch.baddbmm(bias, part.transpose(0, 1), weight)
                inner = torch.baddbmm(head[1], code, head[0])
                shaped = nn.functional.leaky_relu(inner, 0.25)
                guess = torch.baddbmm(head[3], shaped, head[2])
                loss = loss + _contrast(guess.transpose(0, 1), code.detach().transpose(0, 1))
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return [(weight.detach(), bias.detach()) for weight, bias in encoders]


def _head(series: int, random: torch.Generator) -> tuple[Tensor, ...]:
    """The projector of each series; the slope of its PReLU stays at its start, 1/4."""
    return (
        linear((series, HIDDEN, PROJECTED), HIDDEN, random),
        linear((series, 1, PROJECTED), HIDDEN, random),
        linear((series, PROJECTED, HIDDEN), PROJECTED, random),
        linear((series, 1, HIDDEN), PROJECTED, random),
    )


def _contrast(
    guess: Float[Tensor, "batch series hidden"], code: Float[Tensor, "batch series hidden"]
) -> Tensor:
    """The hierarchical contrastive loss of the release, with its cut through the hidden axis.

    The mean of the negative log softmax over whole blocks of similarities, positives and others
    alike, over a pyramid of maxima. Both views are the same stretch: crop and window are equal.
    """
    one, other = (v[:, :, -CONTEXT:].transpose(1, 2) for v in (guess, code))
    losses = []
    while True:
        likeness = one @ other.transpose(1, 2)
        losses.append(-torch.log_softmax(likeness, dim=-1).mean())
        if one.shape[1] == 1:
            return torch.stack(losses).mean()
        one, other = (
            nn.functional.max_pool1d(v.transpose(1, 2), 2).transpose(1, 2) for v in (one, other)
        )


def attention(
    x: Float[Tensor, "samples series rows"],
    y: Float[Tensor, "samples series"],
    epochs: int,
    random: torch.Generator,
    *,
    go_on: GoOn = always,
) -> Float[Tensor, "series series"]:
    """What each target's forecaster learns to look at: (cause, target), 1 at the start."""
    encoders = pretrained(x, epochs, random, go_on)
    series = x.shape[1]
    per_target = 2 * series * (2 * CONTEXT * HIDDEN + HIDDEN + 2 * CONTEXT)
    turn = max(1, _MOST_WEIGHTS // per_target)
    found = [
        _forecasters(x, y[:, first : first + turn], encoders, epochs, random, go_on=go_on)
        for first in range(0, series, turn)
    ]
    return torch.cat(found).T


def _forecasters(
    x: Float[Tensor, "samples series rows"],
    y: Float[Tensor, "samples targets"],
    encoders: list[tuple[Tensor, Tensor]],
    epochs: int,
    random: torch.Generator,
    *,
    go_on: GoOn,
) -> Float[Tensor, "targets series"]:
    series, targets = x.shape[1], y.shape[1]
    branches = [_branch(encoder, targets, random) for encoder in encoders]
    looks = torch.ones(targets, series)
    offset = linear((targets,), CONTEXT * series, random)
    trained = [looks, offset, *(t for branch in branches for t in branch.tensors())]
    optimiser = torch.optim.Adam([t.requires_grad_() for t in trained], lr=RATE, fused=True)
    for epoch in range(epochs):
        for batch in batches(len(x), random) if go_on(0.5 + epoch / epochs / 2) else ():
            guess = offset
            for part, branch in zip(decomposed(x[batch]), branches, strict=True):
                guess = guess + answer(part, branch, torch.softmax(looks, dim=1))
            loss = ((guess - y[batch]) ** 2).mean(dim=0).sum()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return looks.detach()


def _branch(encoder: tuple[Tensor, Tensor], targets: int, random: torch.Generator) -> Branch:
    weight, bias = encoder
    series = len(weight)
    return Branch(
        weight.expand(targets, -1, -1, -1).clone(),
        bias[:, 0].expand(targets, -1, -1).clone(),
        linear((targets, series, HIDDEN, CONTEXT), HIDDEN, random),
        linear((targets, series, CONTEXT), HIDDEN, random),
        linear((targets, series, CONTEXT), CONTEXT * series, random),
    )


def answer(
    x: Float[Tensor, "batch series rows"], branch: Branch, looks: Float[Tensor, "targets series"]
) -> Float[Tensor, "batch targets"]:
    """Encode, weigh, decode, sum up: all of it is linear, so it is multiplied out from the end."""
    back = (branch.decode @ branch.point[..., None])[..., 0]
    rows = (branch.encode @ back[..., None])[..., 0] * looks[..., None]
    constant = (branch.encode_bias * back).sum(-1) * looks + (
        branch.decode_bias * branch.point
    ).sum(-1)
    return x.flatten(1) @ rows.flatten(1).T + constant.sum(dim=1)
