"""Faults that really happen in the process of a service, and the switch that ends them.

Each kind does harm in the way its namesake does in production. None touches a metric: what
the metrics show is what the fault does.
"""

from __future__ import annotations

import ctypes
import gc
import random
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import ClassVar

from shop.errors import ShopError

Worker = Callable[[], None]


@dataclass(kw_only=True)
class Fault:
    """Something that goes wrong from `begin` to `end`; its fields are the options."""

    kind: ClassVar[str]
    _ended: threading.Event = field(default_factory=threading.Event, init=False, repr=False)
    _threads: list[threading.Thread] = field(default_factory=list, init=False, repr=False)
    _random: random.Random = field(default_factory=random.Random, init=False, repr=False)

    def workers(self, lock: threading.Lock) -> list[Worker]:
        """What runs in threads of its own; `lock` is the one that the handlers need."""
        return []

    def strike(self) -> None:
        """Called inside each request; may wait, or raise."""

    def begin(self, lock: threading.Lock, chance: random.Random) -> None:
        """Start doing harm; `chance` decides whom it hits."""
        self._random = chance
        self._threads = [threading.Thread(target=w, daemon=True) for w in self.workers(lock)]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Stop, and wait until it has stopped."""
        self._ended.set()
        for thread in self._threads:
            thread.join()


@dataclass(kw_only=True)
class Latency(Fault):
    """Every request takes `seconds` longer, a fifth more or less."""

    kind = "latency"
    seconds: float = 0.3

    def strike(self) -> None:
        """Wait."""
        self._ended.wait(self.seconds * self._random.uniform(0.8, 1.2))


@dataclass(kw_only=True)
class Errors(Fault):
    """A `share` of the requests fails."""

    kind = "errors"
    share: float = 0.7

    def strike(self) -> None:
        """Fail, most times."""
        if self._random.random() < self.share:
            raise RuntimeError("inconsistent state")


@dataclass(kw_only=True)
class Hang(Fault):
    """Requests are taken and not answered; callers run into their time-outs."""

    kind = "hang"

    def strike(self) -> None:
        """Wait until the fault is over."""
        self._ended.wait()


@dataclass(kw_only=True)
class Cpu(Fault):
    """`threads` threads compute without end, and every request fights them for the interpreter."""

    kind = "cpu"
    threads: int = 4

    def workers(self, lock: threading.Lock) -> list[Worker]:
        """One loop a thread."""
        return [self._burn] * self.threads

    def _burn(self) -> None:
        while not self._ended.is_set():
            sum(k * k for k in range(10_000))


@dataclass(kw_only=True)
class Leak(Fault):
    """Memory grows up to a limit; the collector walks through ever more objects, and all wait."""

    kind = "leak"
    megabytes_per_second: float = 8.0
    limit_megabytes: float = 256.0
    _kept: list[list[object]] = field(default_factory=list, init=False, repr=False)

    def workers(self, lock: threading.Lock) -> list[Worker]:
        """One thread that keeps what it makes."""
        return [self._grow]

    def _grow(self) -> None:
        object_bytes = 750  # a list, its slots, and bytes too large for Python's own allocator
        batch = int(self.megabytes_per_second * 2**20 / object_bytes / 5)
        limit = int(self.limit_megabytes * 2**20 / object_bytes)
        turn = 0
        while not self._ended.wait(0.2):
            room = max(0, min(batch, limit - len(self._kept)))
            self._kept += [[turn, bytes(600)] for _ in range(room)]
            turn += 1
            if turn % 5 == 0:
                gc.collect()

    def end(self) -> None:
        """Stop, and give the memory back to the system."""
        super().end()
        self._kept.clear()
        gc.collect()
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)  # glibc keeps what is freed, unless asked


@dataclass(kw_only=True)
class Lock(Fault):
    """A thread holds the lock that the handlers need, and lets go of it only for moments."""

    kind = "lock"
    hold_seconds: float = 0.5
    gap_seconds: float = 0.02

    def workers(self, lock: threading.Lock) -> list[Worker]:
        """One thread that holds on."""
        return [lambda: self._hold(lock)]

    def _hold(self, lock: threading.Lock) -> None:
        while not self._ended.wait(self.gap_seconds):
            with lock:
                self._ended.wait(self.hold_seconds)


KINDS: Mapping[str, type[Fault]] = {f.kind: f for f in (Cpu, Errors, Hang, Latency, Leak, Lock)}


def fault(kind: str, options: Mapping[str, float]) -> Fault:
    """A fault of one kind, with the options that differ from its defaults.

    Raises:
        ShopError: there is no such kind or option, or a value is no positive number.
    """
    if kind not in KINDS:
        raise ShopError(f"there is no fault {kind!r}; there are {', '.join(sorted(KINDS))}")
    types = {
        f.name: int if isinstance(f.default, int) else float for f in fields(KINDS[kind]) if f.init
    }
    for name, value in options.items():
        if name not in types:
            raise ShopError(f"{kind} has no option {name!r}; it has {', '.join(types) or 'none'}")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e6:
            raise ShopError(f"`{name}` must be a positive number")
    return KINDS[kind](**{name: types[name](value) for name, value in options.items()})


class FaultSwitch:
    """At most one fault at a time in one service."""

    def __init__(self, lock: threading.Lock, chance: random.Random) -> None:
        self._lock = lock
        self._random = chance
        self._switching = threading.Lock()
        self._current: Fault | None = None

    def begin(self, new: Fault) -> None:
        """Start a fault; one that is on ends first."""
        with self._switching:
            self._stop()
            new.begin(self._lock, self._random)
            self._current = new

    def end(self) -> None:
        """End the fault that is on, if there is one."""
        with self._switching:
            self._stop()

    def strike(self) -> None:
        """What the fault that is on does to a request."""
        current = self._current
        if current is not None:
            current.strike()

    def options(self) -> dict[str, object]:
        """Kind and options of the fault that is on, or nothing."""
        current = self._current
        if current is None:
            return {}
        names = [f.name for f in fields(current) if f.init]
        return {"kind": current.kind} | {name: getattr(current, name) for name in names}

    def _stop(self) -> None:
        if self._current is not None:
            self._current.end()
            self._current = None
