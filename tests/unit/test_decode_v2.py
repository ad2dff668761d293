"""The wire walk of remote write 2.0 against the generic reader, on bodies encoded by hand."""

import struct
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootward.errors import UnreadableBody
from rootward.model.series import Series
from rootward_ingest import decode_v2
from rootward_ingest.columns import STALE_BITS
from rootward_ingest.decode_v2 import EMPTY_SERIES, decode_generic
from rootward_ingest.intake import Readings
from rootward_ingest.known_series import KnownSeries
from rootward_ingest.reasons import Reason
from rootward_ingest.symbols import SymbolIds
from tests.unit.wire import Version2, chunk, sample, varint

NOW_MS = 1_700_000_000_000
CART = {"__name__": "up", "service": "cart"}
STALE = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]
EXEMPLAR, HISTOGRAM = chunk(0x22, b"\x11" + bytes(8)), chunk(0x1A, b"\x08\x01")


class Reader:
    """The fast reader with what it remembers from request to request."""

    def __init__(self, limit: int = 1000, symbols: int = 1000) -> None:
        self.known = KnownSeries(limit, idle_seconds=3600)
        self.numbers = SymbolIds(symbols)

    def __call__(self, body: bytes) -> Readings:
        return decode_v2.decode(body, self.known, self.numbers)


def generic(body: bytes) -> Readings:
    return decode_generic(body, KnownSeries(1000, idle_seconds=3600))


def outcome(read: object) -> object:
    """What a reader made of a body, in comparable form; None where it could not read it."""
    try:
        got = read()
    except UnreadableBody:
        return None
    return (
        [slot.series or slot.reason for slot in got.slots],
        got.times.tolist(),
        got.values.view(np.uint64).tolist(),
        got.stale,
        dict(got.ignored),
    )


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
names = st.sampled_from(["__name__", "service", "job", "instance", "le", "größe", ""])
label_sets = st.builds(
    lambda more, base: more | base,
    st.dictionaries(names, texts, max_size=3),
    st.sampled_from([CART, CART | {"service": "user"}, {}]),
)
times = st.integers(NOW_MS - 10**9, NOW_MS + 10**9) | st.integers(-(2**63), 2**63 - 1)
values = st.floats() | st.sampled_from([0.0, -0.0, 1.0, STALE])
samples = st.builds(
    sample, values, times, omit_zero=st.booleans(), time_first=st.sampled_from([False] * 5 + [True])
)
others = st.sampled_from(
    [
        EXEMPLAR,
        HISTOGRAM,
        chunk(0x7A, b"later"),
        b"\x68\x07",
        chunk(0x0A, b"\x01"),
        chunk(0x0A, b"\x01\x02"),
        b"\x08\x01",
        chunk(0x2A, b"\x18\x7f"),
        chunk(0x2A, b"torn"),
    ]
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    request = Version2()
    for k in range(draw(st.integers(0, 3)) and draw(st.sampled_from([0, 3, 200]))):
        request.ref(f"filler-{k}")  # so that references take two bytes
    for _ in range(draw(st.integers(0, 6))):
        labels = draw(label_sets)
        if draw(st.booleans()):
            metadata = [request.metadata(1, draw(texts), draw(texts))] * draw(st.integers(0, 1))
            request.add(labels, draw(samples), *metadata)
        else:
            request.add(labels, *draw(st.lists(samples | others, max_size=4)))
    body = request.encoded()
    return draw(st.sampled_from([b"", b"", chunk(0x22, b"more"), chunk(0x7A, b"later")])) + body


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(bodies(), min_size=1, max_size=3))
def test_the_wire_walk_reads_what_the_generic_reader_reads(sent: list[bytes]):
    fast = Reader()
    for body in sent * 2:  # the second time, all label sets are known
        assert outcome(lambda b=body: fast(b)) == outcome(lambda b=body: generic(b))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(bodies(), st.data())
def test_both_readers_agree_on_damaged_bodies(body: bytes, data: st.DataObject):
    damaged = bytearray(body)
    for _ in range(data.draw(st.integers(0, 3))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(damaged)))
    warm = Reader()
    outcome(lambda: warm(body))
    for sent in (bytes(damaged), bytes(damaged[:cut])):
        assert outcome(lambda b=sent: warm(b)) == outcome(lambda b=sent: generic(b))


def test_an_ordinary_request_is_read_without_the_generic_reader(monkeypatch: pytest.MonkeyPatch):
    request = Version2()
    for k in range(300):
        labels = CART | {"instance": f"cart-{k}"}
        request.add(labels, sample(k % 3, NOW_MS + k), request.metadata(2, "Whether up.", ""))

    def unexpected(data: bytes) -> None:
        raise AssertionError("took the slow path")

    monkeypatch.setattr(decode_v2, "cut_one_by_one", unexpected)
    monkeypatch.setattr(decode_v2.messages, "parse_request_v2", unexpected)
    read = Reader()(request.encoded())
    assert read.slots[299].series == Series.of("up", "cart", instance="cart-299")
    assert read.values.tolist() == [k % 3 for k in range(300)]
    assert (read.times * 1000).round().tolist() == [NOW_MS + k for k in range(300)]


def test_one_series_at_other_places_of_the_table_is_the_same_series():
    first = Version2().add(CART, sample(1.0, NOW_MS))
    second = Version2().add({"__name__": "x", "service": "y"}, sample(1.0, NOW_MS))
    second.add(CART, sample(2.0, NOW_MS))
    read = Reader()
    assert read(first.encoded()).slots[0] is read(second.encoded()).slots[1]


def test_kinds_of_series_mixed_keep_the_order_of_the_request():
    request = Version2()
    request.add(CART, sample(1.0, NOW_MS))
    request.add(CART, sample(2.0, NOW_MS + 1), sample(3.0, NOW_MS + 2))
    request.add(CART, sample(0.0, NOW_MS + 3))
    request.add(CART, sample(4.0, -5))
    request.add(CART, sample(5.0, NOW_MS + 4), request.metadata(1, "help", "s"))
    read = Reader()(request.encoded())
    assert read.values.tolist() == [1.0, 2.0, 3.0, 0.0, 4.0, 5.0]


def test_a_staleness_marker_is_told_from_another_nan():
    other = struct.unpack("<d", struct.pack("<Q", 0x7FF8000000000001))[0]
    request = Version2().add(CART, sample(STALE, NOW_MS)).add(CART, sample(other, NOW_MS))
    read = Reader()(request.encoded())
    assert read.stale == 1
    assert np.isnan(read.values).all()


@pytest.mark.parametrize(
    "wrong",
    [
        chunk(0x0A, varint(1) + varint(9)) + sample(1.0, NOW_MS),
        chunk(0x0A, varint(1) + varint(2**32 - 1)) + sample(1.0, NOW_MS),
        chunk(0x0A, varint(1)) + sample(1.0, NOW_MS),
        chunk(0x0A, varint(1) + varint(2)) + sample(1.0, NOW_MS) + chunk(0x2A, b"\x18\x63"),
        chunk(0x0A, varint(1) + varint(2)) + sample(1.0, NOW_MS) * 2 + chunk(0x2A, b"\x20\x63"),
    ],
)
def test_a_reference_to_nothing_spoils_the_request_and_takes_no_place(wrong: bytes):
    read = Reader()
    request = Version2().add(CART, sample(1.0, NOW_MS))
    request.series.append(wrong)
    with pytest.raises(UnreadableBody, match=r"reference to symbol|without a value"):
        read(request.encoded())
    assert len(read.known) == 0


def test_a_symbol_that_is_not_text_spoils_the_request():
    body = Version2().add(CART, sample(1.0, NOW_MS)).encoded().replace(b"cart", b"c\xffrt")
    with pytest.raises(UnreadableBody):
        Reader()(body)


def test_what_is_not_stored_is_counted():
    request = Version2().add(CART, sample(1.0, NOW_MS), EXEMPLAR)
    request.add(CART, HISTOGRAM, HISTOGRAM).add(CART)
    read = Reader()(request.encoded())
    assert read.ignored == {"exemplar": 1, "histogram": 2, EMPTY_SERIES: 1}
    assert read.values.tolist() == [1.0]


def test_new_series_beyond_the_limit_are_refused_and_known_ones_go_on():
    read = Reader(limit=1)
    read(Version2().add(CART, sample(1.0, NOW_MS)).encoded())
    both = Version2().add(CART | {"__name__": "new"}, sample(1.0, NOW_MS))
    both.add(CART, sample(2.0, NOW_MS))
    first, second = read(both.encoded()).slots
    assert (first.reason, second.reason) == (Reason.SERIES_LIMIT, None)


def test_symbols_are_forgotten_at_a_bound_and_numbers_never_given_twice():
    numbers = SymbolIds(limit=4)
    seen: set[int] = set()
    for k in range(20):
        got = numbers.of([b"up", f"pod-{k}".encode(), b"up"]).tolist()
        assert got[0] == got[2] != got[1]
        assert got[1] not in seen
        seen |= set(got)
        assert len(numbers) <= 4


def test_threads_agree_on_the_numbers_of_symbols():
    numbers = SymbolIds(limit=100)
    symbols = [f"symbol-{k}".encode() for k in range(100)]
    start, got = threading.Barrier(4), []

    def ask() -> None:
        start.wait(20)
        got.append(tuple(numbers.of(symbols).tolist()))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(got) == 4
    assert len(set(got)) == 1
    assert len(set(got[0])) == 100
