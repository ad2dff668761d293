"""Pairs of Prometheus that scrape the same targets: one of them is listened to at a time.

After https://grafana.com/docs/mimir/latest/configure/configure-high-availability-deduplication/:
the first replica heard of is elected, and another one once it has been silent for a while.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rootward_ingest.seldom import MOST_WORDS

log = logging.getLogger(__name__)

Member = tuple[str, str]
"""A pair, and which of it."""


@dataclass(frozen=True)
class Pairing:
    """Which labels tell pairs and their replicas."""

    labels: tuple[tuple[str, str], ...] = (
        ("cluster", "__replica__"),
        ("prometheus", "prometheus_replica"),
    )
    """The label that names the pair and the one that names the replica: those of Mimir, and those
    of the Prometheus operator."""
    failover_seconds: float = 30.0
    """How long the elected replica may be silent."""

    def member(self, labels: Mapping[str, str]) -> Member | None:
        """Who sends a label set; None where it is no replica."""
        for pair, replica in self.labels:
            if labels.get(pair) and labels.get(replica):
                return f"{pair}={labels[pair]}", labels[replica]
        return None

    def stripped(self, labels: Mapping[str, str]) -> dict[str, str]:
        """The labels without those that name a replica: both then have the same series."""
        replicas = {replica for pair, replica in self.labels if labels.get(pair)}
        return {name: value for name, value in labels.items() if name not in replicas}


@dataclass
class _Elected:
    replica: str
    seen_unix: float


class Replicas:
    """Who is elected in each pair; safe to use from several threads."""

    def __init__(self, failover_seconds: float, now: Callable[[], float]) -> None:
        self._failover = failover_seconds
        self._now = now
        self._lock = threading.Lock()
        self._elected: OrderedDict[str, _Elected] = OrderedDict()
        self.elections = 0
        """How many times a replica took the place of another one."""

    def hears(self, member: Member) -> bool:
        """Note that a member sends; whether it is the one that is listened to."""
        pair, replica = member
        now = self._now()
        with self._lock:
            known = self._elected.get(pair)
            if known is None:
                self._elected[pair] = _Elected(replica, now)
                if len(self._elected) > MOST_WORDS:
                    self._elected.popitem(last=False)
                return True
            if known.replica != replica:
                if now - known.seen_unix <= self._failover:
                    return False
                facts = {"pair": pair, "silent": known.replica, "elected": replica}
                log.warning("another replica is listened to", extra=facts)
                known.replica = replica
                self.elections += 1
            known.seen_unix = now
            return True
