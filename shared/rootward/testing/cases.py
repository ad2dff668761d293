"""Small cases with a known answer, made by `numerics.simulate`; every one from its seed alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rootward.model.case import Case
from rootward.model.graph import CausalGraph
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.numerics.simulate import Bend, Fault, System, lorenz96, simulate, straight

START_UNIX = 1_700_000_000.0
STEP_SECONDS = 5.0

CALLS = (
    ("frontend", "catalog"),
    ("frontend", "cart"),
    ("frontend", "checkout"),
    ("catalog", "catalog-db"),
    ("cart", "cart-cache"),
    ("checkout", "cart"),
    ("checkout", "payment"),
    ("checkout", "shipping"),
)
"""Who calls whom in the shop."""

METRICS = (
    "requests_per_second",
    "cpu_utilisation_ratio",
    "latency_p95_seconds",
    "errors_per_second",
)
FAULT_METRIC = {"cpu": METRICS[1], "latency": METRICS[2], "errors": METRICS[3]}


@dataclass(frozen=True, eq=False)
class Planted:
    """A window and the truth about it."""

    window: Window
    edges: frozenset[tuple[Series, Series]]
    """(cause, effect) of every lagged influence between two series."""
    cause: Series | None = None
    """Where the fault was planted; None where there is none."""
    symptom: int | None = None
    """Column that a user would complain about."""
    calls: tuple[tuple[str, str], ...] = ()

    @property
    def named_edges(self) -> frozenset[tuple[str, str]]:
        """The true edges by name, see `name`."""
        return frozenset((name(i), name(j)) for i, j in self.edges)

    def case(self, seed: int = 0, graph: CausalGraph | None = None) -> Case:
        """What a method gets to see."""
        return Case(self.window, self.symptom, seed, graph, calls=self.calls)


def name(series: Series) -> str:
    """`metric` where it is named like its service (abstract cases), else `service|metric`."""
    return series.metric if series.metric == series.service else str(series)


def named_edges(graph: CausalGraph) -> frozenset[tuple[str, str]]:
    """(cause, effect) of a found graph by name."""
    return frozenset((name(e.cause), name(e.effect)) for e in graph.edges)


def shop(
    seed: int = 0,
    *,
    service: str = "catalog-db",
    fault: str = "latency",
    size: float = 12.0,
    rows: int = 360,
    onset: int | None = None,
) -> Planted:
    """Eight services with four metrics each; one mechanism shifts by `size` noise deviations.

    Load runs from callers to callees, and drives CPU, which drives latency; latency and errors
    run back to the callers, and slow services time out. `fault` is latency, cpu or errors;
    `onset` is five sixths into the rows unless given. The symptom is the frontend's latency,
    or its errors where those are what breaks.
    """
    begins = rows * 5 // 6 if onset is None else onset
    series = _shop_series()
    rng = np.random.default_rng(seed)
    system = _shop_system(series, rng)
    cause = Series.of(FAULT_METRIC[fault], service)
    planted = Fault(series.index(cause), begins, size)
    values = simulate(system, rows, rng, planted, load=_daily_load(series, rows, rng))
    complaint = FAULT_METRIC["errors" if fault == "errors" else "latency"]
    return Planted(
        _window(series, _in_units(series, values), begins),
        _named(system, series),
        cause,
        series.index(Series.of(complaint, "frontend")),
        CALLS,
    )


def no_fault(rows: int = 360, seed: int = 0, *, onset: int | None = None) -> Planted:
    """The shop in good health; `onset` is what a detector claimed falsely."""
    quiet = shop(seed, size=0.0, rows=rows, onset=onset)
    return Planted(quiet.window, quiet.edges, None, quiet.symptom, quiet.calls)


def chain(
    rows: int = 400, seed: int = 0, *, length: int = 4, lag: int = 1, fault: float = 0.0
) -> Planted:
    """x0 drives x1 drives x2 …, `lag` rows apart; a fault shifts x0 in the last sixth."""
    weights = np.zeros((lag, length, length))
    weights[lag - 1, np.arange(length - 1), np.arange(1, length)] = 0.7
    return _abstract(_system(weights), rows, seed, _names(length), fault)


def common_cause(rows: int = 400, seed: int = 0, *, fault: float = 0.0) -> Planted:
    """z drives x and, one row later, y; x and y are not linked. A fault shifts z."""
    weights = np.zeros((2, 3, 3))
    weights[0, 0, 1] = 0.9
    weights[1, 0, 2] = 0.9
    return _abstract(_system(weights), rows, seed, ("z", "x", "y"), fault)


def noise(rows: int = 400, seed: int = 0, *, series: int = 8, own: float = 0.5) -> Planted:
    """Series with a memory, and nothing between them."""
    system = System(np.full(series, own), np.zeros((1, series, series)), np.ones(series))
    return _abstract(system, rows, seed, _names(series), 0.0)


def random_graph(
    rows: int = 500, seed: int = 0, *, series: int = 10, degree: int = 2, bend: Bend = straight
) -> Planted:
    """A sparse acyclic system with lags one and two; `bend` makes its mechanisms nonlinear."""
    rng = np.random.default_rng(seed)
    weights = np.zeros((2, series, series))
    for effect in range(1, series):
        for cause in rng.choice(effect, size=min(degree, effect), replace=False):
            weight = rng.choice([-1, 1]) * rng.uniform(0.5, 0.8)
            weights[rng.integers(2), cause, effect] = weight
    return _abstract(_system(weights, bend), rows, seed, _names(series), 0.0)


def chaos(rows: int = 500, seed: int = 0, *, series: int = 10, forcing: float = 10.0) -> Planted:
    """Lorenz 1996: products of causes, which a linear method sees only in part."""
    values = lorenz96(series, rows, np.random.default_rng(seed), forcing=forcing)
    names = tuple(Series.of(n, n) for n in _names(series))
    edges = frozenset(
        (names[(i + k) % series], names[i]) for i in range(series) for k in (-2, -1, 1)
    )
    return Planted(_window(names, values, None), edges)


def _shop_series() -> tuple[Series, ...]:
    services = sorted({name for call in CALLS for name in call})
    return tuple(Series.of(metric, service) for service in services for metric in METRICS)


def _shop_system(series: tuple[Series, ...], rng: np.random.Generator) -> System:
    column = {s: k for k, s in enumerate(series)}
    requests, cpu, latency, errors = METRICS
    links = [(caller, requests, callee, requests, 0.35) for caller, callee in CALLS]
    links += [(callee, latency, caller, latency, 0.5) for caller, callee in CALLS]
    links += [(callee, errors, caller, errors, 0.5) for caller, callee in CALLS]
    for service in sorted({s.service for s in series}):
        links.append((service, requests, service, cpu, 0.3))
        links.append((service, cpu, service, latency, 0.4))
        links.append((service, latency, service, errors, 0.15))
    weights = np.zeros((1, len(series), len(series)))
    for giver, given, taker, taken, weight in links:
        i, j = column[Series.of(given, giver)], column[Series.of(taken, taker)]
        weights[0, i, j] = weight * rng.uniform(0.8, 1.2)
    return System(np.full(len(series), 0.4), weights, np.ones(len(series)))


def _daily_load(series: tuple[Series, ...], rows: int, rng: np.random.Generator) -> np.ndarray:
    """Users come and go in waves at the frontend."""
    load = np.zeros((rows, len(series)))
    wave = 0.5 * np.sin(2 * np.pi * (np.arange(rows) / 240 + rng.uniform()))
    load[:, series.index(Series.of(METRICS[0], "frontend"))] = wave
    return load


def _in_units(series: tuple[Series, ...], deviations: np.ndarray) -> np.ndarray:
    """Deviations as requests and errors per second, ratios and seconds."""
    scales = {
        METRICS[0]: lambda z: np.maximum(60 + 6 * z, 0),
        METRICS[1]: lambda z: np.clip(0.3 + 0.02 * z, 0, 1),
        METRICS[2]: lambda z: 0.05 * np.exp(0.1 * z),
        METRICS[3]: lambda z: np.maximum(1 + 0.2 * z, 0),
    }
    columns = [scales[s.metric](deviations[:, k]) for k, s in enumerate(series)]
    return np.column_stack(columns)


def _names(count: int) -> tuple[str, ...]:
    return tuple(f"x{k}" for k in range(count))


def _system(weights: np.ndarray, bend: Bend = straight) -> System:
    series = weights.shape[1]
    return System(np.full(series, 0.3), weights, np.ones(series), bend)


def _abstract(
    system: System, rows: int, seed: int, names: tuple[str, ...], fault: float
) -> Planted:
    series = tuple(Series.of(n, n) for n in names)
    onset = rows * 5 // 6 if fault else None
    planted = None if onset is None else Fault(0, onset, fault)
    values = simulate(system, rows, np.random.default_rng(seed), planted)
    cause = series[0] if fault else None
    return Planted(_window(series, values, onset), _named(system, series), cause, len(names) - 1)


def _named(system: System, series: tuple[Series, ...]) -> frozenset[tuple[Series, Series]]:
    return frozenset((series[i], series[j]) for i, j in system.edges)


def _window(series: tuple[Series, ...], values: np.ndarray, onset: int | None) -> Window:
    times = START_UNIX + STEP_SECONDS * np.arange(len(values))
    return Window(series, times, values, STEP_SECONDS, onset)
