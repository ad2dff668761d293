from dataclasses import replace
from itertools import permutations
from math import inf
from statistics import fmean

import pytest

from rootward_cli.evaluation import (
    CHANCE,
    MEAN_OF_SETS,
    Outcome,
    Row,
    bootstrap,
    chance,
    credit,
    fault_rows,
    robustness,
    rows,
    scores,
    shifted_rows,
    worst_rank,
)


def _outcome(case: str, rank: float, **more) -> Outcome:
    known = {"dataset": "d", "fault": "cpu", "method": "m", "series_rank": None, "seconds": 0.1,
             "services": 4, "causes": 1, "series": 40, "series_of_causes": 10}  # fmt: skip
    return Outcome(case=case, service_rank=rank, **(known | more))


def _row(found: list[Row], dataset: str, method: str) -> Row:
    (row,) = [row for row in found if (row.dataset, row.method) == (dataset, method)]
    return row


def test_tied_names_all_stand_before_the_true_one():
    assert worst_rank({"cart": 1.0, "orders": 1.0, "user": 0.5}, ["cart"]) == 2


def test_a_ranking_of_equal_scores_puts_the_truth_last():
    assert worst_rank(dict.fromkeys("abcdef", 0.0), ["a"]) == 6


def test_a_name_that_is_not_scored_is_a_miss_at_every_k():
    assert worst_rank({"cart": 1.0}, ["payment"]) == inf
    assert scores([inf]).ac5 == 0


def test_of_several_true_names_the_best_placed_counts():
    assert worst_rank({"a": 3, "b": 2, "c": 1}, ["c", "b"]) == 2


def test_avg5_is_the_mean_of_the_five_shares():
    found = scores([1, 3, inf])
    assert found.ac1 == pytest.approx(1 / 3)
    assert found.avg5 == pytest.approx((1 + 1 + 2 + 2 + 2) / 15)
    assert found.mrr == pytest.approx((1 + 1 / 3) / 3)


def test_a_failure_counts_as_a_case_and_as_a_miss():
    bad = _outcome("2", inf, error="InsufficientData: short")
    row = _row(rows([_outcome("1", 1), bad]), "d", "m")
    assert row.by_service.cases == 2
    assert row.by_service.ac1 == 0.5
    assert row.failed == 1


def test_the_macro_row_weighs_data_sets_and_not_cases_equally():
    outcomes = [_outcome(str(k), 1, dataset="big") for k in range(9)]
    outcomes.append(_outcome("0", inf, dataset="small"))
    assert _row(rows(outcomes), MEAN_OF_SETS, "m").by_service.ac1 == 0.5


@pytest.mark.parametrize(("candidates", "causes"), [(5, 1), (6, 2), (3, 1), (4, 4), (3, 0)])
def test_chance_is_the_mean_over_every_order(candidates: int, causes: int):
    truth = [str(k) for k in range(causes)]
    names = [str(k) for k in range(candidates)]
    orders = [dict(zip(names, order, strict=True)) for order in permutations(range(candidates))]
    every = [credit(worst_rank(order, truth)) for order in orders]
    found = chance(candidates, causes)
    for k in range(5):
        assert found.at[k] == pytest.approx(fmean(c.at[k] for c in every))
    assert found.reciprocal == pytest.approx(fmean(c.reciprocal for c in every))


def test_the_chance_row_knows_how_many_services_a_case_has():
    row = _row(rows([_outcome("1", 1), _outcome("2", 1, services=2)]), "d", CHANCE)
    assert row.by_service.ac1 == pytest.approx((1 / 4 + 1 / 2) / 2)
    assert row.retrieval == pytest.approx(0.99614, abs=1e-5)  # 1 - C(30, 15) / C(40, 15)


def test_an_interval_covers_the_mean_narrows_with_cases_and_follows_the_seed():
    few, many = [1.0, 0.0] * 5, [1.0, 0.0] * 200
    wide, narrow = bootstrap([few], 1), bootstrap([many], 1)
    assert wide.low < 0.5 < wide.high
    assert narrow.high - narrow.low == pytest.approx(4 * 0.5 / 400**0.5, rel=0.15)
    assert wide.high - wide.low > 3 * (narrow.high - narrow.low)
    assert bootstrap([few], 1) == wide


def test_an_interval_resamples_cases_within_each_data_set():
    certain = bootstrap([[1.0] * 10, [0.0] * 10], 0)
    assert (certain.low, certain.high) == (0.5, 0.5)


def test_rerank_counts_only_the_cases_whose_cause_was_retrieved():
    found = rows(
        [_outcome("1", 1, retrieved=True), _outcome("2", 3, retrieved=True), _outcome("3", inf)]
    )
    assert _row(found, "d", "m").retrieval == pytest.approx(2 / 3)
    assert _row(found, "d", "m").rerank == 0.5


def test_nothing_retrieved_leaves_nothing_to_rerank():
    assert _row(rows([_outcome("1", inf)]), "d", "m").rerank is None


def test_each_kind_of_fault_has_its_own_row():
    found = fault_rows([_outcome("1", 1), _outcome("2", inf, fault="mem")])
    assert [(r.fault, r.method, r.by_service.ac1) for r in found if r.method != CHANCE] == [
        ("cpu", "m", 1.0),
        ("mem", "m", 0.0),
    ]


def test_times_are_told_by_median_and_95th_percentile():
    found = rows([_outcome(str(k), 1, seconds=float(k)) for k in range(21)])
    assert _row(found, "d", "m").median_seconds == 10
    assert _row(found, "d", "m").p95_seconds == 19


def test_changed_cases_count_as_robustness_and_not_as_accuracy():
    given = _outcome("1", 1)
    changed = replace(
        given, service_rank=inf, variant="units rescaled", first_changed=True, order_changed=True
    )
    assert _row(rows([given, changed]), "d", "m").by_service.ac1 == 1
    (found,) = robustness([given, changed])
    assert (found.cases, found.first_changed, found.order_changed) == (1, 1, 1)


def test_a_wrong_onset_makes_a_curve_beside_the_case_as_given():
    given = _outcome("1", 1)
    found = shifted_rows([given, replace(given, service_rank=2, variant="onset -5", shift=-5)])
    assert {shift: _row(table, "d", "m").by_service.ac1 for shift, table in found.items()} == {
        -5: 0.0,
        0: 1.0,
    }
    assert shifted_rows([given]) == {}
