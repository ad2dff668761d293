"""Records remote write 2.0 requests with Prometheus' own definition of the message.

    pip install grpcio-tools cramjam
    python tests/services/recorded/record.py types.proto

`types.proto` is `prompb/io/prometheus/write/v2/types.proto` of the repository of Prometheus, which
protoc compiles here: nothing that writes these bodies is ours. Each `NAME.body` is a request as it
travels, `NAME.json` says what is in it. A sample's start time, which the specification moved there
after that file was written, is added as it says (`int64 start_timestamp = 3`).
"""

from __future__ import annotations

import importlib
import json
import random
import struct
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import cramjam
from grpc_tools import protoc

HERE = Path(__file__).parent
NOW_MS = 1_700_000_000_000
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
GOGO = """syntax = "proto2";
package gogoproto;
import "google/protobuf/descriptor.proto";
extend google.protobuf.FieldOptions { optional bool nullable = 65001; }
"""


def compiled(proto: Path) -> object:
    """The module that protoc makes of the definition; its Go options are declared, not used."""
    folder = Path(tempfile.mkdtemp())
    (folder / "gogoproto").mkdir()
    (folder / "gogoproto/gogo.proto").write_text(GOGO)
    text = proto.read_text()
    if "start_timestamp" not in text:
        at = text.index("}", text.index("message Sample {"))
        text = text[:at] + "  int64 start_timestamp = 3;\n" + text[at:]
    (folder / "types.proto").write_text(text)
    arguments = ["protoc", f"-I{folder}", f"--python_out={folder}", "gogoproto/gogo.proto"]
    assert protoc.main([*arguments, f"-I{Path(protoc.__file__).parent}/_proto", "types.proto"]) == 0
    sys.path.insert(0, str(folder))
    return importlib.import_module("types_pb2")


@dataclass
class Recording:
    """A request under way, and what is in it."""

    types: object
    symbols: dict[str, int] = field(default_factory=lambda: {"": 0})
    samples: list[object] = field(default_factory=list)
    exemplars: int = 0
    histograms: int = 0

    def __post_init__(self) -> None:
        self.request = self.types.Request()  # type: ignore[attr-defined]

    def ref(self, text: str) -> int:
        return self.symbols.setdefault(text, len(self.symbols))

    def series(self, labels: dict[str, str], *samples: tuple[int, float], **metadata: object):
        one = self.request.timeseries.add()
        one.labels_refs.extend(self.ref(text) for pair in labels.items() for text in pair)
        for time, value in samples:
            one.samples.add(timestamp=time, value=value)
            self.samples.append([labels, time, struct.pack(">d", value).hex()])
        if metadata:
            one.metadata.type = metadata["type"]
            one.metadata.help_ref = self.ref(str(metadata.get("help", "")))
            one.metadata.unit_ref = self.ref(str(metadata.get("unit", "")))
        return one

    def write(self, name: str) -> None:
        self.request.symbols.extend(self.symbols)
        body = bytes(cramjam.snappy.compress_raw(self.request.SerializeToString()))
        (HERE / f"{name}.body").write_bytes(body)
        told = {
            "samples": self.samples,
            "exemplars": self.exemplars,
            "histograms": self.histograms,
        }
        (HERE / f"{name}.json").write_text(json.dumps(told, ensure_ascii=False) + "\n")


def cart(metric: str, **more: str) -> dict[str, str]:
    return {"__name__": metric, "instance": "10.0.0.7:80", "job": "shop/cart", **more}


def scrape(types: object) -> Recording:
    """One scrape: many series of one sample, with what is said about each metric."""
    made, chance = Recording(types), random.Random(1)
    for k in range(300):
        labels = cart(f"metric_{k % 40}_total", code=str(200 + k % 7), path=f"/{k // 40}")
        made.series(
            labels, (NOW_MS, chance.choice([0.0, k, k / 7])),
            type=k % 8, help=f"What metric {k % 40} is.", unit="seconds" if k % 2 else "",
        )  # fmt: skip
    return made


def values(types: object) -> Recording:
    """Series of many samples, with the values that are hard to keep."""
    made = Recording(types)
    hard = [0.0, -0.0, 5e-324, -1.7976931348623157e308, 0.1 + 0.2, 2.0**53 + 1, STALE, float("nan")]
    for k in range(5):
        one = made.series(cart("hard", k=str(k)), *((NOW_MS + j, v) for j, v in enumerate(hard)))
        for sample in one.samples:
            sample.start_timestamp = NOW_MS - 60_000
    return made


def names(types: object) -> Recording:
    """Any UTF-8, symbols that nobody uses, one label set in two entries and in two orders."""
    made = Recording(types)
    made.ref("nobody uses this")
    made.series(cart("größe.in.バイト", **{"weg/名": "naïve 🛒"}), (NOW_MS, 1.0))
    made.series(cart("twice"), (NOW_MS, 2.0))
    made.series(dict(reversed(cart("twice").items())), (NOW_MS + 1, 3.0))
    return made


def extras(types: object) -> Recording:
    """Exemplars and native histograms beside samples."""
    made = Recording(types)
    for k in range(4):
        one = made.series(cart("requests_total", k=str(k)), (NOW_MS, float(k)))
        refs = [made.ref("trace_id"), made.ref(f"{k:032x}")]
        one.exemplars.add(labels_refs=refs, value=k, timestamp=NOW_MS)
        made.exemplars += 1
    for k in range(3):
        one = made.series(cart("latency_seconds", k=str(k)))
        made.histograms += 1
        shape = one.histograms.add(
            schema=3, sum=1.5, zero_threshold=1e-9, timestamp=NOW_MS, reset_hint=k
        )
        shape.positive_spans.add(offset=-2, length=3)
        shape.negative_spans.add(offset=0, length=1)
        if k % 2:
            shape.count_float, shape.zero_count_float = 7.5, 0.5
            shape.positive_counts.extend([1.5, 2.5, 3.0])
        else:
            shape.count_int, shape.zero_count_int = 9, 1
            shape.positive_deltas.extend([2, -1, 5])
            shape.negative_deltas.append(1)
    return made


def empty(types: object) -> Recording:
    """Nothing."""
    return Recording(types)


def main(proto: Path) -> None:
    types = compiled(proto)
    for make in (scrape, values, names, extras, empty):
        make(types).write(make.__name__)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
