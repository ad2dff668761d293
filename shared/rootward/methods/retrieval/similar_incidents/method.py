"""Earlier incidents and runbooks that are like this one, even in other words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from scipy.sparse import csr_array

from rootward.errors import InsufficientData
from rootward.methods.base import TIME_IS_UP, About, Cost, Family, Method, Need, Provenance
from rootward.methods.retrieval.similar_incidents.encoder import (
    Encoder,
    Pairs,
    Recipe,
    learnt,
)
from rootward.methods.retrieval.similar_incidents.index import Index, bm25
from rootward.methods.retrieval.similar_incidents.practice import bm25_ranks, part_ranks, parts
from rootward.methods.retrieval.similar_incidents.words import (
    Vocabulary,
    change_words,
    words_in,
)
from rootward.model.case import Case
from rootward.model.past import Document
from rootward.model.result import Caveat, CaveatCode, Cell, Figure, Inputs, Note, Result, Table

FEW_DOCUMENTS = 50
"""With fewer, what a network learns is not worth having: BM25 answers."""
CUTS = 16
"""How often each document is cut to learn from."""
LEARN_SHARE = 0.5
"""Share of its words that ask, and share that is shown, while learning."""
CHECK_SHARE = 0.25
"""The same to see what was learnt: a new incident repeats few words of an old one."""
HELD_OUT = 5
"""One of so many documents is not learnt from, to see what learning is worth."""
SHOWN_WORDS = 4
_DAY = 86400.0


@dataclass(frozen=True, eq=False)
class Shelf:
    """The documents as words, an index of them, and what the index is worth."""

    documents: tuple[Document, ...]
    vocabulary: Vocabulary
    counts: csr_array
    index: Index
    encoder: Encoder | None
    """None where BM25 answers."""
    learned_rank: float | None = None
    """Mean reciprocal rank at which a part of a document, not learnt from, finds another part."""
    bm25_rank: float | None = None


def words_of_document(document: Document) -> tuple[str, ...]:
    """All its words, those of its changes with them."""
    text = f"{document.title}\n{document.text}\n{document.answer}"
    return (*words_in(text), *change_words(document.changes))


@dataclass(frozen=True, kw_only=True)
class SimilarIncidents(Method):
    """Finds earlier incidents and runbooks like this one, by words and by what changed.

    A small network learns from the documents which of their words go together, and adds to each
    the words it could have been told in. Asking takes no network, only an index.
    """

    shown: int = 5
    """Documents that are listed."""
    steps: int = 400
    """Training steps at most."""
    words: int = 4000
    """Words that count, the most frequent."""
    penalty: float = 0.03
    """What a word costs that a document does not contain; more makes a smaller index."""

    about = About(
        name="similar_incidents",
        family=Family.RETRIEVAL,
        question="When did we see this before, and what helped?",
        paper="Geng, Ru, Yang 2024, Towards Competitive Search Relevance For Inference-Free "
        "Learned Sparse Retrievers, arXiv 2411.04403",
        needs=frozenset({Need.DOCUMENTS, Need.CHANGES, Need.TEXT}),
        provenance=Provenance.RECONSTRUCTION,
        provenance_note="the encoder is a small network on this system's own words instead of a "
        "language model, and it learns from parts of documents instead of labelled queries.",
        cost=Cost.SECONDS,
        assumptions=(
            "What happened before was written down by the same words or beside them.",
            "An incident is told by its text and by which kinds of metrics rose and fell where.",
        ),
        limits=(
            "Alike does not mean that the cause is the same.",
            "A score compares documents for this incident; it is no probability.",
        ),
        measured=(
            "600 texts on concepts of four names each, asked by any name, with labelled queries "
            "to learn from: nDCG@10 0.96 where BM25 has 0.35; 571 entries of the index read for a "
            "query where a plain sparsity loss reads 964 (nDCG@10 0.95).",
            "Under a penalty of 0.3: 0.91 with rare words cheaper, 0.81 without.",
            "Mean reciprocal rank of two teachers joined after scaling 0.83, as they are 0.44; "
            "alone 0.66 and 0.44.",
            "Learning from parts of 1000 texts without any label: mean reciprocal rank 0.54 "
            "where BM25 has 0.32.",
        ),
    )
    quick: ClassVar[Mapping[str, int]] = {"steps": 20}

    def run(self, case: Case) -> Result:
        query = (*words_in(case.text), *change_words(case.changes))
        if not case.documents:
            raise InsufficientData("there is no earlier incident and no runbook to compare with")
        if not query:
            raise InsufficientData("nothing is said of the incident, and nothing changed in it")
        shelf = self.shelf(case)
        places = [shelf.vocabulary.place[w] for w in query if w in shelf.vocabulary.place]
        hits = shelf.index.search(places, self.shown)
        if not hits:
            raise InsufficientData(
                f"none of {len(case.documents)} documents shares a word with this incident"
            )
        plain = bm25(shelf.counts).search(places, 1)
        return self._told(case, shelf, places, hits, plain[0][0] if plain else None)

    def shelf(self, case: Case) -> Shelf:
        """The documents, and the index of them that finds more: the learned one or BM25's."""
        texts = [words_of_document(d) for d in case.documents]
        vocabulary = Vocabulary.of(texts, self.words)
        counts = vocabulary.counts(texts)
        plain = Shelf(case.documents, vocabulary, counts, bm25(counts), None)
        rng = np.random.default_rng(case.seed)
        if len(texts) < FEW_DOCUMENTS:
            return plain
        held = np.isin(np.arange(len(texts)), rng.permutation(len(texts))[: len(texts) // HELD_OUT])
        learn = _of(parts(counts, CUTS, LEARN_SHARE, rng), ~held)
        check = _of(parts(counts, 1, CHECK_SHARE, rng), held)
        if not len(learn.right) or check.texts is None or not len(check.right):
            return plain
        recipe = Recipe(steps=self.steps, penalty=self.penalty, rarity="match")
        encoder = learnt(counts, learn, recipe, case.seed, go_on=case.go_on)
        with torch.no_grad():
            seen = torch.from_numpy(check.texts.toarray()).float()
            weights = encoder(seen).double().numpy()
        learned = float(part_ranks(check, weights, encoder.counts_for).mean())
        simple = float(bm25_ranks(check).mean())
        if learned <= simple:
            return Shelf(case.documents, vocabulary, counts, bm25(counts), None, learned, simple)
        index = encoder.index(counts, recipe.keep_above)
        return Shelf(case.documents, vocabulary, counts, index, encoder, learned, simple)

    def _told(
        self,
        case: Case,
        shelf: Shelf,
        query: Sequence[int],
        hits: Sequence[tuple[int, float]],
        plain: int | None,
    ) -> Result:
        best, score = hits[0]
        first = shelf.documents[best]
        words = " and ".join(_matched(shelf, query, best)[:2])
        answer = f"{first.name} is most like this one, by {words}: {first.title} ({score:.2f})"
        answer += f"; then: {first.answer}" if first.answer else ""
        if plain is not None and plain != best:
            answer += f" By plain words alone {shelf.documents[plain].name} would stand first."
        caveats = _caveats(shelf)
        if case.deadline.passed:
            caveats = (*caveats, TIME_IS_UP)
        checked = shelf.learned_rank is not None and shelf.bm25_rank is not None
        name = "mean reciprocal rank of a part of an unseen document for another part"
        return Result(
            answer if answer.endswith((".", "!", "?")) else answer + ".",
            (_list(case, shelf, query, hits), Note(_how(shelf))),
            status="weak" if caveats else "ok",
            caveats=caveats,
            headline=Figure(name, shelf.learned_rank or 0.0) if checked else None,
            baseline=Figure("the same by BM25", shelf.bm25_rank or 0.0) if checked else None,
            inputs=Inputs.of(case.window),
        )


def _of(pairs: Pairs, chosen: np.ndarray) -> Pairs:
    """The pairs of some texts."""
    return pairs.only(np.flatnonzero(chosen[pairs.right]))


def _caveats(shelf: Shelf) -> tuple[Caveat, ...]:
    count = len(shelf.documents)
    if count < FEW_DOCUMENTS:
        words = (
            f"Only {_documents(count)} to compare with; from {FEW_DOCUMENTS} on other words count "
            "as well."
        )
        return (Caveat(CaveatCode.FEW_EXAMPLES, words),)
    if shelf.encoder is None:
        words = "What the network learned finds no more than plain words; BM25 answers."
        return (Caveat(CaveatCode.NO_BETTER_THAN_BASELINE, words),)
    return ()


def _documents(count: int) -> str:
    return "1 document" if count == 1 else f"{count} documents"


def _how(shelf: Shelf) -> str:
    entries = shelf.index.weights.nnz / max(len(shelf.documents), 1)
    by = "BM25" if shelf.encoder is None else "the learned index"
    return (
        f"Compared with {_documents(len(shelf.documents))} by {by}, over "
        f"{len(shelf.vocabulary.words)} words, {entries:.0f} a document."
    )


def _list(
    case: Case, shelf: Shelf, query: Sequence[int], hits: Sequence[tuple[int, float]]
) -> Table:
    columns = ("document", "kind", "title", "days before", "score", "matched", "what it was")
    return Table("Most alike", columns, tuple(_row(case, shelf, query, *hit) for hit in hits))


def _row(
    case: Case, shelf: Shelf, query: Sequence[int], text: int, score: float
) -> tuple[Cell, ...]:
    document = shelf.documents[text]
    began = case.window.onset_unix
    days: Cell = None
    if began is not None and document.onset_unix is not None:
        days = round((began - document.onset_unix) / _DAY, 1)
    matched = ", ".join(_matched(shelf, query, text))
    return (document.name, document.kind, document.title, days, score, matched, document.answer)


def _matched(shelf: Shelf, query: Sequence[int], text: int) -> list[str]:
    """The words that speak most for a document."""
    found = shelf.index.explained(query, text)[:SHOWN_WORDS]
    return [_match(shelf, word, text) for word, _ in found]


def _match(shelf: Shelf, word: int, text: int) -> str:
    """The word, and if the document does not contain it the one through which it was found."""
    name = shelf.vocabulary.words[word]
    row = csr_array(shelf.counts[[text]])
    if shelf.encoder is None or word in row.indices:
        return name
    without = np.tile(row.toarray(), (len(row.indices), 1))
    without[np.arange(len(row.indices)), row.indices] = 0.0
    with torch.no_grad():
        left = shelf.encoder(torch.from_numpy(without).float())[:, word]
    through = shelf.vocabulary.words[int(row.indices[int(left.argmin())])]
    return f"{name} through {through}"
