from math import inf

import pytest

from rootward_cli.evaluation import Outcome, rows, scores, worst_rank


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
    good = Outcome("d", "1", "cpu", "m", 1, None, 0.1)
    bad = Outcome("d", "2", "cpu", "m", inf, None, 0.1, error="InsufficientData: short")
    (row,) = rows([good, bad])
    assert row.by_service.cases == 2
    assert row.by_service.ac1 == 0.5
    assert row.failed == 1


def test_the_macro_row_weighs_data_sets_and_not_cases_equally():
    outcomes = [Outcome("big", str(k), "cpu", "m", 1, None, 0.1) for k in range(9)]
    outcomes.append(Outcome("small", "0", "cpu", "m", inf, None, 0.1))
    assert rows(outcomes)[-1].by_service.ac1 == 0.5
