"""Texts with a known answer: concepts that everybody calls by another of their names."""

from dataclasses import dataclass

import numpy as np

from rootward.methods.retrieval.similar_incidents.words import Vocabulary

CONCEPTS, NAMES, FILLERS = 90, 4, 150


@dataclass(frozen=True)
class Library:
    """Texts, queries with the text each should find, and more of them to learn from."""

    texts: list[list[str]]
    learn: list[tuple[list[str], int]]
    ask: list[tuple[list[str], int]]
    vocabulary: Vocabulary


def library(
    seed: int = 0,
    *,
    texts: int = 600,
    learn: int = 3000,
    ask: int = 300,
    identifiers: bool = False,
    names: int = 1,
) -> Library:
    """Each text is about five concepts, each by `names` of four, among frequent fillers.

    A query names the concepts of a text by any of their names. With `identifiers` each text
    holds a word of its own, and a third of the queries little else.
    """
    rng = np.random.default_rng(seed)
    zipf = 1.0 / np.arange(1, FILLERS + 1)
    zipf /= zipf.sum()
    about = [rng.choice(CONCEPTS, 5, replace=False) for _ in range(texts)]
    written = []
    for k, concepts in enumerate(about):
        text = [_name(c, rng) for c in concepts for _ in range(names)]
        text += [f"filler{w}" for w in rng.choice(FILLERS, 20, p=zipf)]
        written.append(text + ([f"id-{k}"] if identifiers else []))

    def queries(count: int) -> list[tuple[list[str], int]]:
        found = []
        for _ in range(count):
            right = int(rng.integers(texts))
            named = about[right]
            query = [f"filler{w}" for w in rng.choice(FILLERS, 6, p=zipf)]
            if identifiers and rng.random() < 1 / 3:
                query.append(f"id-{right}")
                named = named[:1]
            found.append(([*query, *(_name(c, rng) for c in named)], right))
        return found

    asked = queries(learn), queries(ask)
    every = [*written, *(q for q, _ in asked[0])]
    return Library(written, *asked, Vocabulary.of(every, 10_000))


def _name(concept: int, rng: np.random.Generator) -> str:
    return f"concept{concept}-{rng.integers(NAMES)}"
