"""Why a candidate is a candidate, in words with numbers and units."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx
import numpy as np

from rootward.model.graph import CausalGraph
from rootward.model.incident import Evidence
from rootward.model.series import Series
from rootward.model.wording import clock, duration, listed, number, quantity
from rootward.numerics.suspicion import NEVER
from rootward.rca.explains import UNTOLD, Held
from rootward.rca.observation import Observation
from rootward.rca.ranking import Ranking
from rootward.rca.views import Views

_LONGEST_PATH = 5
_CLEARLY = 0.2
"""Share of a departure from which on its causes are said to explain it."""
_SAME = 1.1
"""Ratio of sizes up to which two departures are called alike."""


@dataclass(frozen=True, eq=False)
class Findings:
    """All that evidence is drawn from."""

    seen: Observation
    ranking: Ranking
    graph: CausalGraph
    views: Views
    symptom: int | None
    """Column of the symptom."""
    held: Held = UNTOLD
    """What holding services at their baseline would take away from the symptom."""

    def series(self, column: int) -> Series:
        """The series of a column."""
        return self.seen.window.series[column]

    def name(self, column: int) -> str:
        """The series of a column, in words."""
        return self.seen.spoken(self.series(column))


def evidence(found: Findings, place: int) -> tuple[Evidence, ...]:
    """What speaks for the candidate at a place of the ranking, and why it is not first."""
    return tuple(_all(found, place))


def _all(found: Findings, place: int) -> Iterator[Evidence]:
    column = found.ranking.speaking[place]
    yield size_of_change(found.seen, column)
    yield from _order(found, column)
    yield from _edges(found, column)
    yield from _calls(found, place)
    yield from _mechanism(found, column)
    yield from _held(found, place)
    yield from _walked(found, place)
    yield from _agreement(found, place)
    if place:
        yield _against(found, place)


def size_of_change(seen: Observation, column: int) -> Evidence:
    """How far the series went from its baseline, and when."""
    series, z = seen.window.series[column], seen.found.z[seen.onset :, column]
    name = seen.spoken(series)
    size, unit = float(seen.found.size[column]), "deviations"
    if seen.found.gone[column] >= 0.5:
        share = round(100 * float(np.isnan(z).mean()))
        text = f"{name} stopped: {share} % of its rows are missing since the onset."
        return Evidence("size", text, share / 100, "share of rows")
    if size < 1:
        return Evidence("size", f"{name} stayed near its baseline.", size, unit)
    row = seen.onset + int(np.abs(np.nan_to_num(z)).argmax())
    before, peak = float(seen.found.centre[column]), float(seen.window.values[row, column])
    verb = "rose" if seen.found.z[row, column] > 0 else "fell"
    began = int(seen.onsets[column])
    since = f", from {clock(float(seen.window.times[began]))} on" if began != NEVER else ""
    text = (
        f"{name} {verb} from {quantity(before, series)} to {quantity(peak, series)} at its "
        f"furthest and stayed {number(size)} baseline deviations away{since}."
    )
    return Evidence("size", text, size, unit)


def _order(found: Findings, column: int) -> Iterator[Evidence]:
    seen, symptom = found.seen, found.symptom
    if symptom is None or symptom == column:
        return
    own, reference = int(seen.onsets[column]), int(seen.onsets[symptom])
    if NEVER in (own, reference):
        return
    times, name = seen.window.times, found.name(symptom)
    ahead = float(times[reference] - times[own])
    step = duration(seen.window.step_seconds)
    if ahead == 0:
        text = f"It departed in the same row as the symptom {name}; a row is {step}."
    else:
        word = "before" if ahead > 0 else "after"
        text = f"It departed {duration(abs(ahead))} {word} the symptom {name}; a row is {step}."
    yield Evidence("onset", text, ahead, "s")


def _edges(found: Findings, column: int) -> Iterator[Evidence]:
    """The strongest path to the symptom, or else the strongest edges."""
    own, step = found.series(column), found.seen.window.step_seconds
    drives = sorted((e for e in found.graph.edges if e.cause == own), key=lambda e: -e.weight)
    path = [] if found.symptom is None else _path(found.graph, own, found.series(found.symptom))
    if path:
        lags = found.graph.to_networkx()
        total = sum(lags.edges[a, b]["lag"] for a, b in pairwise(path)) * step
        hops = " → ".join(found.seen.spoken(series) for series in path)
        text = f"The causal graph leads from it to the symptom: {hops}, {duration(total)} in all."
        yield Evidence("edges", text, total, "s")
    elif drives:
        shown = [
            f"{found.seen.spoken(e.effect)} after {duration(e.lag * step)}" for e in drives[:3]
        ]
        more = f" and {len(drives) - 3} more" if len(drives) > 3 else ""
        text = f"In the causal graph it drives {listed(shown)}{more}."
        yield Evidence("edges", text, float(len(drives)), "edges")


def _path(graph: CausalGraph, start: Series, end: Series) -> list[Series]:
    drawn = graph.to_networkx()
    if start == end or start not in drawn or end not in drawn:
        return []
    if not nx.has_path(drawn, start, end):
        return []
    path = nx.shortest_path(drawn, start, end)
    return path if len(path) <= _LONGEST_PATH else []


def _calls(found: Findings, place: int) -> Iterator[Evidence]:
    """Which callers it explains and which callees explain it, among those that departed."""
    seen, ranking, names = found.seen, found.ranking, found.seen.traits.services
    own = names.index(ranking.services[place])
    departed = set(seen.traits.owners[seen.felt & (seen.onsets != NEVER)].tolist())
    known = [(c, d) for c, d in ranking.calls[ranking.explained].tolist() if c in departed]
    callers = [names[caller] for caller, callee in known if callee == own]
    callees = [names[callee] for caller, callee in known if caller == own]
    if callers:
        text = f"Of its callers, {listed(callers)} departed too, and hardly further."
        yield Evidence("edges", f"{text} It explains them.", float(len(callers)), "callers")
    if callees:
        text = f"It calls {listed(callees)}, which departed about as far"
        yield Evidence(
            "against", f"{text}: that may be why it departed.", float(len(callees)), "callees"
        )


def _mechanism(found: Findings, column: int) -> Iterator[Evidence]:
    own = found.series(column)
    causes = sorted(
        {e.cause for e in found.graph.edges if e.effect == own and e.cause.service != own.service}
    )
    if not causes:
        return
    share = float(found.ranking.passed_on[column])
    shown = listed([found.seen.spoken(cause) for cause in causes[:3]])
    percent = f"{round(100 * share)} %"
    if share >= _CLEARLY:
        text = f"{percent} of its change is passed on by its causes {shown}."
    else:
        text = f"Its causes {shown} explain {percent} of its change: its own mechanism changed."
    yield Evidence("mechanism", text, share, "share")


def _held(found: Findings, place: int) -> Iterator[Evidence]:
    service, held = found.ranking.services[place], found.held
    if found.symptom is None or service not in held.shares:
        return
    share = held.shares[service]
    text = (
        f"Holding {service} at its baseline would take away about {round(100 * share)} % of the "
        f"excess of {found.name(found.symptom)}, by a linear model that foretells "
        f"{round(100 * held.fit)} % of its baseline."
    )
    yield Evidence("explains", text, share, "share")


def _walked(found: Findings, place: int) -> Iterator[Evidence]:
    if "PageRank" not in found.views.by_name:
        return
    order = found.views.best("PageRank", len(found.views.services))
    service = found.ranking.services[place]
    if service not in order:
        return
    rank = order.index(service) + 1
    text = (
        f"PageRank from the symptom back along the causal graph puts {service} in place {rank} "
        f"of {len(order)}."
    )
    yield Evidence("pagerank", text, float(rank), "place")


def _agreement(found: Findings, place: int) -> Iterator[Evidence]:
    views, service = found.views, found.ranking.services[place]
    agreeing = views.agreeing(service)
    if not agreeing and place:
        return
    of = f"{len(agreeing)} of {len(views.by_name)} views"
    named = f": {listed(list(agreeing))}" if agreeing else ""
    text = f"{of} alone put {service} first{named}."
    yield Evidence("agreement", text, len(agreeing) / len(views.by_name), "share")


def _against(found: Findings, place: int) -> Evidence:
    """What the candidate lacks against the first."""
    seen, ranking = found.seen, found.ranking
    own, first = ranking.speaking[place], ranking.speaking[0]
    if float(seen.found.size[own]) < 1 and not seen.found.gone[own]:
        text = f"Not first: compared with {found.name(first)}, it stayed near its baseline."
        return Evidence("against", text, float(ranking.scores[0] - ranking.scores[place]),
                        "log deviations")  # fmt: skip
    reasons = []
    ratio = float(seen.found.size[first]) / max(float(seen.found.size[own]), 1e-9)
    if ratio >= _SAME:
        times = f"{number(ratio)} times" if ratio < 1000 else "more than 1000 times"
        reasons.append(f"its change is {times} smaller")
    begun = seen.onsets[[own, first]]
    late = float(seen.window.times[begun[0]] - seen.window.times[begun[1]])
    if NEVER not in begun and late > 0:
        reasons.append(f"it departed {duration(late)} later")
    if seen.size[own] < seen.size[first] and seen.found.direction[own] == -seen.traits.harm[own]:
        reasons.append("its change is to the good, as in a victim that gets less work")
    if float(ranking.passed_on[own]) >= max(_CLEARLY, float(ranking.passed_on[first])):
        reasons.append("its causes explain more of it")
    reason = listed(reasons) or "all views together speak less for it"
    lead = float(ranking.scores[0] - ranking.scores[place])
    text = f"Not first: compared with {found.name(first)}, {reason}."
    return Evidence("against", text, lead, "log deviations")
