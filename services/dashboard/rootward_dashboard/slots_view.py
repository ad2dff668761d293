"""Methods at their places on the page of an incident: what they said, what else can be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rootward.model.result import MethodEntry
from rootward_dashboard.blocks_view import AnalysisView

TITLES: Mapping[str, str] = {
    "summary": "",
    "candidates": "",
    "graph": "",
    "metrics": "",
    "timeline": "",
    "changes": "",
    "patterns": "Patterns of this incident",
    "similar": "Seen before",
    "actions": "What to try next",
    "postmortem": "Does the explanation hold?",
    "models": "The forecasters behind it",
    "other": "Other analyses",
}
"""Places in the order of the page; those without a title belong to the section above them."""
_COSTS = {"instant": "at once", "seconds": "seconds", "minutes": "minutes"}


@dataclass(frozen=True)
class Offer:
    """A method that can be asked, or the reason why not."""

    name: str
    question: str
    cost: str
    why_not: str = ""


@dataclass(frozen=True)
class Slot:
    """One place: answers first, then what can be asked, then what cannot."""

    anchor: str
    title: str
    answers: tuple[AnalysisView, ...]
    """Those with a result, that run or that failed."""
    offers: tuple[Offer, ...]
    lacking: tuple[Offer, ...]
    """Methods that do not apply or cannot run, each with the reason."""


def slots(
    analyses: Sequence[AnalysisView], catalogue: Mapping[str, MethodEntry]
) -> Mapping[str, Slot | None]:
    """A slot for each place, None where there is nothing to show; an answer stands at one only."""
    return {anchor: _slot(anchor, analyses, catalogue) for anchor in TITLES}


def _slot(
    anchor: str, analyses: Sequence[AnalysisView], catalogue: Mapping[str, MethodEntry]
) -> Slot | None:
    answers = tuple(
        a
        for a in analyses
        if a.analysis.status != "not_applicable"
        and _home(catalogue.get(a.analysis.method)) == anchor
    )
    refused = {
        a.analysis.method: a.analysis.reason
        for a in analyses
        if a.analysis.status == "not_applicable"
    }
    answered = {a.analysis.method for a in answers}
    here = [entry for entry in catalogue.values() if anchor in _places(entry)]
    offers = [_offer(e, refused) for e in here if e.name not in answered]
    unknown = anchor == "other"
    lost = [Offer(n, n, "", why) for n, why in refused.items() if unknown and n not in catalogue]
    found = Slot(
        anchor,
        TITLES[anchor],
        answers,
        tuple(o for o in offers if not o.why_not),
        (*(o for o in offers if o.why_not), *lost),
    )
    return found if found.answers or found.offers or found.lacking else None


def _offer(entry: MethodEntry, refused: Mapping[str, str]) -> Offer:
    why_not = entry.unavailable or refused.get(entry.name, "")
    return Offer(entry.name, entry.question, _COSTS.get(entry.cost, entry.cost), why_not)


def _places(entry: MethodEntry) -> tuple[str, ...]:
    return tuple(a for a in entry.anchors if a in TITLES) or ("other",)


def _home(entry: MethodEntry | None) -> str:
    return _places(entry)[0] if entry else "other"
