"""Two minutes of what `make bench-faults` does for half an hour."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.run import LEAST_MISHAPS, run


@pytest.mark.services
@pytest.mark.timeout(1200)
def test_parts_that_fail_lose_nothing_and_open_no_incident_twice(tmp_path: Path):
    outcome = run(tmp_path, seconds=150.0, seed=7)

    assert outcome.verdict.examples == ()
    assert outcome.settled
    assert outcome.verdict.is_clean
    assert outcome.verdict.accepted_samples > 4000
    assert outcome.verdict.incidents_expected >= 1
    assert sum(outcome.faults_injected.values()) >= LEAST_MISHAPS
