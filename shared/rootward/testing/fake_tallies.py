"""What processes counted, in memory."""

from __future__ import annotations

from collections.abc import Mapping

from rootward.model.tally import Tally
from rootward.ports import DEFAULT_TENANT


class FakeTallyStore:
    """Tallies in a dictionary."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Tally] = {}

    def put(self, tallies: Mapping[str, Tally]) -> None:
        """Store one process' tallies by tenant; each replaces the one before."""
        for tenant, one in tallies.items():
            self._known[tenant, one.process] = one

    def all(self, tenant: str = DEFAULT_TENANT) -> tuple[Tally, ...]:
        """The last tally of every process, by its name."""
        return tuple(self._known[key] for key in sorted(self._known) if key[0] == tenant)

    def expire(self, before_unix: float) -> int:
        """Forget processes that last told of themselves before a time; returns how many went."""
        old = [key for key, one in self._known.items() if one.told_unix < before_unix]
        for key in old:
            del self._known[key]
        return len(old)
