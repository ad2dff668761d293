"""Passwords: hashed with argon2id, parameters after RFC 9106, section 4."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Protocol, runtime_checkable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from rootward.access.store import AccessStore
from rootward.errors import Busy, InvalidInput, Unauthenticated
from rootward.model.access import Person

LEAST, MOST = 12, 256
"""Characters of a password. Beyond the least length, length is all that is asked for."""
_AT_A_TIME, _IN_LINE = 2, 8
"""Passwords hashed at once, each of which takes 64 MiB meanwhile, and those that may wait."""
WRONG = "wrong name or password"
"""The same for both, so that names cannot be found out."""


@runtime_checkable
class IdentityProvider(Protocol):
    """A way to find out who someone is; single sign-on would be another one."""

    start_url: str | None
    """Where a browser begins; None: at our own form for name and password."""

    def identify(self, brought: Mapping[str, str]) -> Person:
        """Who it is, by what they bring: form fields, or what a sign-on service sent back.

        Raises:
            Unauthenticated: nobody we know.
        """
        ...


class Passwords:
    """People by name and password."""

    start_url: str | None = None

    def __init__(self, store: AccessStore, hasher: PasswordHasher | None = None) -> None:
        self._store = store
        self._hasher = hasher or PasswordHasher()
        self._turns = threading.Semaphore(_AT_A_TIME)
        self._line = threading.Semaphore(_AT_A_TIME + _IN_LINE)

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash("what a name without a person is checked against")

    def identify(self, brought: Mapping[str, str]) -> Person:
        """The person of `name` and `password`; takes as long for a name that nobody has.

        Raises:
            Unauthenticated: nobody we know.
            Busy: too many passwords wait to be looked at.
        """
        if not self._line.acquire(blocking=False):
            raise Busy("too many logins at once; try again in a moment")
        try:
            return self._identified(brought)
        finally:
            self._line.release()

    def _identified(self, brought: Mapping[str, str]) -> Person:
        name, password = brought.get("name", ""), brought.get("password", "")
        person, nobody = self._store.person(name), self._nobody
        kept = person.password_hash if person else nobody
        right = len(password) <= MOST and self._matches(kept, password)
        if person is None or not right:
            raise Unauthenticated(WRONG)
        if self._hasher.check_needs_rehash(kept):
            person = replace(person, password_hash=self.hashed(password))
            self._store.put_person(person)
        return person

    def hashed(self, password: str) -> str:
        """What is stored of a password.

        Raises:
            InvalidInput: it is too short or too long.
        """
        if not LEAST <= len(password) <= MOST:
            raise InvalidInput(f"a password has {LEAST} to {MOST} characters")
        with self._turns:
            return self._hasher.hash(password)

    def _matches(self, kept: str, password: str) -> bool:
        with self._turns:
            try:
                return self._hasher.verify(kept, password)
            except (VerificationError, InvalidHashError):
                return False
