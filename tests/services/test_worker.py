"""The worker on a platform of fakes: one event makes one incident, and nothing else makes one."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from rootward import telemetry
from rootward.errors import Busy, Unavailable
from rootward.model.incident import Incident, Severity, Status
from rootward.model.series import SampleBatch, Series
from rootward.ports import Platform
from rootward.testing.fakes import FakeJobs, FakeSampleStore, ManualClock
from rootward_worker.detect import Detector
from rootward_worker.jobs import diagnose, handlers
from rootward_worker.options import WorkerOptions
from rootward_worker.start import start_detector, start_jobs

STEP = 15.0
START = 1_700_000_010.0
SERVICES = ("frontend", "checkout", "cart", "stock")
METRICS = ("latency_p90_seconds", "http_requests_errors_ratio", "http_requests_rate", "cpu_usage")
OPTIONS = WorkerOptions(step_seconds=STEP, window_rows=120)

Shape = Callable[[np.ndarray, np.random.Generator], None]


def recording(rows: int, shape: Shape | None = None, seed: int = 0) -> dict[Series, np.ndarray]:
    """A healthy system; `shape` changes its (rows, services, metrics) before it is measured."""
    rng = np.random.default_rng(seed)
    size = (rows, len(SERVICES))
    values = np.stack(
        [
            0.05 * rng.lognormal(0, 0.2, size),
            rng.binomial(300, 0.004, size) / 300,
            20 * rng.normal(1, 0.05, size),
            0.3 * rng.normal(1, 0.1, size),
        ],
        axis=2,
    )
    if shape is not None:
        shape(values, rng)
    return {
        Series.of(metric, service): values[:, s, m]
        for s, service in enumerate(SERVICES)
        for m, metric in enumerate(METRICS)
    }


def batches(columns: dict[Series, np.ndarray], start: float = START) -> Iterator[SampleBatch]:
    """One batch a row, in the middle of its step."""
    series = tuple(columns)
    table = np.column_stack(list(columns.values()))
    for row, values in enumerate(table):
        known = np.flatnonzero(~np.isnan(values)).astype(np.int32)
        times = np.full(len(known), start + row * STEP - STEP / 2)
        yield SampleBatch("default", series, known, times, values[known])


def feed(detector: Detector, columns: dict[Series, np.ndarray], clock: ManualClock) -> None:
    for batch in batches(columns):
        clock.set(float(batch.times[0]) if len(batch) else clock.now() + STEP)
        detector.on_batch(batch)


def slow(service: str, begin: int, end: int, factor: float = 8.0) -> Shape:
    def shape(values: np.ndarray, _: np.random.Generator) -> None:
        values[begin:end, SERVICES.index(service), 0] *= factor

    return shape


def twice(service: str, first: int, second: int) -> Shape:
    def shape(values: np.ndarray, rng: np.random.Generator) -> None:
        slow(service, first, first + 10)(values, rng)
        slow(service, second, second + 9)(values, rng)

    return shape


def every_incident(platform: Platform) -> list[Incident]:
    return list(platform.incidents.page(limit=100).items)


@pytest.fixture
def detector(fake_platform: Platform) -> Detector:
    return Detector(fake_platform, OPTIONS)


def test_one_fault_opens_one_incident_and_resolves_it(
    detector: Detector, fake_platform: Platform, clock: ManualClock
):
    feed(detector, recording(130, slow("cart", 80, 95)), clock)
    (incident,) = every_incident(fake_platform)
    assert incident.symptom == Series.of("latency_p90_seconds", "cart")
    assert incident.status is Status.RESOLVED
    assert incident.severity is Severity.CRITICAL
    assert "cart latency p90" in incident.title
    assert "× its baseline" in incident.title
    assert abs(incident.onset_unix - (START + 80 * STEP)) <= STEP
    assert incident.opened_unix - incident.onset_unix <= 4 * STEP
    assert 0 < incident.resolved_unix - (START + 95 * STEP) <= 9 * STEP
    assert [c.series.service for c in incident.changes] == ["cart"]


def test_what_follows_within_its_life_joins_it(
    detector: Detector, fake_platform: Platform, clock: ManualClock
):
    def shape(values: np.ndarray, _: np.random.Generator) -> None:
        values[80:110, SERVICES.index("cart"), 3] *= 3
        values[81:110, SERVICES.index("cart"), 0] *= 8
        values[85:110, SERVICES.index("checkout"), 0] *= 5
        values[86:110, SERVICES.index("frontend"), 1] = 0.4

    feed(detector, recording(140, shape), clock)
    (incident,) = every_incident(fake_platform)
    assert incident.services == ("cart", "checkout", "frontend")
    assert Series.of("cpu_usage", "cart") in {c.series for c in incident.changes}


def test_noise_opens_none(detector: Detector, fake_platform: Platform, clock: ManualClock):
    feed(detector, recording(400), clock)
    assert every_incident(fake_platform) == []


def test_a_load_that_swings_opens_none(
    detector: Detector, fake_platform: Platform, clock: ManualClock
):
    def shape(values: np.ndarray, _: np.random.Generator) -> None:
        load = 1 + 0.6 * np.sin(2 * np.pi * np.arange(len(values)) / 120)[:, None]
        values[:, :, 2] *= load
        values[:, :, 3] *= load
        values[:, :, 0] *= 1 + 0.3 * (load - 1)

    feed(detector, recording(400, shape), clock)
    assert every_incident(fake_platform) == []


def test_a_busy_cpu_that_nobody_feels_opens_none(
    detector: Detector, fake_platform: Platform, clock: ManualClock
):
    def shape(values: np.ndarray, _: np.random.Generator) -> None:
        values[80:100, 2, 3] *= 3

    feed(detector, recording(120, shape), clock)
    assert every_incident(fake_platform) == []


def test_a_service_that_goes_silent_opens_one(
    detector: Detector, fake_platform: Platform, clock: ManualClock
):
    def shape(values: np.ndarray, _: np.random.Generator) -> None:
        values[80:, SERVICES.index("stock")] = np.nan

    feed(detector, recording(95, shape), clock)
    (incident,) = every_incident(fake_platform)
    assert incident.title == "stock stopped reporting"
    assert incident.severity is Severity.CRITICAL
    assert incident.opened_unix <= START + 87 * STEP


def test_all_falling_silent_is_no_incident(
    detector: Detector, fake_platform: Platform, clock: ManualClock
):
    columns = recording(120)
    for values in columns.values():
        values[70:90] = np.nan
    feed(detector, columns, clock)
    assert every_incident(fake_platform) == []


def test_a_resource_that_runs_out_opens_one(
    detector: Detector, fake_platform: Platform, clock: ManualClock
):
    columns = recording(110)
    memory = 4e7 * (1 + 0.001 * np.random.default_rng(5).normal(size=110))
    memory[80:] += 4e6 * np.arange(1, 31)
    columns[Series.of("process_resident_memory_bytes", "stock")] = memory
    feed(detector, columns, clock)
    (incident,) = every_incident(fake_platform)
    assert incident.symptom == Series.of("process_resident_memory_bytes", "stock")
    assert incident.severity is Severity.INFO


@pytest.mark.parametrize(("hold_seconds", "incidents"), [(300.0, 1), (150.0, 2)])
def test_how_soon_is_soon_is_told_in_seconds_from_the_last_symptom(
    hold_seconds: float, incidents: int, fake_platform: Platform, clock: ManualClock
):
    options = dataclasses.replace(OPTIONS, hold_seconds=hold_seconds)
    columns = recording(130, twice("cart", 80, 101))
    feed(Detector(fake_platform, options), columns, clock)
    assert len(every_incident(fake_platform)) == incidents


def test_a_fault_much_later_is_another_incident(
    detector: Detector, fake_platform: Platform, clock: ManualClock
):
    def shape(values: np.ndarray, _: np.random.Generator) -> None:
        values[80:90, 2, 0] *= 8
        values[130:140, 1, 0] *= 8

    feed(detector, recording(160, shape), clock)
    found = [i.symptom.service for i in every_incident(fake_platform)]
    assert found == ["checkout", "cart"]


@pytest.mark.parametrize(("hours", "status"), [(2, Status.OPEN), (0.4, Status.RESOLVED)])
def test_an_incident_that_stays_is_open_until_it_is_the_new_normal(
    hours: float, status: Status, fake_platform: Platform, clock: ManualClock
):
    """It outlasts the window of 120 rows, and a series comes up in the middle of it."""
    columns = recording(260, slow("cart", 80, 260))
    late = Series.of("cpu_usage", "late")
    columns[late] = np.where(np.arange(260) < 230, np.nan, columns[Series.of("cpu_usage", "cart")])
    options = dataclasses.replace(OPTIONS, new_normal_seconds=3600 * hours)
    feed(Detector(fake_platform, options), columns, clock)
    (incident,) = every_incident(fake_platform)
    assert incident.status is status


def test_a_restart_in_the_middle_goes_on_with_the_incident(
    fake_platform: Platform, clock: ManualClock
):
    columns = recording(130, slow("cart", 80, 95))
    detector = Detector(fake_platform, OPTIONS)
    for row, batch in enumerate(batches(columns)):
        clock.set(float(batch.times[0]))
        if row in (40, 82, 88, 97):
            detector = Detector(fake_platform, OPTIONS)
        detector.on_batch(batch)
    (incident,) = every_incident(fake_platform)
    assert incident.status is Status.RESOLVED
    assert abs(incident.onset_unix - (START + 80 * STEP)) <= STEP


def test_an_open_incident_without_a_diagnosis_gets_one_after_a_restart(
    fake_platform: Platform, clock: ManualClock
):
    feed(Detector(fake_platform, OPTIONS), recording(88, slow("cart", 80, 88)), clock)
    jobs = fake_platform.jobs
    assert isinstance(jobs, FakeJobs)
    jobs.waiting.clear()
    late = SampleBatch.of([], "default")
    Detector(fake_platform, OPTIONS).on_batch(late)
    (job,) = jobs.waiting
    assert job.name == "diagnose"
    assert job.payload["incident_id"] == every_incident(fake_platform)[0].id


def test_a_batch_delivered_twice_changes_nothing(
    detector: Detector, fake_platform: Platform, clock: ManualClock
):
    for batch in batches(recording(130, slow("cart", 80, 95))):
        clock.set(float(batch.times[0]))
        detector.on_batch(batch)
        detector.on_batch(batch)
    assert len(every_incident(fake_platform)) == 1


def test_late_samples_are_stored_and_counted(
    detector: Detector, fake_platform: Platform, clock: ManualClock
):
    columns = recording(60)
    late = []
    counted = telemetry.LATE_SAMPLES.labels("default")
    before = counted._value.get()
    for row, batch in enumerate(batches(columns)):
        clock.set(float(batch.times[0]))
        if row == 30:
            late.append(batch)
        else:
            detector.on_batch(batch)
    detector.on_batch(late[0])
    assert counted._value.get() - before == len(columns)
    infos = fake_platform.samples.series()
    assert len(infos) == len(columns)


class Failing(FakeSampleStore):
    """A store whose reads fail once it is told so."""

    down = False

    def latest_unix(self, tenant: str = "default") -> float | None:
        if self.down:
            raise Unavailable("the database is locked")
        return super().latest_unix(tenant)


def test_an_outage_of_the_queue_loses_no_diagnosis(fake_platform: Platform, clock: ManualClock):
    jobs = FakeJobs(clock, max_backlog=0)
    platform = dataclasses.replace(fake_platform, jobs=jobs)
    detector = Detector(platform, OPTIONS)
    refused = 0
    for batch in batches(recording(90, slow("cart", 80, 90))):
        clock.set(float(batch.times[0]))
        try:
            detector.on_batch(batch)
        except Busy:
            refused += 1
            jobs._max_backlog = 10
            detector.on_batch(batch)
    assert refused == 1
    assert len(every_incident(platform)) == 1
    assert [job.name for job in jobs.waiting] == ["diagnose"]


def served(platform: Platform, clock: ManualClock, columns: dict[Series, np.ndarray]) -> Incident:
    """The one incident of a recording, after all jobs have run."""
    start_detector(platform, OPTIONS)
    start_jobs(platform.jobs, lambda: platform, OPTIONS)
    for batch in batches(columns):
        clock.set(float(batch.times[0]))
        platform.bus.publish(batch)
    assert isinstance(platform.jobs, FakeJobs)
    platform.jobs.run_all()
    (incident,) = every_incident(platform)
    return incident


def test_a_diagnosis_names_the_broken_service(fake_platform: Platform, clock: ManualClock):
    incident = served(fake_platform, clock, recording(130, slow("cart", 80, 110)))
    diagnosis = fake_platform.incidents.diagnosis(incident.id)
    assert diagnosis is not None
    assert diagnosis.candidates[0].service == "cart"
    assert diagnosis.seconds > 0
    told = fake_platform.events.of_kind("diagnosis", incident.id)
    ranked = [event.facts["candidates"] for event in told if "candidates" in event.facts]
    assert ranked[0][0]["service"] == "cart"
    assert {entry.name for entry in fake_platform.results.catalogue()} >= {"robust_z"}
    assert fake_platform.jobs.waiting == []


def test_a_diagnosis_that_cannot_be_made_is_stored_as_a_failure(
    fake_platform: Platform, clock: ManualClock
):
    feed(Detector(fake_platform, OPTIONS), recording(90, slow("cart", 80, 90)), clock)
    (incident,) = every_incident(fake_platform)
    narrow = dataclasses.replace(OPTIONS, window_rows=3)
    end = START + 88 * STEP
    diagnose(fake_platform, narrow, incident_id=incident.id, end_unix=end)
    assert fake_platform.incidents.diagnosis(incident.id) is None
    assert "onset" in fake_platform.incidents.failure(incident.id)


def test_a_diagnosis_of_earlier_rows_never_replaces_a_later_one(
    fake_platform: Platform, clock: ManualClock
):
    incident = served(fake_platform, clock, recording(130, slow("cart", 80, 110)))
    before = fake_platform.incidents.diagnosis(incident.id)
    diagnose(fake_platform, OPTIONS, incident_id=incident.id, end_unix=START + 85 * STEP)
    assert fake_platform.incidents.diagnosis(incident.id) is before


def test_an_outage_is_no_failure_of_the_diagnosis(fake_platform: Platform, clock: ManualClock):
    feed(Detector(fake_platform, OPTIONS), recording(90, slow("cart", 80, 90)), clock)
    (incident,) = every_incident(fake_platform)
    store = Failing()
    store.down = True
    platform = dataclasses.replace(fake_platform, samples=store)
    with pytest.raises(Unavailable):
        diagnose(platform, OPTIONS, incident_id=incident.id)
    assert fake_platform.incidents.failure(incident.id) is None


def test_an_analysis_is_stored_whether_it_works_or_not(fake_platform: Platform, clock: ManualClock):
    incident = served(fake_platform, clock, recording(130, slow("cart", 80, 110)))
    analyse = handlers(fake_platform, OPTIONS)["analyse"]
    analyse(incident_id=incident.id, method="robust_z", params={})
    analyse(incident_id=incident.id, method="robust_z", params={"colour": "red"})
    analyse(incident_id=incident.id, method="no_such_method")
    status = {(a.method, a.parameters): a.status for a in fake_platform.results.of(incident.id)}
    assert status["robust_z", "{}"] == "ok"
    assert status["robust_z", '{"colour":"red"}'] == "failed"
    assert status["no_such_method", "{}"] == "failed"


def test_old_samples_expire_time_and_again(fake_platform: Platform, clock: ManualClock):
    start_jobs(fake_platform.jobs, lambda: fake_platform, OPTIONS)
    feed(Detector(fake_platform, OPTIONS), recording(20), clock)
    jobs = fake_platform.jobs
    assert isinstance(jobs, FakeJobs)
    jobs.run_all()
    assert fake_platform.samples.series() != ()
    clock.advance(2 * OPTIONS.retention_seconds)
    jobs.run_all()
    assert fake_platform.samples.series() == ()
