"""Whether a method can be run at all: its library here, its needs in a case."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec

from rootward.methods.base import Method, Need
from rootward.model.case import Case

_MET: Mapping[Need, tuple[Callable[[Case], bool], str]] = {
    Need.GRAPH: (
        lambda c: c.graph is not None,
        "a causal graph; the incident has no diagnosis yet",
    ),
    Need.HISTORY: (lambda c: bool(c.history), "earlier windows; none are stored"),
    Need.ONSET: (lambda c: c.window.onset is not None, "the onset of the incident"),
    Need.SYMPTOM: (lambda c: c.symptom is not None, "the symptom among the series of the window"),
    Need.CALLS: (lambda c: bool(c.calls), "who calls whom; no label of the series tells"),
    Need.CHANGES: (lambda c: bool(c.changes), "changes found by the detector"),
    Need.CANDIDATES: (
        lambda c: bool(c.candidates),
        "ranked causes; the incident has no diagnosis yet",
    ),
    Need.DOCUMENTS: (lambda c: bool(c.documents), "earlier incidents or runbooks; there are none"),
    Need.EXPERIMENT: (lambda c: c.experiment is not None, "an experiment; none was recorded"),
    Need.TEXT: (lambda c: bool(c.text), "a text; nothing is said of the incident yet"),
}


def missing_needs(needs: Iterable[Need], case: Case) -> str:
    """What a method asks for and the case does not have, in words; empty where nothing lacks."""
    lacking = [words for need in sorted(needs) for met, words in (_MET[need],) if not met(case)]
    return f"needs {', and '.join(lacking)}" if lacking else ""


def missing_library(kind: type[Method]) -> str:
    """Why the method cannot be run on this machine, in words; empty where it can."""
    name = kind.about.library
    if not name or find_spec(name) is not None:
        return ""
    return f"needs the library {name}, which is not installed here"
