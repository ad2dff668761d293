"""Each process tells what it counted."""

from __future__ import annotations

from prometheus_client import Counter

from rootward.errors import Unavailable
from rootward.model.tally import Tally
from rootward.ports import Platform
from rootward.settings import Settings
from rootward.telemetry import DEAD_LETTERS, INGEST_REJECTED, INGEST_SAMPLES, LATE_SAMPLES
from rootward.testing.fakes import ManualClock, fake_platform
from rootward_cli.telling import Teller, telling

TENANT = "teller"


def platform() -> Platform:
    return fake_platform(ManualClock(1000.0))


def told(on: Platform, tenant: str = TENANT) -> Tally:
    (only,) = on.tallies.all(tenant)
    return only


def took_in(samples: int, counter: Counter = INGEST_SAMPLES, word: str = "json") -> None:
    counter.labels(word, TENANT).inc(samples)


def test_it_tells_sums_reasons_and_how_many_a_second_came_lately():
    on = platform()
    teller = Teller(on, "ingest", "a:1")
    took_in(100)
    teller.tell()
    before = told(on)
    took_in(60)
    took_in(40, word="otlp")
    took_in(7, INGEST_REJECTED, "too_old")
    on.clock.advance(10.0)  # type: ignore[attr-defined]
    teller.tell()
    after = told(on)
    assert (after.process, after.received - before.received) == ("ingest@a:1", 100)
    assert after.per_second == 10.0
    assert after.rejected["too_old"] - before.rejected.get("too_old", 0) == 7


def test_a_process_tells_of_itself_at_once_and_of_its_end():
    on = platform()
    with telling(Settings(instance="b"), on, "work"):
        pass
    tally = told(on, "default")
    assert (tally.process, tally.part, tally.ended) == ("work@b", "work", True)


def test_it_goes_on_while_the_store_does_not_answer():
    on = platform()
    kept = on.tallies.put
    asked = []

    def down(tallies: object) -> None:
        asked.append(tallies)
        if len(asked) == 1:
            raise Unavailable("the database is down")
        kept(tallies)  # type: ignore[arg-type]

    on.tallies.put = down  # type: ignore[method-assign]
    with telling(Settings(instance="b"), on, "work"):
        pass
    assert told(on, "default").ended


def test_each_tenant_is_told_of_its_own_late_samples_and_dead_letters():
    on = platform()
    teller = Teller(on, "work", "a:1")
    LATE_SAMPLES.labels("late").inc(3)
    DEAD_LETTERS.labels("job", "given-up").inc()
    DEAD_LETTERS.labels("body", "given-up").inc()
    teller.tell()
    assert (told(on, "late").late, told(on, "late").dead_letters) == (3, 0)
    assert (told(on, "given-up").late, told(on, "given-up").dead_letters) == (0, 2)
    assert told(on, "default").part == "work"
