"""Masks that keep the largest entries: budgets, ties, and what is not positive."""

import torch

from rootward.numerics.sparsity import smallest_kept, top_of_all, top_per_column, top_per_row
from rootward.numerics.training import generator


def test_each_row_keeps_its_largest_positive_entries():
    scores = torch.tensor([[3.0, 1.0, 2.0], [-1.0, 0.0, 5.0]])
    assert top_per_row(scores, 2).tolist() == [[True, False, True], [False, False, True]]


def test_the_batch_keeps_its_largest_wherever_they_are():
    scores = torch.tensor([[9.0, 8.0, 7.0], [1.0, -2.0, 0.0]])
    assert top_of_all(scores, 3).tolist() == [[True, True, True], [False, False, False]]
    assert top_of_all(scores, 100).sum() == 4
    assert top_of_all(scores, 0).sum() == 0


def test_of_equal_entries_the_first_stay():
    equal = torch.ones(2, 3)
    assert top_of_all(equal, 4).tolist() == [[True, True, True], [True, False, False]]
    assert top_per_row(equal, 1).tolist() == [[True, False, False]] * 2
    assert top_per_column(equal, torch.tensor([1, 0, 2])).tolist() == [
        [True, False, True],
        [False, False, True],
    ]


def test_top_of_all_is_top_per_row_of_the_flattened_batch():
    scores = torch.randn(40, 30, generator=generator(0))
    flat = top_per_row(scores.reshape(1, -1), 100).reshape(40, 30)
    assert torch.equal(top_of_all(scores, 100), flat)


def test_the_smallest_kept_is_infinite_where_nothing_is():
    scores = torch.tensor([[3.0, 1.0], [2.0, 4.0]])
    kept = torch.tensor([[True, False], [True, False]])
    assert smallest_kept(scores, kept).tolist() == [2.0, torch.inf]
