"""Causal claims in sentences, and whether they follow from a graph."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise, product

import numpy as np

from rootward.numerics.dags import Links, d_separated, is_acyclic, reach, shortest_path


class Relation(StrEnum):
    """What a sentence says of two names."""

    CAUSES = "causes"
    DOES_NOT_CAUSE = "does not cause"
    UNRELATED = "has nothing to do with"


class Verdict(StrEnum):
    """What the graph says of a claim."""

    FOLLOWS = "follows"
    CONTRADICTED = "contradicted"
    DOES_NOT_FOLLOW = "does not follow"


@dataclass(frozen=True)
class Claim:
    """A reading of a part of a text."""

    sentence: str
    subject: str
    relation: Relation
    object: str
    given: tuple[str, ...] = ()
    """What is held fixed, of a claim that two have nothing to do with each other."""


@dataclass(frozen=True)
class Reading:
    """What was understood of a text."""

    claims: tuple[Claim, ...]
    unread: tuple[tuple[str, str, str], ...]
    """Sentences that name two but whose relation was not understood, with the two names."""


_FORWARD = (
    r"caus(?:ed|es|ing)|(?:not|n't|did|could|can|will|would|may|might) cause|"
    r"led to|leads to|leading to|trigger(?:ed|s)|result(?:ed|s) in|"
    r"(?:root )?cause of|drove|drives|broke|breaks|slow(?:ed|s)(?: down)?|brought down|"
    r"responsible for|affect(?:ed|s)|(?:spread|propagated|propagates) to|made|explains|"
    r"took down|overload(?:ed|s)"
)
_BACKWARD = (
    r"because of|due to|owing to|(?:caused|triggered|driven|slowed(?: down)?|broken|affected|"
    r"brought down|overloaded) by|result(?:ed|s) from|stem(?:med|s) from|suffer(?:ed|s) from"
)
_APART = r"unrelated to|not related to|independent of|nothing to do with|no relation to"
_NOT = r"\b(?:not|never|no|neither|cannot)\b|n't\b"
_CAUSE_IS = re.compile(r"\bcause\b[^.]{0,40}?(?:\bis\b|\bwas\b|:)\s*(?:the )?$", re.IGNORECASE)
_IS_CAUSE = re.compile(
    r"^\s*(?:\w+ ){0,2}(?:is|was)(?P<no> not)? (?:\w+ ){0,3}cause\b(?! of)", re.IGNORECASE
)
_JOINED = re.compile(r"^[\s,]*(?:and|or|,)?[\s,]*$", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")


def read_claims(text: str, names: Collection[str], symptom: str | None = None) -> Reading:
    """The claims that each sentence makes about known names.

    Patterns between two neighbouring names decide: "a caused b", "b was slow because of a",
    "a has nothing to do with b given c", with negations. "a was the root cause" is a claim
    about the symptom, where there is one.
    """
    if not names:
        return Reading((), ())
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    known = re.compile(
        r"(?<![\w|-])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![\w|-])", re.IGNORECASE
    )
    spelled = {name.lower(): name for name in names}
    claims: list[Claim] = []
    unread: list[tuple[str, str, str]] = []
    for sentence in filter(None, (part.strip() for part in _SENTENCE.split(text))):
        found = [(m.span(), spelled[m.group().lower()]) for m in known.finditer(sentence)]
        made = [*_between(sentence, found), *_about_symptom(sentence, found, symptom)]
        claims += made
        if not made and len({name for _, name in found}) > 1:
            unread.append((sentence, found[0][1], next(n for _, n in found if n != found[0][1])))
    return Reading(tuple(dict.fromkeys(claims)), tuple(unread))


Mention = tuple[tuple[int, int], str]


def _between(sentence: str, found: Sequence[Mention]) -> list[Claim]:
    groups = _groups(sentence, found)
    claims = []
    for k, (left, right) in enumerate(pairwise(groups)):
        told = _relation(sentence[left[-1][0][1] : right[0][0][0]])
        if told is None:
            continue
        relation, backward = told
        given: tuple[str, ...] = ()
        if relation is Relation.UNRELATED and k + 2 < len(groups):
            after = sentence[right[-1][0][1] : groups[k + 2][0][0][0]]
            if re.search(r"\bgiven\b", after):
                given = tuple(name for _, name in groups[k + 2])
        for (_, one), (_, other) in product(left, right):
            subject, target = (other, one) if backward else (one, other)
            if subject != target:
                claims.append(Claim(sentence, subject, relation, target, given))
    return claims


def _groups(sentence: str, found: Sequence[Mention]) -> list[list[Mention]]:
    """Names that "and" or a comma joins stand together."""
    groups: list[list[Mention]] = []
    for mention in found:
        if groups and _JOINED.match(sentence[groups[-1][-1][0][1] : mention[0][0]]):
            groups[-1].append(mention)
        else:
            groups.append([mention])
    return groups


def _relation(gap: str) -> tuple[Relation, bool] | None:
    """What the words between two names say, and whether the second one is the cause."""
    if re.search(_APART, gap, re.IGNORECASE):
        return Relation.UNRELATED, False
    backward = re.search(rf"\b(?:{_BACKWARD})\b", gap, re.IGNORECASE)
    if not backward and not re.search(rf"\b(?:{_FORWARD})\b", gap, re.IGNORECASE):
        return None
    denied = re.search(_NOT, gap, re.IGNORECASE)
    return Relation.DOES_NOT_CAUSE if denied else Relation.CAUSES, bool(backward)


def _about_symptom(sentence: str, found: Sequence[Mention], symptom: str | None) -> list[Claim]:
    """ "The root cause is a", "a was the cause": said of one name alone."""
    claims = []
    for (start, end), name in found:
        after = _IS_CAUSE.match(sentence[end:])
        if symptom is None or name == symptom or not (after or _CAUSE_IS.search(sentence[:start])):
            continue
        denied = bool(after and after["no"])
        relation = Relation.DOES_NOT_CAUSE if denied else Relation.CAUSES
        claims.append(Claim(sentence, name, relation, symptom))
    return claims


@dataclass(frozen=True)
class Check:
    """A claim, what the graph says of it, and why."""

    claim: Claim
    verdict: Verdict
    path: tuple[int, ...]
    """Nodes of the way that decided; empty where there is none."""
    why: str


def check(claim: Claim, links: Links, nodes: Mapping[str, Sequence[int]]) -> Check:
    """The graph's verdict; exact. `nodes` says which nodes a name stands for.

    One causes the other where a way along the edges leads from any of its nodes to any of the
    other's. A causal claim without such a way is contradicted if there is one the other way
    round, and else does not follow.
    """
    if claim.relation is Relation.UNRELATED:
        return _apart(claim, links, nodes)
    there = _way(links, nodes[claim.subject], nodes[claim.object])
    if claim.relation is Relation.DOES_NOT_CAUSE:
        if there:
            return Check(claim, Verdict.CONTRADICTED, there, "the graph has a way")
        return Check(claim, Verdict.FOLLOWS, (), "the graph has no way")
    if there:
        return Check(claim, Verdict.FOLLOWS, there, "the graph has a way")
    back = _way(links, nodes[claim.object], nodes[claim.subject])
    if back:
        return Check(claim, Verdict.CONTRADICTED, back, "the graph has it the other way round")
    return Check(claim, Verdict.DOES_NOT_FOLLOW, (), "the graph has no way in either direction")


def _way(links: Links, starts: Sequence[int], ends: Sequence[int]) -> tuple[int, ...]:
    """The shortest way from any start to any end, the first of equals."""
    reached = reach(links)
    ways = [
        shortest_path(links, start, end)
        for start, end in product(starts, ends)
        if reached[start, end]
    ]
    return min(ways, key=len, default=())


def _apart(claim: Claim, links: Links, nodes: Mapping[str, Sequence[int]]) -> Check:
    held = sorted({node for name in claim.given for node in nodes[name]})
    pairs = [
        (one, other)
        for one, other in product(nodes[claim.subject], nodes[claim.object])
        if one not in held and other not in held
    ]
    if is_acyclic(links):
        linked = [pair for pair in pairs if not d_separated(links, *pair, held)]
        if not linked:
            return Check(claim, Verdict.FOLLOWS, (), "they are d-separated in the graph")
        return Check(claim, Verdict.CONTRADICTED, linked[0], "a path between them is open")
    together = reach(np.asarray(links | links.T))
    if not any(together[pair] for pair in pairs):
        return Check(claim, Verdict.FOLLOWS, (), "no path joins them")
    ways = ((claim.subject, claim.object), (claim.object, claim.subject))
    if not held and (
        way := next(filter(None, (_way(links, nodes[a], nodes[b]) for a, b in ways)), ())
    ):
        return Check(claim, Verdict.CONTRADICTED, way, "the graph has a way")
    return Check(claim, Verdict.DOES_NOT_FOLLOW, (), "the graph has cycles; this is not decidable")
