"""Which series of a service its trouble begins in."""

import numpy as np
import pytest

from rootward.model.series import Series
from rootward.model.window import Window
from rootward.rca.diagnose import diagnose

ROWS, ONSET = 240, 200
METRICS = ("latency_p99_seconds", "cpu_usage", "memory_usage_bytes")


def _first(latency: float, cpu: float, memory: float) -> tuple[str, tuple[str, ...]]:
    """The series that speaks for a service whose metrics moved so many deviations, and the rest."""
    values = np.random.default_rng(0).normal(100.0, 1.0, (ROWS, 4))
    values[ONSET:, :3] += (latency, cpu, memory)
    series = (*(Series.of(metric, "cart") for metric in METRICS), Series.of("cpu_usage", "web"))
    window = Window(series, 15.0 * np.arange(ROWS), values, 15.0, ONSET)
    cause = diagnose(window, discovery=None).candidates[0]
    assert cause.service == "cart"
    return cause.series.metric, tuple(one.metric for one in cause.also)


def test_a_resource_that_runs_short_comes_before_what_requests_feel_of_it():
    assert _first(latency=60, cpu=40, memory=0) == ("cpu_usage", ("latency_p99_seconds",))


def test_a_resource_that_hardly_moved_does_not():
    assert _first(latency=60, cpu=4, memory=0)[0] == "latency_p99_seconds"


@pytest.mark.parametrize("cpu", [60, 90])
def test_memory_that_fills_up_comes_before_the_cpu_time_that_takes(cpu):
    first, also = _first(latency=20, cpu=cpu, memory=50)
    assert first == "memory_usage_bytes"
    assert also[0] == "cpu_usage"


def test_a_busy_cpu_with_a_little_memory_stays_a_busy_cpu():
    assert _first(latency=20, cpu=60, memory=8)[0] == "cpu_usage"
