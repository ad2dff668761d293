"""Where processes tell each other what they counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from rootward.model.tally import Tally
from rootward.model.tenant import DEFAULT_TENANT


@runtime_checkable
class TallyStore(Protocol):
    """The last word of each process to each tenant."""

    def put(self, tallies: Mapping[str, Tally]) -> None:
        """Store one process' tallies by tenant, all or none; each replaces the one before.

        Raises:
            Unavailable: the store does not answer; nothing was kept.
        """
        ...

    def all(self, tenant: str = DEFAULT_TENANT) -> tuple[Tally, ...]:
        """The last tally of every process, by its name."""
        ...

    def expire(self, before_unix: float) -> int:
        """Forget processes that last told of themselves before a time; returns how many went."""
        ...
