"""Lines among hubs go first: networks learn as well on the thinned graph, no service is cut off."""

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from rootward.errors import InsufficientData, InvalidParameters
from rootward.methods.maps.declutter.method import Declutter, service_map
from rootward.methods.maps.declutter.model import (
    first_out,
    first_out_attached,
    line_scores,
    lines_between,
    pieces,
)
from rootward.methods.maps.declutter.network import Nodes, Recipe, keep_largest, train
from rootward.model.case import Case
from rootward.model.graph import CausalGraph
from rootward.testing import cases

NODES, CLASSES = 400, 4
THINNED = Recipe(epochs=150)
THINNED_WEIGHTS = Recipe(epochs=150, keep_weights=0.4)


def test_the_score_of_a_line_is_that_of_the_paper():
    # A hub 0 with leaves 1 and 2, and 3 behind 2: degrees 2, 1, 2, 1.
    lines = lines_between([(1, 0), (0, 2), (2, 0), (2, 3), (3, 3)])
    near = (1 + 1 / math.sqrt(2)) / 2
    leaf = 1 / math.sqrt(2)

    assert lines.tolist() == [[0, 1], [0, 2], [2, 3]]
    expected = [near / 2 * leaf, near / 2 * near / 2, near / 2 * leaf]
    np.testing.assert_allclose(line_scores(lines, 4), expected)


def test_exactly_the_asked_share_of_lines_and_weights_goes():
    scores = np.random.default_rng(0).random(57)
    assert len(first_out(scores, 0.4)) == 22
    weights = [torch.randn(7, 3), torch.randn(3)]
    keep_largest(weights, 0.4)
    assert sum(int((w != 0).sum()) for w in weights) == 24 - math.ceil(0.6 * 24)


def blocks(seed: int) -> tuple[Nodes, np.ndarray]:
    """A degree-corrected block model of four classes whose features say little by themselves."""
    rng = np.random.default_rng(seed)
    label = rng.integers(CLASSES, size=NODES)
    weight = np.minimum((1 - rng.random(NODES)) ** (-1 / 1.6), 30)
    chance = np.outer(weight, weight) * np.where(label[:, None] == label[None], 1.0, 0.18)
    chance *= 9.0 * NODES / chance.sum()
    lines = np.argwhere(np.triu(rng.random((NODES, NODES)) < chance, 1))
    centres = 0.6 * rng.standard_normal((CLASSES, 32))
    features = centres[label] + 2.0 * rng.standard_normal((NODES, 32))
    order = rng.permutation(NODES)
    told = np.isin(np.arange(NODES), order[:40])
    held = np.isin(np.arange(NODES), order[40:120])
    nodes = Nodes(
        torch.from_numpy(features).float(),
        torch.from_numpy(label),
        torch.from_numpy(told),
        torch.from_numpy(held),
    )
    return nodes, lines


@cache
def accuracies(seed: int) -> dict[str, float]:
    """On nodes never looked at: whole graph, and 40 % thinner in several ways."""
    nodes, lines = blocks(seed)
    scores = line_scores(lines, NODES)
    thin = np.delete(lines, first_out(scores, 0.4), axis=0)
    rng = np.random.default_rng(seed)
    any_40 = rng.permutation(lines)[: len(thin)]
    dense = train(nodes, lines, THINNED, seed)
    found = {
        "whole": dense,
        "teddy": train(nodes, thin, THINNED, seed),
        "random": train(nodes, any_40, THINNED, seed),
        "teddy, taught": train(nodes, thin, THINNED_WEIGHTS, seed, teacher=dense.logits),
    }
    weights = 32 * 64 + 64 * CLASSES + 64 + CLASSES
    assert found["teddy, taught"].nonzero == weights - math.ceil(0.6 * weights - 1e-9)
    unseen = ~(nodes.train | nodes.valid)
    return {name: one.accuracy(nodes.labels, unseen) for name, one in found.items()}


def _means(seeds: int) -> dict[str, float]:
    each = [accuracies(seed) for seed in range(seeds)]
    return {name: float(np.mean([one[name] for one in each])) for name in each[0]}


def test_a_network_learns_more_on_the_thinned_graph_than_on_a_random_one():
    mean = _means(2)

    assert mean["teddy"] >= mean["random"] + 0.02
    assert mean["teddy, taught"] >= mean["whole"] - 0.03


@pytest.mark.slow
def test_it_holds_over_five_graphs_and_the_teacher_gives_back_what_is_lost(measured):
    mean = _means(5)
    figures = ", ".join(f"{name} {value:.2f}" for name, value in mean.items())
    measured(f"accuracy on five block models, 40 % of the lines out: {figures}")

    assert mean["teddy"] >= mean["random"] + 0.02
    assert mean["teddy, taught"] >= mean["whole"] - 0.02


def call_graph(seed: int, services: int = 80) -> tuple[tuple[str, str], ...]:
    """Whoever is new is called by one who calls many already; then a third of calls more."""
    rng = np.random.default_rng(seed)
    calls: list[tuple[int, int]] = []
    for service in range(1, services):
        heard = np.bincount([c for call in calls for c in call], minlength=service)[:service] + 1.0
        for _ in range(1 + (rng.random() < 0.7) + (rng.random() < 0.3)):
            calls.append((int(rng.choice(service, p=heard / heard.sum())), service))
    return tuple(sorted({(f"s{a:02}", f"s{b:02}") for a, b in calls}))


def _pieces(share: float) -> dict[str, float]:
    """Parts of 30 call graphs on average, thinned in three ways."""
    found: dict[str, list[int]] = {"teddy": [], "attached": [], "random": []}
    for seed in range(30):
        calls = call_graph(seed)
        lines = lines_between((int(a[1:]), int(b[1:])) for a, b in calls)
        scores, wanted = line_scores(lines, 80), int(share * len(lines))
        gone = {
            "teddy": first_out(scores, share),
            "attached": first_out_attached(lines, scores, share),
            "random": np.random.default_rng(seed).permutation(len(lines))[:wanted],
        }
        for name, places in gone.items():
            found[name].append(pieces(np.delete(lines, places, axis=0), range(80)))
    return {name: float(np.mean(counts)) for name, counts in found.items()}


def test_services_stay_on_the_map_where_a_random_one_loses_them(measured):
    for share in (0.2, 0.4):
        mean = _pieces(share)
        figures = ", ".join(f"{name} {value:.1f}" for name, value in mean.items())
        measured(f"pieces of 30 call graphs with {share:.0%} of the lines out: {figures}")
        assert mean["attached"] == 1.0
        assert mean["teddy"] <= 0.6 * mean["random"]


def _case(calls: tuple[tuple[str, str], ...]) -> Case:
    shop = cases.shop(seed=1)
    return replace(shop.case(), calls=calls, graph=CausalGraph(shop.window.series, ()))


def test_the_answer_says_how_many_lines_went_and_what_chance_would_have_cut_off():
    case = _case(call_graph(3))
    lines = len(service_map(case).lines)

    result = Declutter(share=0.2).run(case)

    assert f"{int(0.2 * lines)} of {lines} lines fewer" in result.answer
    assert "no service is cut off" in result.answer
    assert result.baseline.value >= result.headline.value + 3


def test_a_chain_is_left_whole_for_every_line_is_the_only_way():
    chain = tuple((f"s{k}", f"s{k + 1}") for k in range(9))

    assert "0 of 9 lines fewer" in Declutter().run(_case(chain)).answer


def test_a_map_of_two_lines_is_too_small_and_a_share_of_all_is_refused():
    with pytest.raises(InsufficientData, match="2 lines"):
        Declutter().run(_case((("a", "b"), ("b", "c"))))
    with pytest.raises(InvalidParameters, match="share"):
        Declutter(share=1.0)
