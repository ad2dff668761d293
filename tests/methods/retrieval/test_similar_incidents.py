"""Learned words find what plain words miss, at the cost of an index and of no network."""

from functools import cache

import numpy as np
import pytest
import torch

from rootward.errors import InsufficientData
from rootward.methods.retrieval.similar_incidents.encoder import (
    Encoder,
    Pairs,
    Recipe,
    ensemble,
    learnt,
)
from rootward.methods.retrieval.similar_incidents.index import Index, bm25, reciprocal_ranks
from rootward.methods.retrieval.similar_incidents.method import SimilarIncidents
from rootward.methods.retrieval.similar_incidents.words import Vocabulary, change_words, words_in
from rootward.model.case import Case
from rootward.model.incident import Change
from rootward.model.past import Document
from rootward.model.series import Series
from rootward.testing import cases
from tests.methods.retrieval.texts_made_up import Library, library


@cache
def made_up(identifiers: bool = False) -> Library:
    return library(0, identifiers=identifiers)


@cache
def pairs(identifiers: bool = False) -> Pairs:
    made = made_up(identifiers)
    queries = made.vocabulary.counts([words for words, _ in made.learn])
    queries.data[:] = 1.0
    return Pairs(queries, np.array([right for _, right in made.learn]))


@cache
def encoder(rarity: str = "loss", penalty: float = 0.03) -> Encoder:
    made = made_up()
    recipe = Recipe(rarity=rarity, penalty=penalty)
    return learnt(made.vocabulary.counts(made.texts), pairs(), recipe, 0)


@cache
def learned_index(rarity: str = "loss", penalty: float = 0.03) -> Index:
    made = made_up()
    return encoder(rarity, penalty).index(made.vocabulary.counts(made.texts), 0.0)


def quality(index: Index) -> tuple[float, float]:
    """nDCG@10 with one right text for each query, and postings read for each query."""
    made, gains, touched = made_up(), [], []
    for words, right in made.ask:
        query = [made.vocabulary.place[w] for w in words if w in made.vocabulary.place]
        found = [text for text, _ in index.search(query, 10)]
        gains.append(1 / np.log2(2 + found.index(right)) if right in found else 0.0)
        touched.append(index.touched(query))
    return float(np.mean(gains)), float(np.mean(touched))


def test_words_that_go_together_are_found_where_plain_words_miss_them(measured):
    made = made_up()

    learned, _ = quality(learned_index())
    plain, _ = quality(bm25(made.vocabulary.counts(made.texts)))
    measured(f"labelled queries: nDCG@10 {learned:.2f}, BM25 {plain:.2f}")

    assert learned >= plain + 0.3


def test_rare_words_that_cost_less_make_a_query_read_less_of_the_index(measured):
    aware, aware_read = quality(learned_index("loss"))
    unaware, unaware_read = quality(learned_index("none"))
    measured(
        f"entries read for a query: {aware_read:.0f}, by a plain sparsity loss {unaware_read:.0f} "
        f"(nDCG@10 {unaware:.2f})"
    )

    assert aware_read <= 0.7 * unaware_read
    assert aware >= unaware - 0.01


def test_under_a_strong_penalty_they_find_more(measured):
    aware, unaware = (quality(learned_index(rarity, 0.3))[0] for rarity in ("loss", "none"))
    measured(f"penalty 0.3: nDCG@10 {aware:.2f} with rare words cheaper, {unaware:.2f} without")
    assert aware >= unaware


def test_rarity_in_the_match_does_what_it_does_in_the_loss():
    assert quality(learned_index("match"))[0] == pytest.approx(
        quality(learned_index("loss"))[0], abs=0.02
    )


def test_the_index_gives_the_product_of_query_and_text_and_asks_no_network():
    made, index, trained = made_up(), learned_index("loss", 0.03), encoder("loss", 0.03)
    with torch.no_grad():
        counts = torch.from_numpy(made.vocabulary.counts(made.texts[:40]).toarray()).float()
        whole = trained(counts).double().numpy()

    for words, _ in made.ask[:20]:
        query = [made.vocabulary.place[w] for w in words if w in made.vocabulary.place]
        expected = whole[:, sorted(set(query))].sum(axis=1)
        np.testing.assert_allclose(index.scores(query)[:40], expected, rtol=1e-5, atol=1e-7)
        assert sum(v for _, v in index.explained(query, 3)) == pytest.approx(expected[3], rel=1e-5)
    assert not any(isinstance(part, torch.Tensor) for part in vars(index).values())


def _scores(made: Library, index: Index, asked: list[tuple[list[str], int]]) -> np.ndarray:
    place = made.vocabulary.place
    return np.array([index.scores([place[w] for w in q if w in place]) for q, _ in asked])


def _recall(scores: np.ndarray, asked: list[tuple[list[str], int]]) -> float:
    return float(reciprocal_ranks(scores, np.array([right for _, right in asked])).mean())


def concepts_only(asked: list[tuple[list[str], int]], made: Library) -> np.ndarray:
    """A dense teacher: it knows all names of a concept, and takes no notice of anything else."""
    known = sorted({w.rpartition("-")[0] for text in made.texts for w in text if "concept" in w})

    def seen(words: list[str]) -> np.ndarray:
        named = {w.rpartition("-")[0] for w in words if "concept" in w}
        return np.array([name in named for name in known], dtype=float)

    return np.array([seen(q) for q, _ in asked]) @ np.array([seen(t) for t in made.texts]).T


def test_teachers_are_brought_to_one_scale_before_they_are_joined(measured):
    made = made_up(identifiers=True)
    dense = 0.01 * concepts_only(made.ask, made)
    sparse = _scores(made, bm25(made.vocabulary.counts(made.texts)), made.ask)

    scaled = _recall(ensemble([dense, sparse]), made.ask)
    as_they_are = _recall(dense + sparse, made.ask)
    alone = [_recall(one, made.ask) for one in (dense, sparse)]
    measured(
        f"mean reciprocal rank of two teachers joined: {scaled:.2f}, as they are "
        f"{as_they_are:.2f}; alone {alone[0]:.2f} and {alone[1]:.2f}"
    )

    assert scaled >= as_they_are + 0.05


@pytest.mark.slow
def test_a_student_of_both_teachers_is_as_good_as_the_better_one(measured):
    made = made_up(identifiers=True)
    counts = made.vocabulary.counts(made.texts)
    teachers = [concepts_only(made.learn, made), _scores(made, bm25(counts), made.learn)]
    better = max(
        _recall(concepts_only(made.ask, made), made.ask),
        _recall(_scores(made, bm25(counts), made.ask), made.ask),
    )

    student = learnt(counts, pairs(True), Recipe(), 0, teacher=ensemble(teachers))

    found = _recall(_scores(made, student.index(counts, 0.0), made.ask), made.ask)
    measured(f"student of both teachers: {found:.2f}, the better teacher {better:.2f}")
    assert found >= better - 0.01


def test_identifiers_stay_whole_and_numbers_are_no_words():
    assert words_in("orders-db: p99 rose to 3.4 s (v1.2) at 12:30") == (
        "orders-db", "p99", "rose", "s", "v1.2",
    )  # fmt: skip
    up = Change(Series.of("process_resident_memory_bytes", "cart"), 0.0, 9.0, 1.0, 2.0)
    assert change_words((up, up)) == ("cart.memory:up",)


def test_the_most_frequent_words_count():
    assert Vocabulary.of([("a", "b"), ("b", "c"), ("b", "a")], 2).words == ("a", "b")


def few() -> tuple[Document, ...]:
    """A dozen incidents of four services."""
    found = []
    for k in range(12):
        cause = ("disk", "lock", "network")[k % 3]
        began = cases.START_UNIX - 9e4 * (k + 1)
        title = f"svc{k % 4} slow, {cause} busy"
        found.append(
            Document(f"INC-{k}", "incident", title, "Callers followed.", f"Look at {cause}.", began)
        )
    return tuple(found)


def _case(documents: tuple[Document, ...], text: str) -> Case:
    window = cases.chain(rows=120, seed=1, fault=8.0).window
    return Case(window, documents=documents, text=text)


def written(texts: list[list[str]]) -> tuple[Document, ...]:
    return tuple(
        Document(f"INC-{k}", "incident", words[0], " ".join(words), f"answer {k}")
        for k, words in enumerate(texts)
    )


def test_an_incident_is_found_by_words_that_it_was_not_told_in(measured):
    made = library(0, texts=1000, names=3)
    case = _case(written(made.texts), " ".join(made.ask[0][0]))

    method = SimilarIncidents()
    shelf = method.shelf(case)
    learned = _recall(_scores(made, shelf.index, made.ask), made.ask)
    plain = _recall(_scores(made, bm25(shelf.counts), made.ask), made.ask)

    measured(f"1000 texts without a label: mean reciprocal rank {learned:.2f}, BM25 {plain:.2f}")
    assert shelf.encoder is not None
    assert shelf.learned_rank > shelf.bm25_rank
    assert learned >= plain + 0.1


def test_where_learning_adds_nothing_plain_words_answer_and_that_is_said():
    rng = np.random.default_rng(0)
    told = [[f"word{w}" for w in rng.choice(900, 12, replace=False)] for _ in range(60)]
    result = SimilarIncidents().run(_case(written(told), " ".join(told[7][:6])))

    assert result.answer.startswith("INC-7 ")
    assert result.caveats[0].code == "no_better_than_baseline"
    assert result.headline.value <= result.baseline.value


def test_a_few_documents_are_compared_by_plain_words_and_that_is_said():
    result = SimilarIncidents().run(_case(few(), "svc3 slow, network busy"))

    assert result.answer.startswith("INC-11 ")
    assert result.caveats[0].code == "few_examples"
    assert (result.headline, result.blocks[0].rows[0][3]) == (None, pytest.approx(12.5, abs=0.1))


def test_no_document_or_none_that_shares_a_word_is_no_answer():
    with pytest.raises(InsufficientData, match="no earlier incident"):
        SimilarIncidents().run(_case((), "anything"))
    with pytest.raises(InsufficientData, match="shares a word"):
        SimilarIncidents().run(_case(few(), "zebra"))
