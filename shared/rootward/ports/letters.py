"""What could not be taken in, and what was given up on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rootward.model.tenant import DEFAULT_TENANT


@runtime_checkable
class Quarantine(Protocol):
    """Where bodies go that a bug of ours keeps from being taken in."""

    def keep(self, source: str, body: bytes, reason: str, tenant: str = DEFAULT_TENANT) -> int:
        """Store a body and why it failed; returns how often it has, this time included.

        A body is told by its source, a short word, and its hash. It is stored once, durably;
        of too many the oldest go, and with them how often they failed.

        Raises:
            Unavailable: the store does not answer; nothing was kept.
        """
        ...


@dataclass(frozen=True)
class DeadLetter:
    """A message that was given up on, and why."""

    kind: str
    """batch or job, or where a body that could not be taken in came from."""
    tenant: str
    name: str
    """Name of the job, empty for a batch."""
    reason: str
    tries: int
    body: bytes


@runtime_checkable
class DeadLetters(Protocol):
    """What was given up on, until somebody has it tried again."""

    def all(self) -> tuple[DeadLetter, ...]:
        """Every letter that waits, oldest first.

        Raises:
            Unavailable: where they are kept does not answer.
        """
        ...

    def replay(self, again: Callable[[DeadLetter], None]) -> int:
        """Hand over each letter, oldest first, and forget those that are taken; returns how many.

        One that `again` refuses with InvalidInput stays.

        Raises:
            Unavailable: where they are kept does not answer, or another process is at work there.
        """
        ...
