"""How the parts of one large computation are done: one after the other, or by many workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import numpy as np

Arrays = Mapping[str, np.ndarray]
GoOn = Callable[[float], bool]
"""Takes the share that is done; says whether to go on. Also a sign of life."""
PartWork = Callable[[Arrays, int, GoOn], Arrays]
"""A pure function of what all parts share and of the number of the part."""


@runtime_checkable
class Spread(Protocol):
    """Does all parts of a computation and gives their answers in order."""

    def __call__(
        self, method: str, work: PartWork, shared: Arrays, parts: int, go_on: GoOn
    ) -> list[Arrays]:
        """Answers of `work` for each part; `method` is where other processes find `work`."""
        ...


def in_turn(method: str, work: PartWork, shared: Arrays, parts: int, go_on: GoOn) -> list[Arrays]:
    """Part after part, in this thread."""
    return [
        work(shared, k, lambda done, k=k: go_on((k + done) / parts))  # type: ignore[misc]
        for k in range(parts)
    ]
