"""CIRCA's test: a victim follows its parents, the culprit does not."""

from itertools import pairwise

import numpy as np
import pytest

from rootward.methods.ranking.circa import Circa, structural
from rootward.methods.ranking.n_sigma import NSigma
from rootward.model.case import Case
from rootward.model.graph import CausalGraph, Edge
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.testing import cases

LATENCY, TRAFFIC, CPU = "latency_seconds", "requests_per_second", "cpu_usage"


def _incident(columns: dict[tuple[str, str], np.ndarray], calls=()) -> Case:
    series = tuple(Series.of(metric, service) for service, metric in columns)
    values = np.column_stack(list(columns.values()))
    window = Window(series, 5.0 * np.arange(len(values)), values, 5.0, onset=250)
    return Case(window, calls=calls)


def _amplified() -> dict[tuple[str, str], np.ndarray]:
    """The callee's latency breaks; the caller's follows, four times as large against its noise."""
    rng = np.random.default_rng(1)
    callee = rng.standard_normal(300)
    callee[250:] += 6
    return {("front", LATENCY): 4 * callee + rng.standard_normal(300), ("db", LATENCY): callee}


def test_a_caller_that_only_follows_its_callee_stands_below_it():
    found = Circa().service_scores(_incident(_amplified(), calls=(("front", "db"),)))
    assert found["db"] > 2 * found["front"]


def test_a_broken_mechanism_is_seen_through_its_parents():
    case = cases.chain(rows=400, seed=2, fault=10.0).case()
    series = case.window.series
    edges = tuple(Edge(a, b, 1, 1.0) for a, b in pairwise(series))
    graph = CausalGraph(series, edges)
    found = Circa().scores(Case(case.window, graph=graph))
    assert int(found.argmax()) == 0
    assert (found[1:] < NSigma().scores(case)[1:]).all()


def test_without_parents_it_is_n_sigma():
    case = cases.chain(rows=400, seed=3, fault=10.0).case()
    bare = Case(case.window, graph=CausalGraph(case.window.series, ()))
    assert Circa().scores(bare) == pytest.approx(NSigma().scores(case))


def test_the_structure_follows_calls_and_golden_signals():
    noise = np.random.default_rng(4).standard_normal((6, 300))
    names = [(s, m) for s in ("front", "db") for m in (TRAFFIC, CPU, LATENCY)]
    case = _incident(dict(zip(names, noise, strict=True)))
    parents = structural(case.window, (("front", "db"), ("front", "elsewhere")))
    of = {names[k]: {names[c] for c, _ in found} for k, found in parents.items()}
    assert of["db", TRAFFIC] == {("front", TRAFFIC)}
    assert of["front", TRAFFIC] == set()
    assert of["front", LATENCY] == {("front", TRAFFIC), ("front", CPU), ("db", LATENCY)}
    assert of["db", CPU] == {("db", TRAFFIC)}


def test_equal_parents_and_constant_ones_do_not_stop_it():
    columns = _amplified()
    columns["db", "response_time_ms"] = columns["db", LATENCY]
    columns["db", "p99_latency"] = np.full(300, 2.0)
    found = Circa().service_scores(_incident(columns, calls=(("front", "db"),)))
    assert np.isfinite(list(found.values())).all()


def test_more_parents_than_rows_are_given_up_and_not_fitted_exactly():
    rng = np.random.default_rng(5)
    columns = {(f"s{k}", LATENCY): rng.standard_normal(300) for k in range(12)}
    window = _incident(columns).window.rows(238, 270)  # 12 rows of baseline
    calls = tuple(("s0", f"s{k}") for k in range(1, 12))
    found = Circa().scores(Case(window, calls=calls))
    assert found[0] < 20


def test_rows_where_a_parent_is_missing_do_not_silence_its_effect():
    columns = _amplified()
    columns["db", LATENCY][250:] = np.nan
    found = Circa().service_scores(_incident(columns, calls=(("front", "db"),)))
    assert found["front"] > 4
