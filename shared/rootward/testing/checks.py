"""What every method must satisfy, whatever it computes. Each check raises AssertionError.

A method for which a check cannot hold says so on its class, with the reason:
`exceptions = {"scaling_units": "the shape of a rate is part of the question"}`.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from functools import cache

import numpy as np

from rootward.errors import InsufficientData
from rootward.methods.base import (
    Cost,
    DiscoveryMethod,
    Method,
    Need,
    Provenance,
    RankingMethod,
)
from rootward.methods.parameters import descriptions
from rootward.model.case import Case
from rootward.model.deadline import Deadline
from rootward.model.result import Result
from rootward.model.window import Window
from rootward.testing import cases
from rootward.testing.cases import Planted
from rootward.testing.equipment import calm_case, equipped, small_case, standard_case

MOST_SECONDS: Mapping[Cost, float] = {Cost.INSTANT: 2.0, Cost.SECONDS: 10.0, Cost.MINUTES: 120.0}
"""For the standard case with the defaults."""
MOST_QUICK_SECONDS = 2.0
"""For the small case with the parameters of `Method.quick`."""
GRACE_SECONDS = 1.0
"""How long a method may take to notice that its time is up."""
POOR_SECONDS = 0.3
"""Time for each poor window: form is asked for, not quality."""
CALM_CASES = 60
Finding = Mapping[tuple[str, ...], float] | str
"""What must not change: edges or scores by name, or the answer in words."""


@dataclass(frozen=True)
class Run:
    """One run and what it left behind."""

    result: Result
    seconds: float
    """Wall-clock time, or processor time where that is shorter: others may be at work."""
    touched: str
    """Global state that was changed; empty if none was."""


def quick(kind: type[Method]) -> Method:
    """The method with the parameters that it gives for checks, defaults for the rest."""
    return kind(**kind.quick)


@cache
def standard_run(kind: type[Method]) -> Run:
    """The defaults on the standard case; run once however many checks ask."""
    method = kind()
    return _run(method, standard_case(method))


@cache
def small_run(kind: type[Method]) -> Run:
    """The quick parameters on the small case; run once however many checks ask."""
    method = quick(kind)
    return _run(method, small_case(method))


def _run(method: Method, case: Case) -> Run:
    before, threads = _global_state(), set(threading.enumerate())
    began, worked = time.perf_counter(), time.process_time()
    result = method.run(case)
    took = min(time.perf_counter() - began, time.process_time() - worked)
    touched = []
    if _global_state() != before:
        touched.append("global random state or torch's thread count")
    if left := set(threading.enumerate()) - threads:
        touched.append(f"threads left behind: {left}")
    return Run(result, took, "; ".join(touched))


def finding(method: Method, case: Case) -> Finding:
    """What the method found, without the words around it where they can be left off."""
    if isinstance(method, DiscoveryMethod):
        graph = method.discover(case.window, case.seed)
        return {
            (str(e.cause), str(e.effect), str(e.lag), str(e.sign)): e.weight for e in graph.edges
        }
    if isinstance(method, RankingMethod):
        scores = method.scores(case)
        return {(str(s),): float(v) for s, v in zip(case.window.series, scores, strict=True)}
    return method.run(case).answer


def agree(one: Finding, other: Finding) -> bool:
    """Whether two findings are the same up to rounding."""
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    if one.keys() != other.keys():
        return False
    return all(np.isclose(one[key], other[key], rtol=1e-4, atol=1e-6) for key in one)


def presents_itself(kind: type[Method]) -> None:
    """A question, a paper, a docstring, and a line under every parameter, which has a default."""
    about = kind.about
    assert about.question.endswith("?"), f"not a question: {about.question!r}"
    assert about.paper.strip(), "no paper is named"
    noted = about.provenance is Provenance.PAPER or about.provenance_note.strip()
    assert noted, "provenance_note does not say what is ours"
    for sentence in (*about.assumptions, *about.limits):
        assert sentence.endswith("."), f"not a sentence: {sentence!r}"
    assert about.cost is Cost.INSTANT or not about.default, "only instant methods run unasked"
    assert (kind.__doc__ or "").strip(), "the class has no docstring"
    module = kind.__module__.removesuffix(".method")
    assert about.name == module.rpartition(".")[2], f"{about.name} does not live in {module}"
    assert is_dataclass(kind), "a method is a dataclass; its fields are its parameters"
    explained = descriptions(kind)
    for field in fields(kind):
        has_default = field.default is not MISSING or field.default_factory is not MISSING
        assert has_default, f"parameter {field.name} has no default"
        assert field.name in explained, f"parameter {field.name} has no line under it"
    for check, reason in kind.exceptions.items():
        assert check in NAMES, f"there is no check {check}"
        assert reason.strip(), f"no reason why {check} does not hold"


def fast_enough(kind: type[Method]) -> None:
    """With its defaults it answers the standard case in the time that its cost says."""
    run = standard_run(kind)
    assert run.result.answer.strip()
    most = MOST_SECONDS[kind.about.cost]
    assert run.seconds < most, f"took {run.seconds:.1f} s, {kind.about.cost} is under {most} s"


def quick_enough(kind: type[Method]) -> None:
    """The parameters for checks keep the tests of all methods fast."""
    run = small_run(kind)
    assert run.seconds < MOST_QUICK_SECONDS, f"took {run.seconds:.1f} s; see Method.quick"


def says_how_sure(kind: type[Method]) -> None:
    """A weak result says why, figures are numbers, and a method with a level says if it found."""
    result = small_run(kind).result
    assert result.answer.strip()
    assert (result.status == "weak") == bool(result.caveats), "weak without caveat, or the reverse"
    assert all(caveat.text.endswith(".") for caveat in result.caveats), "a caveat is a sentence"
    figures = [f for f in (result.headline, result.baseline) if f is not None]
    assert all(np.isfinite(f.value) and f.name.strip() for f in figures)
    assert (result.found is None) == (kind.about.level is None), "found goes with About.level"


def same_seed(kind: type[Method]) -> None:
    """Twice the same, and the window is as it was."""
    method = quick(kind)
    case = small_case(method)
    before = case.window.values.copy()
    assert method.run(case) == small_run(kind).result
    assert np.array_equal(case.window.values, before)
    assert not case.window.values.flags.writeable


def permuting_columns(kind: type[Method]) -> None:
    """The order of the columns changes nothing."""
    method = quick(kind)
    case = small_case(method)
    order = np.random.default_rng(5).permutation(len(case.window.series))
    assert case.symptom is not None
    moved = int(np.flatnonzero(order == case.symptom)[0])
    history = tuple(w.select(order.tolist()) for w in case.history)
    other = replace(case, window=case.window.select(order.tolist()), symptom=moved, history=history)
    assert agree(_small_finding(kind), finding(method, other))


def scaling_units(kind: type[Method]) -> None:
    """Units of measurement change nothing."""
    method = quick(kind)
    case = small_case(method)
    factors = 2.0 ** np.array([(-7, 10, 0, 20, -3)[k % 5] for k in range(len(case.window.series))])
    history = tuple(_scaled(w, factors) for w in case.history)
    other = replace(case, window=_scaled(case.window, factors), history=history)
    assert agree(_small_finding(kind), finding(method, other))


@cache
def _small_finding(kind: type[Method]) -> Finding:
    method = quick(kind)
    if isinstance(method, DiscoveryMethod | RankingMethod):
        return finding(method, small_case(method))
    return small_run(kind).result.answer


def _scaled(window: Window, factors: np.ndarray) -> Window:
    return replace(window, values=window.values * factors)


def poor_windows(kind: type[Method]) -> None:
    """Poor data gets a result without NaN, or `InsufficientData`; nothing else, no warning."""
    method = quick(kind)
    shapes = _poor()
    if Need.EXPERIMENT in method.about.needs:  # it looks at the experiment, whatever the window
        shapes = {name: shapes[name] for name in ("nothing measured", "one series")}
    for name, planted in shapes.items():
        case = replace(equipped(method, planted), deadline=Deadline.after(POOR_SECONDS))
        try:
            result = method.run(case)
        except InsufficientData:
            continue
        assert isinstance(result, Result), name
        numbers = [e.weight for b in result.blocks if b.kind == "graph" for e in b.graph.edges]
        if isinstance(method, RankingMethod):
            numbers += method.scores(case).tolist()
        assert np.isfinite(numbers).all(), f"{name}: a score or weight is not finite"


def _poor() -> dict[str, Planted]:
    whole = cases.chain(rows=240, seed=2, length=6, fault=8.0)
    window = whole.window
    values = window.values
    constant = np.where(np.arange(6) == 2, 7.0, values)
    step = np.where((np.arange(240) >= 200)[:, None] & (np.arange(6) == 2), 9.0, constant)
    holes = np.where(np.random.default_rng(0).random(values.shape) < 0.2, np.nan, values)
    missing = np.where(np.arange(6) == 1, np.nan, values)
    infinite = np.where(values > 5, np.inf, values)
    torn = replace(window, times=window.times + 1e4 * (np.arange(240) >= 100))
    shapes = {
        "a constant series": replace(window, values=constant),
        "a series constant before the onset": replace(window, values=step),
        "all series constant": replace(window, values=np.full_like(values, 3.0)),
        "two equal series": replace(window, values=values[:, [0, 0, 2, 3, 4, 5]]),
        "holes": replace(window, values=holes),
        "a series never measured": replace(window, values=missing),
        "nothing measured": replace(window, values=np.full_like(values, np.nan)),
        "infinities": replace(window, values=infinite),
        "a gap in the recording": torn,
        "no onset": window.with_onset(None),
        "no baseline": window.with_onset(0),
        "one incident row": window.with_onset(239),
        "two series": window.select([0, 5]),
        "one series": window.select([5]),
    }
    shapes |= {f"{n} rows": window.rows(200 - n // 2, 200 + (n + 1) // 2) for n in (1, 3, 10, 40)}
    return {name: _planted(whole, shape) for name, shape in shapes.items()}


def _planted(whole: Planted, window: Window) -> Planted:
    known = set(window.series)
    edges = frozenset(pair for pair in whole.edges if known.issuperset(pair))
    return replace(whole, window=window, edges=edges, symptom=len(window.series) - 1)


def global_state(kind: type[Method]) -> None:
    """Global random generators, torch's threads and the list of threads are left as they were."""
    assert not small_run(kind).touched


def one_second(kind: type[Method]) -> None:
    """A deadline of one second is honoured with the defaults on the standard case."""
    if standard_run(kind).seconds < 1.0:
        return
    method = kind()
    began, worked = time.perf_counter(), time.process_time()
    try:
        result = method.run(replace(standard_case(method), deadline=Deadline.after(1.0)))
    except InsufficientData:
        result = None
    took = min(time.perf_counter() - began, time.process_time() - worked)
    assert took < 1.0 + GRACE_SECONDS, f"took {took:.1f} s; ask case.go_on more often"
    assert result is None or result.answer.strip()


def false_claims(kind: type[Method]) -> None:
    """On noise that remembers 0.8 of its last row, claims stay below twice the nominal level."""
    method = kind()
    level = method.about.level
    if level is None:
        return
    claims = sum(_claims(method, calm_case(method, seed)) for seed in range(CALM_CASES))
    most = 2 * level * CALM_CASES
    assert claims <= most, f"{claims} false claims in {CALM_CASES}, at most {most:g} are allowed"


def _claims(method: Method, case: Case) -> bool:
    try:
        return bool(method.run(case).found)
    except InsufficientData:
        return False


def _global_state() -> tuple[object, ...]:
    # Not `random`: run-time type checking of annotations draws from it.
    state: list[object] = [str(np.random.get_state())]
    if torch := sys.modules.get("torch"):
        state += [torch.get_rng_state().numpy().tobytes(), torch.get_num_threads()]
    return tuple(state)


CHECKS: tuple[Callable[[type[Method]], None], ...] = (
    presents_itself,
    fast_enough,
    quick_enough,
    says_how_sure,
    same_seed,
    permuting_columns,
    scaling_units,
    poor_windows,
    global_state,
    one_second,
    false_claims,
)
NAMES = frozenset(check.__name__ for check in CHECKS)
WITH_DEFAULTS = (fast_enough, one_second, false_claims)
"""Checks that run the defaults, which takes long where the method is not instant."""


def is_slow(check: Callable[[type[Method]], None], kind: type[Method]) -> bool:
    """Whether a check takes too long to be made with every change."""
    return check in WITH_DEFAULTS and kind.about.cost is not Cost.INSTANT


def checks_for(kind: type[Method]) -> tuple[Callable[[type[Method]], None], ...]:
    """All checks but those that the class declares as exceptions."""
    return tuple(check for check in CHECKS if check.__name__ not in kind.exceptions)
