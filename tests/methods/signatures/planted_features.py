"""Tokens made of known directions, after the acceptance tests of the two autoencoders."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rootward.numerics.training import generator


@dataclass(frozen=True, eq=False)
class Mixture:
    """Tokens, the directions they are sums of, and how many each is made of."""

    train: Tensor
    test: Tensor
    directions: Tensor
    count: Tensor
    """Active directions of each test token."""


def uneven_mixture(seed: int, tokens: int = 12000, held_out: int = 3000) -> Mixture:
    """128 directions in 64 dimensions, five active on average, some tokens far harder than others.

    Direction i is active with probability proportional to 1/(i + 5), times a factor of the token
    that is log-normal with deviation 0.8 and mean one.
    """
    random = generator(seed)
    total, d, latents = tokens + held_out, 64, 128
    directions = torch.nn.functional.normalize(torch.randn(latents, d, generator=random), dim=1)
    often = 1 / (torch.arange(latents) + 5.0)
    often = 5 * often / often.sum()
    hard = torch.exp(0.8 * torch.randn(total, 1, generator=random) - 0.32)
    chance = (often * hard).clamp(max=0.95)
    active = torch.rand(total, latents, generator=random) < chance
    size = 0.5 + torch.rand(total, latents, generator=random)
    x = (active * size) @ directions + 0.02 * torch.randn(total, d, generator=random)
    return Mixture(x[:tokens], x[tokens:], directions, active[tokens:].sum(dim=1).float())


def likeness(found: Tensor, truth: Tensor) -> float:
    """Mean over the true directions of the largest cosine with one found."""
    return float((truth @ found.T).amax(dim=1).mean())


def correlation(one: Tensor, other: Tensor) -> float:
    """Pearson's; what never changes follows nothing."""
    if one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one.double().numpy(), other.double().numpy())[0, 1])


@dataclass(frozen=True, eq=False)
class Downstream:
    """Tokens of which small parts matter to a fixed nonlinear head."""

    train: Tensor
    test: Tensor
    readers: Tensor
    out: Tensor

    def head(self, x: Tensor) -> Tensor:
        """`relu(x R - 0.05) v`: reads the twelve small directions with a large gain."""
        return torch.relu(x @ self.readers - 0.05) @ self.out


def small_but_read(seed: int, tokens: int = 8000, held_out: int = 2000) -> Downstream:
    """48 directions in 32 dimensions, each active one time in ten; twelve are small and read."""
    random = generator(seed)
    d, latents, small = 32, 48, 12
    directions = torch.nn.functional.normalize(torch.randn(latents, d, generator=random), dim=1)
    magnitude = torch.ones(latents)
    magnitude[:small] = 0.3
    active = torch.rand(tokens + held_out, latents, generator=random) < 0.1
    size = magnitude * (0.5 + torch.rand(tokens + held_out, latents, generator=random))
    x = (active * size) @ directions + 0.01 * torch.randn(tokens + held_out, d, generator=random)
    readers = torch.linalg.pinv(directions)[:, :small]
    out = 3 * torch.randn(small, generator=random)
    return Downstream(x[:tokens], x[tokens:], readers, out)


def recovery(data: Downstream, rebuilt: Tensor) -> float:
    """1 - error of the head on rebuilt tokens, as a share of its error on the mean token."""
    wanted = data.head(data.test)
    mean = data.head(data.train.mean(dim=0, keepdim=True)).expand_as(wanted)
    lost = ((data.head(rebuilt) - wanted) ** 2).mean() / ((mean - wanted) ** 2).mean()
    return 1 - float(lost)
