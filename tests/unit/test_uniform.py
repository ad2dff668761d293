"""Requests that are cut all at once are read as the generic reader reads them."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootward.errors import UnreadableBody
from rootward_ingest import decode as v1
from rootward_ingest import decode_v2 as v2
from rootward_ingest.columns import STALE_BITS, tails_like
from rootward_ingest.cut_v2 import uniform_cut
from rootward_ingest.intake import Readings
from rootward_ingest.known_series import KnownSeries
from rootward_ingest.limits import Limits
from rootward_ingest.spellings import Spellings
from rootward_ingest.symbols import SymbolIds
from tests.unit.wire import Version2, chunk, sample

TEXT_LIKE_A_TIME = "é€1"
"""As bytes, a varint of six, and a time of 2023."""
NOW_MS = sum((b & 0x7F) << 7 * k for k, b in enumerate(TEXT_LIKE_A_TIME.encode()))
STALE = struct.unpack("<d", struct.pack("<Q", STALE_BITS))[0]

values = st.floats() | st.sampled_from([0.0, 0.0, -0.0, STALE])
times = st.integers(NOW_MS - 10**6, NOW_MS + 10**6)
texts = st.sampled_from(
    [
        "cart",
        "x" * 130,
        "\x12\x10\t01234567\x10" + TEXT_LIKE_A_TIME,  # a whole sample
        "\x12\x07\x10" + TEXT_LIKE_A_TIME,  # one of a zero
        TEXT_LIKE_A_TIME,
        "\x10" + TEXT_LIKE_A_TIME,
        "*\x02\x18\x01",
        "\n",
    ]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
label_sets = st.builds(
    lambda more: {"__name__": "up", "service": "cart"} | more,
    st.dictionaries(st.sampled_from(["a", "path", "z"]), texts, max_size=2),
)
rows = st.lists(st.tuples(label_sets, values, times), min_size=1, max_size=12)


def first(sent: list[tuple[dict[str, str], float, int]]) -> bytes:
    """A request of version 1.0."""
    return b"".join(
        chunk(
            0x0A,
            b"".join(
                chunk(0x0A, chunk(0x0A, name.encode()) + chunk(0x12, value.encode()))
                for name, value in labels.items()
            )
            + sample(value, time, omit_zero=True),
        )
        for labels, value, time in sent
    )


def second(sent: list[tuple[dict[str, str], float, int]], described: bool) -> bytes:
    """A request of version 2.0."""
    request = Version2()
    for labels, value, time in sent:
        about = [request.metadata(1, "Whether up.", "")] if described else []
        request.add(labels, sample(value, time, omit_zero=True), *about)
    return request.encoded()


def outcome(read: Callable[[], Readings]) -> object:
    """What a reader made of a body, in comparable form; None where it could not read it."""
    try:
        got = read()
    except UnreadableBody:
        return None
    bits = got.values.view(np.uint64).tolist()
    series = [slot.series or slot.reason for slot in got.slots]
    return series, got.times.tolist(), bits, got.stale, dict(got.ignored)


def known() -> KnownSeries:
    return KnownSeries(1000, idle_seconds=3600)


class Warm:
    """The fast readers, with what they remember."""

    def __init__(self) -> None:
        self.known, self.numbers = known(), SymbolIds(1000)

    def first(self, body: bytes) -> object:
        return outcome(lambda: v1.decode(body, self.known))

    def second(self, body: bytes) -> object:
        return outcome(lambda: v2.decode(body, self.known, self.numbers))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(rows, min_size=1, max_size=3), st.booleans())
def test_text_that_looks_like_samples_fools_nobody(sent: list, described: bool):
    warm = Warm()
    for one in sent * 2:
        body = first(one)
        assert warm.first(body) == outcome(lambda b=body: v1.decode_generic(b, known()))
        body = second(one, described)
        assert warm.second(body) == outcome(lambda b=body: v2.decode_generic(b, known()))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(rows, st.booleans(), st.data())
def test_damaged_bodies_are_read_as_the_generic_reader_reads_them(
    sent: list, described: bool, data: st.DataObject
):
    warm = Warm()
    for whole, read, generic in (
        (first(sent), warm.first, v1.decode_generic),
        (second(sent, described), warm.second, v2.decode_generic),
    ):
        read(whole)
        damaged = bytearray(whole)
        for _ in range(data.draw(st.integers(0, 2))):
            place = data.draw(st.integers(0, len(damaged) - 1))
            damaged[place] = data.draw(st.integers(0, 255))
        for body in (bytes(damaged), bytes(damaged[: data.draw(st.integers(0, len(whole)))])):
            assert read(body) == outcome(lambda b=body, g=generic: g(b, known()))


@pytest.mark.parametrize("described", [True, False])
def test_requests_as_prometheus_sends_them_are_cut_at_once(
    described: bool, monkeypatch: pytest.MonkeyPatch
):
    def unexpected(*_: object) -> None:
        raise AssertionError("took a slow path")

    sent = [
        ({"__name__": f"m{k % 9}", "service": f"s{k}", "zone": "z" * (k % 200)}, k % 3, NOW_MS + k)
        for k in range(500)
    ]
    monkeypatch.setattr(v1, "_cut", unexpected)
    monkeypatch.setattr(v2, "cut_one_by_one", unexpected)
    for read in (
        v1.decode(first(sent), known()),
        v2.decode(second(sent, described), known(), SymbolIds(9000)),
    ):
        assert [slot.series.service for slot in read.slots] == [f"s{k}" for k in range(500)]
        assert read.values.tolist() == [k % 3 for k in range(500)]
        assert (read.times * 1000).round().tolist() == [NOW_MS + k for k in range(500)]


def test_samples_that_end_closer_together_than_any_sample_are_no_cut():
    close = b"\x12\x07\x10" + TEXT_LIKE_A_TIME.encode() + b"\x10" + TEXT_LIKE_A_TIME.encode()[:5]
    body = bytes(20) + close + b"1"
    assert tails_like(body, len(body)) is not None
    assert v1._uniform(body, known(), Limits()) is None
    assert uniform_cut(body, 1000) is None


sequences = st.lists(st.lists(st.integers(0, 200), max_size=120), min_size=1, max_size=6)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(sequences)
def test_spellings_mean_what_a_dictionary_says_in_whatever_order_they_come(sent: list[list[int]]):
    spellings, plain = Spellings[str](), {}
    for numbers in sent:
        asked = [str(number).encode() for number in numbers]
        assert spellings.meanings(asked) == [plain.get(one) for one in asked]
        fresh = {one: one.decode() for one in asked if one not in plain}
        spellings.add(fresh)
        plain |= fresh
    assert len(spellings) == len(plain)
    assert spellings.size == sum(map(len, plain))
