"""Two values for one time: equal ones are one sample, of different ones the first stays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from rootward.ports import Platform, WindowQuery
from rootward.testing.fakes import FakeBus
from rootward_ingest.contradictions import Newest, Numbered

NOW = 1_700_000_000.0


def send(client: TestClient, *samples: tuple[float, float | None]) -> tuple[int, dict[str, int]]:
    """Status and reasons for samples of one series, each a time and a value."""
    one = {"service": "cart", "metric": "up"}
    rows = [one | {"time": NOW + time, "value": value} for time, value in samples]
    answer = client.post("/api/v1/samples", json={"samples": rows})
    return answer.status_code, answer.json()["rejected"]


def test_what_is_sent_again_is_accepted(client: TestClient):
    for _ in range(3):
        assert send(client, (0, 1.0), (15, 2.0), (30, None)) == (200, {})


def test_another_value_for_the_newest_time_is_refused_and_the_first_stays(
    client: TestClient, fake_platform: Platform
):
    assert send(client, (0, 1.0), (15, 2.0)) == (200, {})
    assert send(client, (15, 3.0), (30, 4.0)) == (400, {"duplicate_conflict": 1})
    assert isinstance(fake_platform.bus, FakeBus)
    fake_platform.bus.serve(fake_platform.samples.append)
    window = fake_platform.samples.window(WindowQuery(NOW + 30, 3, 15.0))
    assert window.values[:, 0].tolist() == [1.0, 2.0, 4.0]


def test_two_values_for_one_time_in_one_request_are_found(client: TestClient):
    assert send(client, (0, 1.0), (15, 2.0), (0, 1.0), (0, 5.0), (15, None)) == (
        400,
        {"duplicate_conflict": 2},
    )


def test_a_sample_of_an_earlier_time_is_accepted(client: TestClient):
    assert send(client, (30, 1.0)) == (200, {})
    assert send(client, (0, 7.0)) == (200, {})


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2), st.sampled_from([0.0, 1.0, 2.0]),
            st.sampled_from([1.0, 2.0, float("nan")]),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_within_a_request_the_first_value_of_a_time_is_right(
    rows: Sequence[tuple[int, float, float]],
):
    numbers = np.array([k for k, _, _ in rows], np.int64)
    times = np.array([time for _, time, _ in rows], np.float64)
    values = np.array([value for _, _, value in rows], np.float64)
    first: dict[tuple[int, float], float] = {}
    expected = []
    for k, time, value in rows:
        known = first.setdefault((k, time), value)
        expected.append(not (known == value or (np.isnan(known) and np.isnan(value))))
    newest = Newest(2)
    found = newest.contradicting(Numbered(numbers, times, values, distinct=False))
    assert found.tolist() == expected


def test_a_series_that_shares_a_cell_is_never_taken_for_another():
    newest, one = Newest(2), np.array([1.0])
    newest.remember(Numbered(np.array([0, 2]), np.array([5.0, 5.0]), np.array([1.0, 9.0]), True))
    for number in (0, 2, 4):
        own = 9.0 if number == 2 else 7.0
        wrong = newest.contradicting(Numbered(np.array([number]), 5 * one, own * one, True))
        assert not wrong.any()


def test_only_the_newest_sample_of_a_series_is_remembered():
    newest, number = Newest(4), np.array([3, 3, 3])
    newest.remember(Numbered(number, np.array([5.0, 7.0, 6.0]), np.array([1.0, 2.0, 3.0]), False))
    newest.remember(Numbered(number[:1], np.array([4.0]), np.array([8.0]), True))
    again = newest.contradicting(
        Numbered(number, np.array([7.0, 5.0, 6.0]), np.array([9.0, 9.0, 9.0]), False)
    )
    assert again.tolist() == [True, False, False]


def test_what_is_no_series_contradicts_nothing():
    newest, none = Newest(4), np.array([-1, -1])
    assert not newest.contradicting(Numbered(none, np.zeros(2), np.array([1.0, 2.0]), False)).any()
