"""Where experiments are kept: rollouts of which somebody recorded who got them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from rootward.model.experiment import Recorded


@runtime_checkable
class ExperimentStore(Protocol):
    """The latest record of each experiment."""

    def put(self, recorded: Recorded) -> None:
        """Store a record durably, in place of an earlier one of the same tenant and id."""
        ...

    def last(self, start_unix: float, end_unix: float, tenant: str) -> Recorded | None:
        """The one that began last within start ≤ time ≤ end; None where none did."""
        ...

    def expire(self, before_unix: float) -> int:
        """Delete those that began before a time; returns how many went."""
        ...
