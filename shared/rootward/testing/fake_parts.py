"""Parts of large computations in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

from rootward.errors import NotFound
from rootward.model.spread import Arrays
from rootward.ports import Clock
from rootward.ports.parts import Part


@dataclass
class _Whole:
    method: str
    shared: Arrays
    created_unix: float
    answers: list[Arrays | None]
    held: dict[int, tuple[str, float]] = field(default_factory=dict)
    """Token and end of the lease, by number."""


class FakePartStore:
    """Computations in a dictionary."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens = count()
        self._wholes: dict[str, _Whole] = {}

    def lay_out(self, method: str, shared: Arrays, parts: int) -> str:
        """Store a computation of so many parts; returns its id."""
        made = f"whole{next(self._tokens)}"
        self._wholes[made] = _Whole(method, shared, self._clock.now(), [None] * parts)
        return made

    def shared(self, whole: str) -> tuple[str, Arrays]:
        """The method and what all parts share; raises NotFound where it was cleared away."""
        if whole not in self._wholes:
            raise NotFound(f"there is no computation {whole} any more")
        return self._wholes[whole].method, self._wholes[whole].shared

    def take(self, whole: str, lease_seconds: float) -> Part | None:
        """The first part that nobody has done or does; None where there is none."""
        known = self._wholes.get(whole)
        now = self._clock.now()
        for number, answer in enumerate(known.answers if known else ()):
            if known and answer is None and known.held.get(number, ("", -1.0))[1] < now:
                part = Part(whole, number, str(next(self._tokens)))
                known.held[number] = (part.token, now + lease_seconds)
                return part
        return None

    def renew(self, part: Part, lease_seconds: float) -> bool:
        """Keep a part; False where it was lost, or all was cleared away."""
        if not self._ours(part):
            return False
        end = self._clock.now() + lease_seconds
        self._wholes[part.whole].held[part.number] = (part.token, end)
        return True

    def answer(self, part: Part, answer: Arrays) -> bool:
        """Store what came of a part; False where it was lost, or all was cleared away."""
        if not self._ours(part):
            return False
        self._wholes[part.whole].answers[part.number] = answer
        return True

    def answers(self, whole: str) -> list[Arrays] | None:
        """What came of all parts, in order; None while some are not done."""
        found = [one for one in self._wholes[whole].answers if one is not None]
        return found if len(found) == len(self._wholes[whole].answers) else None

    def clear(self, whole: str) -> None:
        """Delete a computation; idempotent."""
        self._wholes.pop(whole, None)

    def expire(self, before_unix: float) -> int:
        """Delete computations of before a time; returns how many went."""
        old = [name for name, one in self._wholes.items() if one.created_unix < before_unix]
        for name in old:
            del self._wholes[name]
        return len(old)

    def _ours(self, part: Part) -> bool:
        known = self._wholes.get(part.whole)
        return known is not None and known.held.get(part.number, ("",))[0] == part.token
