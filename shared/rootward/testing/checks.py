"""What every method must satisfy, whatever it computes. Each check raises AssertionError.

A method for which a check cannot hold says so on its class, with the reason:
`exceptions = {"scaling_units": "the shape of a rate is part of the question"}`.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace

import numpy as np

from rootward.errors import InsufficientData
from rootward.methods.base import DiscoveryMethod, Method, Need, RankingMethod
from rootward.model.case import Case
from rootward.model.graph import CausalGraph, Edge
from rootward.model.result import Result
from rootward.model.window import Window
from rootward.testing import cases
from rootward.testing.cases import Planted

MOST_SECONDS = 10.0
Finding = Mapping[tuple[str, ...], float] | str
"""What must not change: edges or scores by name, or the answer in words."""


def standard_case(method: Method) -> Case:
    """A latency fault deep in the shop, with all that the method asks for."""
    return equipped(method, cases.shop(seed=1))


def small_case(method: Method) -> Case:
    """A fault at the head of a chain of six."""
    return equipped(method, cases.chain(rows=240, seed=1, length=6, fault=8.0))


def equipped(method: Method, planted: Planted) -> Case:
    """The case with the true graph and quiet history, if the method needs them."""
    needs = method.about.needs
    graph = None
    if Need.GRAPH in needs:
        edges = tuple(Edge(i, j, 1, 0.5, 1) for i, j in sorted(planted.edges))
        graph = CausalGraph(planted.window.series, edges)
    case = planted.case(seed=3, graph=graph)
    if Need.HISTORY in needs:
        return replace(case, history=(planted.window.with_onset(None),))
    return case


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
    assert (kind.__doc__ or "").strip(), "the class has no docstring"
    module = kind.__module__.removesuffix(".method")
    assert about.name == module.rpartition(".")[2], f"{about.name} does not live in {module}"
    assert is_dataclass(kind), "a method is a dataclass; its fields are its parameters"
    explained = _explained_fields(kind)
    for field in fields(kind):
        has_default = field.default is not MISSING or field.default_factory is not MISSING
        assert has_default, f"parameter {field.name} has no default"
        assert field.name in explained, f"parameter {field.name} has no line under it"
    for check, reason in kind.exceptions.items():
        assert check in NAMES, f"there is no check {check}"
        assert reason.strip(), f"no reason why {check} does not hold"


def _explained_fields(kind: type[Method]) -> set[str]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    found = set()
    for statement, below in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                found.add(statement.target.id)
    return found


def fast_enough(kind: type[Method]) -> None:
    """With its defaults it answers the standard case in time.

    Wall-clock time counts, or processor time where that is shorter: others may be at work.
    """
    method = kind()
    case = standard_case(method)
    began, worked = time.perf_counter(), time.process_time()
    result = method.run(case)
    took = min(time.perf_counter() - began, time.process_time() - worked)
    assert isinstance(result, Result)
    assert result.answer.strip()
    assert took < MOST_SECONDS, f"took {took:.1f} s"


def same_seed(kind: type[Method]) -> None:
    """Twice the same, and the window is as it was."""
    method = kind()
    case = small_case(method)
    before = case.window.values.copy()
    assert method.run(case) == method.run(case)
    assert np.array_equal(case.window.values, before)
    assert not case.window.values.flags.writeable


def permuting_columns(kind: type[Method]) -> None:
    """The order of the columns changes nothing."""
    method = kind()
    case = small_case(method)
    order = np.random.default_rng(5).permutation(len(case.window.series))
    assert case.symptom is not None
    moved = int(np.flatnonzero(order == case.symptom)[0])
    history = tuple(w.select(order.tolist()) for w in case.history)
    other = replace(case, window=case.window.select(order.tolist()), symptom=moved, history=history)
    assert agree(finding(method, case), finding(method, other))


def scaling_units(kind: type[Method]) -> None:
    """Units of measurement change nothing."""
    method = kind()
    case = small_case(method)
    factors = 2.0 ** np.array([(-7, 10, 0, 20, -3)[k % 5] for k in range(len(case.window.series))])
    history = tuple(_scaled(w, factors) for w in case.history)
    other = replace(case, window=_scaled(case.window, factors), history=history)
    assert agree(finding(method, case), finding(method, other))


def _scaled(window: Window, factors: np.ndarray) -> Window:
    return replace(window, values=window.values * factors)


def poor_windows(kind: type[Method]) -> None:
    """Poor data gets a result without NaN, or `InsufficientData`; nothing else, no warning."""
    method = kind()
    for name, planted in _poor().items():
        case = equipped(method, planted)
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
    method = kind()
    case = small_case(method)
    before = _global_state()
    threads = set(threading.enumerate())
    method.run(case)
    assert _global_state() == before, "global random state or torch's thread count was touched"
    left = set(threading.enumerate()) - threads
    assert not left, f"threads left behind: {left}"


def _global_state() -> tuple[object, ...]:
    # Not `random`: run-time type checking of annotations draws from it.
    state: list[object] = [str(np.random.get_state())]
    if torch := sys.modules.get("torch"):
        state += [torch.get_rng_state().numpy().tobytes(), torch.get_num_threads()]
    return tuple(state)


CHECKS: tuple[Callable[[type[Method]], None], ...] = (
    presents_itself,
    fast_enough,
    same_seed,
    permuting_columns,
    scaling_units,
    poor_windows,
    global_state,
)
NAMES = frozenset(check.__name__ for check in CHECKS)


def checks_for(kind: type[Method]) -> tuple[Callable[[type[Method]], None], ...]:
    """All checks but those that the class declares as exceptions."""
    return tuple(check for check in CHECKS if check.__name__ not in kind.exceptions)
