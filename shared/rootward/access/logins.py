"""Logins of people: sessions kept on the server, of which the browser holds a random word."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from rootward.access.passwords import IdentityProvider
from rootward.access.store import AccessStore
from rootward.access.throttle import Throttle
from rootward.access.tokens import digest
from rootward.errors import Unauthenticated
from rootward.model.access import AuditEntry, Outcome, Person, Session
from rootward.ports import DEFAULT_TENANT, Clock

SEEN_SECONDS = 60.0
"""How exactly the last use of a session or a token is noted."""
_RANDOM_BYTES = 32
_MOST_NAME = 64


@dataclass(frozen=True)
class Lifetime:
    """How long a login lasts."""

    idle_seconds: float = 12 * 3600.0
    seconds: float = 7 * 86400.0
    """However much it is used."""


class Logins:
    """Starts sessions, recognises them and ends them."""

    def __init__(
        self,
        store: AccessStore,
        clock: Clock,
        provider: IdentityProvider,
        lifetime: Lifetime | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self.provider = provider
        self.lifetime = lifetime or Lifetime()
        self._throttle = Throttle()

    def start(self, brought: Mapping[str, str], address: str) -> tuple[str, Person]:
        """A new session: the word that the browser keeps, and whose it is.

        The word is new at each login, so one that was planted before is worth nothing.

        Raises:
            Unauthenticated: nobody we know.
            OverQuota: too many wrong attempts; this one was not looked at.
        """
        now, name = self._clock.now(), brought.get("name", "")[:_MOST_NAME]
        self._throttle.take(name, address, now)
        try:
            person = self.provider.identify(brought)
        except Unauthenticated:
            self._note(name, DEFAULT_TENANT, "login", address, "refused")
            raise
        self._throttle.give_back(name, address)
        word = secrets.token_urlsafe(_RANDOM_BYTES)
        lifetime = self.lifetime
        self._store.expire_sessions(now - lifetime.seconds, now - lifetime.idle_seconds)
        self._store.start_session(Session(digest(word), person.name, person.tenant, now, now))
        self._note(person.name, person.tenant, "login", address)
        return word, person

    def whose(self, word: str) -> tuple[Session, Person] | None:
        """The session and the person of a word, None for one that is unknown, idle or too old."""
        known = self.looked_up(word)
        now = self._clock.now()
        if known is not None and now - known[0].seen_unix >= SEEN_SECONDS:
            self._store.see_session(known[0].digest, now)
        return known

    def looked_up(self, word: str) -> tuple[Session, Person] | None:
        """The same, without counting as a use of the session."""
        session = self._store.session(digest(word))
        if session is None or self._over(session, self._clock.now()):
            return None
        person = self._store.person(session.person)
        return None if person is None else (session, person)

    def end(self, word: str, address: str) -> None:
        """Log out; idempotent."""
        session = self._store.session(digest(word))
        if session is not None:
            self._store.end_session(session.digest)
            self._note(session.person, session.tenant, "logout", address)

    def _over(self, session: Session, now: float) -> bool:
        idle = now - session.seen_unix >= self.lifetime.idle_seconds
        return idle or now - session.created_unix >= self.lifetime.seconds

    def _note(
        self, name: str, tenant: str, action: str, address: str, outcome: Outcome = "done"
    ) -> None:
        now = self._clock.now()
        self._store.note(AuditEntry(tenant, now, name, action, name, address, outcome))


def form_key(word: str) -> str:
    """What forms and scripts of a session send back, and other sites cannot know."""
    return hmac.new(word.encode(), b"form", hashlib.sha256).hexdigest()


def is_form_key(word: str, sent: str) -> bool:
    """Whether it is that of the session; takes as long for any answer."""
    return hmac.compare_digest(form_key(word).encode(), sent.encode("utf-8", "surrogateescape"))
