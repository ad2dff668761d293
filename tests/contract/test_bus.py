"""What every bus keeps to, and those that outlive their process beyond."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from rootward.adapters.delivery import Policy
from rootward.codec import batch_from_bytes
from rootward.errors import Busy, InvalidInput, Unavailable
from rootward.model.series import Sample, SampleBatch, Series
from rootward.ports import Bus, DeadLetter
from rootward.telemetry import DEAD_LETTERS
from rootward.testing.fakes import FakeBus
from tests.contract.buses import CART, KAFKA, MOST, Durable, batch_of, number_of, opened
from tests.contract.databases import KINDS
from tests.contract.deliveries import BOUND_SECONDS, Deliveries


@pytest.fixture(params=["fake", *KINDS, KAFKA])
def bus(request: pytest.FixtureRequest) -> Iterator[Bus]:
    if request.param == "fake":
        yield FakeBus(MOST)
        return
    with opened(request) as one:
        yield one.bus()


@pytest.fixture(params=[*KINDS, KAFKA])
def durable(request: pytest.FixtureRequest) -> Iterator[Durable]:
    with opened(request) as one:
        yield one


class TestEveryBus:
    def test_batches_arrive_in_order_and_as_they_were(self, bus: Bus):
        arrived = Deliveries()
        bus.serve(lambda batch: arrived(number_of(batch)))
        for k in range(MOST):
            bus.publish(batch_of(k))

        assert arrived.wait_for(MOST) == list(range(MOST))

    def test_what_came_before_serving_is_handed_over_first(self, bus: Bus):
        arrived = Deliveries()
        bus.publish(batch_of(0))
        bus.publish(batch_of(1))
        assert bus.backlog() == 2

        bus.serve(lambda batch: arrived(number_of(batch)))
        bus.publish(batch_of(2))

        assert arrived.wait_for(3) == [0, 1, 2]
        bus.close()
        assert bus.backlog() == 0

    def test_a_full_bus_is_busy_and_takes_nothing(self, bus: Bus):
        for k in range(MOST):
            bus.publish(batch_of(k))

        with pytest.raises(Busy, match=f"{MOST} batches wait"):
            bus.publish(batch_of(MOST))

        arrived = Deliveries()
        bus.serve(lambda batch: arrived(number_of(batch)))
        arrived.wait_for(MOST)
        bus.close()
        assert arrived.seen == list(range(MOST))

    def test_it_is_served_once(self, bus: Bus):
        bus.serve(lambda _: None)

        with pytest.raises(InvalidInput, match="served already"):
            bus.serve(lambda _: None)

    def test_it_may_be_closed_twice(self, bus: Bus):
        bus.serve(lambda _: None)
        bus.close()
        bus.close()


class TestEveryDurableBus:
    def test_labels_values_and_tenant_survive_the_way(self, durable: Durable):
        odd = Series.of("größe", "wagen|1", instance='a"b\n', path="/x{}")
        sent = SampleBatch.of(
            [Sample(odd, 1.5, float("nan")), Sample(CART, 1e9, float("inf"))], "zwei"
        )
        arrived, bus = Deliveries(), durable.bus()
        bus.serve(arrived)
        bus.publish(sent)

        (got,) = arrived.wait_for(1)
        assert (got.tenant, got.series) == ("zwei", sent.series)
        assert [list(c) for c in (got.index, got.times)] == [[0, 1], [1.5, 1e9]]
        assert repr(got.values.tolist()) == "[nan, inf]"
        bus.close()

    def test_threads_may_publish_at_once_and_each_keeps_its_order(self, durable: Durable):
        bus, arrived = durable.bus(most=1000), Deliveries()
        bus.serve(lambda batch: arrived(number_of(batch)))

        def publish(start: int) -> None:
            for k in range(start, start + 25):
                bus.publish(batch_of(k))

        threads = [threading.Thread(target=publish, args=(100 * n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(BOUND_SECONDS)

        seen = arrived.wait_for(200)
        for n in range(8):
            assert [k for k in seen if k // 100 == n] == list(range(100 * n, 100 * n + 25))
        bus.close()

    def test_a_batch_that_fails_is_tried_again_before_the_next(self, durable: Durable):
        bus, arrived = durable.bus(), Deliveries()
        arrived.fail_with(lambda k, count: ValueError("not yet") if k == 0 and count < 3 else None)
        bus.publish(batch_of(0))
        bus.publish(batch_of(1))
        bus.serve(lambda batch: arrived(number_of(batch)))

        assert arrived.wait_for(4) == [0, 0, 0, 1]
        bus.close()
        assert durable.letters() == ()

    def test_after_five_tries_a_batch_is_a_dead_letter_with_its_reason(self, durable: Durable):
        bus, arrived = durable.bus(), Deliveries()
        counted = DEAD_LETTERS.labels("batch", "acme")._value.get()
        arrived.fail_with(lambda k, _: ZeroDivisionError("poison") if k == 0 else None)
        bus.publish(replace(batch_of(0), tenant="acme"))
        bus.publish(replace(batch_of(1), tenant="acme"))
        bus.serve(lambda batch: arrived(number_of(batch)))

        assert arrived.wait_for(6) == [0] * 5 + [1]
        bus.close()
        (letter,) = durable.letters()
        assert (letter.kind, letter.tenant, letter.tries) == ("batch", "acme", 5)
        assert letter.reason == "ZeroDivisionError: poison"
        assert number_of(batch_from_bytes(letter.body)) == 0
        assert DEAD_LETTERS.labels("batch", "acme")._value.get() == counted + 1
        assert bus.backlog() == 0

    def test_a_dead_letter_that_is_replayed_is_handed_over_and_gone(self, durable: Durable):
        bus, arrived = durable.bus(), Deliveries()
        arrived.fail_with(lambda _, count: ValueError("poison") if count <= 5 else None)
        bus.publish(batch_of(0))
        bus.serve(lambda batch: arrived(number_of(batch)))
        arrived.wait_for(5)
        bus.close()

        later, rest = durable.bus(), Deliveries()
        taken = durable.kept.replay(lambda letter: later.publish(batch_from_bytes(letter.body)))
        later.serve(lambda batch: rest(number_of(batch)))

        assert (taken, durable.letters()) == (1, ())
        assert rest.wait_for(1) == [0]

    def test_a_dead_letter_that_nobody_takes_stays(self, durable: Durable):
        bus, arrived = durable.bus(), Deliveries()
        arrived.fail_with(lambda *_: InvalidInput("never"))
        bus.publish(batch_of(0))
        bus.serve(lambda batch: arrived(number_of(batch)))
        arrived.wait_for(1)
        bus.close()

        def refuse(_letter: DeadLetter) -> None:
            raise InvalidInput("nor now")

        assert durable.kept.replay(refuse) == 0
        (letter,) = durable.letters()
        assert (letter.reason, letter.tries) == ("InvalidInput: never", 1)

    def test_an_outage_does_not_count_as_a_try(self, durable: Durable):
        bus, arrived = durable.bus(), Deliveries()
        arrived.fail_with(
            lambda k, count: Unavailable("disk full") if k == 0 and count < 9 else None
        )
        bus.serve(lambda batch: arrived(number_of(batch)))
        bus.publish(batch_of(0))

        arrived.wait_for(9)
        bus.publish(batch_of(1))
        bus.publish(batch_of(2))
        arrived.wait_for(9 + 2)
        bus.close()
        assert arrived.seen == [0] * 9 + [1, 2]
        assert durable.letters() == ()
        assert bus.backlog() == 0

    def test_a_restart_hands_over_what_is_left_and_nothing_else(self, durable: Durable):
        bus, arrived = durable.bus(), Deliveries()
        bus.serve(lambda batch: arrived(number_of(batch)))
        bus.publish(batch_of(0))
        arrived.wait_for(1)
        bus.close()
        meanwhile = durable.bus()
        meanwhile.publish(batch_of(1))
        meanwhile.publish(batch_of(2))
        meanwhile.close()

        again, rest = durable.bus(), Deliveries()
        assert again.backlog() == 2
        again.serve(lambda batch: rest(number_of(batch)))
        rest.wait_for(2)
        again.close()
        assert rest.seen == [1, 2]

    def test_closing_ends_a_long_back_off_and_keeps_the_batch(self, durable: Durable):
        patient = Policy(first_wait_seconds=1000.0, longest_wait_seconds=1000.0)
        bus, arrived = durable.bus(policy=patient), Deliveries()
        arrived.fail_with(lambda *_: ValueError("no"))
        bus.serve(lambda batch: arrived(number_of(batch)))
        bus.publish(batch_of(0))
        arrived.wait_for(1)

        bus.close()

        assert durable.bus().backlog() == 1
