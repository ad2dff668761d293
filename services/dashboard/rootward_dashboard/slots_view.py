"""Answers of methods at their places in the report of an incident."""

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


@dataclass(frozen=True)
class Slot:
    """The answers at one place of the page."""

    anchor: str
    title: str
    answers: tuple[AnalysisView, ...]
    """Those with a result, that run or that failed."""


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
    return Slot(anchor, TITLES[anchor], answers) if answers else None


def _home(entry: MethodEntry | None) -> str:
    places = [a for a in entry.anchors if a in TITLES] if entry else []
    return places[0] if places else "other"
