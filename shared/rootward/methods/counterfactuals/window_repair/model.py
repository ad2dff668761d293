"""A diffusion model of windows that redraws what is broken and keeps the rest."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import partial
from itertools import pairwise
from math import cos, pi

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from rootward.numerics.attention import Attention, FeedForward, linear
from rootward.numerics.diffusion import Schedule
from rootward.numerics.pace import GoOn, always
from rootward.numerics.training import generator

HEADS = 2
LEVELS = 100
SEEN_LEVELS, DRAWS = (50, 60, 70), 3
"""Where, and how often at each, the two conditions are compared to find the mask.

Ours: at lower levels a network that was trained for a minute tells the two hardly apart.
"""
TRANSPORTED = 0.3
"""Weight of what the attention brings from the own, the first and the previous frame."""
THRESHOLD = 0.35
"""Share of the largest difference from which on a token is masked."""
CALM_WINDOWS = 32
"""Normal windows, at least, that tell which differences mean nothing."""
INVERTED_TO = 70
"""The highest level that is ever looked at, so none above is taught."""
FASTEST, WARM, MEMORY = 6e-3, 0.1, 0.99
"""Learning rate at its highest, share of the steps until then, and what an average keeps a step.

The average of the weights forgives the rate: with it 600 steps err less than 1200 did without.
"""
FURTHEST = 8.0
"""Deviations at which recorded values are clipped before the network sees them."""

Windows = Float[np.ndarray, "windows rows series"]


class Condition(IntEnum):
    """What the denoiser is told that it looks at."""

    ANY = 0
    NORMAL = 1
    INCIDENT = 2


@dataclass(frozen=True)
class Shape:
    """Sizes of a window and of the network."""

    frames: int
    series: int
    frame_rows: int
    width: int = 32
    blocks: int = 1

    @property
    def rows(self) -> int:
        """Rows of a window."""
        return self.frames * self.frame_rows


class Block(nn.Module):
    """Sparse-causal attention over series, attention along frames, and a feed-forward step."""

    def __init__(self, width: int, random: torch.Generator) -> None:
        super().__init__()
        self.across = Attention(width, HEADS, random)
        self.along = Attention(width, HEADS, random)
        self.think = FeedForward(width, 2 * width, random)
        self.before = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        """Tokens are (batch, frames, series, width)."""
        seen = self.before[0](x)
        x = x + self.across(seen, seen, arrange=context)
        turned = self.before[1](x).transpose(1, 2)
        x = x + self.along(turned, turned).transpose(1, 2)
        return torch.as_tensor(x + self.think(self.before[2](x)))


def context(x: Float[Tensor, "batch frames series width"]) -> Tensor:
    """What a frame attends to: itself, the first frame, and the one before it."""
    first = x[:, :1].expand_as(x)
    previous = torch.cat((x[:, :1], x[:, :-1]), dim=1)
    return torch.cat((x, first, previous), dim=2)


class Denoiser(nn.Module):
    """Says which noise is in a window, under a condition."""

    def __init__(self, shape: Shape, schedule: Schedule, seed: int) -> None:
        super().__init__()
        random, width = generator(seed), shape.width
        self.kept = schedule.kept
        self.read = linear(shape.frame_rows, width, random)
        self.level = linear(16, width, random)
        self.condition = nn.Parameter(0.5 * torch.randn(3, width, generator=random))
        self.series = nn.Parameter(0.5 * torch.randn(shape.series, width, generator=random))
        self.frame = nn.Parameter(0.5 * torch.randn(shape.frames, 1, width, generator=random))
        self.blocks = nn.ModuleList(Block(width, random) for _ in range(shape.blocks))
        self.last = nn.LayerNorm(width)
        self.write = linear(width, shape.frame_rows, random)
        nn.init.zeros_(self.write.weight)

    def tokens(self, x: Tensor, level: Tensor, condition: Tensor) -> Tensor:
        """(batch, frames, series, width) before the first block."""
        about = self.level(_waves(level)) + self.condition[condition]
        return torch.as_tensor(self.read(x) + about[:, None, None] + self.series + self.frame)

    def forward(
        self,
        x: Float[Tensor, "batch frames series frame_rows"],
        level: Int[Tensor, " batch"],
        condition: Int[Tensor, " batch"],
    ) -> Float[Tensor, "batch frames series frame_rows"]:
        z = self.tokens(x, level, condition)
        for block in self.blocks:
            z = block(z)
        # what would be right for white noise of unit variance; the network adds the rest
        plain = (1 - self.kept[level]).sqrt()[:, None, None, None] * x
        return plain + torch.as_tensor(self.write(self.last(z)))

    def looks(
        self, x: Tensor, level: Tensor, condition: Tensor
    ) -> Float[Tensor, "batch frames series context"]:
        """Sparse-causal attention of the first block."""
        block, z = self.blocks[0], self.tokens(x, level, condition)
        assert isinstance(block, Block)
        seen = block.before[0](z)
        return torch.as_tensor(block.across.weights(seen, seen, arrange=context))


def _waves(level: Int[Tensor, " batch"]) -> Float[Tensor, "batch waves"]:
    speed = torch.exp(torch.linspace(0.0, -6.0, 8))
    angle = level[:, None].float() * speed
    return torch.cat((angle.sin(), angle.cos()), dim=1)


def framed(windows: Windows, shape: Shape) -> Float[Tensor, "windows frames series frame_rows"]:
    """Windows as tokens."""
    parts = windows.reshape(len(windows), shape.frames, shape.frame_rows, shape.series)
    return torch.from_numpy(parts.transpose(0, 1, 3, 2).astype(np.float32)).contiguous()


def unframed(tokens: Tensor) -> Windows:
    """Tokens as windows again."""
    parts = tokens.double().numpy().transpose(0, 1, 3, 2)
    return np.ascontiguousarray(parts).reshape(len(parts), -1, parts.shape[-1])


def broken(
    windows: Windows, rng: np.random.Generator, sizes: tuple[float, float] = (1.5, 8.0)
) -> Windows:
    """The same windows, each with an anomaly on some series for a while.

    A level shift, a spike, a ramp or a flat line; sizes are drawn between two, in deviations.
    """
    found = windows.copy()
    count, rows, series = windows.shape
    for k in range(count):
        hit = rng.permutation(series)[: rng.integers(1, max(2, series // 2) + 1)]
        length = int(rng.integers(rows // 8, rows // 2 + 1))
        start = int(rng.integers(rows // 8, rows - length + 1))
        at = slice(start, start + length)
        kind = rng.integers(4)
        for column in hit:
            size = rng.choice([-1, 1]) * np.exp(rng.uniform(*np.log(sizes)))
            if kind == 0:
                found[k, at, column] += size
            elif kind == 1:
                found[k, start + int(rng.integers(length)), column] += size
            elif kind == 2:
                found[k, at, column] += size * np.linspace(0, 1, length)
            else:
                found[k, at, column] = found[k, start, column] + size
    return found


@dataclass(frozen=True, eq=False)
class Repairer:
    """A denoiser that knows normal windows and broken ones."""

    shape: Shape
    denoiser: Denoiser
    schedule: Schedule
    usual: float
    """Largest difference between the conditions that normal windows show, but for one in fifty."""
    steps: int
    """Training steps taken."""

    def _noise(self, x: Tensor, level: int, condition: Condition) -> Tensor:
        levels = torch.full((len(x),), level)
        return torch.as_tensor(self.denoiser(x, levels, torch.full((len(x),), int(condition))))

    def difference(
        self, windows: Windows, random: torch.Generator
    ) -> Float[np.ndarray, "windows frames series"]:
        """How much more a token looks like an incident than like normal operation.

        Root mean square over its rows of the noise seen under the one condition less that seen
        under the other, averaged over levels and draws.
        """
        x = framed(np.clip(windows, -FURTHEST, FURTHEST), self.shape)
        total = torch.zeros(x.shape[:3])
        with torch.no_grad():
            for level in SEEN_LEVELS:
                for _ in range(DRAWS):
                    noise = torch.randn(x.shape, generator=random)
                    y = self.schedule.noised(x, torch.full((len(x),), level), noise)
                    told = self._noise(y, level, Condition.INCIDENT)
                    told = told - self._noise(y, level, Condition.NORMAL)
                    total += (told**2).mean(dim=3).sqrt()
        return np.asarray((total / (len(SEEN_LEVELS) * DRAWS)).double().numpy())

    def mask(
        self, window: Float[np.ndarray, "rows series"], random: torch.Generator
    ) -> tuple[Bool[np.ndarray, "frames series"], Float[np.ndarray, "frames series"]]:
        """Which tokens are redrawn, and how suspicious each is, 1 at most.

        The difference, brought in line with the first and the previous frame by the sparse-causal
        attention, and scaled by its maximum. Ours: a window whose maximum is one that normal
        windows show has no mask.
        """
        difference = self.difference(window[None], random)[0]
        largest = float(difference.max())
        if largest <= self.usual:
            scaled = THRESHOLD * difference / (2 * self.usual)
            return np.zeros_like(difference, dtype=bool), scaled
        scaled = difference / largest
        x = framed(np.clip(window[None], -FURTHEST, FURTHEST), self.shape)
        with torch.no_grad():
            level, told = torch.tensor([SEEN_LEVELS[0]]), torch.tensor([int(Condition.INCIDENT)])
            looks = self.denoiser.looks(x, level, told)[0].double().numpy()
        moved = np.empty_like(scaled)
        for f in range(len(scaled)):
            around = np.concatenate(
                (scaled[f], scaled[0], moved[max(f - 1, 0)] if f else scaled[0])
            )
            moved[f] = (1 - TRANSPORTED) * scaled[f] + TRANSPORTED * looks[f] @ around
        return moved >= THRESHOLD, moved

    def redrawn(
        self,
        window: Float[np.ndarray, "rows series"],
        mask: Bool[np.ndarray, "frames series"],
        random: torch.Generator,
        *,
        draws: int = 4,
        stride: int = 10,
        guidance: float = 2.0,
    ) -> Windows:
        """Draws of the window with the masked tokens as in normal operation, the rest untouched.

        The source is inverted under INCIDENT and its path kept; from noise inside the mask the
        window is denoised under NORMAL, and after every move the source's path is put back
        outside of it.
        """
        source = framed(np.clip(window[None], -FURTHEST, FURTHEST), self.shape)
        inside = torch.from_numpy(mask)[None, :, :, None]
        levels = list(range(0, INVERTED_TO + 1, stride))
        with torch.no_grad():
            path = [source]
            for level, to in pairwise(levels):
                noise = self._noise(path[-1], max(level, 1), Condition.INCIDENT)
                path.append(self.schedule.moved(path[-1], noise, level, to))
            fresh = torch.randn(draws, *source.shape[1:], generator=random)
            x = torch.where(inside, fresh, path[-1])
            for k in range(len(levels) - 1, 0, -1):
                free = self._noise(x, levels[k], Condition.ANY)
                told = self._noise(x, levels[k], Condition.NORMAL)
                noise = free + guidance * (told - free)
                x = self.schedule.moved(x, noise, levels[k], levels[k - 1])
                x = torch.where(inside, x, path[k - 1])
        wide = np.repeat(mask, self.shape.frame_rows, axis=0)
        return np.where(wide, unframed(x), window)


def trained(
    normal: Windows,
    shape: Shape,
    seed: int,
    *,
    steps: int,
    batch: int = 32,
    go_on: GoOn = always,
) -> Repairer:
    """A repairer taught on normal windows, and on the same with anomalies put in.

    One example in ten is told nothing, for guidance (Ho and Salimans 2022). What is kept is the
    moving average of the weights (Ho, Jain, Abbeel 2020).
    """
    rng, random = np.random.default_rng(seed), generator(seed)
    schedule = Schedule.linear(LEVELS)
    denoiser = Denoiser(shape, schedule, seed)
    average = deepcopy(denoiser)
    optimiser = torch.optim.Adam(denoiser.parameters(), lr=FASTEST, fused=True)
    rate = torch.optim.lr_scheduler.LambdaLR(optimiser, partial(_rate, steps))
    taken = 0
    while taken < steps and go_on(taken / steps):
        chosen = normal[rng.integers(len(normal), size=batch)]
        half = batch // 2
        x = framed(np.concatenate((chosen[:half], broken(chosen[half:], rng))), shape)
        told = torch.tensor([Condition.NORMAL] * half + [Condition.INCIDENT] * (batch - half))
        told = torch.where(torch.rand(batch, generator=random) < 0.1, int(Condition.ANY), told)
        level = torch.randint(1, INVERTED_TO + 1, (batch,), generator=random)
        noise = torch.randn(x.shape, generator=random)
        seen = denoiser(schedule.noised(x, level, noise), level, told)
        loss = ((seen - noise) ** 2).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        rate.step()
        taken += 1
        _take_in(average, denoiser, 1 - min(MEMORY, taken / (taken + 9)))
    fresh = Repairer(shape, average, schedule, 0.0, taken)
    some = normal[:: max(1, len(normal) // CALM_WINDOWS)]
    usual = np.quantile(fresh.difference(some, random).max(axis=(1, 2)), 0.98)
    return replace(fresh, usual=float(usual))


def _take_in(average: nn.Module, now: nn.Module, share: float) -> None:
    with torch.no_grad():
        for kept, weight in zip(average.parameters(), now.parameters(), strict=True):
            kept.lerp_(weight, share)


def _rate(steps: int, step: int) -> float:
    """Share of the fastest rate: up in a straight line, then down along a cosine."""
    return min((step + 1) / (WARM * steps), 1.0) * (1 + cos(pi * step / steps)) / 2
