"""Rows of a store that others fill reach the detector once each, soon after they end."""

import threading
from collections.abc import Callable

import numpy as np
import pytest

from rootward.adapters.pulled_bus import SETTLE_SECONDS, PulledBus
from rootward.errors import InvalidInput, Unavailable
from rootward.model.series import Sample, SampleBatch, Series
from rootward.testing.fakes import FakeSampleStore, ManualClock

CART = Series.of("load", "cart")
STEP = 15.0
ROW = 1_700_000_010.0
"""The end of a row."""


@pytest.fixture
def samples() -> FakeSampleStore:
    store = FakeSampleStore()
    store.append(SampleBatch.of([Sample(CART, ROW + k * STEP - 3, float(k)) for k in range(60)]))
    return store


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(ROW)


@pytest.fixture
def bus(samples: FakeSampleStore, clock: ManualClock) -> PulledBus:
    return PulledBus(samples, clock, STEP, refusal="read from elsewhere")


def collector() -> tuple[list[tuple[float, float]], Callable[[SampleBatch], None]]:
    """A list of (time, value), and the handler that fills it."""
    seen: list[tuple[float, float]] = []

    def take(batch: SampleBatch) -> None:
        seen.extend(zip(batch.times.tolist(), batch.values.tolist(), strict=True))

    return seen, take


def test_a_row_comes_once_when_it_has_settled(bus: PulledBus, clock: ManualClock):
    seen, take = collector()
    for moved in (SETTLE_SECONDS, STEP - 0.5, 0.25, 0.25):
        clock.advance(moved)
        bus.pull(take)

    assert seen == [(ROW, 0.0), (ROW + STEP, 1.0)]


def test_rows_that_were_missed_come_together_in_order(bus: PulledBus, clock: ManualClock):
    seen, take = collector()
    clock.advance(SETTLE_SECONDS)
    bus.pull(take)
    clock.advance(3 * STEP)
    bus.pull(take)

    assert [value for _, value in seen] == [0.0, 1.0, 2.0, 3.0]
    assert np.diff([time for time, _ in seen]).tolist() == [STEP] * 3


def test_a_row_that_could_not_be_read_or_handled_comes_again(
    bus: PulledBus, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, samples: FakeSampleStore
):
    seen, take = collector()

    def fail(*_: object) -> None:
        raise Unavailable("no answer")

    clock.advance(SETTLE_SECONDS)
    with pytest.raises(Unavailable):
        bus.pull(fail)
    with monkeypatch.context() as broken:
        broken.setattr(samples, "window", fail)
        with pytest.raises(Unavailable):
            bus.pull(take)
    bus.pull(take)

    assert seen == [(ROW, 0.0)]


def test_a_row_without_samples_is_passed_over(bus: PulledBus, clock: ManualClock):
    seen, take = collector()
    clock.advance(1000 * STEP)
    bus.pull(take)
    assert seen == []


def test_nothing_can_be_published(bus: PulledBus):
    with pytest.raises(InvalidInput, match="read from elsewhere"):
        bus.publish(SampleBatch.of([Sample(CART, ROW, 1.0)]))
    assert bus.backlog() == 0


def test_it_serves_from_the_start_and_can_be_closed_twice(bus: PulledBus, clock: ManualClock):
    came = threading.Event()
    clock.advance(SETTLE_SECONDS)
    bus.serve(lambda _: came.set())
    with pytest.raises(InvalidInput, match="served already"):
        bus.serve(lambda _: None)

    assert came.wait(30)
    bus.close()
    bus.close()
