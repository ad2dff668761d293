"""Queries to learn from where nobody has said which incidents are alike: parts of the texts.

A coin for each word of a text says whether it asks, another whether it is shown. A word in both
parts is learnt as such, one that only asks as another way to say what is shown. This is ours:
the paper learns from labelled queries.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy.sparse import csr_array

from rootward.methods.retrieval.similar_incidents.encoder import Pairs
from rootward.methods.retrieval.similar_incidents.index import bm25, reciprocal_ranks

LEAST_WORDS = 4
"""Different words of a text that is cut."""


def parts(counts: csr_array, each: int, share: float, rng: np.random.Generator) -> Pairs:
    """`each` pairs of parts of every text that has words enough, each a `share` of its words."""
    sizes = np.diff(counts.indptr)
    right = np.repeat(np.flatnonzero(sizes >= LEAST_WORDS), each)
    rows = csr_array(counts[right])
    asks, shown = rng.random((2, rows.nnz)) < share
    return Pairs(_part(rows, asks, binary=True), right, _part(rows, shown))


def part_ranks(
    pairs: Pairs,
    weights: Float[np.ndarray, "queries words"],
    counts_for: Float[np.ndarray, " words"],
) -> Float[np.ndarray, " queries"]:
    """1 / place of the part that belongs to each query among the parts of all."""
    scores = (pairs.queries * counts_for[None, :]).tocsr() @ weights.T
    return reciprocal_ranks(np.asarray(scores), np.arange(len(pairs.right)))


def bm25_ranks(pairs: Pairs) -> Float[np.ndarray, " queries"]:
    """The same by BM25."""
    assert pairs.texts is not None
    index = bm25(pairs.texts)
    return part_ranks(pairs, index.weights.toarray(), index.counts_for)


def _part(
    rows: csr_array, kept: Bool[np.ndarray, " entries"], *, binary: bool = False
) -> csr_array:
    data = np.where(kept, 1.0 if binary else rows.data, 0.0)
    found = csr_array((data, rows.indices.copy(), rows.indptr.copy()), shape=rows.shape)
    found.eliminate_zeros()
    return found
