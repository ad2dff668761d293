"""Remote write 2.0 as Prometheus' own definition of it encodes it; see recorded/record.py."""

import json
import math
import struct
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from rootward.model.series import Series
from rootward.ports import Platform
from rootward.testing.fakes import FakeBus, ManualClock
from rootward_ingest.app import create_app
from rootward_ingest.intake import Limits

RECORDED = Path(__file__).parent / "recorded"
HEADERS = {
    "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "2.0.0",
}
Rows = list[tuple[Series, float, int]]


def told(name: str) -> dict[str, object]:
    """What is in a recorded request."""
    return json.loads((RECORDED / f"{name}.json").read_text(encoding="utf-8"))


def bits(value: float) -> int:
    """The bits of a value; every NaN is the same, for what is not measured is kept as one."""
    return struct.unpack(">Q", struct.pack(">d", math.nan if math.isnan(value) else value))[0]


def recorded_rows(name: str) -> Rows:
    """Series, time and value of each sample in a request, sorted."""
    rows = []
    for labels, time, value in told(name)["samples"]:
        kept = labels | {"service": labels["job"].partition("/")[2]}
        series = Series(kept.pop("__name__"), tuple(sorted(kept.items())))
        rows.append((series, time / 1000, bits(struct.unpack(">d", bytes.fromhex(value))[0])))
    return sorted(rows)


def published_rows(bus: FakeBus) -> Rows:
    rows = [
        (batch.series[k], time, bits(value))
        for batch in bus.published
        for k, time, value in zip(batch.index, batch.times, batch.values, strict=True)
    ]
    return sorted(rows)


@pytest.fixture
def client(fake_platform: Platform, clock: ManualClock) -> TestClient:
    return TestClient(create_app(fake_platform, Limits()))


@pytest.mark.parametrize("twice", [False, True], ids=["first time", "spellings known"])
@pytest.mark.parametrize(
    ("name", "status"),
    [("scrape", 204), ("values", 204), ("names", 204), ("extras", 400), ("empty", 204)],
)
def test_every_sample_is_published_as_it_was_sent(
    name: str, status: int, twice: bool, client: TestClient, fake_platform: Platform
):
    body = (RECORDED / f"{name}.body").read_bytes()
    if twice:
        client.post("/api/v1/write", content=body, headers=HEADERS)
        fake_platform.bus.published.clear()
    answer = client.post("/api/v1/write", content=body, headers=HEADERS)

    assert answer.status_code == status, answer.text
    assert published_rows(fake_platform.bus) == recorded_rows(name)
    written = answer.headers["X-Prometheus-Remote-Write-Samples-Written"]
    assert int(written) == len(told(name)["samples"])


def test_exemplars_and_histograms_are_counted_and_named_as_not_written(client: TestClient):
    body = (RECORDED / "extras.body").read_bytes()
    answer = client.post("/api/v1/write", content=body, headers=HEADERS)
    inside = told("extras")
    for kind in ("exemplar", "histogram"):
        assert f"{kind}: {inside[f'{kind}s']}; " in answer.text
        header = f"X-Prometheus-Remote-Write-{kind.capitalize()}s-Written"
        assert answer.headers[header] == "0"
