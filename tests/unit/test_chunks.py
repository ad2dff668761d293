"""Chunks come back bit for bit, and are written in the smaller of two ways."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootward.adapters.sql.chunks import Columns, chunk_of, columns_of, decoded, encoded, packed
from rootward.errors import UnreadableBody

numbers = st.floats() | st.sampled_from([0.0, -0.0, 1.5])
rows = st.lists(st.tuples(st.integers(1, 5), st.integers(-(10**15), 10**15), numbers), min_size=1)


def _columns(sent: list[tuple[int, int, float]]) -> Columns:
    ids, times, values = zip(*sent, strict=True)
    places, index = np.unique(np.array(ids, np.int64), return_inverse=True)
    return Columns(
        places, index.astype(np.int32), np.array(times, np.int64), np.array(values, np.float64)
    )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(rows)
def test_a_batch_and_its_chunk_come_back_bit_for_bit(sent: list[tuple[int, int, float]]):
    columns = _columns(sent)
    back = columns_of(packed(columns))
    for name in ("ids", "index", "times"):
        assert getattr(back, name).tolist() == getattr(columns, name).tolist()
    assert back.values.view(np.uint64).tolist() == columns.values.view(np.uint64).tolist()

    chunk = chunk_of(columns.ids[columns.index], columns.times, columns.values)
    for read in (decoded(encoded(chunk)), decoded(packed(columns))):
        for name in ("ids", "counts", "times"):
            assert getattr(read, name).tolist() == getattr(chunk, name).tolist()
        assert read.values.view(np.uint64).tolist() == chunk.values.view(np.uint64).tolist()


def test_values_that_come_back_and_values_that_creep_are_both_small():
    rng = np.random.default_rng(5)
    few = rng.choice(rng.normal(size=40), 20_000)
    creeping = 1e6 + np.cumsum(rng.integers(0, 3, 20_000)).astype(float)
    ids, times = np.ones(20_000, np.int64), np.arange(20_000) * 15_000_000
    for values in (few, creeping):
        chunk = chunk_of(ids, times, values)
        assert len(encoded(chunk)) < 1.5 * len(chunk)
        assert decoded(encoded(chunk)).values.tolist() == values.tolist()


def test_a_chunk_with_one_bit_wrong_is_refused():
    chunk = chunk_of(np.ones(3, np.int64), np.arange(3), np.ones(3))
    for body in (encoded(chunk), packed(_columns([(1, 2, 3.0), (2, 2, 4.0)]))):
        for place in (0, 13, len(body) - 1):
            wrong = bytearray(body)
            wrong[place] ^= 1
            with pytest.raises(UnreadableBody):
                decoded(bytes(wrong))
