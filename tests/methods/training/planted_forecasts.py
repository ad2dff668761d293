"""The problem "metrics20": every metric is driven by itself and three others at two lags."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Metrics:
    """Inputs by series, then lag, newest first; 70 % to train on, 15 % to test."""

    train: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]
    edges: np.ndarray
    """(cause, effect), without a metric's own past."""


def metrics20(seed: int, rows: int = 4000, lags: int = 6, targets: int = 8) -> Metrics:
    """`x[t] = 0.3 x[t-1] + tanh(W1 x[t-1]) + 0.8 sin(2 W2 x[t-4]) + 0.3 noise`, standardised."""
    rng = np.random.default_rng(seed)
    count = 20
    parents = np.array([rng.choice(np.delete(np.arange(count), k), 3, replace=False)
                        for k in range(count)])  # fmt: skip
    one, two = np.zeros((2, count, count))
    for k in range(count):
        one[k, parents[k]], two[k, parents[k]] = rng.standard_normal((2, 3))
    x = np.zeros((rows + 100, count))
    for t in range(4, len(x)):
        noise = 0.3 * rng.standard_normal(count)
        waves = 0.8 * np.sin(2 * two @ x[t - 4])
        x[t] = 0.3 * x[t - 1] + np.tanh(one @ x[t - 1]) + waves + noise
    x = x[100:]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    past = np.stack([x[lags - k - 1 : -k - 1] for k in range(lags)], axis=2).reshape(
        -1, count * lags
    )
    inputs = torch.from_numpy(past.astype(np.float32))
    wanted = torch.from_numpy(x[lags:, :targets].astype(np.float32))
    cut, end = int(0.7 * len(inputs)), int(0.85 * len(inputs))
    edges = np.zeros((count, targets), dtype=bool)
    for k in range(targets):
        edges[parents[k], k] = True
    return Metrics((inputs[:cut], wanted[:cut]), (inputs[end:], wanted[end:]), edges)
