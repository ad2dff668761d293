"""Sparse autoencoders: vectors as sums of few learnt directions.

    a = (x - centre) encode + bias,  z = relu(a),  f = S * z,  x' = f decode + centre

The rows of `decode` have norm one. Which entries of z stay, S, is for a `Selection` to say: the
autoencoders of several papers differ there and hardly elsewhere.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rootward.numerics.pace import GoOn, always
from rootward.numerics.sparsity import top_per_row
from rootward.numerics.training import generator

AUXILIARY = 1 / 32
"""Weight of the loss that revives latents."""
SILENT = 30
"""Steps without firing from which on a latent counts as silent."""
MEMORY = 0.99
"""Of the running rates, per step."""
SETTLED = 20000
"""Most tokens that thresholds are taken from after training."""


@dataclass(frozen=True)
class Shape:
    """Sizes and length of a fit."""

    latents: int
    active: int
    """Latents per token, on average."""
    steps: int = 1000
    batch: int = 512
    rate: float = 3e-3
    """Of Adam."""


class Autoencoder:
    """Directions, and how to read a token by them. Tokens are scaled to norm sqrt(d) on average."""

    def __init__(self, tokens: Float[Tensor, "tokens d"], latents: int, seed: int) -> None:
        width = tokens.shape[1]
        length = float(tokens.norm(dim=1).mean())
        self.scale = width**0.5 / length if length > 0 else 1.0
        drawn = torch.randn(latents, width, generator=generator(seed))
        self.decode = torch.nn.functional.normalize(drawn, dim=1)
        self.encode = self.decode.T.clone()
        self.bias = torch.zeros(latents)
        self.centre = self.scale * tokens.mean(dim=0)

    @property
    def parameters(self) -> list[Tensor]:
        return [self.encode, self.bias, self.decode, self.centre]

    def scaled(self, tokens: Float[Tensor, "tokens d"]) -> Float[Tensor, "tokens d"]:
        """Tokens as the directions see them."""
        return self.scale * tokens

    def affinities(self, x: Float[Tensor, "tokens d"]) -> Float[Tensor, "tokens latents"]:
        """How much of each direction is in scaled tokens, before anything is cut off."""
        return (x - self.centre) @ self.encode + self.bias

    def rebuilt(self, f: Float[Tensor, "tokens latents"]) -> Float[Tensor, "tokens d"]:
        """Scaled tokens from activations."""
        return f @ self.decode + self.centre


@dataclass(frozen=True, eq=False)
class Step:
    """What a selection may look at in one training step."""

    z: Float[Tensor, "tokens latents"]
    """relu of the affinities."""
    gradient: Float[Tensor, "tokens d"] | None
    """Of some downstream quantity by the scaled tokens, where it was given."""
    decode: Float[Tensor, "latents d"]
    number: int
    of: int


class Selection(ABC):
    """Decides which entries of z stay. It may learn while training."""

    @abstractmethod
    def chosen(self, step: Step) -> Bool[Tensor, "tokens latents"]:
        """The mask of a training batch."""

    @abstractmethod
    def settle(self, z: Float[Tensor, "tokens latents"]) -> None:
        """Training is over: learn from all its tokens what inference without a batch needs."""

    @abstractmethod
    def inferred(
        self,
        z: Float[Tensor, "tokens latents"],
        gradient: Float[Tensor, "tokens d"] | None,
        decode: Float[Tensor, "latents d"],
    ) -> Bool[Tensor, "tokens latents"]:
        """The mask of tokens that need not come in batches."""


@dataclass(frozen=True)
class TokenChoice(Selection):
    """Each token keeps its k largest: the TopK autoencoder (Gao et al. 2024)."""

    active: int

    def chosen(self, step: Step) -> Bool[Tensor, "tokens latents"]:
        return top_per_row(step.z, self.active)

    def settle(self, z: Float[Tensor, "tokens latents"]) -> None:
        """Nothing: a token is judged by itself."""

    def inferred(
        self,
        z: Float[Tensor, "tokens latents"],
        gradient: Float[Tensor, "tokens d"] | None,
        decode: Float[Tensor, "latents d"],
    ) -> Bool[Tensor, "tokens latents"]:
        return top_per_row(z, self.active)


class Revival(ABC):
    """Which latents an auxiliary loss pulls at, given how often each fires."""

    @abstractmethod
    def weights(
        self, rates: Float[Tensor, " latents"], silent: Float[Tensor, " latents"]
    ) -> Float[Tensor, " latents"]:
        """0 to 1 for each latent, from its running rate and its steps without firing."""


class SilentLatents(Revival):
    """aux_k: all latents that have been silent for `SILENT` steps (Gao et al. 2024)."""

    def weights(
        self, rates: Float[Tensor, " latents"], silent: Float[Tensor, " latents"]
    ) -> Float[Tensor, " latents"]:
        return (silent > SILENT).float()


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained autoencoder with its selection."""

    model: Autoencoder
    selection: Selection
    steps: int
    """Fewer than asked for where time was up."""

    def encoded(
        self, tokens: Float[Tensor, "tokens d"], gradients: Float[Tensor, "tokens d"] | None = None
    ) -> Float[Tensor, "tokens latents"]:
        """Activations of tokens, most of them 0; `gradients` by the scaled tokens."""
        with torch.no_grad():
            z = torch.relu(self.model.affinities(self.model.scaled(tokens)))
            return z * self.selection.inferred(z, gradients, self.model.decode)

    def decoded(self, f: Float[Tensor, "tokens latents"]) -> Float[Tensor, "tokens d"]:
        """Tokens in their own scale from activations."""
        return self.model.rebuilt(f) / self.model.scale


def fit(
    tokens: Float[Tensor, "tokens d"],
    shape: Shape,
    selection: Selection,
    seed: int,
    *,
    revival: Revival | None = None,
    gradients: Float[Tensor, "tokens d"] | None = None,
    model: Autoencoder | None = None,
    go_on: GoOn = always,
) -> Fitted:
    """Train on random batches; `gradients` belong to the tokens and serve the selection alone.

    The auxiliary loss rebuilds what is left over from the largest raw affinities of the latents
    to be revived: after a relu a silent latent would get no gradient.
    """
    model = model or Autoencoder(tokens, shape.latents, seed)
    random = generator(seed + 1)
    x = model.scaled(tokens)
    leaves = [p.requires_grad_() for p in model.parameters]
    optimiser = torch.optim.Adam(leaves, lr=shape.rate)
    rates = torch.full((shape.latents,), shape.active / shape.latents)
    silent = torch.zeros(shape.latents)
    taken = 0
    for number in range(shape.steps):
        if number % 10 == 0 and not go_on(number / shape.steps):
            break
        drawn = torch.randint(len(x), (min(shape.batch, len(x)),), generator=random)
        batch = x[drawn]
        a = model.affinities(batch)
        z = torch.relu(a)
        with torch.no_grad():
            g = None if gradients is None else gradients[drawn]
            kept = selection.chosen(Step(z, g, model.decode, number, shape.steps))
        left = batch - model.rebuilt(z * kept)
        loss = (left**2).sum(dim=1).mean()
        if revival is not None:
            pull = revival.weights(rates, silent)
            loss = loss + AUXILIARY * _auxiliary(model, a, left.detach(), pull)
        _descend(optimiser, loss, model)
        fired = kept.float().mean(dim=0)
        rates = MEMORY * rates + (1 - MEMORY) * fired
        silent = torch.where(fired > 0, torch.zeros(()), silent + 1)
        taken = number + 1
    for parameter in leaves:
        parameter.requires_grad_(False)
    with torch.no_grad():
        every = -(-len(x) // SETTLED)
        selection.settle(torch.relu(model.affinities(x[::every])))
    return Fitted(model, selection, taken)


def _auxiliary(model: Autoencoder, a: Tensor, left: Tensor, pull: Tensor) -> Tensor:
    candidates = min(max(1, left.shape[1] // 4), int((pull > 0).sum()))
    if not candidates:
        return torch.zeros(())
    ranked = torch.where(pull > 0, a, -torch.inf)
    value, place = ranked.topk(candidates, dim=1)
    found = torch.zeros_like(a).scatter(1, place, value * pull[place]) @ model.decode
    return ((left - found) ** 2).sum(dim=1).mean()


def _descend(optimiser: torch.optim.Adam, loss: Tensor, model: Autoencoder) -> None:
    """One step, with the rows of `decode` kept on the unit sphere."""
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    with torch.no_grad():
        slope = model.decode.grad
        if slope is not None:
            slope -= (slope * model.decode).sum(dim=1, keepdim=True) * model.decode
        optimiser.step()
        model.decode /= model.decode.norm(dim=1, keepdim=True).clamp_min(1e-12)


def unexplained(x: Float[Tensor, "tokens d"], rebuilt: Float[Tensor, "tokens d"]) -> float:
    """Fraction of variance unexplained: sum |x - x'|² / sum |x - mean|²."""
    total = ((x - x.mean(dim=0)) ** 2).sum()
    return float(((x - rebuilt) ** 2).sum() / total.clamp_min(1e-12))


def dead_share(f: Float[Tensor, "tokens latents"]) -> float:
    """Share of the latents that fire on none of the tokens."""
    return float((~(f > 0).any(dim=0)).float().mean())
