"""What belongs together is one incident; what does not has one of its own, whatever else burns."""

import numpy as np
import pytest

from rootward.model.incident import Status
from rootward.model.series import Series
from rootward.ports import Platform
from rootward.testing.fakes import ManualClock
from rootward_dashboard.merging import merge
from rootward_worker.belonging import Calls
from rootward_worker.detect import Detector
from tests.services.test_worker import (
    OPTIONS,
    SERVICES,
    START,
    STEP,
    Shape,
    batches,
    every_incident,
    feed,
    recording,
)

CALLS = (("frontend", "checkout"), ("checkout", "cart"), ("frontend", "stock"))


def broken(*faults: tuple[str, int, int]) -> Shape:
    """Services whose latency is eight times what it was, from a row to another."""

    def shape(values: np.ndarray, _: np.random.Generator) -> None:
        for service, begin, end in faults:
            values[begin:end, SERVICES.index(service), 0] *= 8

    return shape


def with_calls(columns: dict[Series, np.ndarray]) -> dict[Series, np.ndarray]:
    """The same, and of each caller a series that names whom it calls."""
    rng = np.random.default_rng(3)
    rows = len(next(iter(columns.values())))
    told = {
        Series.of("pool_size", caller, peer_service=callee): rng.normal(10, 1, rows)
        for caller, callee in CALLS
    }
    return columns | told


@pytest.mark.parametrize("apart", [60, 240])
def test_a_fault_elsewhere_has_an_incident_of_its_own_while_the_first_goes_on(
    apart: int, fake_platform: Platform, clock: ManualClock
):
    second = 80 + apart
    columns = recording(
        second + 60, broken(("cart", 80, second + 50), ("stock", second, second + 20))
    )
    feed(Detector(fake_platform, OPTIONS), columns, clock)

    stock, cart = every_incident(fake_platform)
    assert [stock.symptom.service, cart.symptom.service] == ["stock", "cart"]
    assert abs(stock.onset_unix - (START + second * STEP)) <= STEP
    assert stock.opened_unix - stock.onset_unix <= 4 * STEP
    assert stock.services == ("stock",)
    assert "stock" not in cart.services
    assert (stock.resolved_unix or 0) < (cart.resolved_unix or 0)


def test_trouble_that_spreads_within_minutes_is_one_incident(
    fake_platform: Platform, clock: ManualClock
):
    spread = broken(("cart", 80, 120), ("checkout", 86, 120), ("frontend", 95, 120))
    feed(Detector(fake_platform, OPTIONS), recording(140, spread), clock)

    (incident,) = every_incident(fake_platform)
    assert incident.services == ("cart", "checkout", "frontend")


def test_callers_that_suffer_late_are_part_of_it_however_late(
    fake_platform: Platform, clock: ManualClock
):
    spread = broken(("cart", 80, 180), ("checkout", 120, 180), ("frontend", 150, 180))
    feed(Detector(fake_platform, OPTIONS), with_calls(recording(200, spread)), clock)

    (incident,) = every_incident(fake_platform)
    assert incident.symptom.service == "cart"
    assert {"cart", "checkout", "frontend"} <= set(incident.services)


def test_where_calls_are_known_a_fault_that_they_do_not_explain_is_another(
    fake_platform: Platform, clock: ManualClock
):
    both = broken(("cart", 80, 120), ("stock", 90, 120))
    feed(Detector(fake_platform, OPTIONS), with_calls(recording(140, both)), clock)

    found = every_incident(fake_platform)
    assert [one.symptom.service for one in found] == ["stock", "cart"]
    assert all(one.status is Status.RESOLVED for one in found)


def test_what_begins_together_has_one_cause_whoever_calls_whom(
    fake_platform: Platform, clock: ManualClock
):
    both = broken(("cart", 80, 100), ("stock", 81, 100))
    feed(Detector(fake_platform, OPTIONS), with_calls(recording(120, both)), clock)

    (incident,) = every_incident(fake_platform)
    assert {"cart", "stock"} <= set(incident.services)


def test_both_incidents_are_known_after_a_restart(fake_platform: Platform, clock: ManualClock):
    columns = recording(220, broken(("cart", 80, 200), ("stock", 140, 170)))
    early = {one: values[:150] for one, values in columns.items()}
    feed(Detector(fake_platform, OPTIONS), early, clock)
    assert len(every_incident(fake_platform)) == 2

    feed(Detector(fake_platform, OPTIONS), columns, clock)
    found = every_incident(fake_platform)
    assert len(found) == 2
    assert all(one.status is Status.RESOLVED for one in found)


def test_of_two_that_were_merged_the_one_that_answers_goes_on(
    fake_platform: Platform, clock: ManualClock
):
    columns = recording(200, broken(("cart", 80, 170), ("stock", 140, 170)))
    detector = Detector(fake_platform, OPTIONS)
    for row, batch in enumerate(batches(columns)):
        if row == 150:
            stock, cart = every_incident(fake_platform)
            fake_platform.incidents.handle([cart.id, stock.id], merge("ann", clock.now()))
        clock.set(float(batch.times[0]))
        detector.on_batch(batch)

    (incident,) = [one for one in every_incident(fake_platform) if not one.handling.merged_into]
    assert incident.symptom.service == "cart"
    assert incident.status is Status.RESOLVED


def test_trouble_is_felt_by_all_who_call_directly_or_not():
    calls = Calls.of((), CALLS)
    assert ("cart", "frontend") in calls.felt_by
    assert ("cart", "stock") not in calls.felt_by
    assert ("frontend", "cart") not in calls.felt_by
    assert calls.knows("cart", ("stock",))
    assert not calls.knows("cart", ("elsewhere",))


def test_what_callers_measured_tells_whom_they_call():
    series = (Series.of("latency_p90_seconds_from_shop", "cart"), Series.of("cpu", "shop"))
    assert ("cart", "shop") in Calls.of(series, ()).felt_by
