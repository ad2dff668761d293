"""One encoder for all series: nonlinear features of a short stretch, learnt by contrast."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rootward.numerics.training import generator

HIDDEN = 24
SMOOTHED = 3
"""Rows of the trailing average that separates trend from rest."""
BATCH = 256
STEPS = 60
TEMPERATURE = 0.2
JITTER = 0.3
"""Deviations of the noise by which two views of a stretch differ."""


def decompose(
    stretch: Float[Tensor, "batch rows"],
) -> tuple[Float[Tensor, "batch rows"], Float[Tensor, "batch rows"]]:
    """Rest and trend over time; rows run from the newest to the oldest, none looks ahead."""
    padded = torch.cat([stretch, stretch[:, -1:].expand(-1, SMOOTHED - 1)], dim=1)
    trend = padded.unfold(1, SMOOTHED, 1).mean(dim=-1)
    return stretch - trend, trend


class Encoder(nn.Module):
    """Features of one series; the same weights for all, so that no series sees another."""

    def __init__(self, rows: int, features: int, random: torch.Generator) -> None:
        super().__init__()

        def weight(fan_in: int, fan_out: int, gain: float) -> nn.Parameter:
            return nn.Parameter(torch.randn(fan_in, fan_out, generator=random) * gain / fan_in**0.5)

        self.rest = weight(rows, HIDDEN, 1.5)
        self.trend = weight(rows, HIDDEN, 1.5)
        self.bias = nn.Parameter(0.7 * torch.randn(2 * HIDDEN, generator=random))
        self.out = weight(2 * HIDDEN, features, 1.0)

    def code(self, stretch: Float[Tensor, "batch rows"]) -> Float[Tensor, "batch code"]:
        """What the encoder has inside: the rest's units, then the trend's."""
        rest, trend = decompose(stretch)
        both = torch.cat([rest @ self.rest, trend @ self.trend], dim=1)
        return torch.tanh(both + self.bias)

    def forward(self, stretch: Float[Tensor, "batch rows"]) -> Float[Tensor, "batch features"]:
        return self.code(stretch) @ self.out


def pretrained(stretches: Float[Tensor, "stretches rows"], features: int, seed: int) -> Encoder:
    """An encoder that knows a stretch again under noise and with its older part hidden.

    The two views differ in their noise and in where they are cut, so the encoder has to keep
    what tells one stretch from another. InfoNCE, van den Oord 2018; bounded steps.
    """
    random = generator(seed)
    rows = stretches.shape[1]
    encoder = Encoder(rows, features, random)
    optimiser = torch.optim.Adam(encoder.parameters(), lr=5e-3)
    for _ in range(STEPS):
        batch = stretches[torch.randint(len(stretches), (BATCH,), generator=random)]
        views = torch.cat([view(batch, random), view(batch, random)])
        one, other = nn.functional.normalize(encoder(views), dim=1).chunk(2)
        likeness = one @ other.T / TEMPERATURE
        same = torch.arange(BATCH)
        loss = nn.functional.cross_entropy(likeness, same)
        loss = loss + nn.functional.cross_entropy(likeness.T, same)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    return encoder


def view(
    stretch: Float[Tensor, "batch rows"], random: torch.Generator
) -> Float[Tensor, "batch rows"]:
    """The stretch with noise on it and everything older than a random row hidden."""
    count, rows = stretch.shape
    noisy = stretch + JITTER * torch.randn(count, rows, generator=random)
    cut = torch.randint(min(3, rows), rows + 1, (count, 1), generator=random)
    return torch.where(torch.arange(rows) < cut, noisy, torch.zeros(()))


def nonlinear_features(
    past: Float[Tensor, "samples series rows"], lags: int, features: int, seed: int
) -> Float[Tensor, "samples series features"]:
    """What the encoder sees in each series beyond its last `lags` values, of deviation one."""
    samples, series, rows = past.shape
    stretches = past.reshape(-1, rows)
    encoder = pretrained(stretches, features, seed)
    with torch.no_grad():
        seen = encoder(stretches).reshape(samples, series, features).permute(1, 0, 2)
        seen = seen - seen.mean(dim=1, keepdim=True)
        linear = past[:, :, :lags].permute(1, 0, 2)
        linear = linear - linear.mean(dim=1, keepdim=True)
        gram = linear.mT @ linear + 1e-3 * samples * torch.eye(lags)
        rest = seen - linear @ torch.linalg.solve(gram, linear.mT @ seen)
        size, turn = torch.linalg.eigh(rest.mT @ rest / samples)
        floor = 0.05 * size.mean(dim=1, keepdim=True) + 1e-9
        white = rest @ turn / (size.clamp_min(0) + floor).sqrt()[:, None, :]
    return white.permute(1, 0, 2).contiguous()
