"""Structural causal models in discrete time with a planted fault: tests, docs and the demo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.errors import InvalidInput

Bend = Callable[[np.ndarray], np.ndarray]
"""What a cause goes through, element by element, before it is weighed."""


def straight(x: np.ndarray) -> np.ndarray:
    """A linear mechanism."""
    return x


def folded(x: np.ndarray) -> np.ndarray:
    """A mechanism that no correlation sees: both directions of the cause act alike."""
    return np.asarray(np.abs(x) - 0.8)


@dataclass(frozen=True, eq=False)
class System:
    """`x[t, j] = own[j] x[t-1, j] + sum of weights[l, i, j] bend(x[t-1-l, i]) + noise[j] e`.

    `weights` is (lags, cause, effect) without a diagonal; `e` is standard normal. Values are
    deviations from the usual level, of the order of one.
    """

    own: Float[np.ndarray, " series"]
    weights: Float[np.ndarray, "lags series series"]
    noise: Float[np.ndarray, " series"]
    bend: Bend = straight

    def __post_init__(self) -> None:
        if np.any(np.diagonal(self.weights, axis1=1, axis2=2)):
            raise InvalidInput("a series drives itself through `own`, not through `weights`")
        if np.any(np.abs(self.own) >= 1):
            raise InvalidInput("own weights must lie within -1 and 1, or the system explodes")

    @property
    def edges(self) -> frozenset[tuple[int, int]]:
        """(cause, effect) for every pair with a weight at some lag."""
        pairs = np.argwhere(np.any(self.weights != 0, axis=0))
        return frozenset((int(i), int(j)) for i, j in pairs)


@dataclass(frozen=True)
class Fault:
    """From row `start` on, the mechanism of one series changes: its own level shifts by `size`.

    What it drives follows through the system; what drives it is untouched.
    """

    series: int
    start: int
    size: float


def simulate(
    system: System,
    rows: int,
    rng: np.random.Generator,
    fault: Fault | None = None,
    *,
    load: Float[np.ndarray, "rows series"] | None = None,
) -> Float[np.ndarray, "rows series"]:
    """Rows of the system after a warm-up, with the fault and an outside input `load` if given.

    Raises:
        InvalidInput: the system explodes.
    """
    lags, warm_up = len(system.weights), 100
    series = len(system.own)
    push = np.zeros((warm_up + rows, series))
    if load is not None:
        push[:warm_up] = load[0]
        push[warm_up:] = load
    if fault is not None:
        settled = fault.size * (1 - system.own[fault.series])
        push[warm_up + fault.start :, fault.series] += settled
    push += system.noise * rng.standard_normal(push.shape)
    x = np.zeros((lags + warm_up + rows, series))
    for t in range(warm_up + rows):
        past = system.bend(x[t : t + lags][::-1])
        driven = np.einsum("li,lij->j", past, system.weights)
        x[t + lags] = system.own * x[t + lags - 1] + driven + push[t]
    if not np.abs(x).max() < 1e6:
        raise InvalidInput("the system explodes; make its weights smaller")
    return x[lags + warm_up :]


def lorenz96(
    series: int, rows: int, rng: np.random.Generator, *, forcing: float = 10.0, step: float = 0.1
) -> Float[np.ndarray, "rows series"]:
    """Lorenz's 1996 model: `dx_i/dt = (x_{i+1} - x_{i-2}) x_{i-1} - x_i + forcing`, chaotic.

    Integrated by Runge-Kutta in tenths of `step`, observed every `step` with noise of
    deviation 0.1. The causes of i are i - 2, i - 1, i + 1 and itself.
    """

    def slope(x: np.ndarray) -> np.ndarray:
        return np.asarray((np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + forcing)

    x, h, warm_up = rng.standard_normal(series) * 0.01 + forcing / 2, step / 10, 100
    seen = np.empty((warm_up + rows, series))
    for t in range(10 * len(seen)):
        a = slope(x)
        b = slope(x + h / 2 * a)
        c = slope(x + h / 2 * b)
        x = x + h / 6 * (a + 2 * b + 2 * c + slope(x + h * c))
        seen[t // 10] = x
    return seen[warm_up:] + 0.1 * rng.standard_normal((rows, series))
