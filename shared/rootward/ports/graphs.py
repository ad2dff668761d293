"""Where the causal graphs of services are kept, version by version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rootward.model.graph_version import GraphVersion
from rootward.model.tenant import DEFAULT_TENANT


@dataclass(frozen=True)
class GraphVersionPage:
    """A page of versions; `next_cursor` is None on the last page."""

    items: tuple[GraphVersion, ...]
    next_cursor: str | None


@runtime_checkable
class GraphStore(Protocol):
    """Versions of the graphs of services."""

    def put(self, version: GraphVersion) -> bool:
        """Store a version durably; False where its number is taken, and then that one stays."""
        ...

    def confirm(
        self, version: GraphVersion, quiet_from_unix: float, held_until_unix: float
    ) -> None:
        """Note that a version was seen to hold; an earlier time than is known changes nothing."""
        ...

    def use(self, version: GraphVersion) -> None:
        """Note that an incident names this version, so that it is kept."""
        ...

    def current(self, group: str, tenant: str = DEFAULT_TENANT) -> GraphVersion | None:
        """The newest version of a service, None where there is none."""
        ...

    def in_force(
        self, group: str, at_unix: float, tenant: str = DEFAULT_TENANT
    ) -> GraphVersion | None:
        """The newest version that was written by a time, None where there was none."""
        ...

    def number_in_force(
        self, group: str, at_unix: float, tenant: str = DEFAULT_TENANT
    ) -> int | None:
        """The number of that version alone, without reading its graph."""
        ...

    def get(self, group: str, number: int, tenant: str = DEFAULT_TENANT) -> GraphVersion:
        """One version.

        Raises:
            NotFound: there is none, or it is kept no more.
        """
        ...

    def history(self, group: str, tenant: str = DEFAULT_TENANT) -> tuple[GraphVersion, ...]:
        """Every version of a service that is kept, the newest first."""
        ...

    def page(
        self, tenant: str = DEFAULT_TENANT, *, limit: int = 50, cursor: str | None = None
    ) -> GraphVersionPage:
        """The current version of each service, by its name; raises InvalidInput for bad cursors."""
        ...

    def noticed(
        self, tenant: str = DEFAULT_TENANT, *, limit: int = 50, cursor: str | None = None
    ) -> GraphVersionPage:
        """Versions with notices, the newest first; raises InvalidInput for a strange cursor."""
        ...

    def expire(self, keep: int) -> int:
        """Delete all but the newest so many of each service and those that incidents name.

        Returns how many went.
        """
        ...
