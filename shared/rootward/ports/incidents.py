"""The port of incidents: what the detector writes, what people do, what lists ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rootward.model.handling import Activity
from rootward.model.incident import Diagnosis, Incident, Status
from rootward.model.summary import Facets, IncidentQuery, Summary, SummaryPage
from rootward.model.tenant import DEFAULT_TENANT


@dataclass(frozen=True)
class IncidentPage:
    """A page of incidents, newest first; `next_cursor` is None on the last one."""

    items: tuple[Incident, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class Deed:
    """What became of one incident, and the line that its log gets."""

    incident: Incident
    activity: Activity


Act = Callable[[Sequence[Incident]], Sequence[Deed]]
"""What is done to incidents. Pure: it may be called again."""


@runtime_checkable
class IncidentStore(Protocol):
    """Incidents, their diagnoses, and the log of who did what."""

    def open(self, incident: Incident) -> Incident:
        """Store a new incident and number it; one with this id that is there already stays."""
        ...

    def update(self, incident: Incident) -> None:
        """Replace changes, severity, status and times of an incident that is there.

        What people made of it stays; where they changed it since it was read, so do its status
        and its end. One that was merged stays as it is.
        """
        ...

    def open_or_join(
        self, choose: Callable[[tuple[Incident, ...]], Incident], tenant: str = DEFAULT_TENANT
    ) -> Incident:
        """Store what `choose` makes of the open incidents (`current`): a new one, or one changed.

        Nobody else, in any process, opens or changes an incident of the tenant meanwhile: of
        detectors that see one fault at once, one opens the incident and the others join it.
        `choose` may be called again, so it does nothing else. A new incident is numbered; of a
        known one is replaced what `update` replaces.
        """
        ...

    def revise(
        self, incident_id: str, change: Callable[[Incident], Incident], tenant: str = DEFAULT_TENANT
    ) -> Incident:
        """Replace what `update` replaces by what `change` makes of the incident as it is now.

        Alone as above. Raises NotFound where there is none.
        """
        ...

    def handle(
        self,
        incident_ids: Sequence[str],
        act: Act,
        tenant: str = DEFAULT_TENANT,
        *,
        version: int | None = None,
    ) -> tuple[Incident, ...]:
        """Do something to incidents, all or nothing; returns what the deeds made of them.

        The incidents stand in the order of their ids, merged ones as themselves. An incident
        that is not there yet is numbered. Each deed is logged; an incident that it changed gets
        the next version.

        Raises:
            NotFound: one of the incidents is not there.
            Outdated: the first one is no longer at `version`.
        """
        ...

    def log(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> tuple[Activity, ...]:
        """The log of an incident and of those that were merged into it, the earliest line first."""
        ...

    def current(self, tenant: str = DEFAULT_TENANT) -> tuple[Incident, ...]:
        """Open incidents, oldest first."""
        ...

    def get(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> Incident:
        """One incident by its id, or by its number written `INC-7`; for a merged one, the other.

        Raises:
            NotFound: there is none.
        """
        ...

    def page(
        self,
        tenant: str = DEFAULT_TENANT,
        *,
        status: Status | None = None,
        service: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> IncidentPage:
        """Incidents that were not merged, newest first, page by page (keyset).

        Raises:
            InvalidInput: the cursor is not one of ours.
        """
        ...

    def search(
        self,
        query: IncidentQuery,
        tenant: str = DEFAULT_TENANT,
        *,
        limit: int = 50,
        cursor: str | None = None,
    ) -> SummaryPage:
        """Incidents that fit, in short, newest first, page by page (keyset).

        Raises:
            InvalidInput: the cursor is not one of ours.
        """
        ...

    def summaries(
        self, incident_ids: Sequence[str], tenant: str = DEFAULT_TENANT
    ) -> tuple[Summary, ...]:
        """Those of these incidents that are there, in short; merged ones as themselves."""
        ...

    def count(self, query: IncidentQuery, tenant: str = DEFAULT_TENANT) -> int:
        """How many incidents fit; those that were merged are left out."""
        ...

    def facets(self, query: IncidentQuery, tenant: str = DEFAULT_TENANT) -> Facets:
        """How many incidents there are of each status, severity, service and assignee."""
        ...

    def save(self, incident_id: str, diagnosis: Diagnosis, tenant: str = DEFAULT_TENANT) -> None:
        """Store the diagnosis of an incident; a later one replaces it."""
        ...

    def fail(self, incident_id: str, reason: str, tenant: str = DEFAULT_TENANT) -> None:
        """Note that the diagnosis failed and why; a diagnosis that is there stays."""
        ...

    def diagnosis(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> Diagnosis | None:
        """The diagnosis of an incident, None while there is none."""
        ...

    def failure(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> str | None:
        """Why the last diagnosis failed, None if it did not."""
        ...

    def check(self) -> None:
        """Raise Unavailable with the reason unless the store answers."""
        ...
