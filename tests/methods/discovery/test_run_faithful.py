"""RUN as released: that its known defects are in it, and that the rest of it works."""

import numpy as np
import pytest
import torch

from rootward.errors import InsufficientData
from rootward.methods.discovery.run_faithful.method import RunFaithful, attended, without_circles
from rootward.methods.discovery.run_faithful.model import (
    CONTEXT,
    Branch,
    answer,
    attention,
    batches,
    decomposed,
)
from rootward.numerics.training import generator
from rootward.testing import cases


def test_the_moving_average_runs_over_series_as_in_the_release():
    x = torch.zeros(1, 33, CONTEXT)
    x[0, 20] = 1.0

    trend = decomposed(x)[1]

    assert (trend[0, 8:33, 5] > 0).all()
    assert trend[0, :8].abs().max() == 0


def test_multiplying_out_from_the_end_gives_what_the_layers_give():
    random, series, targets = generator(0), 5, 3
    weight, bias = torch.randn(series, CONTEXT, 8, generator=random), torch.randn(series, 1, 8)
    decode = torch.randn(targets, series, 8, CONTEXT, generator=random)
    decode_bias = torch.randn(targets, series, CONTEXT, generator=random)
    point = torch.randn(targets, series, CONTEXT, generator=random)
    looks = torch.softmax(torch.randn(targets, series, generator=random), dim=1)
    x = torch.randn(7, series, CONTEXT, generator=random)

    code = torch.einsum("bcl,clh->bch", x, weight) + bias[:, 0]
    shown = looks[None, :, :, None] * code[:, None]
    layered = torch.einsum("btch,tcho->btco", shown, decode) + decode_bias
    expected = (layered * point).sum(dim=(2, 3))
    copies = (weight.expand(targets, -1, -1, -1), bias[:, 0].expand(targets, -1, -1))
    branch = Branch(*copies, decode, decode_bias, point)

    assert torch.allclose(answer(x, branch, looks), expected, rtol=1e-3, atol=1e-2)


def test_attention_leaves_what_does_not_matter():
    """0 drives 2 without noise; 1, in between, drives nothing."""
    values = np.random.default_rng(0).normal(size=(200, 3))
    values[1:, 2] = values[:-1, 0]
    past = np.stack([values[k : k + 150].T for k in range(CONTEXT)], axis=2).transpose(1, 0, 2)
    x = torch.from_numpy(past.copy()).float()
    y = torch.from_numpy(values[CONTEXT : CONTEXT + 150]).float()

    looks = attention(x, y, 40, generator(0))

    assert looks[0, 2] > 1 > looks[1, 2]


def test_the_cut_is_at_the_largest_gap_of_the_upper_half():
    assert attended(np.array([1.9, 1.8, 1.2, 1.1, 0.9, 0.1])) == [0, 1]
    assert attended(np.array([9.0, 0.9, 0.8, 0.7, 0.6, 0.5])) == [0]
    assert attended(np.array([1.2, 0.9, 1.1])) == [0, 2]


def test_circles_are_broken_where_the_signed_correlation_is_smallest():
    likeness = np.array([[1.0, 0.5, 0.1], [-0.9, 1.0, 0.2], [0.3, 0.4, 1.0]])

    assert without_circles([(0, 1), (1, 0), (1, 2)], likeness) == [(0, 1), (1, 2)]


def test_its_graph_is_no_longer_empty_and_has_no_circle():
    planted = cases.chain(rows=300, seed=1, length=8)

    graph = RunFaithful(epochs=5).discover(planted.window, 0)

    assert graph.edges
    drawn = {(e.cause, e.effect) for e in graph.edges}
    assert not any((effect, cause) in drawn for cause, effect in drawn)


def test_every_pair_has_its_attention():
    planted = cases.noise(rows=200, series=4)

    graph = RunFaithful(epochs=2, every_pair=True).discover(planted.window, 0)

    assert len(graph.edges) == 12


def test_a_batch_that_is_not_full_counts_only_if_it_is_the_only_one():
    assert [len(b) for b in batches(300, generator(0))] == [128, 128]
    assert [len(b) for b in batches(60, generator(0))] == [60]


def test_few_rows_are_refused():
    with pytest.raises(InsufficientData, match="widen the window"):
        RunFaithful().discover(cases.chain(rows=70).window, 0)
