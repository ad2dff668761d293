"""The wire walk of remote write against the generic reader, and what it makes of NaN and zero."""

import struct
from dataclasses import dataclass, field

import cramjam
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootward.errors import TooLarge, UnreadableBody
from rootward_ingest.columns import STALE_BITS
from rootward_ingest.decode import (
    decode,
    decode_generic,
    decompressed,
    uncompressed_size,
)
from rootward_ingest.known_series import KnownSeries
from rootward_ingest.reasons import Reason
from tests.unit.wire import chunk, sample, varint

NOW_MS = 1_700_000_000_000


def label(name: str, value: str) -> bytes:
    return chunk(0x0A, chunk(0x0A, name.encode()) + chunk(0x12, value.encode()))


def request(*series: bytes) -> bytes:
    return b"".join(chunk(0x0A, one) for one in series)


def known(limit: int = 1000) -> KnownSeries:
    return KnownSeries(limit, idle_seconds=3600)


@dataclass(frozen=True)
class Outcome:
    """What a reader made of a body, in comparable form."""

    series: list[object] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    bits: list[int] = field(default_factory=list)
    stale: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    error: bool = False


def outcome(reader: object, body: bytes, series: KnownSeries) -> Outcome:
    try:
        read = reader(body, series)
    except UnreadableBody:
        return Outcome(error=True)
    return Outcome(
        [slot.series or slot.reason for slot in read.slots],
        read.times.tolist(),
        read.values.view(np.uint64).tolist(),
        read.stale,
        dict(read.ignored),
    )


names = st.sampled_from(["__name__", "service", "job", "instance", "le", "größe", ""])
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
labels = st.builds(label, names, texts)
times = st.integers(NOW_MS - 10**9, NOW_MS + 10**9) | st.integers(-(2**63), 2**63 - 1)
values = st.floats() | st.sampled_from(
    [0.0, -0.0, 1.0, struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]]
)
samples = st.builds(
    sample, values, times, omit_zero=st.booleans(), time_first=st.sampled_from([False] * 5 + [True])
)
others = st.sampled_from(
    [
        chunk(0x1A, b"\x09" + bytes(8)),  # exemplar
        chunk(0x22, b"\x08\x01"),  # histogram
        chunk(0x7A, b"later"),  # a field of a version to come
        b"\x68\x07",  # another one, a number
        b"",
    ]
)
usual_labels = st.builds(
    lambda metric, more: b"".join((label("__name__", metric), label("service", "cart"), *more)),
    st.sampled_from(["up", "latency_seconds"]),
    st.lists(labels, max_size=2),
)
usual = st.builds(lambda head, tail: head + tail, usual_labels, samples)
unusual = st.lists(labels | samples | others, max_size=6).map(b"".join)
metadata = st.just(chunk(0x1A, b"\x08\x01"))
bodies = st.lists(
    (usual | usual | unusual).map(lambda one: chunk(0x0A, one)) | metadata, max_size=8
).map(b"".join)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(bodies, min_size=1, max_size=3))
def test_the_wire_walk_reads_what_the_generic_reader_reads(sent: list[bytes]):
    fast, generic = known(), known()
    for body in sent * 2:  # the second time, all spellings are known
        assert outcome(decode, body, fast) == outcome(decode_generic, body, generic)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(bodies, st.data())
def test_both_readers_agree_on_damaged_bodies(body: bytes, data: st.DataObject):
    damaged = bytearray(body)
    for _ in range(data.draw(st.integers(0, 3))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    warm = known()
    outcome(decode, body, warm)
    for sent in (bytes(damaged), bytes(damaged[:cut])):
        assert outcome(decode, sent, warm) == outcome(decode_generic, sent, known())


def test_a_time_series_of_many_kinds_keeps_the_order_of_the_request():
    cart = label("__name__", "up") + label("service", "cart")
    body = request(
        cart + sample(1.0, NOW_MS),
        cart + sample(2.0, NOW_MS + 1) + sample(3.0, NOW_MS + 2),
        cart + sample(0.0, NOW_MS + 3),
        cart + sample(4.0, -5),
        cart + sample(5.0, NOW_MS + 4),
    )
    read = decode(body, known())
    assert read.values.tolist() == [1.0, 2.0, 3.0, 0.0, 4.0, 5.0]
    assert (read.times * 1000).round().tolist() == [
        NOW_MS, NOW_MS + 1, NOW_MS + 2, NOW_MS + 3, -5, NOW_MS + 4,
    ]  # fmt: skip


def test_one_label_set_in_two_orders_is_one_series():
    head = label("__name__", "up"), label("service", "cart")
    body = request(head[0] + head[1] + sample(1.0, NOW_MS), head[1] + head[0] + sample(2.0, NOW_MS))
    first, second = decode(body, known()).slots
    assert first is second


def test_a_staleness_marker_becomes_a_plain_nan_and_is_counted():
    stale, other = struct.unpack("<2d", struct.pack("<2Q", STALE_BITS, 0x7FF8000000000001))
    cart = label("__name__", "up") + label("service", "cart")
    read = decode(request(cart + sample(stale, NOW_MS), cart + sample(other, NOW_MS)), known())
    assert read.stale == 1
    assert np.isnan(read.values).all()
    assert len(set(read.values.view(np.uint64).tolist())) == 1


def test_a_series_without_samples_takes_no_place_among_the_known():
    series = known()
    decode(request(label("__name__", "up") + label("service", "cart")), series)
    assert len(series) == 0


def test_a_body_that_cannot_be_read_takes_no_place_among_the_known():
    series = known()
    good = label("__name__", "up") + label("service", "cart") + sample(1.0, NOW_MS)
    with pytest.raises(UnreadableBody):
        decode(request(good) + b"\x0a\x05torn", series)
    assert len(series) == 0


def test_exemplars_histograms_and_metadata_are_counted():
    cart = label("__name__", "up") + label("service", "cart")
    body = request(cart + sample(1.0, NOW_MS) + chunk(0x1A, b"") + chunk(0x22, b""))
    assert decode(body, known()).ignored == {"exemplar": 1, "histogram": 1}
    assert decode(chunk(0x1A, b""), known()).ignored == {"metadata": 1}


def test_spellings_are_forgotten_at_a_bound_but_series_are_not():
    series = known(limit=2)
    cart = label("__name__", "up"), label("service", "cart")
    for extra in range(20):
        unknown = b"\x68" + varint(extra)
        decode(request(cart[0] + cart[1] + unknown + sample(1.0, NOW_MS)), series)
    assert len(series._spans["remote_write"]) <= 4
    assert len(series) == 1


def test_new_series_beyond_the_limit_are_refused_and_known_ones_go_on():
    series = known(limit=1)
    up = label("__name__", "up") + label("service", "cart") + sample(1.0, NOW_MS)
    new = label("__name__", "new") + label("service", "cart") + sample(1.0, NOW_MS)
    decode(request(up), series)
    first, second = decode(request(new, up), series).slots
    assert first.reason is Reason.SERIES_LIMIT
    assert second.reason is None


def test_idle_series_make_room_for_new_ones():
    series = known(limit=1)
    up = label("__name__", "up") + label("service", "cart") + sample(1.0, NOW_MS)
    new = label("__name__", "new") + label("service", "cart") + sample(1.0, NOW_MS)
    decode(request(up), series).slots[0].seen_unix = 1000.0
    decode(request(new), series)
    series.make_room(now=1000.0 + 3601)
    assert decode(request(new), series).slots[0].reason is None
    assert decode(request(up), series).slots[0].reason is Reason.SERIES_LIMIT


def test_the_claimed_size_of_a_snappy_block_is_read_without_decompressing():
    assert uncompressed_size(bytes(cramjam.snappy.compress_raw(b"a" * 1000))) == 1000


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "does not begin with its size"),
        (b"\xff\xff\xff\xff\xff\xff", "does not begin with its size"),
        (varint(2**31) + b"x", "cannot hold"),
        (bytes(cramjam.snappy.compress(b"hello")), "framed"),
        (varint(5) + b"\x0chello", "not a snappy block"),
        (varint(40) + bytes(cramjam.snappy.compress_raw(b"hello"))[1:], "not a snappy block"),
        (varint(2) + bytes(cramjam.snappy.compress_raw(b"hello"))[1:], "not a snappy block"),
    ],
)
def test_a_block_that_is_not_snappy_is_refused_with_a_reason(body: bytes, complaint: str):
    with pytest.raises(UnreadableBody, match=complaint):
        decompressed(body, limit=2**30)


def test_a_zip_bomb_is_refused_before_it_is_decompressed():
    bomb = bytes(cramjam.snappy.compress_raw(bytes(2**20)))
    with pytest.raises(TooLarge, match="1048576"):
        decompressed(bomb, limit=2**20 - 1)
