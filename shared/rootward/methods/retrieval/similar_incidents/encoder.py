"""The encoder of texts: words that a text does not contain get weights, most words none.

Texts are encoded once, when the index is made; a query is its words and needs no network.
Formal, Lassance, Piwowarski, Clinchant 2021 (SPLADE) for the form, Geng et al. 2024 for the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.sparse import csc_array, csr_array
from torch import Tensor

from rootward.methods.retrieval.similar_incidents.index import Index, rarity
from rootward.numerics.pace import GoOn, always
from rootward.numerics.training import generator

LEAST_RARITY = 0.1
SHARPNESS = 30.0
"""What the teachers' common opinion is multiplied by before it becomes chances."""
_FIRST_BIAS = -0.2


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How an encoder is trained."""

    steps: int = 400
    batch: int = 48
    hidden: int = 96
    rate: float = 2e-3
    penalty: float = 0.03
    """Weight of the sparsity loss once it is reached."""
    grows_for: int = 200
    """Steps in which the penalty grows, with the square of time."""
    rarity: Literal["loss", "match", "none"] = "loss"
    """Where a word's rarity counts: rare words may cost less, or match for more, or neither."""
    keep_above: float = 0.1
    """Weights below this share of a text's largest are left out of the index."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Queries and the text that each should find."""

    queries: csr_array
    """1 where a word stands in a query, (queries, words)."""
    right: Int[np.ndarray, " queries"]
    texts: csr_array | None = None
    """The right text of each query as it is shown in training; None: as it is."""

    def only(self, chosen: Int[np.ndarray, " some"]) -> Pairs:
        """Some of the pairs."""
        texts = None if self.texts is None else csr_array(self.texts[chosen])
        return Pairs(csr_array(self.queries[chosen]), self.right[chosen], texts)


@dataclass(frozen=True, eq=False)
class Encoder:
    """`w = log(1 + relu(b + c log(1 + tf) + W2 relu(W1 log(1 + tf))))`, one weight a word."""

    inner: Float[Tensor, "words hidden"]
    outer: Float[Tensor, "hidden words"]
    bias: Float[Tensor, " words"]
    copy: Float[Tensor, ""]
    counts_for: Float[np.ndarray, " words"]
    """What a word counts in a query."""

    def __call__(self, tf: Float[Tensor, "texts words"]) -> Float[Tensor, "texts words"]:
        known = torch.log1p(tf)
        told = torch.relu(known @ self.inner) @ self.outer
        return torch.log1p(torch.relu(told + self.bias + self.copy * known))

    @property
    def parameters(self) -> list[Tensor]:
        """All that is trained."""
        return [self.inner, self.outer, self.bias, self.copy]

    def index(self, counts: csr_array, keep_above: float) -> Index:
        """The weights of all texts, small ones left out."""
        with torch.no_grad():
            found = self(_dense(counts)).double().numpy()
        found[found < keep_above * found.max(axis=1, keepdims=True, initial=0.0)] = 0.0
        return Index(csc_array(found), self.counts_for)


def learnt(
    counts: csr_array,
    pairs: Pairs,
    recipe: Recipe,
    seed: int,
    *,
    teacher: Float[np.ndarray, "queries texts"] | None = None,
    go_on: GoOn = always,
) -> Encoder:
    """An encoder under which queries find their texts among those of a batch.

    The loss is InfoNCE, or with a teacher the divergence from its opinion, and the sparsity
    loss. `teacher` holds scores between 0 and 1, see `ensemble`.
    """
    random = generator(seed)
    encoder = _fresh(counts, recipe, random)
    optimiser = torch.optim.Adam([p.requires_grad_() for p in encoder.parameters], recipe.rate)
    shown = counts if pairs.texts is None else pairs.texts
    rows = pairs.right if pairs.texts is None else np.arange(len(pairs.right))
    counts_for = torch.from_numpy(encoder.counts_for).float()
    costs = torch.from_numpy(_costs(counts, recipe)).float()
    for step in range(recipe.steps):
        size = min(recipe.batch, len(pairs.right))
        chosen = torch.randperm(len(pairs.right), generator=random)[:size].numpy()
        weights = encoder(_dense(shown[rows[chosen]]))
        scores = (_dense(pairs.queries[chosen]) * counts_for) @ weights.T
        loss = _ranking_loss(scores, pairs.right[chosen], teacher, chosen)
        growth = min(1.0, ((step + 1) / recipe.grows_for) ** 2)
        sparsity = ((weights.mean(dim=0) * costs) ** 2).sum()
        optimiser.zero_grad()
        (loss + recipe.penalty * growth * sparsity).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        if not go_on((step + 1) / recipe.steps):
            break
    inner, outer, bias, copy = (p.detach() for p in encoder.parameters)
    return Encoder(inner, outer, bias, copy, encoder.counts_for)


def ensemble(teachers: Sequence[Float[np.ndarray, "queries texts"]]) -> np.ndarray:
    """The mean of the teachers' scores, each brought to 0 … 1 query by query."""
    scaled = []
    for scores in teachers:
        low, high = scores.min(axis=1, keepdims=True), scores.max(axis=1, keepdims=True)
        scaled.append((scores - low) / np.maximum(high - low, 1e-12))
    return np.asarray(np.mean(scaled, axis=0))


def _fresh(counts: csr_array, recipe: Recipe, random: torch.Generator) -> Encoder:
    words = counts.shape[1]
    rare = rarity(counts)
    uniform = np.ones(words)
    return Encoder(
        torch.randn(words, recipe.hidden, generator=random) / recipe.hidden**0.5,
        0.1 * torch.randn(recipe.hidden, words, generator=random) / recipe.hidden**0.5,
        torch.full((words,), _FIRST_BIAS),
        torch.tensor(1.0),
        rare / rare.mean() if recipe.rarity == "match" else uniform,
    )


def _costs(counts: csr_array, recipe: Recipe) -> np.ndarray:
    """What a word costs in the sparsity loss: `mean(idf) / idf` where rarity counts there."""
    rare = np.maximum(rarity(counts), LEAST_RARITY)
    return np.asarray(rare.mean() / rare if recipe.rarity == "loss" else np.ones_like(rare))


def _ranking_loss(
    scores: Float[Tensor, "batch batch"],
    right: Int[np.ndarray, " batch"],
    teacher: Float[np.ndarray, "queries texts"] | None,
    chosen: Int[np.ndarray, " batch"],
) -> Tensor:
    told = torch.log_softmax(scores, dim=1)
    if teacher is None:
        # Two queries of a batch may want the same text: each of its copies is right.
        same = torch.from_numpy((right[:, None] == right[None]).astype(np.float32))
        return -(told * same / same.sum(dim=1, keepdim=True)).sum(dim=1).mean()
    opinion = torch.from_numpy(teacher[chosen][:, right]).float()
    wanted = torch.log_softmax(SHARPNESS * opinion, dim=1)
    return torch.nn.functional.kl_div(told, wanted, reduction="batchmean", log_target=True)


def _dense(counts: csr_array) -> Tensor:
    return torch.from_numpy(counts.toarray()).float()
