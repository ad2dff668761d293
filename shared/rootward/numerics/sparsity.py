"""Proximal steps that make weights exactly zero."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def group_shrinkage(
    norms: Float[Tensor, "*groups"], thresholds: Float[Tensor, "*groups"]
) -> Float[Tensor, "*groups"]:
    """Factors of the group lasso's proximal step: 0 where a norm is below its threshold.

    Multiply the weights of each group by its factor. Yuan and Lin 2006.
    """
    return torch.clamp(1 - thresholds / norms.clamp_min(1e-12), min=0)
