"""Surprise finds planted faults and is not fooled by what has been seen before."""

import numpy as np
import pytest

from rootward.methods.ranking.surprise import Surprise
from rootward.model.case import Case
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.testing import cases


@pytest.mark.parametrize("service", ["payment", "catalog-db", "frontend"])
@pytest.mark.parametrize("fault", ["latency", "cpu", "errors"])
def test_a_planted_fault_ranks_its_service_first(service, fault):
    case = cases.shop(seed=2, service=service, fault=fault).case()

    found = Surprise().service_scores(case)

    assert max(found, key=found.__getitem__) == service


def _case(values: np.ndarray, names: tuple[str, ...], onset: int) -> Case:
    series = tuple(Series.from_column(name) for name in names)
    return Case(Window(series, np.arange(float(len(values))), values, 1.0, onset))


def test_a_burst_that_comes_all_the_time_is_no_news():
    values = np.random.default_rng(0).normal(size=(240, 2))
    values[::12, 0] += 60  # a job every twelve rows, before and after
    values[225:240:12, 0] += 20
    values[220:, 1] += 8

    scores = Surprise().scores(_case(values, ("a|cpu", "b|cpu"), 220))

    assert scores[1] > scores[0] + 0.5


def test_a_constant_series_that_moves_is_judged_by_its_siblings():
    rng = np.random.default_rng(1)
    values = np.column_stack([np.zeros(100), rng.normal(0, 1000, 100), rng.normal(0, 1, 100)])
    values[90:, 0] = 5.0
    values[90:, 2] += 12
    names = ("a|disk_bytes", "b|disk_bytes", "c|cpu")

    scores = Surprise().scores(_case(values, names, 90))

    assert scores[0] < 0.1 < scores[2]


def test_a_series_that_stops_is_surprising():
    values = np.random.default_rng(2).normal(size=(100, 6))
    values[90:, 3] = np.nan
    names = tuple(f"{s}|cpu" for s in "abcdef")

    assert int(Surprise().scores(_case(values, names, 90)).argmax()) == 3


def test_a_victim_that_gets_less_work_stands_behind_the_one_that_works_more():
    values = np.random.default_rng(3).normal(size=(120, 2))
    values[100:, 0] -= 10
    values[100:, 1] += 8

    scores = Surprise().scores(_case(values, ("victim|cpu", "culprit|cpu"), 100))

    assert scores[1] > scores[0]
