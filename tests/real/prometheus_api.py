"""What a Prometheus holds, by its own query API, under the names that Rootward gives."""

from __future__ import annotations

from collections.abc import Iterable

import httpx

from rootward.model.series import Series
from tests.real.node import Samples

Labels = tuple[tuple[str, str], ...]


def series_of(labels: Iterable[tuple[str, str]]) -> Series:
    """The series of a label set that has `service`, or else `job`, which is renamed then."""
    kept = {name: value for name, value in labels if value}
    metric = kept.pop("__name__")
    if "service" not in kept:
        kept["service"] = kept.pop("job")
    return Series(metric, tuple(sorted(kept.items())))


def held(url: str, selector: str, *, until_unix: float, seconds: int) -> Samples:
    """Every sample of these series in the time before a moment, as it was scraped."""
    asked = {"query": f"{selector}[{seconds}s]", "time": f"{until_unix:.3f}"}
    answer = httpx.post(f"{url}/api/v1/query", data=asked, timeout=30).raise_for_status().json()
    return {
        (series_of(one["metric"].items()), 1000 * round(time * 1000)): float(value)
        for one in answer["data"]["result"]
        for time, value in one["values"]
    }


def value_of(url: str, query: str) -> float:
    """The sum over what a query gives now; NaN where that is nothing."""
    asked = {"query": f"sum({query})"}
    answer = httpx.post(f"{url}/api/v1/query", data=asked, timeout=30).raise_for_status().json()
    result = answer["data"]["result"]
    return float(result[0]["value"][1]) if result else float("nan")
