"""What the API keeps of its own: events, answers by key, diagnoses by request, feedback."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rootward.model.event import Event, Facts
from rootward.model.feedback import Feedback
from rootward.model.reply import Reply
from rootward.model.run import DiagnosisRun
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

    def of_kind(
        self, kind: str, incident_id: str, tenant: str = DEFAULT_TENANT, *, limit: int = 20
    ) -> tuple[Event, ...]:
        """The newest events of a kind that concern an incident, in their order."""
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

        A request that began a minute ago, changed nothing and never ended counts as new.

        Raises:
            InvalidParameters: the key was used for another request.
            Conflict: the same request is at work, or acted and its answer was lost.
        """
        ...

    def marked(self, key: str, tenant: str = DEFAULT_TENANT) -> AbstractContextManager[None]:
        """While it is open, what this task writes says with it that the request acted.

        Where its process dies before the answer is kept, the request is not done again.
        """
        ...

    def end(self, key: str, reply: Reply | None, tenant: str = DEFAULT_TENANT) -> None:
        """Keep the answer of a request; without one the key is free again."""
        ...

    def expire(self, before_unix: float) -> int:
        """Forget what was asked before; returns how many went."""
        ...


@dataclass(frozen=True)
class RunPage:
    """A page of runs, newest first; `next_cursor` is None on the last one."""

    items: tuple[DiagnosisRun, ...]
    next_cursor: str | None


@runtime_checkable
class RunStore(Protocol):
    """Diagnoses that people asked for."""

    def put(self, run: DiagnosisRun) -> None:
        """Store a new run durably."""
        ...

    def get(self, run_id: str, tenant: str = DEFAULT_TENANT) -> DiagnosisRun:
        """One run; raises NotFound where there is none."""
        ...

    def revise(
        self,
        run_id: str,
        change: Callable[[DiagnosisRun], DiagnosisRun],
        tenant: str = DEFAULT_TENANT,
    ) -> DiagnosisRun:
        """Replace a run by what `change` makes of it as it is now, and tell of it.

        One that is over stays as it is. Raises NotFound where there is none.
        """
        ...

    def page(
        self, tenant: str = DEFAULT_TENANT, *, limit: int = 50, cursor: str | None = None
    ) -> RunPage:
        """Runs, newest first, by keyset; raises InvalidInput for a strange cursor."""
        ...

    def expire(self, before_unix: float) -> int:
        """Delete runs of before a time; returns how many went."""
        ...


@runtime_checkable
class Exhibits(Protocol):
    """The rows that diagnoses looked at, so that they can be made again."""

    def keep(self, incident_id: str, body: bytes, tenant: str = DEFAULT_TENANT) -> None:
        """Store what the diagnosis of an incident was asked; a later one replaces it."""
        ...

    def of(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> bytes | None:
        """What it was asked, None where that is not kept."""
        ...

    def expire(self, before_unix: float) -> int:
        """Delete what was kept before a time; returns how many went."""
        ...


@runtime_checkable
class FeedbackStore(Protocol):
    """What people say about candidates."""

    def put(self, feedback: Feedback, tenant: str = DEFAULT_TENANT) -> None:
        """Store a word, which replaces an earlier one of the same person, and log it.

        Raises:
            NotFound: there is no such incident.
        """
        ...

    def of(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> tuple[Feedback, ...]:
        """What was said about the candidates of an incident, the earliest first."""
        ...

    def since(self, unix: float, tenant: str = DEFAULT_TENANT) -> tuple[Feedback, ...]:
        """What was said since a time about all incidents, the earliest first."""
        ...


@dataclass(frozen=True)
class Storage:
    """How much room the database takes, and how much is left."""

    kind: str
    used_bytes: int
    free_bytes: int | None
    """None where a server keeps that to itself."""
    size_bytes: int | None = None
    """Of the volume that it lies on; None as above."""


@runtime_checkable
class Notifier(Protocol):
    """Tells others what happens to incidents: at least once, in order for each incident."""

    def start(self) -> None:
        """Begin to send, in the background."""
        ...

    def close(self) -> None:
        """Stop; idempotent."""
        ...
