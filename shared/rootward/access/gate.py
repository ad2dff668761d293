"""The gate before all routes: says who is asking, from what a request carries."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import threading
from dataclasses import dataclass, field

from rootward.access.logins import SEEN_SECONDS, Lifetime, Logins
from rootward.access.passwords import IdentityProvider, Passwords
from rootward.access.store import AccessStore
from rootward.access.tokens import PATTERN, digest
from rootward.errors import Forbidden, Unauthenticated, Unavailable
from rootward.model.access import (
    AuditEntry,
    Caller,
    Outcome,
    Person,
    Right,
    Role,
    Session,
    Token,
    implied,
)
from rootward.ports import DEFAULT_TENANT, Clock, Platform

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

FRESH_SECONDS = 5.0
"""How soon a revoked token is refused everywhere."""
STALE_SECONDS = 300.0
"""How long a token that was good is taken while the database does not answer."""
_MOST_KEPT = 10_000
_MOST_NAME = 64
UNNAMED = "proxy"
"""Who asks where the proxy names nobody."""
_OF_A_STRANGER = Role.VIEWER.rights | {Right.INGEST}
"""What somebody may do whom a proxy names and we do not know."""


@dataclass(frozen=True)
class Policy:
    """Whom the gate lets in."""

    login: bool = False
    """Whether who asks must say who they are."""
    hosts: frozenset[str] | None = None
    """Where no login is needed, the names that we may be called by; None: any. A foreign site
    that has its name lead to this machine is told by it."""
    from_files: tuple[Token, ...] = ()
    """Tokens that are good whatever the database says."""
    trusted: tuple[Network, ...] = ()
    """Proxies whose word on the sender's address, scheme and name is taken."""
    by_proxy: bool = False
    """Whether a trusted proxy has found out who is asking."""
    user_header: str = "X-Forwarded-User"
    """Where it says so."""
    public_origin: str = ""
    """Scheme, host and port that browsers know us by, where that is known."""
    tenant_header: str = ""
    """Where a request names the tenant, unless that comes with who is asking; empty: nowhere."""
    lifetime: Lifetime = field(default_factory=Lifetime)

    def trusts(self, peer: str) -> bool:
        """Whether the other end of a connection is a trusted proxy."""
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self.trusted)


@dataclass(frozen=True)
class Asked:
    """What a request says about who is asking."""

    authorization: str = ""
    """The header of that name."""
    session: str = ""
    """The word of a session, from its cookie."""
    peer: str = ""
    """Address of the other end of the connection."""
    named: str = ""
    """Whom the proxy names."""
    host: str = ""
    """The header of that name."""


@dataclass(frozen=True)
class _Kept:
    token: Token
    read_unix: float


class Gate:
    """Recognises callers; safe to use from several threads."""

    def __init__(
        self,
        store: AccessStore,
        clock: Clock,
        policy: Policy | None = None,
        provider: IdentityProvider | None = None,
    ) -> None:
        self.policy = policy or Policy()
        self._store = store
        self._clock = clock
        self.logins = Logins(store, clock, provider or Passwords(store), self.policy.lifetime)
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def quick(self, asked: Asked) -> Caller | None:
        """The caller, where that is known without asking the database."""
        if not (asked.authorization or asked.session or self._vouched_for(asked)):
            return self._unnamed(asked)
        text = token_text(asked.authorization)
        kept = None if text is None else self._kept.get(digest(text))
        now = self._clock.now()
        if kept is None or now - kept.read_unix >= FRESH_SECONDS:
            return None
        return _program(kept.token) if kept.token.valid(now) else None

    def caller(self, asked: Asked) -> Caller | None:
        """Who is asking, None where nobody knows and a login would help.

        Raises:
            Unauthenticated: the token is none of ours, revoked or expired.
            Forbidden: the request was meant for another site.
            Unavailable: the database does not answer.
        """
        if asked.authorization:
            return self._by_header(asked)
        if asked.session and (known := self.logins.whose(asked.session)):
            return _logged_in(*known)
        return self._unnamed(asked)

    def still(self, asked: Asked, right: Right) -> bool:
        """Whether who was let in still may; no login lasts longer for being asked about.

        While the database does not answer, they may.
        """
        try:
            if asked.session and not asked.authorization:
                known = self.logins.looked_up(asked.session)
                caller = self._unnamed(asked) if known is None else _logged_in(*known)
            else:
                caller = self.caller(asked)
        except (Unauthenticated, Forbidden):
            return False
        except Unavailable:
            return True
        return caller is not None and caller.may(right)

    def note(
        self, caller: Caller, action: str, target: str, place: str, outcome: Outcome, detail: str
    ) -> None:
        """Write down what a caller did, or was kept from doing; raises Unavailable."""
        who, now = caller.name, self._clock.now()
        entry = AuditEntry(caller.tenant, now, who, action, target, place, outcome, detail)
        self._store.note(entry)

    def _by_header(self, asked: Asked) -> Caller | None:
        text = token_text(asked.authorization)
        if text is None and (self._vouched_for(asked) or not self.policy.login):
            return self._unnamed(asked)  # what it carries was meant for the proxy, not for us
        token = None if text is None else self._token(text)
        if token is None:
            raise Unauthenticated("the token is unknown, expired or revoked")
        return _program(token)

    def _unnamed(self, asked: Asked) -> Caller | None:
        if self._vouched_for(asked):
            return self._behind_proxy(asked.named)
        if self.policy.login:
            return None
        self._require_host(asked.host)
        return Caller("local", frozenset(Right), DEFAULT_TENANT)

    def _vouched_for(self, asked: Asked) -> bool:
        return self.policy.by_proxy and self.policy.trusts(asked.peer)

    def _behind_proxy(self, named: str) -> Caller:
        """A person whom the proxy names; a program, which may only send, where it names none."""
        if not named:
            return Caller(UNNAMED, implied(Right.INGEST), DEFAULT_TENANT)
        person = self._store.person(named)
        if person is None:
            return Caller(named[:_MOST_NAME], _OF_A_STRANGER, DEFAULT_TENANT, Role.VIEWER)
        rights = person.role.rights | {Right.INGEST}
        return Caller(named, rights, person.tenant, person.role, bound=True)

    def _require_host(self, host: str) -> None:
        hosts = self.policy.hosts
        if hosts is not None and host_name(host) not in hosts:
            raise Forbidden(
                f"without login this answers only to {', '.join(sorted(hosts))}; "
                "set ROOTWARD_PUBLIC_URL, or see ROOTWARD_ACCESS"
            )

    def _token(self, text: str) -> Token | None:
        """The token of a text where it is good."""
        key, now = digest(text), self._clock.now()
        for token in self.policy.from_files:
            if hmac.compare_digest(key, token.digest):
                return token
        kept = self._kept.get(key)
        if kept is None or now - kept.read_unix >= FRESH_SECONDS:
            kept = self._read(key, now, kept)
        return kept.token if kept is not None and kept.token.valid(now) else None

    def _read(self, key: str, now: float, kept: _Kept | None) -> _Kept | None:
        try:
            found = self._store.token(key)
            if found is not None and found.valid(now):
                if found.used_unix is None or now - found.used_unix >= SEEN_SECONDS:
                    self._store.use_token(key, now)
        except Unavailable:
            if kept is not None and now - kept.read_unix < STALE_SECONDS:
                return kept
            raise
        with self._lock:
            self._kept.pop(key, None)
            if found is None:
                return None
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = _Kept(found, now)
            return self._kept[key]


def open_gate(platform: Platform) -> Gate:
    """A gate that stands open, for a platform that only this machine can reach."""
    return Gate(platform.access, platform.clock)


def token_text(authorization: str) -> str | None:
    """The token of an Authorization header: a Bearer's, or the password of Basic."""
    scheme, _, rest = authorization.partition(" ")
    text = rest.strip()
    match scheme.lower():
        case "bearer":
            pass
        case "basic":
            text = _password(text)
        case _:
            return None
    return text if PATTERN.fullmatch(text) else None


def host_name(host: str) -> str:
    """The name in a Host header, without the port, in lower case."""
    name, found, port = host.rpartition(":")
    return (name if found and port.isdigit() else host).strip("[]").lower().rstrip(".")


def _password(encoded: str) -> str:
    try:
        text = base64.b64decode(encoded, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
    return text.partition(":")[2]


def _logged_in(session: Session, person: Person) -> Caller:
    return Caller(
        person.name, person.role.rights, person.tenant, person.role, session.digest, bound=True
    )


def _program(token: Token) -> Caller:
    return Caller(f"token:{token.name}", implied(*token.rights), token.tenant, bound=True)
