"""How label sets are spelled on the wire, and the slots that the spellings stand for."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from operator import ne
from typing import Generic, TypeVar, cast

S = TypeVar("S")
T = TypeVar("T", bound=Hashable)

_SHORTEST = 32
"""Spellings compared at a time, at least."""


class Spellings(Generic[S]):
    """What each spelling stands for, in the order in which they were first seen.

    Senders repeat their series in the same order, so most spellings follow on one that was
    just found, and are compared with the one that is expected instead of being looked up: a
    look-up reads every byte of 400 twice, once to hash and once to compare. One may add while
    others look up.
    """

    def __init__(self) -> None:
        self._places: dict[Hashable, int] = {}
        self._spellings: list[Hashable] = []
        self._meanings: list[S] = []
        self.size = 0
        """Bytes of all spellings."""

    def __len__(self) -> int:
        return len(self._places)

    def add(self, known: Mapping[Hashable, S]) -> None:
        """Remember what spellings stand for."""
        for spelling, meaning in known.items():
            if spelling not in self._places:
                self._spellings.append(spelling)
                self._meanings.append(meaning)
                self._places[spelling] = len(self._meanings) - 1
                self.size += size_of(spelling)

    def meanings(self, spellings: Sequence[Hashable]) -> list[S | None]:
        """What each one stands for, None for one that is not known."""
        found: list[S | None] = []
        width = len(spellings)
        for _ in range(1 + len(spellings) // _SHORTEST):
            if len(found) == len(spellings):
                return found
            place = self._places.get(spellings[len(found)])
            if place is None:
                break
            run = self._run(spellings[len(found) : len(found) + width], place)
            found += self._meanings[place : place + run]
            width = max(_SHORTEST, 4 * run)
        return found + [self.meaning(one) for one in spellings[len(found) :]]

    def remembered(self, spellings: Sequence[T]) -> list[T] | None:
        """The equal ones that are remembered: two that are one are compared at once."""
        places = [self._places.get(one) for one in spellings]
        if None in places:
            return None
        return [cast(T, self._spellings[place]) for place in places if place is not None]

    def _run(self, spellings: Sequence[Hashable], place: int) -> int:
        """How many spellings are those that stand from a place on; the first one is."""
        expected = self._spellings[place : place + len(spellings)]
        if spellings[: len(expected)] == expected:
            return len(expected)
        return [*map(ne, spellings, expected)].index(True)

    def meaning(self, spelling: Hashable) -> S | None:
        """What one stands for, None where it is not known."""
        place = self._places.get(spelling)
        return None if place is None else self._meanings[place]


def size_of(spelling: Hashable) -> int:
    """The bytes of a spelling, as far as they are of any length."""
    parts = spelling if isinstance(spelling, tuple) else (spelling,)
    return sum(len(part) for part in parts if isinstance(part, str | bytes | tuple))
