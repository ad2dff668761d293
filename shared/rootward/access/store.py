"""AccessStore: the port to tokens, people, sessions and the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rootward.model.access import AuditEntry, Person, Session, Token


@dataclass(frozen=True)
class AuditPage:
    """A page of the audit log, the newest entry first; `next_cursor` is None on the last one."""

    items: tuple[AuditEntry, ...]
    next_cursor: str | None


@runtime_checkable
class AccessStore(Protocol):
    """Who may come in, and what they did. Every method may raise Unavailable."""

    def add_token(self, token: Token) -> None:
        """Store a token.

        Raises:
            InvalidInput: the tenant has one of this name that is not revoked.
        """
        ...

    def token(self, digest: str) -> Token | None:
        """A token by its digest, revoked and expired ones too."""
        ...

    def tokens(self) -> tuple[Token, ...]:
        """Every token of every tenant, the oldest first."""
        ...

    def use_token(self, digest: str, now: float) -> None:
        """Note when a token was shown."""
        ...

    def revoke_token(self, token_id: str, now: float) -> Token:
        """Make a token worthless; returns it. The first time it was done stays.

        Raises:
            NotFound: there is none of this id.
        """
        ...

    def put_person(self, person: Person) -> None:
        """Store a person; one of this name is replaced, and their sessions end."""
        ...

    def person(self, name: str) -> Person | None:
        """A person by name."""
        ...

    def people(self) -> tuple[Person, ...]:
        """Everyone of every tenant, by name."""
        ...

    def remove_person(self, name: str) -> Person:
        """Remove a person and end their sessions; returns who it was.

        Raises:
            NotFound: there is none of this name.
        """
        ...

    def start_session(self, session: Session) -> None:
        """Store a new session."""
        ...

    def session(self, digest: str) -> Session | None:
        """A session by its digest."""
        ...

    def see_session(self, digest: str, now: float) -> None:
        """Note when a session was last used."""
        ...

    def end_session(self, digest: str) -> None:
        """Forget a session; idempotent."""
        ...

    def expire_sessions(self, created_before: float, seen_before: float) -> int:
        """Forget sessions that are too old or idle; returns how many went."""
        ...

    def note(self, entry: AuditEntry) -> None:
        """Add to the audit log; there is no way to change or to delete an entry."""
        ...

    def audit(
        self, tenant: str | None = None, *, limit: int = 50, cursor: str | None = None
    ) -> AuditPage:
        """The audit log, newest first, page by page (keyset); None: of all tenants.

        Raises:
            InvalidInput: the cursor is not one of ours.
        """
        ...
