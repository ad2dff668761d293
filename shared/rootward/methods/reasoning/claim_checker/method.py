"""Does what is said of an incident follow from its graph?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rootward.errors import InsufficientData, InvalidParameters
from rootward.methods.base import About, Cost, Family, Method, Need, Provenance, Scope
from rootward.methods.reasoning.claim_checker.claims import (
    Check,
    Reading,
    Verdict,
    check,
    read_claims,
)
from rootward.methods.reasoning.claim_checker.model import Question, says_yes, trained
from rootward.model.case import Case
from rootward.model.graph import CausalGraph
from rootward.model.result import (
    Block,
    Caveat,
    CaveatCode,
    Figure,
    Inputs,
    Result,
    Table,
)
from rootward.numerics.dags import Links

_MOST_SHOWN = 60
_ENOUGH_STEPS = 0.5


@dataclass(frozen=True, eq=False)
class Known:
    """The graph as a matrix, and which nodes each name stands for."""

    links: Links
    nodes: Mapping[str, tuple[int, ...]]
    names: tuple[str, ...]
    """Of the nodes."""


def known(graph: CausalGraph) -> Known:
    """Series go by their own name, services stand for all of their series."""
    series = sorted(graph.series)
    place = {s: k for k, s in enumerate(series)}
    links = np.zeros((len(series), len(series)), dtype=bool)
    for edge in graph.edges:
        links[place[edge.cause], place[edge.effect]] = True
    nodes: dict[str, tuple[int, ...]] = {}
    for s, k in place.items():
        nodes[s.service] = (*nodes.get(s.service, ()), k)
    nodes |= {str(s): (k,) for s, k in place.items()}
    return Known(links, nodes, tuple(str(s) for s in series))


@dataclass(frozen=True, kw_only=True)
class ClaimChecker(Method):
    """Holds sentences such as "a caused b" against the incident's graph, one by one.

    The graph decides, exactly: by reach for causes, by d-separation for "has nothing to do with";
    both agree with brute force over all paths on 200 random graphs. Sentences that name two
    services in words no pattern knows can be given to a small network that learnt transitivity
    from made-up chains; what it says is marked as opinion and never decides.
    """

    text: str = ""
    """What to check, such as a postmortem; empty: what the diagnosis itself says."""
    network_steps: int = 0
    """Training steps of the network asked about sentences not understood; 0 does not ask it.
    1300 take minutes."""

    about = About(
        name="claim_checker",
        family=Family.REASONING,
        question="Does what is said of this incident follow from its causal graph?",
        paper="Vashishtha, Kumar, Pandey, Reddy, Ahuja, Balasubramanian, Sharma 2025, Teaching "
        "Transformers Causal Reasoning Through Axiomatic Training, ICML, arXiv 2407.07612",
        needs=frozenset({Need.GRAPH, Need.TEXT}),
        provenance=Provenance.ASSUMED,
        provenance_note="The paper trains a language model of 67 million parameters on premises "
        "in words. Here the graph decides, patterns read the claims, and the network is a small "
        "set transformer over edges; the axiom and how its examples are made are the paper's.",
        scope=Scope.TEXT,
        cost=Cost.INSTANT,
        measured=(
            "The network after 1300 steps, 1,000 questions each, half of them true: 94 % right on "
            "chains of 3 to 6 names, as it was taught, 77 % on chains of 7 to 9, 87 % on "
            "branching graphs; chance is 50 %.",
        ),
        assumptions=("The graph holds the edges that matter; it was learnt, and may lack some.",),
        limits=(
            "That a claim follows from the graph does not make it true.",
            "English sentences in usual words are understood, others are listed as not read.",
        ),
    )

    def __post_init__(self) -> None:
        if self.network_steps < 0:
            raise InvalidParameters("network_steps is 0 or more")

    def run(self, case: Case) -> Result:
        if case.graph is None or not case.graph.edges:
            raise InsufficientData("needs a causal graph with edges to check against")
        graph = known(case.graph)
        text = self.text or case.text
        symptom = None if case.symptom is None else str(case.window.series[case.symptom])
        reading = read_claims(text, graph.nodes, symptom if symptom in graph.nodes else None)
        checks = tuple(
            check(claim, graph.links, graph.nodes)
            for claim in reading.claims
            if not set(graph.nodes[claim.subject]) & set(graph.nodes[claim.object])
        )
        if not checks and not reading.unread:
            raise InsufficientData(
                f"no sentence of the {len(text)} characters names two of the "
                f"{len({s.service for s in case.graph.series})} services of the graph"
            )
        opinions = self._opinions(case, graph, reading) if self.network_steps else ()
        if not checks and not opinions:
            sentence, one, other = reading.unread[0]
            raise InsufficientData(
                "no sentence says that one service caused another in words such as 'a caused b'; "
                f"what names {one} and {other} says only: {sentence[:200]!r}"
            )
        return _result(case, graph, reading, checks, opinions)

    def _opinions(self, case: Case, graph: Known, reading: Reading) -> tuple[bool, ...]:
        """What the network thinks of the sentences that were not read, first name to second."""
        if not reading.unread:
            return ()
        checker, taken = trained(self.network_steps, case.seed, case.go_on)
        if taken < _ENOUGH_STEPS * self.network_steps:
            return ()
        asked = [_question(graph, one, other) for _, one, other in reading.unread]
        return tuple(says_yes(checker, asked, case.seed).tolist())


def _question(graph: Known, one: str, other: str) -> Question:
    """The graph with all nodes of each of the two names drawn together."""
    merged = np.arange(len(graph.links))
    for name in (one, other):
        merged[list(graph.nodes[name])] = graph.nodes[name][0]
    links = np.zeros_like(graph.links)
    for i, j in np.argwhere(graph.links):
        if merged[i] != merged[j]:
            links[merged[i], merged[j]] = True
    return Question(links, int(merged[graph.nodes[one][0]]), int(merged[graph.nodes[other][0]]))


def _result(
    case: Case,
    graph: Known,
    reading: Reading,
    checks: Sequence[Check],
    opinions: Sequence[bool],
) -> Result:
    direct = sum(
        bool(graph.links[np.ix_(graph.nodes[c.claim.subject], graph.nodes[c.claim.object])].any())
        for c in checks
    )
    caveats = []
    if opinions:
        text = f"{len(opinions)} sentences were judged by a learned model, not by the graph."
        caveats.append(Caveat(CaveatCode.OPINION, text))
    follows = sum(c.verdict is Verdict.FOLLOWS for c in checks)
    return Result(
        _answer(checks, len(reading.unread)),
        _blocks(graph, reading, checks, opinions),
        cautions=("A claim that does not follow may still be true: the graph may lack an edge.",),
        status="weak" if caveats else "ok",
        caveats=tuple(caveats),
        headline=Figure("claims that follow from the graph", float(follows)),
        baseline=Figure("claims whose names are joined by a single edge", float(direct)),
        inputs=Inputs.of(case.window),
    )


def _answer(checks: Sequence[Check], unread: int) -> str:
    if not checks:
        return f"No claim was understood; {unread} that name two services are guessed at below."
    counts = {v: sum(c.verdict is v for c in checks) for v in Verdict}
    told = (
        f"Of {len(checks)} claims {counts[Verdict.FOLLOWS]} follow from the graph, "
        f"{counts[Verdict.CONTRADICTED]} are contradicted and "
        f"{counts[Verdict.DOES_NOT_FOLLOW]} do not follow"
    )
    wrong = next((c for c in checks if c.verdict is Verdict.CONTRADICTED), None)
    if wrong:
        told += (
            f"; contradicted is that {wrong.claim.subject} {wrong.claim.relation} "
            f"{wrong.claim.object}: {wrong.why}"
        )
    if unread:
        told += f"; {unread} sentences were not understood"
    return told + "."


def _blocks(
    graph: Known, reading: Reading, checks: Sequence[Check], opinions: Sequence[bool]
) -> tuple[Block, ...]:
    rows = tuple(
        (
            c.claim.sentence[:200],
            _reading(c),
            str(c.verdict),
            c.why,
            " → ".join(graph.names[node] for node in c.path),
        )
        for c in checks[:_MOST_SHOWN]
    )
    blocks: list[Block] = []
    if rows:
        blocks.append(Table("Claims", ("sentence", "read as", "verdict", "why", "path"), rows))
    if reading.unread:
        said = [("likely" if yes else "unlikely") for yes in opinions] or [""] * len(reading.unread)
        unread = tuple(
            (sentence[:200], f"{one}, {other}", opinion)
            for (sentence, one, other), opinion in zip(reading.unread, said, strict=True)
        )
        columns = ("sentence", "names", "opinion: first causes second")
        blocks.append(Table("Not understood", columns, unread[:_MOST_SHOWN]))
    return tuple(blocks)


def _reading(found: Check) -> str:
    claim = found.claim
    told = f"{claim.subject} {claim.relation} {claim.object}"
    return told + (f" given {' and '.join(claim.given)}" if claim.given else "")
