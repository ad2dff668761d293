"""Messages: what goes in comes out, and what is not ours is refused."""

from __future__ import annotations

import math
from dataclasses import replace

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rootward.codec import batch_from_bytes, batch_to_bytes, from_json, to_json
from rootward.errors import InvalidInput, UnreadableBody
from rootward.model.graph import CausalGraph, Edge
from rootward.model.incident import Change, Incident, Severity, Status
from rootward.model.result import (
    Analysis,
    Bars,
    Block,
    GraphBlock,
    Heatmap,
    Line,
    Lines,
    Note,
    Result,
    Scatter,
    Table,
)
from rootward.model.series import Sample, SampleBatch, Series

CART = Series.of("cpu_usage", "cart", instance="cart-1")
SHOP = Series.of("größe", 'shop"\\\n|{}', zone="ä")

_names = st.text('aZ0_äß"\\\n{}|=,💥', min_size=1, max_size=6)
_rows = st.tuples(*[_names] * 3, st.floats(allow_nan=False, allow_infinity=False), st.floats())
_few = hypothesis.settings(max_examples=50, deadline=None, derandomize=True, database=None)


def _message() -> bytes:
    return batch_to_bytes(SampleBatch.of([Sample(CART, 1.0, 2.0), Sample(SHOP, 3.0, 4.0)]))


@_few
@given(st.lists(_rows, max_size=8), _names)
def test_a_batch_comes_back_bit_by_bit(rows: list[tuple[str, str, str, float, float]], tenant: str):
    samples = [
        Sample(Series.of(metric, service, zone=zone), time, value)
        for metric, service, zone, time, value in rows
    ]
    sent = SampleBatch.of(samples, tenant)

    got = batch_from_bytes(batch_to_bytes(sent))

    assert (got.tenant, got.series) == (sent.tenant, sent.series)
    assert got.index.tolist() == sent.index.tolist()
    assert got.times.tobytes() == sent.times.tobytes()
    assert got.values.tobytes() == sent.values.tobytes()


def test_other_number_types_are_widened():
    columns = (np.array([0], np.int64), np.array([5], np.int32), np.array([1.5], np.float32))

    got = batch_from_bytes(batch_to_bytes(SampleBatch("default", (CART,), *columns)))

    assert (got.index.dtype, got.times.dtype, got.values.dtype) == ("<i4", "<f8", "<f8")
    assert (got.times[0], got.values[0]) == (5.0, 1.5)


def test_a_message_that_is_cut_anywhere_is_refused():
    whole = _message()
    for size in range(len(whole)):
        with pytest.raises(UnreadableBody):
            batch_from_bytes(whole[:size])


@_few
@given(st.binary(max_size=200))
def test_bytes_that_are_no_message_are_refused(data: bytes):
    with pytest.raises(UnreadableBody):
        batch_from_bytes(data)


@_few
@given(st.integers(0, 11), st.integers(0, 255))
def test_a_damaged_head_never_makes_another_error(position: int, byte: int):
    data = bytearray(_message())
    data[position] = byte
    try:
        batch_from_bytes(bytes(data))
    except UnreadableBody:
        return
    assert bytes(data) == _message() or position >= 8  # fewer samples: the rest is left over


def test_a_later_version_is_named():
    with pytest.raises(UnreadableBody, match="RWB2"):
        batch_from_bytes(b"RWB2" + _message()[4:])


def test_a_sample_of_a_series_that_is_not_there_is_refused():
    batch = SampleBatch.of([Sample(CART, 1.0, 2.0)])

    with pytest.raises(UnreadableBody, match="refers to a series"):
        batch_from_bytes(batch_to_bytes(replace(batch, index=np.array([1], np.int32))))


def test_a_series_without_a_service_is_refused():
    data = _message().replace(b'"service"', b'"serviced"')
    head = data[:4] + (
        len(data) - len(_message()) + int.from_bytes(_message()[4:8], "little")
    ).to_bytes(4, "little")

    with pytest.raises(UnreadableBody, match="no `service` label"):
        batch_from_bytes(head + data[8:])


def test_every_kind_of_block_comes_back_as_it_was():
    graph = CausalGraph((CART, SHOP), (Edge(CART, SHOP, 2, 0.5, -1, None),))
    blocks: tuple[Block, ...] = (
        Table("t", ("a", "b", "c", "d"), (("x", 1, 1.5, None),)),
        Lines("t", (1.0, 2.0), (Line("x", (None, 2.0)),), "ms"),
        Bars("t", ("x",), (1.0,)),
        Heatmap("t", ("r",), ("c",), ((None,),)),
        Scatter("t", "x (s)", "y (ms)", ("p",), (1.0,), (2.0,)),
        GraphBlock("t", graph),
        Note("plain"),
    )
    analysis = Analysis("id0", "pagerank", "{}", "ok", Result("An answer.", blocks, ("care",)))

    assert from_json(to_json(analysis, Analysis), Analysis) == analysis


def test_an_incident_comes_back_as_it_was():
    incident = Incident(
        "id0", "default", 1.5, 2.5, SHOP, (Change(CART, 1.5, -3.0, 1.0, 0.1 + 0.2),), "größer",
        Severity.CRITICAL, Status.RESOLVED, 9.0, 10.0, 7,
    )  # fmt: skip

    assert from_json(to_json(incident, Incident), Incident) == incident


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_cannot_say_is_refused_when_written(value: float):
    with pytest.raises(InvalidInput, match="Change holds NaN or infinity"):
        to_json(Change(CART, 1.0, value, 1.0, 2.0), Change)


@pytest.mark.parametrize("data", ["", "nonsense", "[]", "{}", '{"series": 1}'])
def test_json_of_another_kind_is_refused(data: str):
    with pytest.raises(UnreadableBody, match="not a Change"):
        from_json(data, Change)


def test_a_field_of_a_later_version_is_left_out():
    entry = to_json(Change(CART, 1.0, 2.0, 3.0, 4.0), Change)

    assert from_json(entry[:-1] + ',"later": 1}', Change) == Change(CART, 1.0, 2.0, 3.0, 4.0)
