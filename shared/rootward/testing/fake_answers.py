"""Events and answers by key in memory."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext

from rootward.errors import Conflict, InvalidParameters
from rootward.model.event import Event, Facts
from rootward.model.reply import Reply
from rootward.ports import DEFAULT_TENANT, Clock

LOST_SECONDS = 60.0


class FakeEvents:
    """Events in a list."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: list[tuple[str, Event]] = []
        self._next = 1

    def tell(
        self,
        kind: str,
        incident_id: str,
        facts: Facts,
        tenant: str = DEFAULT_TENANT,
    ) -> None:
        """Tell of something."""
        event = Event(self._next, kind, incident_id, self._clock.now(), dict(facts))
        self._told.append((tenant, event))
        self._next += 1

    def last_id(self, tenant: str = DEFAULT_TENANT) -> int:
        """The id of the newest event, 0 where there is none."""
        return max((event.id for whose, event in self._told if whose == tenant), default=0)

    def after(
        self, last_id: int, tenant: str = DEFAULT_TENANT, *, limit: int = 200
    ) -> tuple[Event, ...]:
        """Events behind an id, in their order."""
        mine = (event for whose, event in self._told if whose == tenant)
        return tuple(event for event in mine if event.id > last_id)[:limit]

    def of_kind(
        self, kind: str, incident_id: str, tenant: str = DEFAULT_TENANT, *, limit: int = 20
    ) -> tuple[Event, ...]:
        """The newest events of a kind that concern an incident, in their order."""
        mine = (event for whose, event in self._told if whose == tenant)
        found = [one for one in mine if (one.kind, one.incident_id) == (kind, incident_id)]
        return tuple(found[-limit:])

    def expire(self, before_unix: float) -> int:
        """Forget what happened before; returns how many went."""
        kept = [one for one in self._told if one[1].at_unix >= before_unix]
        gone, self._told = len(self._told) - len(kept), kept
        return gone


class FakeReplies:
    """Answers in a dictionary."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[str, float, Reply | None]] = {}
        self._turn = threading.Lock()

    def begin(self, key: str, request: str, tenant: str = DEFAULT_TENANT) -> Reply | None:
        """Take a key for a request; the answer it had, None if it is new."""
        with self._turn:
            return self._begin(key, request, tenant)

    def _begin(self, key: str, request: str, tenant: str) -> Reply | None:
        now = self._clock.now()
        known, at_unix, reply = self._kept.get((tenant, key), (request, -LOST_SECONDS, None))
        if known != request:
            raise InvalidParameters(f"the key {key!r} was used for another request")
        if reply is not None:
            return reply
        if now - at_unix < LOST_SECONDS:
            raise Conflict(f"a request with the key {key!r} is at work")
        self._kept[tenant, key] = (request, now, None)
        return None

    def marked(self, key: str, tenant: str = DEFAULT_TENANT) -> AbstractContextManager[None]:
        """Nothing to mark: what is in memory goes with the process."""
        return nullcontext()

    def end(self, key: str, reply: Reply | None, tenant: str = DEFAULT_TENANT) -> None:
        """Keep the answer of a request; without one the key is free again."""
        request, at_unix, _ = self._kept.pop((tenant, key))
        if reply is not None:
            self._kept[tenant, key] = (request, at_unix, reply)

    def expire(self, before_unix: float) -> int:
        """Forget what was asked before; returns how many went."""
        old = [key for key, (_, at_unix, _) in self._kept.items() if at_unix < before_unix]
        for key in old:
            del self._kept[key]
        return len(old)
