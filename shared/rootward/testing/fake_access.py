"""Tokens, people, sessions and the audit log in memory."""

from __future__ import annotations

from dataclasses import replace

from rootward.access.store import AuditPage
from rootward.errors import InvalidInput, NotFound
from rootward.model.access import AuditEntry, Person, Session, Token
from rootward.testing.fake_notices import page_of


class FakeAccessStore:
    """Dictionaries, and a list that only grows."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}
        self._people: dict[str, Person] = {}
        self._sessions: dict[str, Session] = {}
        self._audit: list[AuditEntry] = []

    def add_token(self, token: Token) -> None:
        """Store a token; raises InvalidInput where its name is taken."""
        mine = (token.tenant, token.name)
        good = (t for t in self._tokens.values() if t.revoked_unix is None)
        if any((t.tenant, t.name) == mine for t in good):
            raise InvalidInput(f"there is a token {token.name}; revoke it or take another name")
        self._tokens[token.digest] = token

    def token(self, digest: str) -> Token | None:
        """A token by its digest, revoked and expired ones too."""
        return self._tokens.get(digest)

    def tokens(self) -> tuple[Token, ...]:
        """Every token of every tenant, the oldest first."""
        return tuple(sorted(self._tokens.values(), key=lambda t: (t.created_unix, t.digest)))

    def use_token(self, digest: str, now: float) -> None:
        """Note when a token was shown."""
        self._tokens[digest] = replace(self._tokens[digest], used_unix=now)

    def revoke_token(self, token_id: str, now: float) -> Token:
        """Make a token worthless; raises NotFound where there is none of this id."""
        for token in self._tokens.values():
            if token.id == token_id:
                first = now if token.revoked_unix is None else token.revoked_unix
                self._tokens[token.digest] = replace(token, revoked_unix=first)
                return token
        raise NotFound(f"there is no token {token_id}")

    def put_person(self, person: Person) -> None:
        """Store a person; one of this name is replaced, and their sessions end."""
        self._end_sessions(person.name)
        self._people[person.name] = person

    def person(self, name: str) -> Person | None:
        """A person by name."""
        return self._people.get(name)

    def people(self) -> tuple[Person, ...]:
        """Everyone of every tenant, by name."""
        return tuple(self._people[name] for name in sorted(self._people))

    def remove_person(self, name: str) -> Person:
        """Remove a person and end their sessions; raises NotFound."""
        if name not in self._people:
            raise NotFound(f"there is nobody called {name}")
        self._end_sessions(name)
        return self._people.pop(name)

    def start_session(self, session: Session) -> None:
        """Store a new session."""
        self._sessions[session.digest] = session

    def session(self, digest: str) -> Session | None:
        """A session by its digest."""
        return self._sessions.get(digest)

    def see_session(self, digest: str, now: float) -> None:
        """Note when a session was last used."""
        if digest in self._sessions:
            self._sessions[digest] = replace(self._sessions[digest], seen_unix=now)

    def end_session(self, digest: str) -> None:
        """Forget a session; idempotent."""
        self._sessions.pop(digest, None)

    def expire_sessions(self, created_before: float, seen_before: float) -> int:
        """Forget sessions that are too old or idle; returns how many went."""
        old = [
            s.digest
            for s in self._sessions.values()
            if s.created_unix < created_before or s.seen_unix < seen_before
        ]
        for digest in old:
            del self._sessions[digest]
        return len(old)

    def note(self, entry: AuditEntry) -> None:
        """Add to the audit log."""
        self._audit.append(entry)

    def audit(
        self, tenant: str | None = None, *, limit: int = 50, cursor: str | None = None
    ) -> AuditPage:
        """The audit log, newest first; the cursor counts entries seen."""
        found = [e for e in reversed(self._audit) if tenant in (None, e.tenant)]
        return AuditPage(*page_of(found, limit, cursor))

    def _end_sessions(self, name: str) -> None:
        for session in [s for s in self._sessions.values() if s.person == name]:
            del self._sessions[session.digest]
