"""Debian's Prometheus scrapes real targets and writes to Rootward: both hold the same samples."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from shop.run import Shop
from tests.real.children import until
from tests.real.node import Node, Samples, differences, stored, stored_services
from tests.real.prometheus_api import held, value_of
from tests.real.proxy import Exchange, proxy, samples_of
from tests.real.servers import Website, prometheus

SCRAPES = 8
EVERY_SERIES = '{job=~".+"}'
CONFIG = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: prometheus
    static_configs: [{{targets: ["SELF"]}}]
  - job_name: rootward
    static_configs: [{{targets: ["{rootward}"]}}]
  - job_name: shop
    file_sd_configs: [{{files: ["{targets}"], refresh_interval: 1s}}]
remote_write:
  - url: {write}
    send_exemplars: true
    queue_config: {{batch_send_deadline: 500ms, max_samples_per_send: 1000}}
    metadata_config: {{send_interval: 2s}}
"""


@dataclass(frozen=True)
class Run:
    """What Prometheus held, what it sent, and what was stored, once a target had gone."""

    expected: Samples
    found: Samples
    exchanges: Sequence[Exchange]
    database_url: str
    gone_unix: float
    """When it was over with the target `cart`."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Prometheus scrapes itself, Rootward and the shop for a while; then cart is taken away."""
    folder = tmp_path_factory.mktemp("run")
    with Shop(folder / "shop") as shop, proxy() as recorder:
        targets = folder / "targets.json"
        shop.write_scrape_file(targets)
        with Node(folder / "rootward", step_seconds=1) as node:
            recorder.upstream = node.url
            config = CONFIG.format(
                rootward=node.url.removeprefix("http://"),
                targets=targets,
                write=f"{recorder.url}/api/v1/write",
            )
            with prometheus(folder / "prometheus", config) as sender:
                _scraped(sender, 2 + len(json.loads(targets.read_text())))
                until_unix = time.time()
                expected = held(sender.url, EVERY_SERIES, until_unix=until_unix, seconds=600)
                _take_away(targets, "cart")
                accepted = partial(samples_of, when=lambda e: e.ok)
                until(
                    lambda: any(
                        series.service == "cart" and math.isnan(value)
                        for (series, _), value in accepted(recorder.exchanges).items()
                    ),
                    "the end of cart is told",
                )
                until(
                    lambda: expected.keys() <= accepted(recorder.exchanges).keys(),
                    "all of it is accepted",
                )
            node.settle()
        found = stored(node.database_url, {time for _, time in expected})
        return Run(expected, found, recorder.exchanges, node.database_url, time.time())


def _scraped(server: Website, targets: int) -> None:
    counts = f"count(count_over_time(up[1m]) >= {SCRAPES})"
    until(
        lambda: value_of(server.url, counts) == targets,
        f"{SCRAPES} scrapes of {targets} targets",
    )


def _take_away(targets: Path, service: str) -> None:
    rest = [one for one in json.loads(targets.read_text()) if one["labels"]["service"] != service]
    partial_file = targets.with_suffix(".part")
    partial_file.write_text(json.dumps(rest))
    partial_file.replace(targets)


def test_what_prometheus_scraped_is_stored_sample_by_sample(run: Run):
    assert len(run.expected) > SCRAPES * 500
    assert differences(run.expected, run.found) == []


def test_all_that_it_sends_is_taken_metadata_and_exemplars_included(run: Run):
    assert {(one.status, one.text) for one in run.exchanges} == {(204, "")}


def test_a_target_that_went_away_is_no_longer_measured(run: Run):
    services = stored_services(run.database_url, run.gone_unix, seconds=60.0)
    assert {"catalogue", "prometheus", "rootward"} <= services
    assert "cart" in {series.service for series, _ in run.expected}
    assert "cart" not in services
