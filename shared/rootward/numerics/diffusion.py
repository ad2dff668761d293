"""Denoising diffusion: how much is left of a signal at each level, and moves between levels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Schedule:
    """Levels 0 (the data) to `len(kept) - 1` (hardly more than noise)."""

    kept: Float[Tensor, " levels"]
    """Share of the signal's variance that is left at each level, 1 at level 0."""

    @classmethod
    def linear(cls, levels: int = 100, first: float = 1e-4, last: float = 0.06) -> Schedule:
        """Variances of the noise that rise in a straight line (Ho, Jain, Abbeel 2020)."""
        kept = torch.cumprod(1 - torch.linspace(first, last, levels), dim=0)
        return cls(torch.cat((torch.ones(1), kept)))

    def noised(
        self,
        x: Float[Tensor, "*batch_and_rest"],
        level: Int[Tensor, " batch"],
        noise: Float[Tensor, "*batch_and_rest"],
    ) -> Float[Tensor, "*batch_and_rest"]:
        """Each example at a level of its own."""
        kept = self.kept[level].reshape(-1, *[1] * (x.dim() - 1))
        return kept.sqrt() * x + (1 - kept).sqrt() * noise

    def moved(
        self,
        x: Float[Tensor, "*batch_and_rest"],
        noise: Float[Tensor, "*batch_and_rest"],
        level: int,
        to: int,
    ) -> Float[Tensor, "*batch_and_rest"]:
        """From one level to another, up or down, without new noise.

        DDIM (Song, Meng, Ermon 2021, eq. 12 with sigma 0); upward it is the inversion.
        """
        here, there = self.kept[level], self.kept[to]
        clean = (x - (1 - here).sqrt() * noise) / here.sqrt()
        return there.sqrt() * clean + (1 - there).sqrt() * noise
