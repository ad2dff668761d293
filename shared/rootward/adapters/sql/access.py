"""Tokens, people, sessions and the audit log in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, select, update

from rootward.access.store import AuditPage
from rootward.adapters.sql import tables
from rootward.adapters.sql.engine import Database, beside
from rootward.adapters.sql.paging import page
from rootward.codec import from_json, to_json
from rootward.errors import InvalidInput, NotFound
from rootward.model.access import AuditEntry, Person, Right, Role, Session, Token

_TOKEN = tables.api_token.c
_PERSON = tables.person.c
_SESSION = tables.login_session.c


class SqlAccessStore:
    """Who may come in, and what they did."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_token(self, token: Token) -> None:
        """Store a token; raises InvalidInput where its name is taken."""

        def work(connection: Connection) -> None:
            same = (_TOKEN.tenant == token.tenant, _TOKEN.name == token.name)
            unrevoked = _TOKEN.revoked_unix.is_(None)
            if connection.scalar(select(_TOKEN.digest).where(*same, unrevoked)) is not None:
                raise InvalidInput(f"there is a token {token.name}; revoke it or take another name")
            row = vars(token) | {"rights": " ".join(sorted(token.rights))}
            connection.execute(insert(tables.api_token).values(row))

        self._database.write(work)

    def token(self, digest: str) -> Token | None:
        """A token by its digest, revoked and expired ones too."""
        with self._database.reading() as connection:
            query = select(tables.api_token).where(_TOKEN.digest == digest)
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _token(row)

    def tokens(self) -> tuple[Token, ...]:
        """Every token of every tenant, the oldest first."""
        query = select(tables.api_token).order_by(_TOKEN.created_unix, _TOKEN.digest)
        with self._database.reading() as connection:
            return tuple(_token(row) for row in connection.execute(query).mappings())

    def use_token(self, digest: str, now: float) -> None:
        """Note when a token was shown."""
        used = update(tables.api_token).where(_TOKEN.digest == digest).values(used_unix=now)
        self._database.write(lambda connection: connection.execute(used))

    def revoke_token(self, token_id: str, now: float) -> Token:
        """Make a token worthless; raises NotFound where there is none of this id."""
        named = _TOKEN.digest.startswith(token_id, autoescape=True)

        def work(connection: Connection) -> Token:
            rows = connection.execute(select(tables.api_token).where(named)).mappings()
            found = [token for token in map(_token, rows) if token.id == token_id]
            if not found:
                raise NotFound(f"there is no token {token_id}")
            revoked = update(tables.api_token).where(named, _TOKEN.revoked_unix.is_(None))
            connection.execute(revoked.values(revoked_unix=now))
            return found[0]

        return self._database.write(work)

    def put_person(self, person: Person) -> None:
        """Store a person; one of this name is replaced, and their sessions end."""

        def work(connection: Connection) -> None:
            _forget(connection, person.name)
            row = vars(person) | {"role": person.role.value}
            connection.execute(insert(tables.person).values(row))

        self._database.write(work)

    def person(self, name: str) -> Person | None:
        """A person by name."""
        with self._database.reading() as connection:
            return _person(connection, name)

    def people(self) -> tuple[Person, ...]:
        """Everyone of every tenant, by name."""
        with self._database.reading() as connection:
            rows = connection.execute(select(tables.person).order_by(_PERSON.name)).mappings()
            return tuple(_person_of(row) for row in rows)

    def remove_person(self, name: str) -> Person:
        """Remove a person and end their sessions; raises NotFound."""

        def work(connection: Connection) -> Person:
            person = _person(connection, name)
            if person is None:
                raise NotFound(f"there is nobody called {name}")
            _forget(connection, name)
            return person

        return self._database.write(work)

    def start_session(self, session: Session) -> None:
        """Store a new session."""
        new = insert(tables.login_session).values(vars(session))
        self._database.write(lambda connection: connection.execute(new))

    def session(self, digest: str) -> Session | None:
        """A session by its digest."""
        query = select(tables.login_session).where(_SESSION.digest == digest)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else Session(**row)

    def see_session(self, digest: str, now: float) -> None:
        """Note when a session was last used."""
        seen = update(tables.login_session).where(_SESSION.digest == digest)
        self._database.write(lambda connection: connection.execute(seen.values(seen_unix=now)))

    def end_session(self, digest: str) -> None:
        """Forget a session; idempotent."""
        gone = delete(tables.login_session).where(_SESSION.digest == digest)
        self._database.write(lambda connection: connection.execute(gone))

    def expire_sessions(self, created_before: float, seen_before: float) -> int:
        """Forget sessions that are too old or idle; returns how many went."""
        old = or_(_SESSION.created_unix < created_before, _SESSION.seen_unix < seen_before)
        gone = delete(tables.login_session).where(old)
        return self._database.write(lambda connection: connection.execute(gone).rowcount)

    def note(self, entry: AuditEntry) -> None:
        """Add to the audit log."""
        body = to_json(entry, AuditEntry)
        row = {"tenant": entry.tenant, "at_unix": entry.at_unix, "body": body}
        with beside(None):  # being written down is no part of what a request does
            self._database.write(lambda connection: connection.execute(insert(tables.audit), row))

    def audit(
        self, tenant: str | None = None, *, limit: int = 50, cursor: str | None = None
    ) -> AuditPage:
        """The audit log, newest first; raises InvalidInput for a cursor that is not ours."""
        wanted = [] if tenant is None else [tables.audit.c.tenant == tenant]
        with self._database.reading() as connection:
            bodies, more = page(connection, tables.audit, wanted, limit, cursor)
        return AuditPage(tuple(from_json(body, AuditEntry) for body in bodies), more)


def _token(row: Mapping[Any, Any]) -> Token:
    rights = frozenset(Right(right) for right in row["rights"].split())
    return Token(**{**row, "rights": rights})


def _person_of(row: Mapping[Any, Any]) -> Person:
    return Person(**{**row, "role": Role(row["role"])})


def _person(connection: Connection, name: str) -> Person | None:
    query = select(tables.person).where(_PERSON.name == name)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _person_of(row)


def _forget(connection: Connection, name: str) -> None:
    connection.execute(delete(tables.login_session).where(_SESSION.person == name))
    connection.execute(delete(tables.person).where(_PERSON.name == name))
