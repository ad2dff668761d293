"""Events as a stream of text: bounded polling of the store, a line from time to time.

The format is that of server-sent events in the HTML standard, section 9.2.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable

from fastapi.concurrency import run_in_threadpool

from rootward.errors import Busy, Unavailable
from rootward.model.event import Event
from rootward.ports import Platform

POLL_SECONDS = 1.0
HEARTBEAT_POLLS = 15
"""After so many polls without an event a comment keeps the connection open."""
ADMISSION_POLLS = 5
"""After so many polls it is asked whether the reader is still let in."""
LONGEST_POLLS = 900
"""A connection ends after so many polls; browsers come back where they stood."""
MOST_STREAMS = 200
MOST_MISSED = 1000
"""Who missed more events than this is told to read everything again."""


class Streams:
    """How many connections are open, so that they cannot become too many."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        self._most = most
        self._open = 0
        self._lock = threading.Lock()

    def enter(self) -> None:
        """Count one in; raises Busy where there are too many."""
        with self._lock:
            if self._open >= self._most:
                raise Busy(f"{self._most} streams of events are open", retry_after_seconds=10.0)
            self._open += 1

    def leave(self) -> None:
        """Count one out."""
        with self._lock:
            self._open -= 1


async def stream(
    platform: Platform,
    tenant: str,
    last_id: int | None,
    *,
    incident_id: str = "",
    poll_seconds: float = POLL_SECONDS,
    polls: int = LONGEST_POLLS,
    closing: threading.Event | None = None,
    admitted: Callable[[], bool] = lambda: True,
) -> AsyncIterator[str]:
    """Messages from the one behind `last_id` on, or from now on; of one incident where named.

    Ends soon after `closing` is set: a server that stops waits for what is open; and soon after
    the reader is no longer `admitted`.
    """
    newest = await run_in_threadpool(platform.events.last_id, tenant)
    behind = newest if last_id is None else last_id
    yield f"retry: 3000\nid: {min(behind, newest)}\n: open\n\n"
    if behind > newest or newest - behind > MOST_MISSED:
        behind = newest
        yield f"id: {newest}\nevent: reset\ndata: {{}}\n\n"
    quiet = 0
    for poll in range(polls):
        if closing is not None and closing.is_set():
            return
        if poll % ADMISSION_POLLS == 0 and not await run_in_threadpool(admitted):
            return
        events = await _after(platform, behind, tenant)
        for event in events:
            behind = event.id
            if not incident_id or event.incident_id == incident_id:
                yield message(event)
        quiet = 0 if events else quiet + 1
        if quiet >= HEARTBEAT_POLLS:
            quiet = 0
            yield f"id: {behind}\n: still here\n\n"
        if not events:
            await asyncio.sleep(poll_seconds)


def message(event: Event) -> str:
    """One event as text."""
    told = {"incident_id": event.incident_id, "at_unix": event.at_unix, **event.facts}
    data = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return f"id: {event.id}\nevent: {event.kind}\ndata: {data}\n\n"


async def _after(platform: Platform, behind: int, tenant: str) -> tuple[Event, ...]:
    """What came since; nothing while the database does not answer."""
    try:
        return await run_in_threadpool(platform.events.after, behind, tenant)
    except Unavailable:
        return ()
