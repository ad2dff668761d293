"""What goes wrong with the parts: each is killed, stopped, paused, cut off, and comes back."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tests.real.cable import Cable
from tests.real.children import OnAPort
from tests.real.disk import Disk
from tests.real.distributed import Distributed
from tests.real.node import Program
from tests.real.postgres import PostgresServer

log = logging.getLogger(__name__)

_LONGEST_SECONDS = 8.0


@dataclass(frozen=True)
class Mishap:
    """One thing that goes wrong, and how it is put right."""

    name: str
    begin: Callable[[], object]
    end: Callable[[], object]


def mishaps(running: Distributed, cables: Mapping[str, Cable], disk: Disk | None) -> list[Mishap]:
    """Everything that can go wrong with these parts, once each.

    The cables are those between ours and a server, by its name; the disk is the database's.
    """
    kafka, postgres, redis = running.kafka, running.postgres, running.redis
    found = [one for name, program in running.programs.items() for one in _of(name, program)]
    for server in (kafka, postgres, redis):
        found += _of_server(server, cables[server.name])
    found += [
        Mishap("stop postgres", postgres.stop, postgres.start),
        Mishap("flush redis", redis.flush, lambda: None),
    ]
    if disk is not None:
        found.append(Mishap("fill the disk", disk.fill, lambda: _room_again(disk, postgres)))
    return found


def _of_server(server: OnAPort, cable: Cable) -> Iterator[Mishap]:
    yield Mishap(f"kill {server.name}", server.kill, server.start)
    yield Mishap(f"pause {server.name}", server.pause, server.resume)
    yield Mishap(f"cut {server.name}", cable.cut, lambda: None)
    yield Mishap(f"unplug {server.name}", cable.unplug, cable.plug)


def _room_again(disk: Disk, postgres: PostgresServer) -> None:
    disk.make_room()
    postgres.recover()


def _of(name: str, one: Program) -> Iterator[Mishap]:
    yield Mishap(f"kill {name}", one.kill, one.start)
    yield Mishap(f"pause {name}", one.pause, one.resume)
    yield Mishap(f"stop {name}", one.stop, one.start)


class Nemesis:
    """Lets one thing after the other go wrong, in turns of random order."""

    def __init__(self, possible: list[Mishap], seed: int) -> None:
        self.done: Counter[str] = Counter()
        self._possible = possible
        self._random = np.random.default_rng(seed)
        self._clock = threading.Event()

    def run(self, goes_on: Callable[[], bool], *, rest_seconds: float) -> None:
        """Do harm until told otherwise; all is put right at the end."""
        while True:
            for k in self._random.permutation(len(self._possible)).tolist():
                if not goes_on():
                    return
                one = self._possible[k]
                log.info("begins", extra={"mishap": one.name})
                one.begin()
                self._clock.wait(self._random.uniform(0.5, _LONGEST_SECONDS))
                one.end()
                self.done[one.name] += 1
                log.info("is over", extra={"mishap": one.name})
                self._clock.wait(rest_seconds)
