"""Windows read from a real Prometheus are those that our own store gives of the same samples."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cramjam
import httpx
import numpy as np
import pytest

from rootward import bootstrap
from rootward.adapters.promql_samples import PromqlSampleStore
from rootward.errors import InsufficientData, InvalidInput
from rootward.model.series import SampleBatch, Series
from rootward.ports import SampleStore, WindowQuery
from rootward.settings import Settings
from rootward.testing.fakes import FakeSampleStore
from rootward_ingest.columns import STALE_BITS
from tests.real.children import until
from tests.real.node import Node
from tests.real.servers import Website, prometheus
from tests.unit.wire import chunk, sample

CONFIG = """
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: itself
    static_configs: [{targets: ["SELF"], labels: {team: platform}}]
"""
PLANTED = '{team="shop"}'
SPAN_SECONDS = 2400
STALE = np.uint64(STALE_BITS).view(np.float64)


@dataclass(frozen=True)
class Planted:
    """Samples that were written to Prometheus and to a plain store of ours."""

    server: Website
    plain: FakeSampleStore
    end: float
    """Not before the last sample, whole seconds."""
    client: httpx.Client

    def store(self, match: str = PLANTED) -> PromqlSampleStore:
        return PromqlSampleStore(f"promql+{self.server.url}/?match={match}", self.client)


def _column(k: int, start: int) -> tuple[Series, np.ndarray, np.ndarray]:
    """A series with gaps, odd times, restarts of its counter and, for some, ends that are told."""
    chance = np.random.default_rng(k)
    labels = {"team": "shop", "instance": f"shop-{k}", "path": f"/{k % 3}"}
    series = Series.of(f"metric_{k % 4}_total", f"service-{k % 5}", **labels)
    gaps = chance.choice([1000, 1007, 4999, 15_000, 61_000], 2000, p=[0.4, 0.3, 0.2, 0.08, 0.02])
    times = start * 1000 + k + np.cumsum(gaps)
    times = times[times < (start + SPAN_SECONDS) * 1000]
    values = np.cumsum(chance.exponential(3, len(times)))
    values[len(values) // 2 :] -= values[len(values) // 2]
    values[chance.random(len(times)) < 0.02] = np.nan
    values[chance.random(len(times)) < 0.1] = STALE if k % 2 else 5e-324
    return series, times, values


def _written(series: Series, times: np.ndarray, values: np.ndarray) -> bytes:
    pairs = sorted([("__name__", series.metric), *series.labels])
    labels = (
        chunk(0x0A, chunk(0x0A, name.encode()) + chunk(0x12, value.encode()))
        for name, value in pairs
    )
    samples = map(sample, values.tolist(), times.tolist())
    return chunk(0x0A, b"".join(labels) + b"".join(samples))


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    """A Prometheus that scrapes itself, into which samples were written."""
    folder = tmp_path_factory.mktemp("prometheus")
    start = int(time.time()) - SPAN_SECONDS - 60
    plain = FakeSampleStore()
    body = b""
    for k in range(24):
        series, times, values = _column(k, start)
        body += _written(series, times, values)
        index = np.zeros(len(times), np.int32)
        plain.append(
            SampleBatch(
                "default",
                (series,),
                index,
                times / 1000,
                np.where(np.isnan(values), np.nan, values),
            )
        )
    with prometheus(folder, CONFIG, "--web.enable-remote-write-receiver") as server:
        httpx.post(
            f"{server.url}/api/v1/write",
            content=bytes(cramjam.snappy.compress_raw(body)),
            headers={"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"},
        ).raise_for_status()
        with httpx.Client() as client:
            yield Planted(server, plain, float(start + SPAN_SECONDS), client)


@pytest.mark.parametrize(
    ("rows", "step", "before"),
    [
        (360, 5.0, 0.0),
        (40, 60.0, 0.0),
        (90, 15.0, 0.25),
        (200, 7.5, 613.0004),
        (2000, 0.5, 1.5),
        (25_000, 0.096, 0.0),  # more points than Prometheus gives at a time
        (3, 600.0, 0.0),
        (1, 0.001, 700.0),
    ],
)
def test_a_window_is_the_one_of_our_own_store(
    planted: Planted, rows: int, step: float, before: float
):
    query = WindowQuery(planted.end - before, rows, step)
    try:
        expected = planted.plain.window(query)
    except InsufficientData:
        with pytest.raises(InsufficientData, match="no sample between"):
            planted.store().window(query)
        return
    read = planted.store().window(query)

    if step <= 300:  # beyond it, staleness markers are not seen
        assert read.series == expected.series
        np.testing.assert_array_equal(read.values, expected.values)
    np.testing.assert_allclose(read.times, expected.times, atol=1e-6)
    assert np.isnan(read.values).any() or rows < 10


def test_services_and_series_are_chosen(planted: Planted):
    whole = planted.plain.window(WindowQuery(planted.end, 100, 15.0))
    one = whole.series[3]
    some = WindowQuery(planted.end, 100, 15.0, services=frozenset({"service-1"}))
    single = WindowQuery(planted.end, 100, 15.0, series=frozenset({one}))

    assert planted.store().window(some).services == ("service-1",)
    assert planted.store().window(single).series == (one,)


def test_the_selectors_of_the_address_choose_what_is_read(planted: Planted):
    scraped = planted.store('{team="platform"}')
    until(lambda: _services(scraped, WindowQuery(time.time(), 20, 1.0)), "a scrape")
    both = planted.store('{team="shop"}&match={team="platform"}')

    everything = WindowQuery(time.time(), 60, 60.0)
    assert set(both.window(everything).services) > {"itself", "service-1", "service-4"}
    assert _services(planted.store('{team="nobody"}'), everything) == set()


def _services(store: SampleStore, query: WindowQuery) -> set[str]:
    try:
        return set(store.window(query).services)
    except InsufficientData:
        return set()


def test_series_come_with_the_time_they_were_measured_last(planted: Planted):
    infos = planted.store().series()
    known = {info.series: info.last_unix for info in planted.plain.series()}

    assert [info.series for info in infos] == sorted(known)
    for info in infos:
        at_last = WindowQuery(info.last_unix, 1, 0.001, series=frozenset({info.series}))
        assert np.isfinite(planted.plain.window(at_last).values).all()
        after = WindowQuery(known[info.series], 1, 300.0, series=frozenset({info.series}))
        if info.last_unix < known[info.series]:  # it ended in a marker
            assert _services(planted.plain, after) == set()


def test_the_newest_sample_is_the_last_scrape_or_else_the_last_one_written(planted: Planted):
    scraped = planted.store('{team="platform"}')
    until(scraped.latest_unix, "a scrape")
    assert time.time() - 60 < scraped.latest_unix() <= time.time()

    written = planted.store()
    assert written.latest_unix() == max(info.last_unix for info in written.series())
    assert planted.store('{team="nobody"}').latest_unix() is None


def test_a_query_that_prometheus_refuses_says_why(planted: Planted):
    with pytest.raises(InvalidInput, match=r"says 400.*parse error"):
        planted.store('{team="shop"').window(WindowQuery(planted.end, 10, 1.0))


def test_a_platform_reads_its_windows_there_and_writes_none(planted: Planted, tmp_path: Path):
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'rootward.db'}",
        samples_url=f"promql+{planted.server.url}?match={PLANTED}",
    )
    platform = bootstrap.build(settings)
    query = WindowQuery(planted.end, 100, 15.0)

    assert platform.samples.window(query).series == planted.plain.window(query).series
    platform.samples.check()
    with pytest.raises(InvalidInput, match=f"samples are read from {planted.server.url}"):
        platform.samples.append(SampleBatch.of([]))
    assert platform.samples.expire(planted.end) == 0
    platform.close()


def test_the_detector_sees_each_new_row_and_ingest_takes_none(planted: Planted, tmp_path: Path):
    address = f'promql+{planted.server.url}?match={{team="platform"}}'
    with Node(tmp_path, step_seconds=1, samples_url=address) as node:
        rows = partial(_counted, node, "rootward_detect_duration_seconds_count")
        until(lambda: rows() > 9, "rows looked at")
        row = {"service": "cart", "metric": "cpu", "time": time.time(), "value": 1.0}
        answer = httpx.post(f"{node.url}/api/v1/samples", json={"samples": [row]}, timeout=30)

        assert answer.status_code == 400
        assert f"samples are read from {planted.server.url}" in answer.json()["detail"]
        assert node.stop() == 0


def _counted(node: Node, metric: str) -> float:
    text = httpx.get(f"{node.url}/metrics", timeout=30).text
    found = [line.split()[1] for line in text.splitlines() if line.split()[0] == metric]
    return float(found[0]) if found else 0.0
