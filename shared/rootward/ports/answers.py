"""What the API keeps of its own: the stream of events, and what it answered under which key."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from rootward.model.event import Event, Facts
from rootward.model.reply import Reply
from rootward.model.tenant import DEFAULT_TENANT


@runtime_checkable
class Events(Protocol):
    """What happened lately, for all who look on, in whichever process."""

    def tell(
        self,
        kind: str,
        incident_id: str,
        facts: Facts,
        tenant: str = DEFAULT_TENANT,
    ) -> None:
        """Tell of something that is stored elsewhere, or of progress."""
        ...

    def last_id(self, tenant: str = DEFAULT_TENANT) -> int:
        """The id of the newest event, 0 where there is none."""
        ...

    def after(
        self, last_id: int, tenant: str = DEFAULT_TENANT, *, limit: int = 200
    ) -> tuple[Event, ...]:
        """Events behind an id, in their order."""
        ...

    def expire(self, before_unix: float) -> int:
        """Forget what happened before; returns how many went."""
        ...


@runtime_checkable
class Replies(Protocol):
    """What was answered to requests that carry an Idempotency-Key.

    draft-ietf-httpapi-idempotency-key-header-07: the same key and request get the same answer.
    """

    def begin(self, key: str, request: str, tenant: str = DEFAULT_TENANT) -> Reply | None:
        """Take a key for a request, told by its hash; the answer it had, None if it is new.

        A request that began a minute ago and never ended counts as new.

        Raises:
            InvalidParameters: the key was used for another request.
            Conflict: the same request is at work.
        """
        ...

    def end(self, key: str, reply: Reply | None, tenant: str = DEFAULT_TENANT) -> None:
        """Keep the answer of a request; without one the key is free again."""
        ...

    def expire(self, before_unix: float) -> int:
        """Forget what was asked before; returns how many went."""
        ...
