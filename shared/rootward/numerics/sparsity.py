"""What makes things exactly zero: proximal steps, and masks that keep the largest entries."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def group_shrinkage(
    norms: Float[Tensor, "*groups"], thresholds: Float[Tensor, "*groups"]
) -> Float[Tensor, "*groups"]:
    """Factors of the group lasso's proximal step: 0 where a norm is below its threshold.

    Multiply the weights of each group by its factor. Yuan and Lin 2006.
    """
    return torch.clamp(1 - thresholds / norms.clamp_min(1e-12), min=0)


def top_per_row(scores: Float[Tensor, "rows columns"], count: int) -> Bool[Tensor, "rows columns"]:
    """The `count` largest positive entries of each row; of equal ones the first."""
    order = torch.sort(scores, dim=1, descending=True, stable=True).indices[:, :count]
    chosen = torch.zeros_like(scores, dtype=torch.bool).scatter_(1, order, True)
    return chosen & (scores > 0)


def top_of_all(scores: Float[Tensor, "*shape"], count: int) -> Bool[Tensor, "*shape"]:
    """The `count` largest positive entries of the whole tensor; of equal ones the first."""
    flat = scores.flatten()
    positive = flat[flat > 0]
    if count <= 0:
        return torch.zeros_like(scores, dtype=torch.bool)
    if len(positive) <= count:
        return scores > 0
    # the threshold by selection: sorting half a million entries would take most of a step
    bound = positive.kthvalue(len(positive) - count + 1).values
    above = flat > bound
    equal = flat == bound
    room = count - int(above.sum())
    chosen = above | (equal & (equal.cumsum(0) <= room))
    return chosen.view_as(scores)


def top_per_column(
    scores: Float[Tensor, "rows columns"], counts: Int[Tensor, " columns"]
) -> Bool[Tensor, "rows columns"]:
    """The `counts[j]` largest positive entries of column j; of equal ones the first."""
    order = torch.sort(scores, dim=0, descending=True, stable=True).indices
    place = torch.arange(len(scores), device=scores.device)[:, None]
    kept = (place < counts[None, :]).expand_as(scores)
    chosen = torch.zeros_like(scores, dtype=torch.bool).scatter_(0, order, kept)
    return chosen & (scores > 0)


def smallest_kept(
    scores: Float[Tensor, "rows columns"], kept: Bool[Tensor, "rows columns"]
) -> Float[Tensor, " columns"]:
    """The smallest entry of each column that a mask keeps; infinite where it keeps none."""
    return torch.where(kept, scores, torch.inf).amin(dim=0)
