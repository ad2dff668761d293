"""Planted incidents of small microservice systems, in which the victims are often the loudest.

Users' load runs from callers to callees; it and what a machine is short of make a service slow,
less so or more so the busier it is; waiting and errors run back to the callers a row later. The
service that breaks is measured badly in every other incident, as small services are, so that
what it does to others departs further than its own series: scores alone name the victim then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.errors import NotFound
from rootward.model.series import Series
from rootward.model.window import Window
from rootward.testing.cases import START_UNIX, Planted

ROWS, ONSET, STEP_SECONDS = 600, 500, 15.0
METRICS = ("requests_per_second", "cpu_utilisation_ratio", "latency_seconds_mean", "errors_ratio")
FAULTS = ("latency", "cpu", "errors")
_LOAD, _CPU, _WAIT, _ERRORS = range(4)
_NOISE = (0.05, 0.06, 0.06, 0.15)
"""Deviation of the log of each metric by itself; a quarter of it in services that do not break."""
_WELL, _BADLY = 0.3, 3.0
"""Error of measurement, in deviations of what is measured."""

Calls = tuple[tuple[str, str], ...]
_Series = Float[np.ndarray, " rows"]


@dataclass(frozen=True)
class Shape:
    """Who calls whom, what may break, and what else goes on meanwhile."""

    calls: Calls
    breaks: tuple[str, ...]
    hosts: Mapping[str, tuple[str, ...]] | None = None
    """Machines, and the services that share what they have."""
    wave: float = 0.1
    """Size of the daily wave of the users' load, as a share."""
    surge: float = 0.0
    """Growth of the users' load from the onset on, as a share: it harms nobody."""
    retries: float = 0.0
    """Requests that are sent again for one that failed: callees get load from errors."""
    missing: float = 0.0
    """Share of scrapes that are lost, and of services that are not scraped for ten rows."""


_CHAIN: Calls = (("web", "cart"), ("cart", "price"), ("price", "stock"), ("stock", "store"))
_OUT: Calls = tuple(("web", callee) for callee in ("cart", "search", "mail", "pay", "offers"))
_IN: Calls = (*(("web", c) for c in ("cart", "search", "pay")),
              *((c, "store") for c in ("cart", "search", "pay")))  # fmt: skip
_WIDE: Calls = (*_IN, ("pay", "bank"), ("cart", "price"))

SHAPES: Mapping[str, Shape] = {
    "chain": Shape(_CHAIN, ("price", "stock", "store")),
    "fan_out": Shape(_OUT, ("cart", "search", "pay", "offers")),
    "fan_in": Shape(_IN, ("store",)),
    "shared_host": Shape(_OUT, ("host",), {"host": ("cart", "search", "mail")}),
    "retries": Shape(_WIDE, ("store", "bank", "price"), retries=0.5),
    "load_change": Shape(_WIDE, ("store", "bank", "price"), surge=0.3),
    "seasonal": Shape(_WIDE, ("store", "bank", "price"), wave=0.5),
    "lost_scrapes": Shape(_WIDE, ("store", "bank", "price"), missing=0.1),
}


def planted_incident(shape: str, seed: int = 0) -> Planted:
    """An incident of one shape, made from its seed alone; odd seeds are those of small services.

    600 rows of 15 s, the fault from row 500 on; the symptom is the latency of `web`, or its
    errors where errors are what breaks. The calls are those of the shape.

    Raises:
        NotFound: there is no such shape.
    """
    if shape not in SHAPES:
        raise NotFound(f"no shape {shape!r}; there are {', '.join(SHAPES)}")
    form, rng = SHAPES[shape], np.random.default_rng(seed)
    broken = form.breaks[int(rng.integers(len(form.breaks)))]
    fault = "cpu" if form.hosts else FAULTS[int(rng.integers(len(FAULTS)))]
    truth = _System(form, broken, fault, rng).run()
    error = {name: _BADLY if name == broken and seed % 2 else _WELL for name in truth}
    columns = {
        Series.of(metric, service): _measured(values[k], error[service] * _NOISE[k], rng)
        for service, values in sorted(truth.items())
        for k, metric in enumerate(METRICS)
        if np.ptp(values[k]) > 0
    }
    if form.missing:
        columns = {series: _lost(values, form.missing, rng) for series, values in columns.items()}
    series = tuple(columns)
    times = START_UNIX + STEP_SECONDS * np.arange(ROWS)
    window = Window(series, times, np.column_stack(list(columns.values())), STEP_SECONDS, ONSET)
    metric = {"latency": METRICS[_WAIT], "cpu": METRICS[_CPU], "errors": METRICS[_ERRORS]}[fault]
    complaint = METRICS[_ERRORS if fault == "errors" else _WAIT]
    return Planted(
        window,
        frozenset(),
        Series.of(metric, broken),
        series.index(Series.of(complaint, "web")),
        form.calls,
    )


class _System:
    """The services of a shape, row by row; every mechanism draws its strength once."""

    def __init__(self, form: Shape, broken: str, fault: str, rng: np.random.Generator) -> None:
        self.form, self.broken, self.fault, self.rng = form, broken, fault, rng
        self.hosts = dict(form.hosts or {})
        self.services = sorted({name for call in form.calls for name in call})
        self.share = {call: rng.uniform(0.6, 1.0) for call in form.calls}
        self.base = {name: rng.uniform(0.01, 0.05) for name in self.services}
        self.cost = {name: rng.uniform(0.2, 0.4) for name in self.services}
        self.noise = {
            (name, k): _memory(rng, 0.7, size if name == broken else size / 4)
            for name in (*self.services, *self.hosts)
            for k, size in enumerate(_NOISE)
        }
        self.size = rng.uniform(0.8, 1.2)

    def run(self) -> dict[str, Float[np.ndarray, "metrics rows"]]:
        """Load, share of the processor, seconds and share of errors of each service and host."""
        names = (*self.services, *self.hosts)
        found = {name: np.zeros((4, ROWS)) for name in names}
        for row in range(ROWS):
            before = max(row - 1, 0)
            for name in self.services:
                found[name][_LOAD, row] = self._load(name, found, row, before)
            for host in self.hosts:
                found[host][_CPU, row] = self._host(host, found, row)
            for name in self.services:
                self._serve(name, found, row, before)
        return found

    def _broken(self, name: str, fault: str, row: int) -> float:
        return self.size if row >= ONSET and (name, fault) == (self.broken, self.fault) else 0.0

    def _load(self, name: str, found: dict[str, np.ndarray], row: int, before: int) -> float:
        callers = [caller for caller, callee in self.form.calls if callee == name]
        if callers:
            load = sum(
                self.share[caller, name]
                * found[caller][_LOAD, before]
                * (1 + self.form.retries * found[name][_ERRORS, before])
                for caller in callers
            )
        else:
            surge = self.form.surge if row >= ONSET else 0.0
            load = 100 * (1 + surge + self.form.wave * np.sin(2 * np.pi * row / 240))
        return float(load * np.exp(self.noise[name, _LOAD][row]))

    def _host(self, host: str, found: dict[str, np.ndarray], row: int) -> float:
        before = max(row - 1, 0)
        used = sum(found[name][_CPU, before] for name in self.hosts[host]) / 4
        hog = 0.5 * self._broken(host, "cpu", row)
        return float(np.clip((used + 0.2 + hog) * np.exp(2 * self.noise[host, _CPU][row]), 0, 0.93))

    def _serve(self, name: str, found: dict[str, np.ndarray], row: int, before: int) -> None:
        own = found[name]
        usual = 100.0 * self.cost[name] * np.exp(self.noise[name, _CPU][row])
        cpu = usual * own[_LOAD, row] / 1e4 + 0.5 * self._broken(name, "cpu", row)
        own[_CPU, row] = np.clip(cpu, 0.01, 0.93)
        hosts = [host for host, guests in self.hosts.items() if name in guests]
        short = max([own[_CPU, row], *(found[host][_CPU, before] for host in hosts)])
        slow = 1 + 3 * self._broken(name, "latency", row)
        work = self.base[name] / (1 - short) * slow * np.exp(self.noise[name, _WAIT][row])
        callees = [callee for caller, callee in self.form.calls if caller == name]
        waits = sum(self.share[name, callee] * found[callee][_WAIT, before] for callee in callees)
        own[_WAIT, row] = work + waits
        errors = 0.004 * np.exp(self.noise[name, _ERRORS][row])
        errors += 0.04 * self._broken(name, "errors", row)
        errors += sum(self.share[name, c] * found[c][_ERRORS, before] for c in callees)
        own[_ERRORS, row] = min(errors, 1.0)


def _memory(rng: np.random.Generator, memory: float, size: float) -> _Series:
    """Noise that is remembered from row to row, with the given deviation in the long run."""
    fresh = size * np.sqrt(1 - memory**2) * rng.standard_normal(ROWS)
    values = np.empty(ROWS)
    level = size * rng.standard_normal()
    for row in range(ROWS):
        level = memory * level + fresh[row]
        values[row] = level
    return values


def _measured(values: _Series, error: float, rng: np.random.Generator) -> _Series:
    """The values with an error that is a share of their usual level."""
    usual = float(np.median(values[:ONSET]))
    return np.maximum(values + error * usual * rng.standard_normal(len(values)), 0.0)


def _lost(values: _Series, share: float, rng: np.random.Generator) -> _Series:
    gone = rng.random(len(values)) < share
    if rng.random() < share:
        start = int(rng.integers(0, len(values) - 10))
        gone[start : start + 10] = True
    return np.where(gone, np.nan, values)
