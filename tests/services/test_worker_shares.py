"""Several detectors, each with some of the services: together they open what one would open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from rootward.model.incident import Status
from rootward.model.series import SampleBatch, Series
from rootward.ports import Platform
from rootward.testing.fakes import FakeBus, ManualClock
from rootward_worker.detect import Detector
from tests.services.test_worker import (
    OPTIONS,
    SERVICES,
    START,
    STEP,
    batches,
    every_incident,
    recording,
    slow,
)


@dataclass(frozen=True)
class Some:
    """A share of named services."""

    services: frozenset[str]

    def has(self, tenant: str, service: str) -> bool:
        return service in self.services


class SharedBus(FakeBus):
    """A bus that brings some of the services to this process."""

    def __init__(self, *services: str) -> None:
        super().__init__()
        self.services = frozenset(services)

    def share(self) -> Some:
        return Some(self.services)


@dataclass
class Pair:
    """Two detectors over the same stores, and what comes to each."""

    platform: Platform
    buses: list[SharedBus]
    detectors: list[Detector]

    def feed(self, batch: SampleBatch) -> None:
        """Give each detector its part of a batch."""
        for bus, detector in zip(self.buses, self.detectors, strict=True):
            mine = np.array([batch.series[k].service in bus.services for k in batch.index], bool)
            if np.any(mine):
                detector.on_batch(
                    SampleBatch(batch.tenant, batch.series, batch.index[mine],
                                batch.times[mine], batch.values[mine])
                )  # fmt: skip

    def restart(self, which: int) -> None:
        """The process ends and another one takes its place."""
        shared = replace(self.platform, bus=self.buses[which])
        self.detectors[which] = Detector(shared, OPTIONS)


@pytest.fixture
def pair(fake_platform: Platform) -> Pair:
    buses = [SharedBus("cart", "frontend"), SharedBus("stock", "checkout")]
    found = [Detector(replace(fake_platform, bus=bus), OPTIONS) for bus in buses]
    return Pair(fake_platform, buses, found)


def play(
    pair: Pair,
    columns: dict[Series, np.ndarray],
    clock: ManualClock,
    between: Callable[[int], None] = lambda _: None,
) -> None:
    """Feed a recording; `between` is called before each row."""
    for row, batch in enumerate(batches(columns)):
        between(row)
        clock.set(float(batch.times[0]))
        pair.feed(batch)


def spread(values: np.ndarray, _: np.random.Generator) -> None:
    """Cart breaks, and so do those who call it, in both shares."""
    values[80:95, SERVICES.index("cart"), 0] *= 8
    values[80:95, SERVICES.index("checkout"), 0] *= 6
    values[80:95, SERVICES.index("frontend"), 0] *= 5


def test_a_fault_that_both_see_opens_one_incident(pair: Pair, clock: ManualClock):
    play(pair, recording(130, spread), clock)

    (incident,) = every_incident(pair.platform)
    assert set(incident.services) == {"cart", "checkout", "frontend"}
    assert incident.status is Status.RESOLVED
    assert 0 < (incident.resolved_unix or 0) - (START + 95 * STEP) <= 10 * STEP


def test_an_incident_lasts_while_the_other_one_still_sees_it(pair: Pair, clock: ManualClock):
    def shape(values: np.ndarray, _: np.random.Generator) -> None:
        values[80:90, SERVICES.index("cart"), 0] *= 8
        values[80:110, SERVICES.index("checkout"), 0] *= 6

    play(pair, recording(140, shape), clock)

    (incident,) = every_incident(pair.platform)
    assert (incident.resolved_unix or 0) > START + 110 * STEP


def test_services_that_move_in_an_incident_open_no_other(pair: Pair, clock: ManualClock):
    def swap(row: int) -> None:
        if row == 87:
            first, second = pair.buses
            first.services, second.services = second.services, first.services

    play(pair, recording(130, spread), clock, swap)

    (incident,) = every_incident(pair.platform)
    assert incident.status is Status.RESOLVED


def test_services_that_move_to_one_who_has_none_are_known_there(pair: Pair, clock: ManualClock):
    def move(row: int) -> None:
        if row == 70:
            first, second = pair.buses
            first.services, second.services = frozenset(), frozenset(SERVICES)

    play(pair, recording(130, slow("cart", 80, 95)), clock, move)

    (incident,) = every_incident(pair.platform)
    assert incident.symptom.service == "cart"
    assert incident.opened_unix - incident.onset_unix <= 4 * STEP


@pytest.mark.parametrize("row", [79, 82, 85, 93, 97])
def test_a_detector_that_starts_anew_opens_no_other(pair: Pair, clock: ManualClock, row: int):
    def restart(now: int) -> None:
        if now == row:
            pair.restart(0)

    play(pair, recording(130, spread), clock, restart)

    (incident,) = every_incident(pair.platform)
    assert incident.status is Status.RESOLVED


def test_what_another_has_does_not_seem_to_have_gone(pair: Pair, clock: ManualClock):
    play(pair, recording(130), clock, lambda row: pair.restart(0) if row == 60 else None)

    assert every_incident(pair.platform) == []


def test_a_service_that_stops_is_missed_by_the_one_who_has_it(pair: Pair, clock: ManualClock):
    columns = recording(130)
    for series, values in columns.items():
        if series.service == "stock":
            values[90:] = np.nan
    play(pair, columns, clock)

    (incident,) = every_incident(pair.platform)
    assert incident.title == "stock stopped reporting"


def test_one_who_lags_behind_keeps_no_later_fault_from_an_incident_of_its_own(
    pair: Pair, clock: ManualClock
):
    def shape(values: np.ndarray, _: np.random.Generator) -> None:
        values[80:90, SERVICES.index("cart"), 0] *= 8
        values[115:130, SERVICES.index("stock"), 0] *= 8

    late: list[SampleBatch] = []
    first = pair.detectors[0]
    for row, batch in enumerate(batches(recording(150, shape))):
        clock.set(float(batch.times[0]))
        if row < 85:
            pair.feed(batch)
        else:
            pair.detectors[0] = _Kept(late)
            pair.feed(batch)
    for batch in late:
        first.on_batch(batch)

    found = sorted(one.symptom.service for one in every_incident(pair.platform))
    assert found == ["cart", "stock"]
    assert all(one.status is Status.RESOLVED for one in every_incident(pair.platform))


class _Kept(Detector):
    """A detector that stands still: what comes is kept for later."""

    def __init__(self, late: list[SampleBatch]) -> None:
        self._late = late

    def on_batch(self, batch: SampleBatch) -> None:
        self._late.append(batch)
