"""The fit in parts: so many targets each, the same parts wherever and by whomever they are done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from rootward.methods.discovery.neural_granger.model import Found, Shape, fit_targets
from rootward.model.spread import Arrays, GoOn, Spread

LARGEST_PART = 48
"""Targets that are trained together at most; a diagnosis learns on fewer series."""


def part_count(series: int) -> int:
    """How many parts so many targets make."""
    return -(-series // LARGEST_PART)


def fit_in_parts(
    inputs: Float[np.ndarray, "samples series inputs"],
    present: Float[np.ndarray, "samples series"],
    candidates: Int[np.ndarray, "series candidates"],
    shape: Shape,
    *,
    seed: int,
    device: str,
    go_on: GoOn,
    spread: Spread,
) -> Found:
    """`fit` with each part's targets trained apart; bit for bit the same however it is spread.

    Parts draw random numbers of their own and end when their own forecasts stop getting better.
    """
    shared = {
        "inputs": inputs,
        "present": present,
        "candidates": candidates,
        "whole": np.array([shape.hidden, shape.steps, shape.patience, seed]),
        "real": np.array([shape.penalty, shape.density]),
        "device": np.array(device),
    }
    count = part_count(inputs.shape[1])
    return _joined(spread("neural_granger", fit_part, shared, count, go_on))


def fit_part(shared: Arrays, number: int, go_on: GoOn) -> Arrays:
    """What `Found` holds, for the targets of one part."""
    hidden, steps, patience, seed = (int(one) for one in shared["whole"])
    penalty, density = (float(one) for one in shared["real"])
    series = shared["inputs"].shape[1]
    targets = np.array_split(np.arange(series), part_count(series))[number]
    device = str(shared["device"])
    inputs, present, candidates = (
        torch.from_numpy(np.ascontiguousarray(shared[name])).to(device)
        for name in ("inputs", "present", "candidates")
    )
    found = fit_targets(
        (inputs, present, candidates),
        torch.from_numpy(targets),
        Shape(hidden, penalty, steps, patience, density),
        seed + 1_000_003 * number,
        go_on,
    )
    return {one.name: np.asarray(getattr(found, one.name)) for one in fields(Found)}


def _joined(answers: Sequence[Arrays]) -> Found:
    def along(axis: int, name: str) -> Tensor:
        return torch.from_numpy(np.concatenate([one[name] for one in answers], axis=axis))

    return Found(
        share=along(0, "share"),
        gain=along(1, "gain"),
        blocks=along(0, "blocks"),
        slopes=along(0, "slopes"),
        sizes=along(0, "sizes"),
        steps=max(int(one["steps"]) for one in answers),
    )
