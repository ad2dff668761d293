"""What a network does with the vectors at one of its layers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Head = Callable[[Tensor], Tensor]
"""From the vectors at the layer, one token a row, to what comes out; rows do not mix."""


def gradients(head: Head, tokens: Float[Tensor, "tokens d"]) -> Float[Tensor, "tokens d"]:
    """Slope of the summed output by each token: how the output moves to first order."""
    leaf = tokens.detach().clone().requires_grad_()
    (found,) = torch.autograd.grad(head(leaf).sum(), leaf)
    return found


def loss_gradients(
    head: Head, tokens: Float[Tensor, "tokens d"], wanted: Float[Tensor, tokens * out]
) -> Float[Tensor, "tokens d"]:
    """The same of the squared error against what was wanted, which is known a step later."""
    return gradients(lambda x: (head(x) - wanted) ** 2, tokens)


def of_mean_norm_one(slopes: Float[Tensor, "tokens d"]) -> Float[Tensor, "tokens d"]:
    """Slopes without a unit, so that a weight on them means the same for every network."""
    return slopes / slopes.norm(dim=1).mean().clamp_min(1e-12)
