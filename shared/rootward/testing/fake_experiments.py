"""Experiments in memory."""

from __future__ import annotations

from rootward.model.experiment import Recorded


class FakeExperimentStore:
    """Records in a dictionary."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], Recorded] = {}

    def put(self, recorded: Recorded) -> None:
        """Store a record in place of an earlier one of the same tenant and id."""
        self._records[recorded.tenant, recorded.id] = recorded

    def last(self, start_unix: float, end_unix: float, tenant: str) -> Recorded | None:
        """The one that began last within start ≤ time ≤ end; None where none did."""
        within = [
            one
            for one in self._records.values()
            if one.tenant == tenant and start_unix <= one.began_unix <= end_unix
        ]
        return min(within, key=lambda one: (-one.began_unix, one.id), default=None)

    def expire(self, before_unix: float) -> int:
        """Delete those that began before a time; returns how many went."""
        old = [key for key, one in self._records.items() if one.began_unix < before_unix]
        for key in old:
            del self._records[key]
        return len(old)
