"""What is fuzzed: everything that reads bytes from outside. Each target takes any bytes.

A target may refuse them with one of our errors; whatever else it raises is a bug.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from starlette.datastructures import Headers

from rootward.adapters.sql.chunks import decoded
from rootward.codec import batch_from_bytes
from rootward.errors import InvalidConfiguration, InvalidInput
from rootward.ports import DEFAULT_TENANT
from rootward.testing.fakes import FakeBus, fake_platform
from rootward_ingest import decode, decode_v2
from rootward_ingest.alerts import Alerts
from rootward_ingest.changes import Changes
from rootward_ingest.desk import Parcel, Route
from rootward_ingest.experiments import Experiments
from rootward_ingest.exposition import Exposition
from rootward_ingest.inflight import Budget, Claim
from rootward_ingest.intake import Intake, Readings
from rootward_ingest.known_series import KnownSeries
from rootward_ingest.limits import Limits
from rootward_ingest.otlp import JsonForm, OtlpRoute, ProtobufForm
from rootward_ingest.remote_write import RemoteWriteV1, RemoteWriteV2
from rootward_ingest.samples import Samples
from rootward_ingest.symbols import SymbolIds
from rootward_ingest.targets import read_targets

Target = Callable[[bytes], None]
LIMITS = Limits(max_body_bytes=2**20, max_decompressed_bytes=2**22, max_series=200)
NO_HEADERS = Headers()
FORGET_AFTER = 2000
"""Inputs after which a target starts from an empty platform: fakes keep all that they are given."""


def through(make: Callable[[Intake], Route]) -> Callable[[], Target]:
    """A whole route: decoding, limits, label rules, and the answer."""

    def target() -> Target:
        platform = fake_platform()
        route = make(Intake(platform, LIMITS))
        budget = Budget(LIMITS.inflight_bytes)

        def take(body: bytes) -> None:
            with Claim(budget) as claim:
                route.take(Parcel(body, claim, NO_HEADERS, DEFAULT_TENANT))
            assert isinstance(platform.bus, FakeBus)
            platform.bus.published.clear()

        return take

    return target


Reader = Callable[[bytes, KnownSeries], Readings]


def alike(make_fast: Callable[[], Reader], plain: Reader) -> Callable[[], Target]:
    """Two decoders of one format, which must agree on every input."""

    def target() -> Target:
        known, fast = KnownSeries(LIMITS.max_series, 3600.0), make_fast()

        def compare(body: bytes) -> None:
            found = [_outcome(read, body, known) for read in (fast, plain, fast)]
            assert found[0] == found[1] == found[2], found

        return compare

    return target


def _outcome(read: Reader, body: bytes, known: KnownSeries) -> object:
    try:
        made = read(body, known)
    except InvalidInput as error:
        return type(error).__name__
    series = [slot.series or slot.reason for slot in made.slots]
    bits = made.values.view(np.uint64).tolist()
    return series, made.times.tolist(), bits, made.stale, dict(made.ignored)


def _second() -> Reader:
    numbers = SymbolIds(1000)  # as long-lived as the series, whose spellings are made of them
    return lambda body, known: decode_v2.decode(body, known, numbers)


def _exposed(body: bytes) -> None:
    text = body.decode("utf-8", "replace")
    for media in ("text/plain", "application/openmetrics-text; version=1.0.0"):
        try:
            Exposition((("job", "cart"),)).read(text, media)
        except InvalidInput:
            continue


TARGETS: Mapping[str, Callable[[], Target]] = {
    "remote_write_v1": through(RemoteWriteV1),
    "remote_write_v2": through(RemoteWriteV2),
    "remote_write_v1_alike": alike(lambda: decode.decode, decode.decode_generic),
    "remote_write_v2_alike": alike(_second, decode_v2.decode_generic),
    "otlp_protobuf": through(lambda intake: OtlpRoute(intake, ProtobufForm())),
    "otlp_json": through(lambda intake: OtlpRoute(intake, JsonForm())),
    "samples": through(Samples),
    "alerts": through(lambda intake: Alerts(fake_platform(), intake)),
    "changes": through(lambda intake: Changes(fake_platform(), LIMITS)),
    "experiments": through(lambda intake: Experiments(fake_platform(), LIMITS)),
    "exposition": lambda: _exposed,
    "scrape_targets": lambda: lambda body: read_targets(body) and None,
    "batch": lambda: lambda body: batch_from_bytes(body) and None,
    "chunk": lambda: lambda body: decoded(body) and None,
}


def forgiving(name: str) -> Target:
    """A target that passes over what it may refuse, and keeps nothing of what it was given."""
    state = {"left": 0, "target": TARGETS[name]()}

    def one(body: bytes) -> None:
        if not state["left"]:
            state.update(left=FORGET_AFTER, target=TARGETS[name]())
        state["left"] -= 1
        try:
            state["target"](body)
        except (InvalidInput, InvalidConfiguration):
            return

    return one
