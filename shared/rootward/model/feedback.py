"""What people say about a cause that was named, and how often we were right."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from rootward.model.handling import Activity


class Verdict(StrEnum):
    """What somebody says about a candidate."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    PARTLY = "partly"


@dataclass(frozen=True)
class Feedback:
    """One word of one person on one service of one incident; a later word replaces it."""

    incident_id: str
    service: str
    verdict: Verdict
    actor: str
    at_unix: float
    reason: str = ""
    rank: int | None = None
    """Where the diagnosis listed the service then, from 1; None where it did not."""
    abstained: bool = False
    """Whether the diagnosis named no cause then."""

    @property
    def line(self) -> Activity:
        """The line of the log that it gets."""
        said = f"{self.service}: {self.verdict.value}"
        text = f"{said} ({self.reason})" if self.reason else said
        return Activity(self.incident_id, self.at_unix, self.actor, "feedback", text)


@dataclass(frozen=True)
class Accuracy:
    """How good our rankings were where people said what the cause was."""

    incidents: int
    """Those with a confirmed cause."""
    first: float | None
    """AC@1: share of them whose confirmed cause was ranked first; None without any."""
    first_three: float | None
    """AC@3."""
    mean_reciprocal_rank: float | None
    """Mean of one over the rank of the confirmed cause, 0 where it was not listed."""
    abstained: float | None
    """Share of them whose diagnosis named no cause."""
    rejected: int
    """Incidents whose first candidate was rejected and no other confirmed."""
    partly: int
    """Incidents of which somebody said that a candidate was a part of the cause."""


def accuracy(said: Iterable[Feedback]) -> Accuracy:
    """The figures of a set of words; of several confirmed causes the one ranked best counts."""
    by_incident: dict[str, list[Feedback]] = {}
    for one in said:
        by_incident.setdefault(one.incident_id, []).append(one)
    confirmed = [
        best for words in by_incident.values() if (best := _best_confirmed(words)) is not None
    ]
    ranks = [one.rank for one in confirmed]
    return Accuracy(
        incidents=len(confirmed),
        first=_share([rank is not None and rank <= 1 for rank in ranks]),
        first_three=_share([rank is not None and rank <= 3 for rank in ranks]),
        mean_reciprocal_rank=_mean([0.0 if rank is None else 1 / rank for rank in ranks]),
        abstained=_share([one.abstained for one in confirmed]),
        rejected=sum(_only_rejected(words) for words in by_incident.values()),
        partly=sum(
            any(one.verdict is Verdict.PARTLY for one in words) for words in by_incident.values()
        ),
    )


def _best_confirmed(words: Sequence[Feedback]) -> Feedback | None:
    confirmed = [one for one in words if one.verdict is Verdict.CONFIRMED]
    return min(confirmed, key=lambda one: one.rank or 10**9, default=None)


def _only_rejected(words: Sequence[Feedback]) -> bool:
    first = any(one.verdict is Verdict.REJECTED and one.rank == 1 for one in words)
    return first and _best_confirmed(words) is None


def _share(flags: Sequence[bool]) -> float | None:
    return _mean([float(flag) for flag in flags])


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
