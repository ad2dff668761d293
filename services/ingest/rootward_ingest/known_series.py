"""The series that ingest knows: the bound on their number, and the quick way to find one."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from rootward.model.series import Series
from rootward_ingest.contradictions import Newest
from rootward_ingest.naming import Naming
from rootward_ingest.reasons import Reason
from rootward_ingest.replicas import Member
from rootward_ingest.spellings import Spellings, size_of

Labels = Sequence[tuple[str, str]]
Span = TypeVar("Span", bound=Hashable)
"""How a label set is spelled on the wire."""
SPANS_PER_SERIES = 2
"""Spellings of label sets that are remembered, for each series that may be active."""
_SHOWN = 160
"""Characters of a refused label set that an answer quotes."""
_SHOWN_LABELS = 40
"""Labels of it that are looked at; a shorter one takes four characters."""
SERIES_BYTES = 2048
"""Bytes of labels, on average, that active series may have; their number shrinks beyond it."""
SPAN_BYTES = 1024
"""Bytes of a spelling, on average, that are remembered."""


@dataclass(slots=True, eq=False)
class Slot:
    """One label set: the series it stands for, or the reason why it is refused."""

    series: Series | None
    reason: Reason | None = None
    shown: str = ""
    """The refused label set, shortened, for the answer."""
    seen_unix: float = 0.0
    """Time of arrival of its last sample."""
    number: int = -1
    """What tells the series from all others; -1 where it is none."""
    member: Member | None = None
    """Which replica of a pair sends it."""


_NONE: Spellings[Slot] = Spellings()

REFUSED: Mapping[Reason, Slot] = {reason: Slot(None, reason) for reason in Reason}
"""Slots for samples whose label set does not matter any more."""


class KnownSeries:
    """Active series, at most `limit`; known ones stay, new ones beyond the limit are refused.

    A series without a sample for `idle_seconds` makes room when room is needed. Safe to use
    from several threads.
    """

    def __init__(self, limit: int, idle_seconds: float, naming: Naming | None = None) -> None:
        self._naming = naming or Naming()
        self._replicas = self._naming.replicas
        self._elections = 0
        self._numbers = itertools.count()
        self.newest = Newest(2 * limit)
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._known: dict[Series, Slot] = {}
        self._label_bytes = 0
        """Of all active series."""
        self._spans: dict[str, Spellings[Slot]] = {}
        """By wire format, since two formats may spell different label sets alike."""

    def __len__(self) -> int:
        return len(self._known)

    def seed(self, known: Iterable[tuple[Series, float]]) -> None:
        """Take series that were stored earlier, with the time they were last measured."""
        with self._lock:
            for series, seen in known:
                if series not in self._known:
                    self._add(Slot(series, seen_unix=seen, number=next(self._numbers)))

    def of_labels(self, labels: Labels) -> Slot:
        """The slot of a label set."""
        found, member = self._naming.of(labels)
        with self._lock:
            slot = self._admitted(found, labels)
            slot.member = member
        return slot

    def of_spans(
        self, wire: str, spans: Sequence[Span], parse: Callable[[Span], Labels | None]
    ) -> list[Slot] | None:
        """The slots of label sets by their spelling; None where `parse` gives None for one.

        Each spelling of a wire format is parsed once and then remembered, up to a bound.
        """
        self._follow(wire, spans)
        slots = self._spans.get(wire, _NONE).meanings(spans)
        if None not in slots:
            return slots  # type: ignore[return-value]
        missing = dict.fromkeys(s for s, slot in zip(spans, slots, strict=True) if slot is None)
        parsed: dict[Span, Labels] = {}
        for span in missing:
            labels = parse(span)
            if labels is None:
                return None
            parsed[span] = labels
        fresh = {span: self.of_labels(labels) for span, labels in parsed.items()}
        self._remember(wire, fresh)
        return [slot or fresh[span] for span, slot in zip(spans, slots, strict=True)]

    def remembered(self, wire: str, spans: Sequence[Span]) -> list[Span] | None:
        """The same spellings as the objects that are remembered; None where one is not."""
        return self._spans.get(wire, _NONE).remembered(spans)

    def _follow(self, wire: str, spans: Sequence[Span]) -> None:
        """Note that the replica that sends a request lives; once another is elected, forget.

        All of a request comes from one replica, so that its first spelling tells.
        """
        if self._replicas is None or not spans:
            return
        first = self._spans.get(wire, _NONE).meaning(spans[0])
        if first is not None and first.member is not None:
            self._replicas.hears(first.member)
        if self._elections != self._replicas.elections:
            with self._lock:
                self._elections = self._replicas.elections
                self._spans = {}

    def make_room(self, now: float) -> None:
        """Where the limit is reached, forget the series that were idle for too long."""
        with self._lock:
            if not self._is_full():
                return
            oldest = now - self._idle_seconds
            kept = [slot for slot in self._known.values() if slot.seen_unix >= oldest]
            self._known, self._label_bytes, self._spans = {}, 0, {}
            for slot in kept:
                self._add(slot)

    def _admitted(self, found: Series | Reason, labels: Labels) -> Slot:
        if isinstance(found, Reason):
            return Slot(None, found, _shown(labels))
        slot = self._known.get(found)
        if slot is not None:
            return slot
        if self._is_full():
            return Slot(None, Reason.SERIES_LIMIT, _shown(labels))
        return self._add(Slot(found, number=next(self._numbers)))

    def _is_full(self) -> bool:
        known, most = len(self._known), self._limit
        return known >= most or self._label_bytes >= SERIES_BYTES * most

    def _add(self, slot: Slot) -> Slot:
        if slot.series is not None:
            self._known[slot.series] = slot
            text = "".join(chain.from_iterable(slot.series.labels))
            self._label_bytes += len(slot.series.metric) + len(text)
        return slot

    def _remember(self, wire: str, fresh: Mapping[Span, Slot]) -> None:
        with self._lock:
            spans = self._spans.setdefault(wire, Spellings())
            size = spans.size + sum(map(size_of, fresh))
            most = SPANS_PER_SERIES * self._limit
            if len(spans) + len(fresh) > most or size > SPAN_BYTES * most:
                spans = self._spans[wire] = Spellings()
            # make_room may have run since: a slot it forgot must not live on in here
            spans.add(
                {
                    span: slot
                    for span, slot in fresh.items()
                    if slot.series is None or self._known.get(slot.series) is slot
                }
            )


def _shown(labels: Labels) -> str:
    quoted = [f"{name[:_SHOWN]}={value[:_SHOWN]!r}" for name, value in labels[:_SHOWN_LABELS]]
    text = ", ".join(quoted)
    return "{" + (text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…") + "}"
