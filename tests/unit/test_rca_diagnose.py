"""The diagnosis, end to end on arrays: planted truth, bad data, and silence where due."""

from dataclasses import replace

import numpy as np
import pytest

from rootward.errors import InsufficientData
from rootward.methods.discovery.ridge_granger import RidgeGranger
from rootward.model.incident import Band, Diagnosis
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.rca.diagnose import MAX_CANDIDATES, diagnose
from rootward.rca.excerpt import POINTS
from rootward.testing import cases

GRAPH = RidgeGranger()


def _window(values: np.ndarray, names: list[str], onset: int | None, step: float = 10.0) -> Window:
    series = tuple(Series.from_column(name) for name in names)
    times = 1_700_000_000 + step * np.arange(float(len(values)))
    return Window(series, times, values, step, onset)


def _noise(rows: int, names: list[str], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(50.0, 1.0, (rows, len(names)))


NAMES = [f"{s}|{m}" for s in ("api", "cart", "db") for m in ("cpu_usage", "latency_p99_ms")]


def _order(found: Diagnosis) -> list[str]:
    return [candidate.service for candidate in found.candidates]


@pytest.mark.parametrize("service", ["catalog-db", "payment", "cart", "frontend"])
@pytest.mark.parametrize("fault", ["latency", "cpu", "errors"])
def test_a_fault_that_runs_up_to_the_frontend_ranks_its_own_service_first(service, fault):
    planted = cases.shop(seed=3, service=service, fault=fault)

    found = diagnose(planted.window, discovery=GRAPH, calls=planted.calls)

    assert _order(found)[0] == service
    assert not found.abstained
    assert service in found.conclusion


def test_the_first_ranking_is_told_before_the_graph_is_learnt_and_changes_nothing():
    planted = cases.shop(seed=3, service="payment", fault="latency")
    told: list[object] = []

    found = diagnose(
        planted.window,
        discovery=GRAPH,
        calls=planted.calls,
        reached=told.append,
        ranked=told.append,
    )

    first = told[told.index("onset") + 1]
    assert isinstance(first, tuple)
    assert first[0].service == "payment"
    assert all(candidate.evidence == () for candidate in first)
    assert told[-3:] == ["graph", "ranking", "evidence"]
    assert found == diagnose(planted.window, discovery=GRAPH, calls=planted.calls)


def test_it_finds_the_cause_without_calls_and_without_a_graph():
    planted = cases.shop(seed=1, service="shipping", size=15.0)

    assert _order(diagnose(planted.window, discovery=None))[0] == "shipping"


def test_the_graph_tells_the_cause_from_a_larger_victim():
    """Small faults: without the graph the loudest victim often stands first."""
    right = 0
    for seed in range(6):
        planted = cases.shop(seed=seed, service="cart", size=4.0)
        right += _order(diagnose(planted.window, discovery=GRAPH, calls=planted.calls))[0] == "cart"

    assert right >= 5


def test_a_common_cause_stands_before_what_it_drives():
    planted = cases.common_cause(fault=8.0)

    assert _order(diagnose(planted.window, discovery=GRAPH))[0] == "z"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("onset", [None, 200, 300])
def test_it_says_nothing_where_nothing_happened(seed, onset):
    quiet = cases.no_fault(seed=seed)

    found = diagnose(quiet.window.with_onset(onset), discovery=GRAPH, calls=quiet.calls)

    assert found.abstained
    assert found.band is Band.NONE
    assert found.confidence == 0
    assert found.conclusion.startswith("No confident cause: ")


def test_what_is_less_likely_than_not_is_listed_and_not_called_the_cause():
    planted = cases.shop(seed=3, service="frontend", fault="errors")
    window = planted.window
    assert window.onset is not None
    cut = window.rows(window.onset - 60, window.onset + 3)

    found = diagnose(cut, discovery=None, calls=planted.calls)

    assert found.abstained
    assert found.band is Band.LOW
    assert 0 < found.confidence < 0.5
    assert found.conclusion.startswith("No confident cause: frontend stands out most")
    assert _order(found)[0] == "frontend"


def test_it_finds_the_onset_itself_and_says_so():
    planted = cases.shop(seed=2, size=12.0)

    found = diagnose(planted.window.with_onset(None), discovery=None, calls=planted.calls)

    assert _order(found)[0] == "catalog-db"
    assert found.onset_unix == pytest.approx(planted.window.onset_unix, abs=25)
    assert any("onset was not given" in caution for caution in found.cautions)


def test_the_answer_does_not_depend_on_the_order_of_the_columns():
    planted = cases.shop(seed=4, service="cart", size=8.0)
    order = np.random.default_rng(0).permutation(len(planted.window.series)).tolist()

    one = diagnose(planted.window, discovery=GRAPH, calls=planted.calls)
    other = diagnose(planted.window.select(order), discovery=GRAPH, calls=planted.calls)

    assert _order(one) == _order(other)
    assert [c.series for c in one.candidates] == [c.series for c in other.candidates]
    assert one.confidence == pytest.approx(other.confidence)


def test_the_answer_does_not_depend_on_units():
    planted = cases.shop(seed=4, service="cart", size=8.0)
    factors = {
        m: 8.0 ** (k - 1) for k, m in enumerate(sorted({s.metric for s in planted.window.series}))
    }
    scaled = planted.window.values * [factors[s.metric] for s in planted.window.series]

    one = diagnose(planted.window, discovery=None, calls=planted.calls)
    other = diagnose(replace(planted.window, values=scaled), discovery=None, calls=planted.calls)

    assert _order(one) == _order(other)
    assert one.confidence == pytest.approx(other.confidence)


def test_the_same_window_gives_the_same_diagnosis():
    planted = cases.shop(seed=5)

    twice = [diagnose(planted.window, discovery=GRAPH, seed=7) for _ in range(2)]

    assert twice[0] == twice[1]


def test_an_earlier_fault_in_the_baseline_does_not_hide_the_new_one():
    values = _noise(300, NAMES)
    values[60:80, 0] += 40  # api, long before
    values[250:, 5] += 15  # db, now

    assert _order(diagnose(_window(values, NAMES, 250), discovery=None))[0] == "db"


def test_holes_infinities_and_dead_columns_do_no_harm():
    values = _noise(200, NAMES)
    values[150:, 3] += 30
    values[::7, 0] = np.nan
    values[155, 1] = np.inf
    values[:, 2] = 3.0
    values[:, 4] = np.nan

    found = diagnose(_window(values, NAMES, 150), discovery=GRAPH)

    assert _order(found)[0] == "cart"
    assert sorted(_order(found)) == ["api", "cart", "db"]
    assert any("no measured baseline" in caution for caution in found.cautions)


def test_a_baseline_before_a_recording_gap_is_a_baseline():
    values = _noise(200, NAMES)
    values[120:, 4] += 20
    whole = _window(values, NAMES, 120)
    times = np.where(np.arange(200) >= 120, whole.times + 200_000, whole.times)
    window = replace(whole, times=times)

    found = diagnose(window, discovery=GRAPH)

    assert _order(found)[0] == "db"
    assert found.excerpts[0].times[0] >= times[120]


def test_ten_rows_are_enough_for_an_answer_but_not_for_a_graph():
    values = _noise(10, NAMES)
    values[7:, 2] += 60

    found = diagnose(_window(values, NAMES, 7), discovery=GRAPH)

    assert _order(found)[0] == "cart"
    assert found.graph.edges == ()
    assert any(c.startswith("No causal graph was learnt: ") for c in found.cautions)
    assert any("baseline has only 7 rows" in caution for caution in found.cautions)


def test_one_series_is_its_own_cause_or_none():
    values = _noise(60, NAMES[:1])
    moved = values.copy()
    moved[50:] += 30

    assert _order(diagnose(_window(moved, NAMES[:1], 50), discovery=GRAPH)) == ["api"]
    assert diagnose(_window(values, NAMES[:1], 50), discovery=GRAPH).abstained


def test_a_constant_window_is_no_incident():
    window = _window(np.full((50, len(NAMES)), 7.0), NAMES, None)

    assert diagnose(window, discovery=GRAPH).abstained
    assert diagnose(window.with_onset(30), discovery=GRAPH).abstained


@pytest.mark.parametrize(
    ("values", "names", "onset"),
    [
        (np.empty((20, 0)), [], None),
        (np.full((20, 2), np.nan), NAMES[:2], None),
        (np.ones((2, 2)), NAMES[:2], None),
        (np.ones((20, 2)), NAMES[:2], 1),
    ],
)
def test_too_little_is_said_to_be_too_little(values, names, onset):
    with pytest.raises(InsufficientData):
        diagnose(_window(values, names, onset), discovery=GRAPH)


def test_many_services_are_capped_and_shares_still_sum_to_one():
    names = [f"s{k:03d}|cpu_usage" for k in range(80)]
    values = _noise(60, names)
    values[50:, 17] += 40

    found = diagnose(_window(values, names, 50), discovery=None)

    assert len(found.candidates) == MAX_CANDIDATES
    assert _order(found)[0] == "s017"
    assert sum(c.score for c in found.candidates) == pytest.approx(1.0)
    assert [c.rank for c in found.candidates] == list(range(1, MAX_CANDIDATES + 1))


def test_the_graph_is_learnt_on_a_screened_part_and_the_rest_is_named():
    names = [f"s{k:02d}|cpu_usage" for k in range(60)]
    values = _noise(300, names)
    values[280:, 3] += 20

    found = diagnose(_window(values, names, 280), discovery=GRAPH)

    assert any("covers 40 of 60 series" in caution for caution in found.cautions)


def test_plots_are_short_and_keep_the_extremes():
    values = _noise(2000, NAMES)
    values[1500, 2] = 500.0
    values[1900:, 2] += 30

    first = diagnose(_window(values, NAMES, 1900), discovery=None).excerpts[0]

    assert len(first.times) == len(first.values) <= POINTS
    assert max(v for v in first.values if v is not None) == 500.0
    assert first.low < 50 < first.high
    assert first.high < 80


def test_the_other_methods_are_heard():
    planted = cases.shop(seed=0, service="payment", size=30.0)

    found = diagnose(planted.window, discovery=None).opinions

    assert {o.method for o in found} == {"n_sigma", "robust_z", "baro", "prism", "alert_count"}
    assert all(len(o.services) <= 5 for o in found)
    assert next(o for o in found if o.method == "n_sigma").services[0] == "payment"


def test_names_in_the_call_graph_that_are_not_measured_are_ignored():
    values = _noise(120, NAMES)
    values[100:, 5] += 20
    calls = (("api", "db"), ("ghost", "db"), ("db", "db"), ("api", "elsewhere"))

    assert _order(diagnose(_window(values, NAMES, 100), discovery=None, calls=calls))[0] == "db"


@pytest.mark.parametrize("late", [1, 3, 6])
def test_a_detector_that_came_late_is_corrected(late):
    values = _noise(140, NAMES)
    values[120:, 4] += 15

    found = diagnose(_window(values, NAMES, 120 + late), discovery=None)

    assert _order(found)[0] == "db"
    assert found.onset_unix == pytest.approx(1_700_000_000 + 1200, abs=10)
    assert any(caution.startswith("The onset was moved back by ") for caution in found.cautions)


def test_a_slow_drift_does_not_move_the_onset():
    values = _noise(300, NAMES)
    values[:, 0] += np.linspace(0, 60, 300)
    values[280:, 4] += 25

    found = diagnose(_window(values, NAMES, 280), discovery=None)

    assert _order(found)[0] == "db"
    assert found.onset_unix == pytest.approx(1_700_000_000 + 2800, abs=10)


def _busy_shop(after: int, rows: int = 300) -> cases.Planted:
    """A slow payment, some rows in; and a queue at the catalog that hardly ever holds anything."""
    planted = cases.shop(seed=1, service="payment", size=12.0, rows=rows + 60, onset=rows)
    window = planted.window.rows(0, rows + after)
    waits = 1e-5 * np.exp(np.random.default_rng(1).normal(size=len(window.times)))
    waits[rows:] = 6e-4
    series = (*window.series, Series.of("queue_wait_seconds", "catalog"))
    values = np.column_stack([window.values, waits])
    return replace(planted, window=replace(window, series=series, values=values))


@pytest.mark.parametrize("after", [2, 5, 12])
def test_a_wait_that_no_request_feels_is_no_cause(after):
    found = diagnose(_busy_shop(after).window, discovery=None)

    assert _order(found)[0] == "payment"
    assert found.candidates[0].series.metric == "latency_p95_seconds"


def test_the_first_rows_give_no_high_confidence_and_more_rows_give_more():
    values = _noise(160, NAMES)
    values[140:, 5] += 4000.0

    sure = [diagnose(_window(values[: 140 + n], NAMES, 140), discovery=None) for n in (1, 2, 12)]

    assert [_order(found)[0] for found in sure] == ["db"] * 3
    assert sure[0].confidence < sure[1].confidence < sure[2].confidence
    assert sure[1].band is not Band.HIGH
    assert sure[2].band is Band.HIGH


def test_a_restart_elsewhere_does_not_outshout_the_fault():
    planted = cases.shop(seed=2, service="payment", size=8.0, rows=320, onset=300)
    began = np.full(320, 1_690_000_000.0)
    began[298:] = planted.window.times[298]
    age = planted.window.times - began
    clocks = [("process_start_time_seconds", began), ("process_uptime_seconds", age)]
    window = replace(
        planted.window,
        series=(*planted.window.series, *(Series.of(metric, "cart") for metric, _ in clocks)),
        values=np.column_stack([planted.window.values, *(values for _, values in clocks)]),
    )

    assert _order(diagnose(window, discovery=None))[0] == "payment"


@pytest.mark.parametrize("after", [3, 12])
def test_the_one_broken_instance_of_several_is_named(after):
    cart = tuple(Series.of("cpu_usage", "cart", instance=f"cart-{k}") for k in range(3))
    others = _window(_noise(200 + after, NAMES), NAMES, 200)
    values = np.column_stack([_noise(200 + after, NAMES[:3], seed=1), others.values])
    values[200:, 1] += 25
    window = replace(
        others,
        series=(*cart, *others.series[:2], *others.series[4:]),
        values=np.delete(values, [5, 6], axis=1),
    )

    found = diagnose(window, discovery=None).candidates[0]

    assert found.service == "cart"
    assert found.series.label("instance") == "cart-1"
    assert "cart-1" in found.evidence[0].text


@pytest.mark.parametrize("after", [2, 3, 12])
def test_a_service_that_vanished_is_named_while_a_new_instance_is_not(after):
    values = _noise(200 + after, [*NAMES, "new"])
    values[:195, -1] = np.nan
    values[200:, 2:4] = np.nan  # cart
    window = _window(values[:, :-1], NAMES, 200)
    series = (*window.series, Series.of("cpu_usage", "api", instance="new"))

    found = diagnose(replace(window, series=series, values=values), discovery=None)

    assert _order(found)[0] == "cart"
