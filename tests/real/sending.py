"""A real Prometheus that keeps sending to Rootward through whatever happens to it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rootward.model.series import Series
from tests.real.children import until
from tests.real.node import Node, differences, stored
from tests.real.prometheus_api import held
from tests.real.proxy import NO_ANSWER, Proxy, proxy, samples_of
from tests.real.servers import Website, prometheus

CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: prometheus
    static_configs: [{{targets: ["SELF", "localhost:{port}"]}}]
    metric_relabel_configs:  # what piles up while Rootward is down has to be caught up with
      - {{source_labels: [__name__], regex: "{kept}", action: keep}}
remote_write:
  - url: {write}
    queue_config:
      # a number of shards that changed would drop what could not be sent within a minute
      {{min_shards: 4, max_shards: 4, max_samples_per_send: 50, batch_send_deadline: 200ms,
        max_backoff: 250ms}}
"""
KEPT = "go_.+|process_.+|python_.+|prometheus_(http|tsdb)_.+_total|rootward_.+_total"


@dataclass(frozen=True)
class Outcome:
    """What was promised and what was kept."""

    requests: int
    unanswered: int
    """Requests whose connection broke before an answer."""
    refused: int
    """Requests that were told to come again."""
    sent: int
    """Different samples sent."""
    sent_again: int
    """Samples that came more than once."""
    accepted: int
    """Different samples of requests that were answered with 2xx."""
    stored: int
    """Samples stored, of all that were sent, but for what is not a number: that shows as a gap."""
    not_numbers: int
    """Samples sent that were not numbers: staleness markers and NaN."""
    wrong: tuple[str, ...] = field(repr=False)
    """What is stored and should not be, is not and should be, or is another value."""


@dataclass
class Sending:
    """Prometheus, the proxy and Rootward behind it."""

    sender: Website
    recorder: Proxy
    node: Node

    def accepted(self) -> int:
        """Requests answered with 2xx so far."""
        return sum(one.ok for one in self.recorder.exchanges)

    def until_accepted(self, more: int = 5) -> None:
        """Return once so many further requests are answered with 2xx."""
        before = self.accepted()
        until(lambda: self.accepted() >= before + more, f"{more} requests accepted")

    def until_refused(self, status: int) -> str:
        """Return the text of the next answer with this status."""
        seen = len(self.recorder.exchanges)

        def refusals() -> list[str]:
            return [e.text for e in self.recorder.exchanges[seen:] if e.status == status]

        until(refusals, f"an answer of {status}")
        return refusals()[0]

    def restart(self) -> None:
        """Start Rootward anew, and let the proxy lead there."""
        self.node.start()
        self.recorder.upstream = self.node.url

    def settle(self) -> Outcome:
        """Wait until all that Prometheus held is accepted and handled; compare what is stored.

        Rootward goes on running, with nobody sending to it.
        """
        of_sender = '{job="prometheus"}'
        held_now = held(self.sender.url, of_sender, until_unix=time.time(), seconds=3600)
        until(self._accepts(held_now.keys()), "all that Prometheus held is accepted")
        self.recorder.upstream = ""
        self.node.until_idle()
        return self._outcome()

    def _accepts(self, keys: Iterable[tuple[Series, int]]) -> Callable[[], bool]:
        """Says whether requests with all of these were accepted; looks at each request once."""
        missing, looked_at = set(keys), 0

        def is_over() -> bool:
            nonlocal looked_at
            exchanges = self.recorder.exchanges[looked_at:]
            looked_at += len(exchanges)
            for one in filter(_ok, exchanges):
                missing.difference_update(one.samples)
            return not missing

        return is_over

    def _outcome(self) -> Outcome:
        exchanges = [e for e in self.recorder.exchanges if e.passed_on]
        sent = samples_of(exchanges, when=lambda _: True)
        promised = samples_of(exchanges, when=_ok)
        found = stored(self.node.database_url, {time for _, time in sent})
        kept = {key: value for key, value in found.items() if key in promised}
        unknown = [f"never sent: {key}" for key in found.keys() - sent.keys()]
        return Outcome(
            requests=len(exchanges),
            unanswered=sum(e.status == NO_ANSWER for e in exchanges),
            refused=sum(e.status == 503 for e in exchanges),
            sent=len(sent),
            sent_again=sum(len(e.samples) for e in exchanges) - len(sent),
            accepted=len(promised),
            stored=len(found),
            not_numbers=sum(math.isnan(value) for value in sent.values()),
            wrong=(*differences(promised, kept), *unknown[:5]),
        )


def _ok(exchange: object) -> bool:
    return exchange.ok  # type: ignore[attr-defined, no-any-return]


@contextmanager
def sending(folder: Path, node: Node) -> Iterator[Sending]:
    """A Prometheus that scrapes itself and the node each second and writes it all."""
    with proxy() as recorder, node:
        recorder.upstream = node.url
        config = CONFIG.format(
            port=node.url.rpartition(":")[2], write=f"{recorder.url}/api/v1/write", kept=KEPT
        )
        with prometheus(folder, config) as sender:
            one = Sending(sender, recorder, node)
            one.until_accepted()
            yield one
