"""Labels by their bytes: as the generic reader has them, or left to it."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from rootward.errors import UnreadableBody
from rootward_ingest.label_bytes import LabelBytes
from rootward_ingest.messages import parse_time_series
from tests.unit.wire import chunk

texts = st.text(max_size=40) | st.sampled_from(["", "job", "x" * 200])
pairs = st.lists(st.tuples(texts, texts), max_size=6)


def span_of(labels: list[tuple[str, str]]) -> bytes:
    return b"".join(
        chunk(0x0A, chunk(0x0A, name.encode()) + chunk(0x12, value.encode()))
        for name, value in labels
    )


@given(pairs)
def test_ordinary_labels_are_read_and_long_ones_are_left(labels: list[tuple[str, str]]):
    read = LabelBytes().read(span_of(labels))
    assert read in (labels, None)
    if all(len(name.encode()) + len(value.encode()) <= 120 for name, value in labels):
        assert read == labels


@given(st.lists(st.binary(max_size=30), max_size=4), pairs, st.integers(0, 60))
@example([b"\x0a\x04\x0a\x01a\x12"], [], 60)
@example([b"\x0a"], [], 60)
@example([b"\x0a\x05\x0a\x01\xff\x12\x00"], [], 60)
def test_whatever_the_bytes_it_says_what_the_generic_reader_says(
    odd: list[bytes], labels: list[tuple[str, str]], cut: int
):
    known = LabelBytes()
    known.read(span_of(labels))
    for span in (b"".join(odd), span_of(labels)[:cut], span_of(labels) + b"".join(odd)):
        read = known.read(span)
        if read is None:
            continue
        try:
            series = parse_time_series(span)
        except UnreadableBody:
            raise AssertionError(f"{span!r} is no series, read as {read}") from None
        assert read == [(label.name, label.value) for label in series.labels]
        assert not series.samples


def test_equal_labels_share_their_text():
    known = LabelBytes()
    (first,), (second,) = known.read(span_of([("a", "b")])), known.read(span_of([("a", "b")]))
    assert first is second


def test_it_remembers_within_bounds():
    known = LabelBytes()
    for k in range(60_000):
        known.read(span_of([("a", str(k))]))
    assert len(known._known) <= 50_000
