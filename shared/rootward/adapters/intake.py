"""How the embedded queues take things in: within a bound, and many in one commit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from rootward.errors import Busy, Unavailable

_COUNT_SECONDS = 1.0


class Places:
    """A bounded number of places, and how many are taken.

    Where other processes take them and give them back, too, `count` tells how many are taken; it
    is asked once a second.
    """

    def __init__(self, most: int, what: str, count: Callable[[], int] | None = None) -> None:
        self._most = most
        self._what = what
        self._taken = 0
        self._lock = threading.Lock()
        self._count = count
        self._counted = -_COUNT_SECONDS

    @property
    def taken(self) -> int:
        """How many are taken, as was known a second ago at the latest."""
        with self._lock:
            self._recount()
            return self._taken

    def counted(self) -> int:
        """How many are taken now."""
        return self._taken if self._count is None else self._count()

    def take(self) -> None:
        """Take one; raises Busy where none is left."""
        with self._lock:
            self._recount()
            if self._taken >= self._most:
                raise Busy(f"{self._taken} {self._what} wait, {self._most} may")
            self._taken += 1

    def _recount(self) -> None:
        if self._count is not None and time.monotonic() >= self._counted + _COUNT_SECONDS:
            self._taken, self._counted = self._count(), time.monotonic()

    def change(self, by: int) -> None:
        """Take or give back places, whatever the bound."""
        with self._lock:
            self._taken += by


T = TypeVar("T")


class _Group(Generic[T]):
    """Items that go into one commit, and what came of it."""

    def __init__(self) -> None:
        self.items: list[T] = []
        self.done = False
        self.error: BaseException | None = None


class GroupCommit(Generic[T]):
    """One commit for all who ask while another commit is under way; the first one makes it."""

    def __init__(self, commit: Callable[[Sequence[T]], None]) -> None:
        self._commit = commit
        self._open: _Group[T] = _Group()
        self._open_lock = threading.Lock()
        self._commit_lock = threading.Lock()

    def add(self, item: T) -> None:
        """Return once the item is committed; raise what the commit of its group raised."""
        with self._open_lock:
            group = self._open
            group.items.append(item)
        with self._commit_lock:
            if not group.done:
                self._commit_group(group)
        if group.error is not None:
            raise Unavailable(str(group.error)) from group.error

    def _commit_group(self, group: _Group[T]) -> None:
        with self._open_lock:
            self._open = _Group()
        try:
            self._commit(group.items)
        except BaseException as error:
            group.error = error
            raise
        finally:
            group.done = True
