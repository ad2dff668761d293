"""Where the parts of one large computation are shared out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rootward.model.spread import Arrays


@dataclass(frozen=True)
class Part:
    """A part that has been taken to be done."""

    whole: str
    """Id of what it is a part of."""
    number: int
    token: str
    """Told anew each time the part is taken: whoever holds an older one can no longer answer."""


@runtime_checkable
class PartStore(Protocol):
    """What the parts share is stored once; each part is leased to whoever does it."""

    def lay_out(self, method: str, shared: Arrays, parts: int) -> str:
        """Store a computation of so many parts; returns its id."""
        ...

    def shared(self, whole: str) -> tuple[str, Arrays]:
        """The method and what all parts share.

        Raises:
            NotFound: it was cleared away.
        """
        ...

    def take(self, whole: str, lease_seconds: float) -> Part | None:
        """The first part that nobody has done or does; None where there is none."""
        ...

    def renew(self, part: Part, lease_seconds: float) -> bool:
        """Keep a part; False where it was lost, or all was cleared away."""
        ...

    def answer(self, part: Part, answer: Arrays) -> bool:
        """Store what came of a part; False where it was lost, or all was cleared away."""
        ...

    def answers(self, whole: str) -> list[Arrays] | None:
        """What came of all parts, in order; None while some are not done."""
        ...

    def clear(self, whole: str) -> None:
        """Delete a computation; idempotent."""
        ...

    def expire(self, before_unix: float) -> int:
        """Delete computations of before a time; returns how many went."""
        ...
