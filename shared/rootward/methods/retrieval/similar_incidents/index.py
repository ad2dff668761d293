"""An inverted index: words to the texts that carry them, with weights; no network is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csc_array, csr_array

SATURATION = 1.2
"""k1 of BM25."""
LENGTH = 0.75
"""b of BM25."""


def rarity(counts: csr_array) -> Float[np.ndarray, " words"]:
    """`log(1 + (N - df + 0.5) / (df + 0.5))`, the inverse document frequency, above 0."""
    texts = counts.shape[0]
    df = np.bincount(counts.indices, minlength=counts.shape[1])
    return np.asarray(np.log1p((texts - df + 0.5) / (df + 0.5)))


@dataclass(frozen=True, eq=False)
class Index:
    """Weights of words in texts, and what a word counts in a query."""

    weights: csc_array
    """(texts, words)."""
    counts_for: Float[np.ndarray, " words"]

    def scores(self, query: Sequence[int]) -> Float[np.ndarray, " texts"]:
        """For each text the sum over the query's different words of their two weights."""
        found = np.zeros(self.weights.shape[0])
        for word in sorted(set(query)):
            texts, weights = self._postings(word)
            found[texts] += self.counts_for[word] * weights
        return found

    def search(self, query: Sequence[int], most: int) -> tuple[tuple[int, float], ...]:
        """The best texts with their scores, the best first; none that shares nothing."""
        scores = self.scores(query)
        order = np.argsort(-scores, kind="stable")[:most]
        return tuple((int(k), float(scores[k])) for k in order if scores[k] > 0)

    def touched(self, query: Sequence[int]) -> int:
        """How many entries of the index a query reads: what it costs."""
        return sum(len(self._postings(word)[0]) for word in set(query))

    def explained(self, query: Sequence[int], text: int) -> tuple[tuple[int, float], ...]:
        """What each word adds to the score of a text, the most first."""
        found = []
        for word in sorted(set(query)):
            texts, weights = self._postings(word)
            here = weights[texts == text]
            if len(here) and here[0] > 0:
                found.append((word, float(self.counts_for[word] * here[0])))
        return tuple(sorted(found, key=lambda pair: -pair[1]))

    def _postings(self, word: int) -> tuple[Int[np.ndarray, " some"], Float[np.ndarray, " some"]]:
        start, end = self.weights.indptr[word : word + 2]
        return (
            np.asarray(self.weights.indices[start:end], dtype=np.int64),
            np.asarray(self.weights.data[start:end], dtype=np.float64),
        )


def bm25(counts: csr_array) -> Index:
    """Okapi BM25 (Robertson et al. 1994): only words that stand in a text are found in it."""
    length = counts.sum(axis=1)
    relative = length / max(float(length.mean()), 1e-12)
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    damped = SATURATION * (1 - LENGTH + LENGTH * relative[rows])
    weights = counts.data * (SATURATION + 1) / (counts.data + damped)
    made = csr_array((weights, counts.indices, counts.indptr), shape=counts.shape)
    return Index(csc_array(made), rarity(counts))


def reciprocal_ranks(
    scores: Float[np.ndarray, "queries texts"], right: Int[np.ndarray, " queries"]
) -> Float[np.ndarray, " queries"]:
    """1 / place of the right text for each query; of equal scores it comes last."""
    own = scores[np.arange(len(right)), right]
    place = np.maximum((scores >= own[:, None]).sum(axis=1), 1)
    return np.asarray(np.where(own > 0, 1.0 / place, 0.0))
