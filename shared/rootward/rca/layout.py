"""Layout: what becomes of each raw series in a frame, from its name and labels alone.

Which columns are counters, and which only describe a process, is for the values to say; all else
is read from names once and holds for every row.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from rootward.model.series import INSTANCE, Series

QUANTILE = 0.9
"""Of a histogram's distribution: what stands for it in the frame."""

_SUFFIX = re.compile(r"_(total|count|sum|bucket)$")
_UNIT = re.compile(r"(_(duration|latency|time))?(_(seconds|milliseconds|ms|us|bytes))?$")
_CODE_LABELS = (
    *("code", "status_code", "http_status_code", "http_response_status_code", "response_code"),
    *("grpc_code", "grpc_status", "rpc_grpc_status_code", "status"),
)
_CODE = re.compile(r"[1-5](\d\d|xx)$|ok$|success$|error$|fail(ed|ure)?$", re.IGNORECASE)
_BAD_CODE = re.compile(r"5(\d\d|xx)$|error$|fail(ed|ure)?$", re.IGNORECASE)
_BAD_GRPC = frozenset(
    {"Unknown", "DeadlineExceeded", "Internal", "Unavailable", "DataLoss", "Unimplemented"}
)
_Owner = tuple[str, str, str]
"""Metric family, service, instance: what the columns are folded into."""


@dataclass(frozen=True, eq=False)
class Distributions:
    """Histograms with the same number of buckets; `sums` number the sums of their buckets."""

    bounds: Float[np.ndarray, "histograms buckets"]
    """Upper bounds, ascending."""
    sums: Int[np.ndarray, "histograms buckets"]


@dataclass(frozen=True, eq=False)
class Layout:
    """The columns of a frame, and what each is made of.

    Counters are summed in groups of columns; rates, ratios and quantiles are made of the sums.
    The table of passed columns, rates, means, shares and quantiles, side by side, becomes the
    frame by `order`.
    """

    series: tuple[Series, ...]
    """Of the frame."""
    passed: Int[np.ndarray, " passed"]
    """Raw columns that pass unchanged."""
    counters: Int[np.ndarray, " counters"]
    """Raw columns that are counted upwards."""
    members: Int[np.ndarray, " members"]
    """Positions in `counters`, those of one sum after the other."""
    starts: Int[np.ndarray, " sums"]
    """Where each sum begins in `members`."""
    owners: int
    """So many sums come first that hold each counter once: siblings of one metric and owner."""
    rates: Int[np.ndarray, " rates"]
    """Sums that are columns themselves."""
    means: Int[np.ndarray, "2 means"]
    """Sums that are divided: a `_sum` by its `_count`."""
    shares: Int[np.ndarray, "2 shares"]
    """Failures by all; one past the last sum stands for no failure ever."""
    distributions: tuple[Distributions, ...]
    order: Int[np.ndarray, " columns"]


@lru_cache(maxsize=16)
def layout_of(
    series: tuple[Series, ...], counters: tuple[int, ...], left_out: tuple[int, ...]
) -> Layout:
    """The layout of a window whose counter columns are known, and those that are left out."""
    folded = set(counters) | set(left_out)
    passed = [c for c in range(len(series)) if c not in folded]
    taken = {series[c] for c in passed}
    plan = _Plan(series, sorted(counters))
    derived = []
    for one in plan.derived():
        if one.series not in taken:
            taken.add(one.series)
            derived.append(one)
    return plan.layout(passed, derived)


@dataclass(frozen=True)
class _Derived:
    """A new column, and the column of the raw window in whose place it stands."""

    place: int
    series: Series
    made_of: tuple[int, ...]
    """Sums: one of a rate, two of a ratio, all buckets of a quantile."""
    kind: str
    bounds: tuple[float, ...] = ()


class _Plan:
    """Collects the sums that the columns of a frame are made of."""

    def __init__(self, series: Sequence[Series], counters: list[int]) -> None:
        self._all = series
        self._places = counters
        self._series = [series[c] for c in counters]
        groups: dict[tuple[_Owner, str], list[int]] = defaultdict(list)
        for k, one in enumerate(self._series):
            family = _SUFFIX.sub("", one.metric)
            suffix = one.metric[len(family) + 1 :]
            groups[((family, one.service, one.instance), suffix)].append(k)
        self._groups = groups
        self._sums = [*groups.values()]
        self._number = {key: k for k, key in enumerate(groups)}

    def derived(self) -> Iterator[_Derived]:
        """All columns that take the place of counters."""
        for (owner, suffix), columns in self._groups.items():
            place = self._places[columns[0]]
            if suffix == "bucket":
                yield from self._quantile(owner, place, columns)
            elif suffix == "sum" and (owner, "count") in self._groups:
                parts = self._number[owner, "sum"], self._number[owner, "count"]
                yield _Derived(place, _named(f"{owner[0]}_mean", owner), parts, "mean")
            else:
                yield from self._rate(owner, suffix, place, columns)

    def layout(self, passed: list[int], derived: list[_Derived]) -> Layout:
        by_kind: Mapping[str, list[_Derived]] = {
            kind: [d for d in derived if d.kind == kind]
            for kind in ("rate", "mean", "share", "quantile")
        }
        wide: dict[int, list[_Derived]] = defaultdict(list)
        for one in by_kind["quantile"]:
            wide[len(one.bounds)].append(one)
        beside = [
            *((c, self._all[c]) for c in passed),
            *((d.place, d.series) for kind in ("rate", "mean", "share") for d in by_kind[kind]),
            *((d.place, d.series) for group in wide.values() for d in group),
        ]
        order = sorted(range(len(beside)), key=beside.__getitem__)
        sizes = [len(one) for one in self._sums]
        none = len(self._sums)

        def pairs(kind: str) -> np.ndarray:
            made = [[none if k < 0 else k for k in d.made_of] for d in by_kind[kind]]
            return np.array(made, dtype=np.int64).reshape(-1, 2).T

        return Layout(
            series=tuple(beside[k][1] for k in order),
            passed=_numbers(passed),
            counters=_numbers(self._places),
            members=_numbers([k for one in self._sums for k in one]),
            starts=_numbers(np.cumsum([0, *sizes])[:-1]),
            owners=len(self._groups),
            rates=_numbers([d.made_of[0] for d in by_kind["rate"]]),
            means=pairs("mean"),
            shares=pairs("share"),
            distributions=tuple(
                Distributions(
                    np.array([d.bounds for d in group]), np.array([d.made_of for d in group])
                )
                for group in wide.values()
            ),
            order=_numbers(order),
        )

    def _sum(self, columns: list[int]) -> int:
        self._sums.append(columns)
        return len(self._sums) - 1

    def _rate(
        self, owner: _Owner, suffix: str, place: int, columns: list[int]
    ) -> Iterator[_Derived]:
        family, whole = owner[0], self._number[owner, suffix]
        base = _UNIT.sub("", family) or family if suffix == "count" else family
        yield _Derived(place, _named(f"{base}_rate", owner), (whole,), "rate")
        bad = self._failed(columns)
        if bad is not None:
            parts = (self._sum(bad) if bad else -1, whole)
            yield _Derived(place, _named(f"{base}_errors_ratio", owner), parts, "share")

    def _quantile(self, owner: _Owner, place: int, columns: list[int]) -> Iterator[_Derived]:
        """The quantile of all label sets together; none where there are too few buckets."""
        by_bound: dict[float, list[int]] = defaultdict(list)
        for k in columns:
            try:
                by_bound[float(self._series[k].label("le"))].append(k)
            except ValueError:
                continue
        if len(by_bound) < 2:
            return
        bounds = tuple(sorted(by_bound))
        sums = tuple(self._sum(by_bound[bound]) for bound in bounds)
        name = _named(f"{owner[0]}_p{round(100 * QUANTILE)}", owner)
        yield _Derived(place, name, sums, "quantile", bounds)

    def _failed(self, columns: list[int]) -> list[int] | None:
        """Columns that count failures by their status code; None where no label is a code."""
        for label in _CODE_LABELS:
            codes = [self._series[k].label(label) for k in columns]
            if any(_CODE.match(code) or code in _BAD_GRPC for code in codes):
                return [
                    k
                    for k, code in zip(columns, codes, strict=True)
                    if _BAD_CODE.match(code) or code in _BAD_GRPC
                ]
        return None


def _named(metric: str, owner: _Owner) -> Series:
    _, service, instance = owner
    return Series.of(metric, service, **{INSTANCE: instance})


def _numbers(values: Sequence[int] | np.ndarray) -> np.ndarray:
    return np.asarray(values, dtype=np.int64)
