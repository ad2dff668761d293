"""The graph decides on claims; patterns read them; the network has opinions."""

from itertools import permutations

import networkx as nx
import numpy as np
import pytest

from rootward.errors import InsufficientData, InvalidParameters
from rootward.methods.reasoning.claim_checker.claims import (
    Claim,
    Relation,
    Verdict,
    check,
    read_claims,
)
from rootward.methods.reasoning.claim_checker.method import ClaimChecker
from rootward.methods.reasoning.claim_checker.model import (
    branching_question,
    chain_question,
    says_yes,
    trained,
)
from rootward.model.case import Case
from rootward.model.graph import CausalGraph, Edge
from rootward.model.result import CaveatCode
from rootward.model.series import Series
from rootward.testing import cases

NAMES = ("checkout", "cart", "cart-db", "payment", "mailer")
CAUSES, NOT, APART = Relation.CAUSES, Relation.DOES_NOT_CAUSE, Relation.UNRELATED


def _read(text: str, symptom: str | None = None) -> list[tuple[str, Relation, str]]:
    found = read_claims(text, NAMES, symptom).claims
    return [(c.subject, c.relation, c.object) for c in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cart-db caused cart.", [("cart-db", CAUSES, "cart")]),
        ("Cart was slow because of cart-db.", [("cart-db", CAUSES, "cart")]),
        ("The errors of checkout were caused by payment.", [("payment", CAUSES, "checkout")]),
        ("cart did not cause payment.", [("cart", NOT, "payment")]),
        ("checkout wasn't slowed down by mailer.", [("mailer", NOT, "checkout")]),
        ("mailer has nothing to do with payment.", [("mailer", APART, "payment")]),
        ("cart-db led to cart and checkout.",
         [("cart-db", CAUSES, "cart"), ("cart-db", CAUSES, "checkout")]),
        ("cart, payment broke checkout!", [(n, CAUSES, "checkout") for n in ("cart", "payment")]),
        ("cart-db slowed cart, which slowed checkout.",
         [("cart-db", CAUSES, "cart"), ("cart", CAUSES, "checkout")]),
        ("cart-db and payment were restarted.", []),
        ("checkout is unhappy.", []),
    ],
)  # fmt: skip
def test_sentences_are_read(text, expected):
    assert _read(text) == expected


def test_a_name_inside_of_another_word_is_no_name():
    assert _read("cartography caused precheckout.") == []
    assert _read("cart-db caused checkout.") == [("cart-db", CAUSES, "checkout")]


def test_the_root_cause_is_a_claim_about_the_symptom():
    expected = [("payment", CAUSES, "checkout")]
    assert _read("The root cause was payment.", "checkout") == expected
    assert _read("payment is the most likely cause.", "checkout") == expected
    assert _read("payment is not the root cause.", "checkout") == [("payment", NOT, "checkout")]
    assert _read("The root cause was payment.") == []


def test_two_names_in_words_that_no_pattern_knows_are_listed():
    assert read_claims("cart dragged checkout along.", NAMES).unread == (
        ("cart dragged checkout along.", "cart", "checkout"),
    )


def test_verdicts_agree_with_brute_force_on_two_hundred_random_graphs():
    rng = np.random.default_rng(0)
    for _ in range(200):
        size = int(rng.integers(3, 7))
        links = np.triu(rng.random((size, size)) < 0.4, 1)
        graph = nx.from_numpy_array(links, create_using=nx.DiGraph)
        nodes = {f"n{k}": (k,) for k in range(size)}
        for i, j in rng.permutation(list(permutations(range(size), 2)))[:3].tolist():
            caused = check(Claim("", f"n{i}", CAUSES, f"n{j}"), links, nodes)
            assert (caused.verdict is Verdict.FOLLOWS) == nx.has_path(graph, i, j)
            assert (caused.verdict is Verdict.CONTRADICTED) == nx.has_path(graph, j, i)
            given = tuple(f"n{k}" for k in range(size) if k not in (i, j) and rng.random() < 0.4)
            apart = check(Claim("", f"n{i}", APART, f"n{j}", given), links, nodes)
            held = {int(name[1:]) for name in given}
            truth = nx.is_d_separator(graph, {i}, {j}, held)
            assert (apart.verdict is Verdict.FOLLOWS) == truth


def test_a_shared_cause_is_no_way_from_one_effect_to_the_other():
    links = np.zeros((3, 3), dtype=bool)
    links[0, 1] = links[0, 2] = True
    nodes = {"db": (0,), "a": (1,), "b": (2,)}
    claimed = check(Claim("", "a", CAUSES, "b"), links, nodes)
    assert claimed.verdict is Verdict.DOES_NOT_FOLLOW
    assert check(Claim("", "a", APART, "b"), links, nodes).verdict is Verdict.CONTRADICTED
    assert check(Claim("", "a", APART, "b", ("db",)), links, nodes).verdict is Verdict.FOLLOWS


def _case(text: str) -> Case:
    series = tuple(Series.of("latency_seconds", name) for name in NAMES)
    mailer, pairs = series[4], [(2, 1), (1, 0), (3, 0)]
    graph = CausalGraph(
        (*series[:4], mailer), tuple(Edge(series[i], series[j], 1, 0.5) for i, j in pairs)
    )
    window = cases.noise(rows=60, series=5).window
    return Case(window, graph=graph, text=text)


def test_the_answer_counts_and_shows_the_way():
    text = "cart-db caused checkout. checkout caused payment. mailer broke cart."
    result = ClaimChecker().run(_case(text))
    (table,) = result.blocks
    assert "Of 3 claims 1 follow from the graph, 1 are contradicted and 1 do not" in result.answer
    assert "checkout causes payment: the graph has it the other way round" in result.answer
    ways = ("cart-db|latency_seconds", "cart|latency_seconds", "checkout|latency_seconds")
    assert table.rows[0][4] == " → ".join(ways)
    assert result.headline.value == 1
    assert result.baseline.value == 0  # no single edge joins cart-db and checkout


def test_a_text_of_one_s_own_takes_the_place_of_the_diagnosis():
    case = _case("cart caused cart-db.")
    assert "1 are contradicted" in ClaimChecker().run(case).answer
    assert "1 follow" in ClaimChecker(text="cart-db caused cart.").run(case).answer


def test_the_network_gives_an_opinion_and_decides_nothing():
    case = _case("cart dragged checkout along. cart-db caused cart.")
    result = ClaimChecker(network_steps=1).run(case)
    assert [c.code for c in result.caveats] == [CaveatCode.OPINION]
    assert result.headline.value == 1
    assert result.blocks[1].rows[0][2] in ("likely", "unlikely")


def test_a_text_without_claims_and_a_graph_without_edges_are_said():
    with pytest.raises(InsufficientData, match="no sentence"):
        ClaimChecker().run(_case("All is well."))
    with pytest.raises(InsufficientData, match="needs a causal graph"):
        ClaimChecker().run(Case(cases.noise(rows=60).window, text="a caused b"))
    with pytest.raises(InvalidParameters, match="network_steps"):
        ClaimChecker(network_steps=-1)


def test_half_of_the_made_up_hypotheses_follow():
    rng = np.random.default_rng(0)
    for questions in (
        [chain_question(rng, 3, 6) for _ in range(400)],
        [branching_question(rng, 5, 8) for _ in range(400)],
    ):
        assert np.mean([q.follows for q in questions]) == pytest.approx(0.5, abs=0.1)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_network_learns_transitivity_and_carries_it_to_longer_chains(measured):
    checker, _ = trained(1300, 0)
    rng = np.random.default_rng(99)

    def accuracy(make) -> float:
        questions = [make(rng) for _ in range(1000)]
        truth = np.array([q.follows for q in questions])
        return float(np.mean(says_yes(checker, questions, 1) == truth))

    seen = accuracy(lambda r: chain_question(r, 3, 6))
    longer = accuracy(lambda r: chain_question(r, 7, 9))
    branching = accuracy(lambda r: branching_question(r, 5, 8))
    measured(
        f"1,000 questions each, half of them true: {seen:.0%} right on chains of 3 to 6 as taught, "
        f"{longer:.0%} on chains of 7 to 9, {branching:.0%} on branching graphs"
    )
    assert seen >= 0.85
    assert longer >= 0.68
    assert branching >= 0.75
