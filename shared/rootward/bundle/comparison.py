"""Whether two diagnoses say the same, bit for bit."""

from __future__ import annotations

from rootward.model.incident import Candidate, Diagnosis


def differences(one: Diagnosis, other: Diagnosis) -> tuple[str, ...]:
    """What differs of onset, confidence, ranking, scores and graph; empty where they are equal.

    How long it took, what was done to a service and what the reader is cautioned of are no part
    of it: they do not come from the rows.
    """
    found = [
        f"{name}: {mine!r}, now {its!r}"
        for name, mine, its in (
            ("onset", one.onset_unix, other.onset_unix),
            ("confidence", one.confidence, other.confidence),
            ("abstained", one.abstained, other.abstained),
            ("conclusion", one.conclusion, other.conclusion),
            ("likely", one.likely, other.likely),
        )
        if mine != its
    ]
    if len(one.candidates) != len(other.candidates):
        found.append(f"candidates: {len(one.candidates)}, now {len(other.candidates)}")
    found += [
        f"rank {mine.rank}: {_told(mine)}, now {_told(its)}"
        for mine, its in zip(one.candidates, other.candidates, strict=False)
        if _told(mine) != _told(its)
    ]
    if one.graph != other.graph:
        found.append(f"graph: {len(one.graph.edges)} edges, now {len(other.graph.edges)} or others")
    return tuple(found)


def _told(one: Candidate) -> tuple[str, str, float]:
    return one.service, one.series.key, one.score
