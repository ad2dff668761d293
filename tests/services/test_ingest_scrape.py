"""Scraping: real endpoints on free ports, targets that die, files that change."""

import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from rootward.errors import InvalidConfiguration, UnreadableBody
from rootward.model.series import SampleBatch, Series
from rootward.ports import Platform
from rootward.testing.fakes import FakeBus, ManualClock
from rootward_ingest.exposition import Exposition
from rootward_ingest.intake import Limits
from rootward_ingest.scrape import Scraper, _until_next
from rootward_ingest.targets import Target, TargetFile, read_targets

NOW = 1_700_000_000.0


class Endpoint:
    """A target whose answer the test sets."""

    def __init__(self) -> None:
        self.text, self.status, self.media = "", 200, "text/plain; version=0.0.4"
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = endpoint.text.encode()
                self.send_response(endpoint.status)
                self.send_header("Content-Type", endpoint.media)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.address = f"127.0.0.1:{self._server.server_port}"

    def die(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    served = Endpoint()
    yield served
    served.die()


@pytest.fixture
def file(tmp_path: Path, endpoint: Endpoint) -> Path:
    path = tmp_path / "targets.json"
    path.write_text(json.dumps([{"targets": [endpoint.address], "labels": {"service": "cart"}}]))
    return path


@pytest.fixture
def scraper(fake_platform: Platform, file: Path) -> Iterator[Scraper]:
    made = Scraper(fake_platform, Limits(), file, 5.0)
    yield made
    made.stop()


def by_metric(batch: SampleBatch) -> dict[str, float]:
    """Value by metric with the labels that are not the target's."""
    found = {}
    for k, value in zip(batch.index.tolist(), batch.values.tolist(), strict=True):
        one = batch.series[k]
        own = [f"{n}={v}" for n, v in one.labels if n not in ("service", "instance")]
        found[one.metric + ("{" + ",".join(own) + "}" if own else "")] = value
    return found


def test_a_real_endpoint_is_scraped_with_the_names_it_exposes(
    tmp_path: Path, fake_platform: Platform, bus: FakeBus
):
    registry = CollectorRegistry()
    Counter("requests", "Requests.", ["code"], registry=registry).labels("200").inc(3)
    Gauge("queue", "Queue.", registry=registry).set(7)
    Histogram("latency_seconds", "Latency.", buckets=[0.1, 1], registry=registry).observe(0.5)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    address = f"127.0.0.1:{server.server_port}"
    path = tmp_path / "targets.json"
    path.write_text(json.dumps([{"targets": [address], "labels": {"service": "cart"}}]))
    scraper = Scraper(fake_platform, Limits(), path, 5.0)
    try:
        scraper.scrape_once()
    finally:
        scraper.stop()
        server.shutdown()
        server.server_close()
        thread.join()
    (batch,) = bus.published
    found = by_metric(batch)
    assert 0 < found.pop("scrape_duration_seconds") < 5
    assert found == {
        "requests_total{code=200}": 3,
        "queue": 7,
        "latency_seconds_bucket{le=0.1}": 0,
        "latency_seconds_bucket{le=1.0}": 1,
        "latency_seconds_bucket{le=+Inf}": 1,
        "latency_seconds_count": 1,
        "latency_seconds_sum": 0.5,
        "up": 1,
    }
    assert {(s.service, s.instance) for s in batch.series} == {("cart", address)}
    assert set(batch.times.tolist()) == {NOW}


def test_a_series_that_vanishes_ends_with_one_nan(
    endpoint: Endpoint, scraper: Scraper, bus: FakeBus, clock: ManualClock
):
    endpoint.text = 'a 1\nb{x="1"} 2\n'
    scraper.scrape_once()
    endpoint.text = "a 3\n"
    for _ in range(2):
        clock.advance(5.0)
        scraper.scrape_once()
    _, second, third = (by_metric(batch) for batch in bus.published)
    assert second["a"] == 3
    assert math.isnan(second["b{x=1}"])
    assert set(bus.published[1].times.tolist()) == {NOW + 5}
    assert "b{x=1}" not in third


def test_a_target_that_dies_is_down_and_all_of_its_series_end(
    endpoint: Endpoint, scraper: Scraper, bus: FakeBus, clock: ManualClock
):
    endpoint.text = "a 1\nb 2\n"
    scraper.scrape_once()
    endpoint.die()
    for _ in range(2):
        clock.advance(5.0)
        scraper.scrape_once()
    _, dead, still_dead = (by_metric(batch) for batch in bus.published)
    assert dead["up"] == 0
    assert math.isnan(dead["a"])
    assert math.isnan(dead["b"])
    assert set(still_dead) == {"up", "scrape_duration_seconds"}


@pytest.mark.parametrize(
    ("text", "status", "media"),
    [
        ("a 1\n", 500, "text/plain"),
        ("a 1\nthis is { not metrics\n", 200, "text/plain"),
        ("<html>", 200, "text/html"),
        ("a one\n", 200, "text/plain"),
        ("a 1 2 3\n", 200, "text/plain"),
        ("a 1\n", 200, "application/openmetrics-text; version=1.0.0"),  # no # EOF
    ],
)
def test_an_answer_that_is_no_exposition_counts_as_down(
    text: str, status: int, media: str, endpoint: Endpoint, scraper: Scraper, bus: FakeBus
):
    endpoint.text, endpoint.status, endpoint.media = text, status, media
    scraper.scrape_once()
    assert set(by_metric(bus.published[0])) == {"up", "scrape_duration_seconds"}
    assert by_metric(bus.published[0])["up"] == 0


def test_an_answer_over_the_body_limit_counts_as_down(
    endpoint: Endpoint, file: Path, fake_platform: Platform, bus: FakeBus
):
    endpoint.text = "a 1\n" * 1000
    scraper = Scraper(fake_platform, Limits(max_body_bytes=1000), file, 5.0)
    scraper.scrape_once()
    scraper.stop()
    assert by_metric(bus.published[0])["up"] == 0


def test_series_of_a_lost_scrape_still_end_later(
    endpoint: Endpoint, scraper: Scraper, bus: FakeBus
):
    endpoint.text = "a 1\n"
    bus._max_backlog = 0
    scraper.scrape_once()
    bus._max_backlog = 10
    endpoint.text = ""
    scraper.scrape_once()
    assert math.isnan(by_metric(bus.published[0])["a"])


def test_the_file_is_read_again_when_it_changes(
    endpoint: Endpoint, file: Path, scraper: Scraper, bus: FakeBus, clock: ManualClock
):
    endpoint.text = "a 1\n"
    scraper.scrape_once()
    clock.advance(5.0)
    file.write_text("[]  ")
    scraper.scrape_once()
    ended = by_metric(bus.published[1])
    assert set(ended) == {"a", "up", "scrape_duration_seconds"}
    assert np.isnan(list(ended.values())).all()
    scraper.scrape_once()
    assert len(bus.published) == 2


def test_targets_stay_while_the_file_is_broken(file: Path, caplog: pytest.LogCaptureFixture):
    targets = TargetFile(file)
    before = targets.targets()
    file.write_text("[{")
    assert targets.targets() == before
    assert "target file unusable" in caplog.text


def test_a_file_that_is_not_there_yet_has_no_targets(tmp_path: Path):
    assert TargetFile(tmp_path / "later.json").targets() == ()


def test_started_scraping_goes_on_by_itself_until_stopped(
    endpoint: Endpoint, file: Path, fake_platform: Platform
):
    twice = threading.Event()

    class Counting(FakeBus):
        def publish(self, batch: SampleBatch) -> None:
            super().publish(batch)
            if len(self.published) == 2:
                twice.set()

    endpoint.text = "a 1\n"
    platform = Platform(**{**vars(fake_platform), "bus": Counting()})
    scraper = Scraper(platform, Limits(), file, 0.02)
    scraper.start()
    assert twice.wait(20)
    scraper.stop()
    scraper.stop()


def test_file_sd_gives_urls_and_labels():
    content = [
        {
            "targets": ["cart:8080", "[::1]:9"],
            "labels": {
                "service": "cart",
                "__scheme__": "https",
                "__metrics_path__": "/m",
                "__param_module": "a b",
                "empty": "",
            },
        },
        {"targets": ["user:80"], "labels": {"instance": "user-1"}},
        {"targets": ["user:80"], "labels": {"instance": "user-1"}},
    ]
    assert read_targets(json.dumps(content).encode()) == (
        Target("https://cart:8080/m?module=a+b", (("instance", "cart:8080"), ("service", "cart"))),
        Target("https://[::1]:9/m?module=a+b", (("instance", "[::1]:9"), ("service", "cart"))),
        Target("http://user:80/metrics", (("instance", "user-1"),)),
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[3]",
        b'[{"targets": "cart:80"}]',
        b'[{"targets": [""]}]',
        b'[{"targets": ["http://cart:80/metrics"]}]',
        b'[{"targets": ["cart:80"], "labels": {"a": 1}}]',
        b'[{"targets": ["cart:80"], "labels": {"__scheme__": "ftp"}}]',
    ],
)
def test_a_file_of_another_form_is_refused(content: bytes):
    with pytest.raises(InvalidConfiguration):
        read_targets(content)


def read(text: str, media: str = "text/plain", **labels: str) -> dict[str, float]:
    found = Exposition(tuple(sorted(labels.items()))).read(text, media)
    return {str(Series.of(one[0][1], "x", **dict(one[1:]))): value for one, value in found}


def test_text_lines_are_read_with_escapes_times_and_comments():
    text = "\n".join(
        [
            "# HELP a_total Help.",
            "# TYPE requests counter",
            "requests 1",
            'b{x="a \\"b\\" } c\\n",y="2"} +Inf 1700000000000',
            "c\tNaN",
            "",
        ]
    )
    found = read(text)
    assert found["x|requests"] == 1
    assert found['x|b{x=a "b" } c\n,y=2}'] == math.inf
    assert math.isnan(found["x|c"])


def test_openmetrics_is_read_without_exemplars_and_created():
    text = "\n".join(
        [
            "# TYPE requests counter",
            'requests_total{x="1"} 3 # {trace_id="7"} 1.0',
            'requests_created{x="1"} 1.7e9',
            "# TYPE kube_pod_created gauge",
            "kube_pod_created 5",
            "# EOF",
            "",
        ]
    )
    found = read(text, "application/openmetrics-text; version=1.0.0")
    assert found == {"x|requests_total{x=1}": 3, "x|kube_pod_created": 5}


def test_labels_of_the_target_win_and_those_of_the_sample_are_kept_as_exported():
    exposition = Exposition((("env", "live"), ("service", "cart")))
    ((labels, _),) = exposition.read('a{service="db",code="1"} 1', "text/plain")
    assert dict(labels) == {
        "__name__": "a",
        "code": "1",
        "env": "live",
        "exported_service": "db",
        "service": "cart",
    }


@pytest.mark.parametrize(
    "line", ["a", "a 1_0", '{x="1"} 1', 'a{x="1} 1', "a{x=1} 1", "ä 1", "a 0x1"]
)
def test_a_line_that_is_no_sample_is_refused(line: str):
    with pytest.raises(UnreadableBody):
        Exposition(()).read(line, "text/plain")


@pytest.mark.parametrize("now", [0.0, 1.2, 7.4, 7.5, 7.6, NOW])
def test_scrapes_fall_in_the_middle_between_multiples_of_the_interval(now: float):
    delay = _until_next(now, 15.0)
    assert (now + delay) % 15 == pytest.approx(7.5)
    assert 3.75 < delay <= 18.75
