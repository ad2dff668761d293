"""One large computation by several workers, each taking the next part."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from rootward.errors import TookTooLong
from rootward.methods import registry
from rootward.model.spread import Arrays, GoOn
from rootward.numerics.pace import always
from rootward.ports import Platform
from rootward.testing.fakes import FakeJobs, ManualClock
from rootward_worker import spreading
from rootward_worker.options import WorkerOptions
from rootward_worker.spreading import Spreader, help_with

OPTIONS = WorkerOptions()
PARTS = 6
SHARED = {"x": np.arange(PARTS, dtype=float)}
BOUND_SECONDS = 30.0


def squared(shared: Arrays, number: int, go_on: GoOn) -> Arrays:
    """The part of this computation."""
    assert go_on(0.5)
    return {"square": np.asarray(shared["x"][number] ** 2)}


def squares(answers: list[Arrays]) -> list[float]:
    return [float(one["square"]) for one in answers]


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method of this name whose part is `squared`."""
    kind = registry.load().methods["robust_z"]
    monkeypatch.setattr(kind, "part", staticmethod(squared), raising=True)


def test_without_helpers_who_asked_does_all_parts(fake_platform: Platform):
    spread = Spreader(fake_platform, 60.0)

    assert squares(spread("robust_z", squared, SHARED, PARTS, always)) == [0, 1, 4, 9, 16, 25]
    assert fake_platform.parts.expire(np.inf) == 0  # nothing is left


def test_one_part_asks_nobody(fake_platform: Platform):
    Spreader(fake_platform, 60.0)("robust_z", squared, SHARED, 1, always)

    assert isinstance(fake_platform.jobs, FakeJobs)
    assert fake_platform.jobs.submitted == []


def test_helpers_in_other_threads_do_some_and_the_answers_stand_in_order(platform: Platform):
    together, done = threading.Barrier(3), []

    def meeting(shared: Arrays, number: int, go_on: GoOn) -> Arrays:
        if number < 3:  # one each for two helpers and who asked
            together.wait(BOUND_SECONDS)
        done.append(threading.get_ident())
        return squared(shared, number, go_on)

    registry.load().methods["robust_z"].part = staticmethod(meeting)  # type: ignore[method-assign]
    platform.jobs.serve(lambda: {"help": lambda **it: help_with(platform, OPTIONS, **it)})
    answers = Spreader(platform, 60.0)("robust_z", meeting, SHARED, PARTS, always)

    assert squares(answers) == [0, 1, 4, 9, 16, 25]
    assert len(set(done)) == 3


def test_a_part_whose_helper_is_gone_is_done_by_who_asked(
    fake_platform: Platform, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
):
    lost = []

    def losing(shared: Arrays, number: int, go_on: GoOn) -> Arrays:
        if not lost:  # a helper takes a part, and is never heard of again
            submitted = fake_platform.jobs.submitted[0].payload  # type: ignore[attr-defined]
            lost.append(fake_platform.parts.take(str(submitted["whole"]), 30.0))
            clock.advance(60.0)
        return squared(shared, number, go_on)

    answers = Spreader(fake_platform, 60.0)("robust_z", losing, SHARED, PARTS, always)

    assert lost[0] is not None
    assert squares(answers) == [0, 1, 4, 9, 16, 25]


def test_a_part_that_never_comes_back_ends_the_wait(
    fake_platform: Platform, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(spreading, "_LOOK_SECONDS", 0.0)

    def holding(shared: Arrays, number: int, go_on: GoOn) -> Arrays:
        submitted = fake_platform.jobs.submitted[0].payload  # type: ignore[attr-defined]
        fake_platform.parts.take(str(submitted["whole"]), 1e9)
        return squared(shared, number, go_on)

    with pytest.raises(TookTooLong, match="not given back"):
        Spreader(fake_platform, 0.0)("robust_z", holding, SHARED, PARTS, always)


def test_a_helper_that_comes_late_finds_nothing_to_do(fake_platform: Platform):
    help_with(fake_platform, OPTIONS, whole="gone", number=0)
