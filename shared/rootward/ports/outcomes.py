"""Where it is kept what came of checks and remedies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from rootward.model.outcome import Told
from rootward.model.tenant import DEFAULT_TENANT


@runtime_checkable
class OutcomeStore(Protocol):
    """What people told of steps they took, as long as the incidents themselves are kept."""

    def put(self, told: Told, tenant: str = DEFAULT_TENANT) -> None:
        """Store a word, which replaces an earlier one of the same person on the same step.

        It gets a line in the log of the incident.

        Raises:
            NotFound: there is no such incident.
        """
        ...

    def settle(self, told: Told, at_unix: float, tenant: str = DEFAULT_TENANT) -> bool:
        """Say whether a step helped that was told at `told.told_unix` without that, and log it.

        False where the person has spoken since, and nothing is done.
        """
        ...

    def of(self, incident_ids: Sequence[str], tenant: str = DEFAULT_TENANT) -> tuple[Told, ...]:
        """What was told of steps in these incidents, the earliest first."""
        ...

    def newest(self, tenant: str = DEFAULT_TENANT, *, limit: int) -> tuple[Told, ...]:
        """What was told last in all incidents, the earliest first."""
        ...
