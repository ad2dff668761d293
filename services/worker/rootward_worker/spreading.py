"""One large computation by many workers: parts in the database, whoever is free takes the next."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

from rootward.errors import Busy, InvalidConfiguration, NotFound, TookTooLong
from rootward.methods import registry
from rootward.model.spread import Arrays, GoOn, PartWork, in_turn
from rootward.numerics.pace import always
from rootward.ports import DEFAULT_TENANT, Platform
from rootward.ports.parts import Part, PartStore
from rootward_worker.options import WorkerOptions

log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
_LOOK_SECONDS = 0.1
"""How often to look whether others are done."""
MOST_HELPERS = 64


@dataclass(frozen=True)
class Spreader:
    """Asks other workers to help, and does the parts that none of them has taken."""

    platform: Platform
    longest_seconds: float

    def __call__(
        self, method: str, work: PartWork, shared: Arrays, parts: int, go_on: GoOn
    ) -> list[Arrays]:
        """Answers for each part, in order, the same as `in_turn` gives.

        Raises:
            TookTooLong: others did not give back in time what they had taken.
            Unavailable: the database or the queue does not answer.
        """
        if parts == 1:
            return in_turn(method, work, shared, parts, go_on)
        store = self.platform.parts
        whole = store.lay_out(method, shared, parts)
        try:
            self._ask_for_help(whole, min(parts - 1, MOST_HELPERS))
            while _do_next(store, whole, work, shared, go_on):
                pass
            return self._all_answers(whole, work, shared, go_on)
        finally:
            store.clear(whole)

    def _ask_for_help(self, whole: str, helpers: int) -> None:
        try:
            for number in range(helpers):
                self.platform.jobs.submit("help", whole=whole, number=number)
        except Busy:
            log.info("nobody has time to help", extra={"whole": whole})

    def _all_answers(self, whole: str, work: PartWork, shared: Arrays, go_on: GoOn) -> list[Arrays]:
        store = self.platform.parts
        end = time.monotonic() + self.longest_seconds
        while (found := store.answers(whole)) is None:
            if time.monotonic() > end:
                raise TookTooLong(f"parts were not given back within {self.longest_seconds:g} s")
            if not _do_next(store, whole, work, shared, go_on):  # one whose helper is gone
                threading.Event().wait(_LOOK_SECONDS)
        return found


def help_with(
    platform: Platform,
    options: WorkerOptions,
    *,
    whole: str,
    number: int,
    tenant: str = DEFAULT_TENANT,
) -> None:
    """Do parts of a computation until none is left; `number` tells helpers apart."""
    store = platform.parts
    try:
        method, shared = store.shared(whole)
    except NotFound:
        return  # it was done without us
    while _do_next(store, whole, part_work(method), shared, always):
        pass


def part_work(method: str) -> PartWork:
    """The part of a method that can be done apart.

    Raises:
        InvalidConfiguration: this worker does not know the method.
    """
    kind = registry.load().methods.get(method)
    if kind is None:
        raise InvalidConfiguration(f"there is no {method} here; run one version everywhere")
    return kind.part


def _do_next(store: PartStore, whole: str, work: PartWork, shared: Arrays, go_on: GoOn) -> bool:
    """Whether there was a part to do."""
    part = store.take(whole, LEASE_SECONDS)
    if part is None:
        return False
    answer = work(shared, part.number, _alive(store, part, go_on))
    if not store.answer(part, answer):
        log.warning("part was done by another", extra={"whole": whole, "part": part.number})
    return True


def _alive(store: PartStore, part: Part, go_on: GoOn) -> GoOn:
    told = time.monotonic()

    def going(share: float) -> bool:
        nonlocal told
        if time.monotonic() - told > LEASE_SECONDS / 3:
            told = time.monotonic()
            store.renew(part, LEASE_SECONDS)
        return go_on(share)

    return going
