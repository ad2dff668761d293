"""Valid inputs that fuzzing starts from, by target."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import cramjam
import numpy as np
from google.protobuf import json_format

from rootward.adapters.sql.chunks import chunk_of, encoded
from rootward.codec import batch_to_bytes
from rootward.model.series import Sample, SampleBatch, Series
from tests.services import otlp_messages as otlp
from tests.unit.wire import chunk, sample

RECORDED = Path(__file__).parents[1] / "services/recorded"
NOW = 1_700_000_000.0
EXPOSED = (
    '# HELP up Up.\n# TYPE up gauge\nup{job="a",x="\\"\\n"} 1 1700000000000\n'
    'h_bucket{le="+Inf"} 3 # {trace_id="1"} 0.5\nh_sum NaN\n# EOF\n'
)


def seeds(target: str) -> Iterator[bytes]:
    """A few valid inputs."""
    kind = target.removesuffix("_alike")
    plain = target.endswith("_alike")
    if kind == "remote_write_v1":
        yield from _first(plain)
    elif kind == "remote_write_v2":
        yield from _second(plain)
    elif kind.startswith("otlp"):
        yield from _otlp(kind)
    elif kind == "batch":
        yield batch_to_bytes(SampleBatch.of([Sample(Series.of("up", "cart"), NOW, 1.0)] * 3))
    elif kind == "chunk":
        ids, times = np.repeat([1, 2, 7], 4), np.tile(np.arange(4) * 10**6, 3)
        yield encoded(chunk_of(ids, times, np.arange(12.0)))
    elif kind == "exposition":
        yield EXPOSED.encode()
    else:
        yield json.dumps(_JSON[kind]).encode()


def _first(plain: bool) -> Iterator[bytes]:
    labels = [("__name__", "up"), ("instance", "a"), ("job", "shop/cart")]
    head = b"".join(
        chunk(0x0A, chunk(0x0A, name.encode()) + chunk(0x12, value.encode()))
        for name, value in labels
    )
    time = int(NOW * 1000)
    series = [
        head + sample(1.5, time),
        head + sample(0.0, time + 1) + sample(-1.0, time + 2),
        head + sample(3.0, time + 3) + chunk(0x1A, b"\x11" + bytes(8)) + chunk(0x22, b"\x08\x01"),
    ]
    for body in (b"".join(chunk(0x0A, one) for one in series), chunk(0x0A, series[0])):
        yield body if plain else bytes(cramjam.snappy.compress_raw(body))


def _second(plain: bool) -> Iterator[bytes]:
    for file in sorted(RECORDED.glob("*.body")):
        body = file.read_bytes()
        yield bytes(cramjam.snappy.decompress_raw(body)) if plain else body


def _otlp(kind: str) -> Iterator[bytes]:
    request = otlp.exported(
        otlp.gauge(),
        otlp.summed(otlp.DELTA, monotonic=True),
        otlp.summed(otlp.CUMULATIVE, monotonic=False),
        otlp.histogram(otlp.CUMULATIVE),
        otlp.exponential(3, -5, [1, 2, 0, 4]),
    )
    if kind == "otlp_json":
        yield json_format.MessageToJson(request, indent=None).encode()
    else:
        yield request.SerializeToString()
        yield gzip.compress(request.SerializeToString())


_JSON: dict[str, object] = {
    "samples": {
        "samples": [
            {"service": "cart", "metric": "up", "time": NOW, "value": 1.0},
            {"series": 'up{service="cart"}', "time": "2023-11-14T22:13:20Z", "value": None},
        ]
    },
    "alerts": {
        "version": "4",
        "truncatedAlerts": 0,
        "alerts": [
            {
                "status": "firing",
                "labels": {"alertname": "Down", "job": "cart"},
                "annotations": {"summary": "cart is down"},
                "startsAt": "2023-11-14T22:13:20.123Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "fingerprint": "fbab788ec4c1018b",
            }
        ],
    },
    "changes": {
        "specversion": "1.0",
        "id": "4711",
        "source": "/ci/shop",
        "type": "com.example.deploy.finished",
        "subject": "cart",
        "time": "2023-11-14T22:13:20Z",
        "data": {"version": "2.3.1"},
    },
    "experiments": {
        "id": "fast-cart",
        "service": "cart",
        "began": "2023-11-14T22:00:00Z",
        "outcome_name": "latency_seconds",
        "outcome": [0.2, 0.3],
        "flag": [0, 1],
        "taken": [False, True],
        "covariates": {"cpu": [0.1, 0.2]},
        "clusters": ["cart-1", "cart-2"],
        "calibration": {"predicted": [1.0], "true": [1.5]},
    },
    "scrape_targets": [{"targets": ["a:80"], "labels": {"service": "cart", "__scheme__": "https"}}],
}
