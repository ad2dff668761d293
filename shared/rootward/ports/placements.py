"""Where it is kept what runs where in a cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from rootward.model.placement import Placement
from rootward.model.tenant import DEFAULT_TENANT


@runtime_checkable
class PlacementStore(Protocol):
    """The last word on each namespace."""

    def put(self, placements: Sequence[Placement], tenant: str = DEFAULT_TENANT) -> None:
        """Store what runs in these namespaces, all or none; a later word replaces an earlier one.

        Raises:
            Unavailable: the store does not answer; nothing was kept.
        """
        ...

    def all(self, tenant: str = DEFAULT_TENANT) -> tuple[Placement, ...]:
        """What runs in every namespace, by its name; nothing where no cluster is watched."""
        ...

    def expire(self, before_unix: float) -> int:
        """Forget namespaces that were last spoken of before a time; returns how many went."""
        ...
