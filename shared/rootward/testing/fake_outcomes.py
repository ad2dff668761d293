"""What came of steps, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rootward.model.incident import Incident
from rootward.model.outcome import Told
from rootward.ports import DEFAULT_TENANT, IncidentStore
from rootward.ports.incidents import Deed


class FakeOutcomeStore:
    """Words in a dictionary."""

    def __init__(self, incidents: IncidentStore) -> None:
        self._incidents = incidents
        self._told: dict[tuple[str, ...], Told] = {}

    def put(self, told: Told, tenant: str = DEFAULT_TENANT) -> None:
        """Store a word, which replaces an earlier one of the same person; raises NotFound."""
        self._write(told, told.told_unix, tenant)

    def settle(self, told: Told, at_unix: float, tenant: str = DEFAULT_TENANT) -> bool:
        """Say whether a step helped, unless the person has spoken since; whether it was done."""
        known = self._told.get(_key(told, tenant))
        if known is None or known.helped is not None or known.told_unix != told.told_unix:
            return False
        self._write(told, at_unix, tenant)
        return True

    def of(self, incident_ids: Sequence[str], tenant: str = DEFAULT_TENANT) -> tuple[Told, ...]:
        """What was told of steps in these incidents, the earliest first."""
        return tuple(one for one in self._in_order(tenant) if one.incident_id in incident_ids)

    def newest(self, tenant: str = DEFAULT_TENANT, *, limit: int) -> tuple[Told, ...]:
        """What was told last in all incidents, the earliest first."""
        return tuple(self._in_order(tenant)[-limit:])

    def _in_order(self, tenant: str) -> list[Told]:
        mine = (one for key, one in self._told.items() if key[0] == tenant)
        return sorted(mine, key=lambda one: (one.told_unix, *_key(one, tenant)))

    def _write(self, told: Told, at_unix: float, tenant: str) -> None:
        def noted(asked: Sequence[Incident]) -> Sequence[Deed]:
            (one,) = asked
            return [Deed(one, replace(told.line, at_unix=at_unix))]

        self._incidents.handle([told.incident_id], noted, tenant)
        self._told[_key(told, tenant)] = told


def _key(told: Told, tenant: str) -> tuple[str, ...]:
    return (tenant, told.incident_id, told.service, told.action, told.actor)
