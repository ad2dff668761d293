"""Who may do what: rights, roles, tokens for programs, people and their sessions, the audit log."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Right(StrEnum):
    """What a token or a person may do; users know a token's rights as its scopes."""

    INGEST = "ingest"
    """Send samples, alerts and change events."""
    READ = "read"
    """See incidents and all that belongs to them."""
    RESPOND = "respond"
    """Work on incidents: acknowledge, comment, run a method."""
    ADMIN = "admin"
    """Manage tokens and people, read the audit log."""


_IMPLIED = {
    Right.INGEST: frozenset({Right.INGEST}),
    Right.READ: frozenset({Right.READ}),
    Right.RESPOND: frozenset({Right.READ, Right.RESPOND}),
    Right.ADMIN: frozenset(Right),
}


def implied(*rights: Right) -> frozenset[Right]:
    """Rights with those that come with them: who may respond may read, an admin may do all."""
    return frozenset[Right]().union(*(_IMPLIED[right] for right in rights))


class Role(StrEnum):
    """What a person is to the system."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    ADMIN = "admin"

    @property
    def rights(self) -> frozenset[Right]:
        """What people of this role may do."""
        return implied(_HIGHEST[self])


_HIGHEST = {Role.VIEWER: Right.READ, Role.RESPONDER: Right.RESPOND, Role.ADMIN: Right.ADMIN}


@dataclass(frozen=True)
class Caller:
    """Who is asking, and what they may do."""

    name: str
    """A person's name, `token:NAME`, or `local` where no login is needed."""
    rights: frozenset[Right]
    tenant: str
    role: Role | None = None
    """Of a person."""
    session: str = ""
    """Digest of the session of a person who logged in."""
    bound: bool = False
    """Whether the tenant comes with who is asking, whatever a header says."""

    def may(self, right: Right) -> bool:
        """Whether the caller has a right."""
        return right in self.rights


@dataclass(frozen=True)
class Token:
    """What a program shows; of its text only the digest is known."""

    digest: str
    """SHA-256 of the text, in hex."""
    name: str
    tenant: str
    rights: frozenset[Right]
    created_unix: float
    expires_unix: float | None = None
    used_unix: float | None = None
    """When it was last shown, to the minute."""
    revoked_unix: float | None = None

    @property
    def id(self) -> str:
        """What people call it by; says nothing about its text."""
        return self.digest[:12]

    def valid(self, now: float) -> bool:
        """Whether it is good at a time."""
        expired = self.expires_unix is not None and now >= self.expires_unix
        return self.revoked_unix is None and not expired


@dataclass(frozen=True)
class Person:
    """Someone who logs in with a name and a password."""

    name: str
    """Unique in all tenants."""
    tenant: str
    role: Role
    created_unix: float
    password_hash: str = ""
    """As the password hasher writes it, with its parameters and salt."""

    def __repr__(self) -> str:
        return f"Person({self.name!r}, {self.tenant!r}, {self.role.value!r})"


@dataclass(frozen=True)
class Session:
    """A login of a person, from its start until it idles too long or ends."""

    digest: str
    """SHA-256 of what the browser keeps, in hex."""
    person: str
    tenant: str
    created_unix: float
    seen_unix: float


Outcome = Literal["done", "refused", "failed"]


@dataclass(frozen=True)
class AuditEntry:
    """One thing that somebody did, or was kept from doing."""

    tenant: str
    at_unix: float
    who: str
    action: str
    """A stable word: `login`, `create_token`, `acknowledge_incident`."""
    target: str
    """What it was done to: an address, a name, an id."""
    address: str
    """Where the request came from; `command line` for a command."""
    outcome: Outcome
    detail: str = ""
