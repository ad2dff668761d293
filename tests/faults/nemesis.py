"""What goes wrong with the parts: each is killed, stopped, paused, cut off, and comes back."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np

from tests.faults.cable import Cable
from tests.real.distributed import Distributed
from tests.real.node import Program

log = logging.getLogger(__name__)

_LONGEST_SECONDS = 8.0


@dataclass(frozen=True)
class Mishap:
    """One thing that goes wrong, and how it is put right."""

    name: str
    begin: Callable[[], object]
    end: Callable[[], object]


def mishaps(running: Distributed, database: Cable) -> list[Mishap]:
    """Everything that can go wrong with these parts, once each."""
    ours = chain.from_iterable(_of(name, one) for name, one in running.programs.items())
    kafka, postgres, redis = running.kafka, running.postgres, running.redis
    return [
        *ours,
        Mishap("kill kafka", kafka.kill, kafka.start),
        Mishap("pause kafka", kafka.pause, kafka.resume),
        Mishap("kill postgresql", postgres.crash, postgres.start),
        Mishap("stop postgresql", postgres.stop, postgres.start),
        Mishap("cut connections to postgresql", database.cut, database.plug),
        Mishap("kill redis", redis.kill, redis.start),
        Mishap("flush redis", redis.flush, lambda: None),
        Mishap("unplug postgresql", database.unplug, database.plug),
    ]


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
