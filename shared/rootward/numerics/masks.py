"""Sparse training: masks that say which weights may differ from zero, and how they move.

Weights carry a leading axis for networks that are trained side by side; every network keeps its
own number of weights. Outside of a mask weights and moments of the optimiser are zero after each
step, and the gradient is not: it says where a new weight would help most.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True)
class Schedule:
    """How often and how boldly weights are exchanged.

    The defaults are those of dynamic sparse learning: from half of the weights down to nearly
    none, over the whole training.
    """

    first: float = 0.5
    last: float = 0.005
    every: int = 50
    until: float = 1.0
    """Share of the training after which masks stay."""

    def share(self, step: int, steps: int) -> float:
        """Share of the weights to exchange after a step, a cosine; 0 where none is due."""
        end = self.until * steps
        if step == 0 or step % self.every or step >= end:
            return 0.0
        return self.last + (self.first - self.last) / 2 * (1 + math.cos(math.pi * step / end))


def uniform(shapes: Sequence[tuple[int, int]], density: float) -> list[float]:
    """The same density in every layer."""
    return [density] * len(shapes)


def erdos_renyi(shapes: Sequence[tuple[int, int]], density: float) -> list[float]:
    """Densities in proportion to (n_in + n_out) / (n_in n_out), `density` of all weights kept.

    A layer that would exceed 1 is made dense, and the others share what is left (Mocanu et al.
    2018; Evci et al. 2020).
    """
    sizes = [a * b for a, b in shapes]
    raw = [(a + b) / (a * b) for a, b in shapes]
    dense: set[int] = set()
    for _ in range(len(shapes)):
        free = [k for k in range(len(shapes)) if k not in dense]
        left = density * sum(sizes) - sum(sizes[k] for k in dense)
        scale = left / max(sum(raw[k] * sizes[k] for k in free), 1e-12)
        over = {k for k in free if scale * raw[k] > 1}
        if not over:
            break
        dense |= over
    return [1.0 if k in dense else scale * raw[k] for k in range(len(shapes))]


def random_mask(
    networks: int, shape: tuple[int, int], density: float, random: torch.Generator
) -> Bool[Tensor, "networks inputs outputs"]:
    """A mask with exactly the given share of ones in each network, at least one per output."""
    size = shape[0] * shape[1]
    kept = min(size, max(round(density * size), shape[1]))
    order = torch.rand(networks, size, generator=random).argsort(dim=1)[:, :kept]
    chosen = torch.zeros(networks, size, dtype=torch.bool).scatter_(1, order, True)
    return chosen.view(networks, *shape)


def dropped_and_grown(
    weights: Float[Tensor, "networks inputs outputs"],
    gradient: Float[Tensor, "networks inputs outputs"],
    mask: Bool[Tensor, "networks inputs outputs"],
    share: float,
) -> Bool[Tensor, "networks inputs outputs"]:
    """The mask without the smallest weights, and with those whose gradient is largest instead.

    A share of each network's weights is exchanged; what was just dropped does not come back at
    once. The number of weights of each network stays.
    """
    networks = len(weights)
    flat = mask.view(networks, -1)
    count = min(math.ceil(share * int(flat[0].sum())), int(flat[0].sum()), int((~flat[0]).sum()))
    size = torch.where(flat, weights.reshape(networks, -1).abs(), torch.inf)
    worst = size.argsort(dim=1, stable=True)[:, :count]
    slope = torch.where(flat, -torch.inf, gradient.reshape(networks, -1).abs())
    best = slope.argsort(dim=1, descending=True, stable=True)[:, :count]
    moved = flat.clone().scatter_(1, worst, False).scatter_(1, best, True)
    return moved.view_as(mask)


class Masked:
    """Weights with masks, kept to them after every step of an optimiser."""

    def __init__(
        self,
        weights: Sequence[Tensor],
        masks: Sequence[Bool[Tensor, "_ _ _"]],
    ) -> None:
        self.weights = list(weights)
        self.masks = list(masks)
        self.ever = [mask.clone() for mask in masks]
        with torch.no_grad():
            for weight, mask in zip(self.weights, self.masks, strict=True):
                weight *= mask

    @property
    def count(self) -> int:
        """Weights that may differ from zero, in all networks."""
        return sum(int(mask.sum()) for mask in self.masks)

    @property
    def explored(self) -> float:
        """Share of all positions that were active at some time: in-time over-parameterisation."""
        return sum(int(e.sum()) for e in self.ever) / sum(e.numel() for e in self.ever)

    def exchange(self, gradients: Sequence[Tensor], share: float) -> None:
        """Move the masks; new weights begin at zero."""
        for k, (weight, gradient) in enumerate(zip(self.weights, gradients, strict=True)):
            self.masks[k] = dropped_and_grown(weight, gradient, self.masks[k], share)
            self.ever[k] |= self.masks[k]

    def keep_to(self, moments: Sequence[Sequence[Tensor]]) -> None:
        """Zero what lies outside: weights, and `moments` of each weight's optimiser."""
        with torch.no_grad():
            for weight, mask, state in zip(self.weights, self.masks, moments, strict=True):
                weight *= mask
                for moment in state:
                    moment *= mask
