"""What runs where in a cluster, in memory."""

from __future__ import annotations

from collections.abc import Sequence

from rootward.model.placement import Placement
from rootward.ports import DEFAULT_TENANT


class FakePlacementStore:
    """Placements in a dictionary."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Placement] = {}

    def put(self, placements: Sequence[Placement], tenant: str = DEFAULT_TENANT) -> None:
        """Store what runs in these namespaces; a later word replaces an earlier one."""
        for one in placements:
            known = self._known.get((tenant, one.namespace))
            if known is None or known.at_unix <= one.at_unix:
                self._known[tenant, one.namespace] = one

    def all(self, tenant: str = DEFAULT_TENANT) -> tuple[Placement, ...]:
        """What runs in every namespace, by its name."""
        return tuple(self._known[key] for key in sorted(self._known) if key[0] == tenant)

    def expire(self, before_unix: float) -> int:
        """Forget namespaces that were last spoken of before a time; returns how many went."""
        old = [key for key, one in self._known.items() if one.at_unix < before_unix]
        for key in old:
            del self._known[key]
        return len(old)
