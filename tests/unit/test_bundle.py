"""Parquet files and bundles: bit for bit, and nothing else is taken for one."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rootward.bundle import package, parquet
from rootward.bundle.comparison import differences
from rootward.bundle.package import Bundle
from rootward.bundle.question import Question, packed, unpacked
from rootward.errors import RootwardError, UnreadableBody
from rootward.model.series import Series
from rootward.model.window import Window
from tests.services import made_up_incident as shop

ODD = np.array([1.5, np.nan, -0.0, np.inf, 5e-324, -np.inf])


def window() -> Window:
    series = (Series.of("a", "x", zone='ä"b'), Series.of("b", "y"))
    return Window(series, np.arange(6.0) * 15, np.column_stack([ODD, ODD[::-1]]), 15.0, 3)


def question() -> Question:
    calls = (("cart", "orders"),)
    return Question(window(), shop.FRONTEND, "ridge_granger", 7, (("numpy", "2"),), calls)


def bundle() -> Bundle:
    return Bundle(shop.incident(number=7), packed(question()), shop.diagnosis())


def test_columns_come_back_bit_for_bit():
    columns = {f"c{k}": np.roll(ODD, k) for k in range(40)}
    found, facts = parquet.read(parquet.parquet(columns, {"who": "kim", "long": "x" * 999}))
    assert list(found) == list(columns)
    assert all(found[name].tobytes() == columns[name].tobytes() for name in columns)
    assert facts == {"who": "kim", "long": "x" * 999}


def test_a_question_comes_back_with_its_window():
    found = unpacked(packed(question()))
    assert found.window.series == window().series
    assert found.window.values.tobytes() == window().values.tobytes()
    assert (found.window.onset, found.window.step_seconds) == (3, 15.0)
    assert (found.symptom, found.discovery, found.seed) == (shop.FRONTEND, "ridge_granger", 7)
    assert found.calls == (("cart", "orders"),)


def test_a_question_from_before_calls_were_kept_is_read():
    columns, facts = parquet.read(packed(question()))
    head = json.loads(facts["rootward"])
    del head["calls"]
    assert unpacked(parquet.parquet(columns, {"rootward": json.dumps(head)})).calls == ()


def test_a_bundle_comes_back_and_equal_bundles_are_equal_bytes():
    data = package.bundled(bundle())
    found = package.opened(data)
    assert data == package.bundled(bundle())
    assert (found.incident, found.diagnosis) == (bundle().incident, bundle().diagnosis)
    assert found.question == bundle().question


def test_a_file_that_was_changed_is_noticed():
    data = package.bundled(bundle())
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            body = old.read(name)
            new.writestr(name, body.replace(b"0.62", b"0.63") if name == package.ANSWER else body)
    with pytest.raises(UnreadableBody, match=r"diagnosis\.json"):
        package.opened(out.getvalue())


@pytest.mark.parametrize("data", [b"", b"PK", b"PAR1PAR1PAR1", b"x" * 100])
def test_what_is_no_bundle_is_refused(data: bytes):
    with pytest.raises(UnreadableBody):
        package.opened(data)
    with pytest.raises(UnreadableBody):
        parquet.read(data)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_torn_file_is_an_error_of_ours_and_nothing_else(data: st.DataObject):
    whole = bytearray(packed(question()))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    for torn in (bytes(whole), bytes(whole[:cut])):
        try:
            unpacked(torn)
        except RootwardError:
            continue


def test_a_score_that_differs_in_its_last_bit_is_a_difference():
    first = shop.candidates()[0]
    other = shop.diagnosis(
        candidates=(
            type(first)(1, first.service, first.series, np.nextafter(first.score, 1).item()),
            *shop.candidates()[1:],
        )
    )
    assert differences(shop.diagnosis(), shop.diagnosis(seconds=99.0, cautions=())) == ()
    (found,) = differences(shop.diagnosis(), other)
    assert found.startswith("rank 1")
