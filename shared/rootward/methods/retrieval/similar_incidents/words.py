"""Texts as words, and what a detector found as words of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from rootward.model.incident import Change
from rootward.model.kind import resource_of

_WORD = re.compile(r"[a-z0-9][a-z0-9_.:/-]*[a-z0-9]|[a-z0-9]")
_SAY_NOTHING = frozenset(
    "a after all an and are as at be been before but by for from had has have if in into is it its "
    "no not of on or so than that the then there these this to up was were when where which while "
    "will with".split()
)
_NUMBER = re.compile(r"[0-9.:/-]+[a-z%]{0,2}")


def words_in(text: str) -> tuple[str, ...]:
    """Words in lower case, identifiers such as `orders-db` whole; no bare numbers or articles."""
    found = _WORD.findall(text.lower())
    return tuple(w for w in found if w not in _SAY_NOTHING and not _NUMBER.fullmatch(w))


def change_words(changes: Iterable[Change]) -> tuple[str, ...]:
    """`service.kind:up` or `:down` for each change, once."""
    found = {
        f"{c.series.service.lower()}.{resource_of(c.series.metric)}:"
        f"{'up' if c.score >= 0 else 'down'}"
        for c in changes
    }
    return tuple(sorted(found))


@dataclass(frozen=True)
class Vocabulary:
    """The words that count, in order."""

    words: tuple[str, ...]

    @classmethod
    def of(cls, texts: Iterable[Sequence[str]], most: int) -> Vocabulary:
        """The words that stand in the most texts; of equally frequent ones the first by name."""
        seen: dict[str, int] = {}
        for text in texts:
            for word in set(text):
                seen[word] = seen.get(word, 0) + 1
        chosen = sorted(seen, key=lambda word: (-seen[word], word))[:most]
        return cls(tuple(sorted(chosen)))

    @cached_property
    def place(self) -> dict[str, int]:
        """The column of each word."""
        return {word: k for k, word in enumerate(self.words)}

    def counts(self, texts: Sequence[Sequence[str]]) -> csr_array:
        """How often each word stands in each text, (texts, words); others are left out."""
        rows, columns = [], []
        for k, text in enumerate(texts):
            known = [self.place[word] for word in text if word in self.place]
            rows += [k] * len(known)
            columns += known
        shape = (len(texts), len(self.words))
        found = csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
        found.sum_duplicates()
        return found
