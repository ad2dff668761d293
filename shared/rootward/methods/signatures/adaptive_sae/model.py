"""Mutual Choice and Feature Choice autoencoders. Tensors in, tensors out.

After Ayonrinde 2024, Adaptive Sparse Allocation with Mutual Choice & Feature Choice Sparse
Autoencoders, arXiv 2411.02124. Which entries of the affinities stay is an allocation problem: keep
what is largest under a budget of `active` entries per token on average. The paper gives the two
selections, the law and the idea of the auxiliary loss; the loss's weighting, the law's constants,
the training schedule and the thresholds of inference are a reconstruction.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rootward.numerics.autoencoder import (
    MEMORY,
    Autoencoder,
    Fitted,
    Revival,
    Selection,
    Shape,
    Step,
    fit,
)
from rootward.numerics.pace import GoOn, always
from rootward.numerics.sparsity import smallest_kept, top_of_all, top_per_column

EXPONENT = 1.0
SHIFT = 2.7
UNDERUSED = 0.5
"""Share of the rate that the law gives to a rank below which a latent counts as underused."""
REFRESH = 50
"""Steps between two looks at the ranks."""


def zipf(
    latents: int, exponent: float = EXPONENT, shift: float = SHIFT
) -> Float[Tensor, " latents"]:
    """Share of all firing that the law gives to each rank: (r + shift)^-exponent, sum 1."""
    raw = (torch.arange(1, latents + 1) + shift) ** -exponent
    return raw / raw.sum()


def fitted_zipf(rates: Float[Tensor, " latents"]) -> tuple[float, float]:
    """Exponent and shift that fit firing rates best, by regression of logarithms over a grid.

    The tail, where latents are used less than any law says, is left out: ranks whose rate is
    under a hundredth of the largest.
    """
    ordered = rates.sort(descending=True).values.double()
    kept = ordered > 0.01 * ordered[0]
    y, ranks = ordered[kept].log(), torch.arange(1, int(kept.sum()) + 1).double()
    if len(y) < 3:
        return EXPONENT, SHIFT
    best = (torch.inf, EXPONENT, SHIFT)
    for shift in torch.linspace(0.0, 20.0, 81).tolist():
        x = (ranks + shift).log()
        x, centred = x - x.mean(), y - y.mean()
        slope = (x * centred).sum() / (x * x).sum().clamp_min(1e-12)
        error = float(((centred - slope * x) ** 2).sum())
        best = min(best, (error, -float(slope), shift))
    return best[1], best[2]


def budgets(shares: Float[Tensor, " latents"], total: int, tokens: int) -> Int[Tensor, " latents"]:
    """Tokens that each latent may have: `total` by shares, at most all, at least one.

    What ranks cannot take because there are no more tokens goes to the others.
    """
    capped = torch.zeros_like(shares, dtype=torch.bool)
    given = shares * total
    for _ in range(len(shares)):
        over = (given > tokens) & ~capped
        if not over.any():
            break
        capped |= over
        rest = total - tokens * int(capped.sum())
        free = shares * ~capped
        given = torch.where(capped, float(tokens), free / free.sum().clamp_min(1e-12) * rest)
    return given.round().clamp(1, tokens).long()


class MutualChoice(Selection):
    """The largest entries of the whole batch stay, wherever they are."""

    def __init__(self, active: int, latents: int) -> None:
        self.active = active
        self.threshold = torch.inf
        self.rates = torch.full((latents,), active / latents)

    def chosen(self, step: Step) -> Bool[Tensor, "tokens latents"]:
        kept = top_of_all(step.z, self.active * len(step.z))
        self.rates = MEMORY * self.rates + (1 - MEMORY) * kept.float().mean(dim=0)
        return kept

    def settle(self, z: Float[Tensor, "tokens latents"]) -> None:
        """One threshold for all: the smallest entry that stays among all tokens."""
        kept = top_of_all(z, self.active * len(z))
        self.threshold = float(smallest_kept(z, kept).min())

    def inferred(
        self,
        z: Float[Tensor, "tokens latents"],
        gradient: Float[Tensor, "tokens d"] | None,
        decode: Float[Tensor, "latents d"],
    ) -> Bool[Tensor, "tokens latents"]:
        return z >= self.threshold


class FeatureChoice(Selection):
    """Each latent has a budget of tokens that follows from its rank; its largest entries stay.

    The first half of the training is Mutual Choice, so that ranks can form; then ranks are taken
    from the running rates, and refreshed every fifty steps.
    """

    def __init__(
        self, active: int, latents: int, *, exponent: float = EXPONENT, shift: float = SHIFT
    ) -> None:
        self.mutual = MutualChoice(active, latents)
        self.shares = zipf(latents, exponent, shift)
        self.rank = torch.arange(latents)
        self.thresholds = torch.full((latents,), torch.inf)

    def chosen(self, step: Step) -> Bool[Tensor, "tokens latents"]:
        begins = step.of // 2
        if step.number < begins:
            return self.mutual.chosen(step)
        if (step.number - begins) % REFRESH == 0:
            order = torch.sort(self.mutual.rates, descending=True, stable=True).indices
            self.rank = torch.empty_like(order).scatter_(0, order, torch.arange(len(order)))
        kept = self._kept(step.z)
        rates = self.mutual.rates
        self.mutual.rates = MEMORY * rates + (1 - MEMORY) * kept.float().mean(dim=0)
        return kept

    def _kept(self, z: Float[Tensor, "tokens latents"]) -> Bool[Tensor, "tokens latents"]:
        tokens = len(z)
        allowed = budgets(self.shares, self.mutual.active * tokens, tokens)[self.rank]
        return top_per_column(z, allowed)

    def settle(self, z: Float[Tensor, "tokens latents"]) -> None:
        """For each latent the smallest entry that stays among all tokens."""
        self.thresholds = smallest_kept(z, self._kept(z))

    def inferred(
        self,
        z: Float[Tensor, "tokens latents"],
        gradient: Float[Tensor, "tokens d"] | None,
        decode: Float[Tensor, "latents d"],
    ) -> Bool[Tensor, "tokens latents"]:
        return z >= self.thresholds


class UnderusedLatents(Revival):
    """aux_zipf: latents that fire under half as often as the law gives to their rank.

    The weight grows from a half to one as they fall silent. aux_k is the case in which only
    silent ones count, with weight one; the weighting in between is ours.
    """

    def __init__(
        self, active: int, latents: int, *, exponent: float = EXPONENT, shift: float = SHIFT
    ) -> None:
        self.expected = active * zipf(latents, exponent, shift)

    def weights(
        self, rates: Float[Tensor, " latents"], silent: Float[Tensor, " latents"]
    ) -> Float[Tensor, " latents"]:
        order = torch.sort(rates, descending=True, stable=True).indices
        expected = torch.empty_like(self.expected).scatter_(0, order, self.expected)
        lacking = (1 - rates / expected).clamp(0, 1)
        return torch.where(rates < UNDERUSED * expected, lacking, torch.zeros(()))


def mutual_choice(
    tokens: Float[Tensor, "tokens d"], shape: Shape, seed: int, *, go_on: GoOn = always
) -> Fitted:
    """An autoencoder in which a hard token may use more latents than an easy one."""
    selection = MutualChoice(shape.active, shape.latents)
    revival = UnderusedLatents(shape.active, shape.latents)
    return fit(tokens, shape, selection, seed, revival=revival, go_on=go_on)


def feature_choice(
    tokens: Float[Tensor, "tokens d"], shape: Shape, seed: int, *, go_on: GoOn = always
) -> Fitted:
    """The same in which no latent starves, either: each is used as often as its rank says."""
    selection = FeatureChoice(shape.active, shape.latents)
    revival = UnderusedLatents(shape.active, shape.latents)
    return fit(tokens, shape, selection, seed, revival=revival, go_on=go_on)


def from_dead_start(
    tokens: Float[Tensor, "tokens d"],
    shape: Shape,
    selection: Selection,
    revival: Revival | None,
    seed: int,
) -> Fitted:
    """A fit in which half of the latents begin out of reach: how many does the loss revive?"""
    model = Autoencoder(tokens, shape.latents, seed)
    model.bias[: shape.latents // 2] = -1.0 * tokens.shape[1] ** 0.5
    return fit(tokens, shape, selection, seed, revival=revival, model=model)
