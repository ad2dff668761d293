"""Parts of small attention networks, drawn from a generator of their own."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


def linear(inputs: int, outputs: int, random: torch.Generator) -> nn.Linear:
    """A layer with Glorot's uniform weights and no bias to begin with."""
    layer = nn.Linear(inputs, outputs, device="meta").to_empty(device="cpu")
    with torch.no_grad():
        nn.init.xavier_uniform_(layer.weight, generator=random)
        layer.bias.zero_()
    return layer


Arrange = Callable[[Tensor], Tensor]
"""Makes contexts, (…, tokens, width) each, of the tokens that they are made of."""


def as_it_is(tokens: Tensor) -> Tensor:
    """Every context is its own tokens."""
    return tokens


class Attention(nn.Module):
    """Heads that mix tokens of a context into tokens that ask; no positions.

    Where contexts share tokens, `arrange` makes them after each token was read, once.
    """

    def __init__(self, width: int, heads: int, random: torch.Generator) -> None:
        super().__init__()
        self.heads = heads
        self.ask = linear(width, width, random)
        self.tell = linear(width, 2 * width, random)
        self.join = linear(width, width, random)

    def forward(
        self,
        asking: Float[Tensor, "*batch tokens width"],
        context: Float[Tensor, "*batch others width"],
        present: Bool[Tensor, "*batch others"] | None = None,
        *,
        arrange: Arrange = as_it_is,
    ) -> Float[Tensor, "*batch tokens width"]:
        """What each asking token takes from the context tokens that are `present`."""
        batch = asking.shape[:-2]
        # torch's fast path takes one batch dimension, no more
        query, key, value = (t.flatten(0, -4) for t in self._heads(asking, context, arrange))
        mask = None if present is None else present[..., None, None, :].flatten(0, -4)
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        told = mixed.transpose(-3, -2).flatten(-2)
        return torch.as_tensor(self.join(told.reshape(*batch, *told.shape[-2:])))

    def weights(
        self,
        asking: Float[Tensor, "*batch tokens width"],
        context: Float[Tensor, "*batch others width"],
        *,
        arrange: Arrange = as_it_is,
    ) -> Float[Tensor, "*batch tokens arranged"]:
        """How much each token takes from each other one, mean of the heads; sums to 1."""
        query, key, _ = self._heads(asking, context, arrange)
        scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
        return scores.softmax(dim=-1).mean(dim=-3)

    def _heads(
        self, asking: Tensor, context: Tensor, arrange: Arrange
    ) -> tuple[Tensor, Tensor, Tensor]:
        key, value = arrange(self.tell(context)).chunk(2, dim=-1)
        parts = [
            t.unflatten(-1, (self.heads, -1)).transpose(-3, -2)
            for t in (self.ask(asking), key, value)
        ]
        return parts[0], parts[1], parts[2]


class FeedForward(nn.Module):
    """Two layers with a GELU between, token by token."""

    def __init__(self, width: int, hidden: int, random: torch.Generator) -> None:
        super().__init__()
        self.widen = linear(width, hidden, random)
        self.narrow = linear(hidden, width, random)

    def forward(self, x: Float[Tensor, "*batch width"]) -> Float[Tensor, "*batch width"]:
        return torch.as_tensor(self.narrow(nn.functional.gelu(self.widen(x))))
