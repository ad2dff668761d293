"""Retry, back-off and dead letter: one policy for every adapter that delivers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from rootward.errors import Busy, InvalidInput, InvalidParameters, TookTooLong, Unavailable
from rootward.telemetry import DEAD_LETTERS

log = logging.getLogger(__name__)


class Outcome(Enum):
    """What became of one delivery."""

    DONE = "done"
    AGAIN = "again"
    """Failed, and counts as a try."""
    OUTAGE = "outage"
    """Something else does not answer; not the message's fault, so it does not count as a try."""
    DEAD = "dead"
    """Failed for good."""


@dataclass(frozen=True)
class Delivery:
    """The outcome, with the error where there is one."""

    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True)
class Policy:
    """How often a message is tried, and how long to wait in between."""

    tries: int = 5
    first_wait_seconds: float = 0.1
    growth: float = 4.0
    longest_wait_seconds: float = 30.0
    outage_wait_seconds: float = 1.0
    """How long to leave a database alone that does not answer."""

    def wait_seconds(self, failures: int) -> float:
        """How long to wait after so many failures, at least one, in a row."""
        return min(
            self.longest_wait_seconds, self.first_wait_seconds * self.growth ** (failures - 1)
        )

    def deliver(self, work: Callable[[], None], tries: int, kind: str) -> Delivery:
        """Do the work once and judge how it went; `tries` counts this try too.

        What cannot be read is dead at once, for it reads no better the next time. Where a
        database, a bus or a queue does not answer, the message waits for as long as that lasts.
        """
        try:
            work()
        except (Unavailable, Busy) as error:
            log.warning("delivery waits", extra={"kind": kind, "reason": str(error)})
            return Delivery(Outcome.OUTAGE, str(error))
        except (InvalidInput, InvalidParameters, TookTooLong) as error:
            log.warning("delivery refused", exc_info=True, extra={"kind": kind})
            return Delivery(Outcome.DEAD, _named(error))
        except Exception as error:
            log.warning("delivery failed", exc_info=True, extra={"kind": kind, "tries": tries})
            return Delivery(Outcome.AGAIN if tries < self.tries else Outcome.DEAD, _named(error))
        return Delivery(Outcome.DONE)


def given_up(kind: str, tenant: str, name: str, reason: str) -> None:
    """Count and log a message that has gone to the dead letters."""
    DEAD_LETTERS.labels(kind, tenant).inc()
    facts = {"kind": kind, "tenant": tenant, "message_name": name, "reason": reason}
    log.error("dead letter", extra=facts)


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
