"""One bounded fit loop for all networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from rootward.numerics.pace import GoOn, always


@dataclass(frozen=True)
class Bounds:
    """When a fit ends."""

    steps: int
    """At most so many."""
    patience: int
    """Ends after so many steps without a better loss on the held-out rows."""
    every: int = 10
    """Steps between two looks at the held-out rows."""


def train(
    step: Callable[[], None],
    held_out_loss: Callable[[], float],
    bounds: Bounds,
    go_on: GoOn = always,
) -> int:
    """Call `step` until the bounds or `go_on` say stop; the number of steps taken."""
    best, best_at = float("inf"), 0
    for taken in range(1, bounds.steps + 1):
        step()
        if taken % bounds.every == 0:
            loss = held_out_loss()
            if loss < best:
                best, best_at = loss, taken
            elif taken - best_at >= bounds.patience:
                return taken
        if not go_on(taken / bounds.steps):
            return taken
    return bounds.steps


def generator(seed: int) -> torch.Generator:
    """Random numbers of its own, on the CPU so that every device draws the same."""
    return torch.Generator().manual_seed(seed)
