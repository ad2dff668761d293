"""How an algorithm with a loop learns when to stop."""

from __future__ import annotations

from collections.abc import Callable

GoOn = Callable[[float], bool]
"""Told which share of the work is done (0 to 1), answers whether there is time for more.

`Case.go_on` is one; an algorithm asks in every round and ends with the best it has.
"""


def always(share: float) -> bool:
    """There is time."""
    return True
