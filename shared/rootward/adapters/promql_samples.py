"""Windows read from a PromQL backend: Prometheus, Mimir, Thanos, VictoriaMetrics.

https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict, cast
from urllib.parse import parse_qs, urlsplit, urlunsplit

import httpx
import numpy as np

from rootward.errors import InsufficientData, InvalidConfiguration, InvalidInput, Unavailable
from rootward.model.naming import named
from rootward.model.series import SampleBatch, Series
from rootward.model.window import Window
from rootward.ports import DEFAULT_TENANT, SeriesInfo, WindowQuery

log = logging.getLogger(__name__)

SCHEMES = ("promql+http", "promql+https")
ALLOWED = "promql+http(s)://[USER:PASSWORD@]HOST[/PREFIX][?match={…}]"
ALL = '{job!=""}'
"""The series that are read where the address names none."""

_MOST_POINTS = 10_000
"""Rows of one query; servers refuse more than 11 000 points a series."""
_MOST_CELLS = 2_000_000
"""Values of one answer, all series together."""
_LOOKBACK_SECONDS = 300
"""How far a backend looks back for the value of a series, unless it was told otherwise."""
_TIMEOUT_SECONDS = 30.0
_PLAIN_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_OTHER_API = "the backend answered, but not as the query API of Prometheus does"
_STARTS = "count_over_time(vector(1)[2s:1s])"
"""2 where a range leaves out its start, 3 where it holds it; a whole second must be asked for."""


class _Found(TypedDict, total=False):
    """One series of an answer."""

    metric: Mapping[str, str]
    values: Sequence[tuple[float, str]]
    value: tuple[float, str]


class PromqlSampleStore:
    """Samples that a PromQL backend keeps; they are read, never written.

    Counters come as they were scraped, as they do from our own store. What ended in a staleness
    marker within a row is not measured in that row, except in rows of over five minutes, which
    is as far as backends look for markers.
    """

    def __init__(self, url: str, client: httpx.Client | None = None) -> None:
        self.address, self._matches = _parsed(url)
        self._client = client or httpx.Client(timeout=_TIMEOUT_SECONDS)
        self._closed_left: bool | None = None

    def append(self, batch: SampleBatch) -> None:
        """Refuse: the backend has its own way in.

        Raises:
            InvalidInput: always.
        """
        raise InvalidInput(self.refusal)

    @property
    def refusal(self) -> str:
        """What senders of samples are told."""
        return (
            f"samples are read from {self.address}; send them there, or leave "
            "ROOTWARD_SAMPLES_URL empty"
        )

    def window(self, query: WindowQuery) -> Window:
        """Samples on a grid: a row holds the last sample of (t - step, t], NaN where none is.

        Raises:
            InsufficientData: no sample lies in the window.
            InvalidInput: no rows, or a step that is no whole number of milliseconds.
            Unavailable: the backend does not answer.
        """
        step_ms = round(query.step_seconds * 1000) if math.isfinite(query.step_seconds) else 0
        if query.rows < 1 or step_ms < 1 or abs(step_ms - query.step_seconds * 1000) > 1e-6:
            raise InvalidInput(
                f"no window has {query.rows} rows of {query.step_seconds:g} s; a backend has "
                "steps of whole milliseconds"
            )
        end_ms = math.floor(query.end_unix * 1000 + 1e-3)
        edges = end_ms - step_ms * np.arange(query.rows - 1, -1, -1)
        grid = self._grid(query, edges, step_ms)
        series = tuple(one for one in sorted(grid) if np.isfinite(grid[one]).any())
        if not series:
            raise InsufficientData(
                f"{self.address} has no sample between {(edges[0] - step_ms) / 1000:.3f} and "
                f"{end_ms / 1000:.3f} (Unix seconds) of {', '.join(self._matches)}"
            )
        times = query.end_unix - query.step_seconds * np.arange(query.rows - 1, -1, -1)
        values = np.column_stack([grid[one] for one in series])
        return Window(series, times, values, query.step_seconds)

    def series(self, tenant: str = DEFAULT_TENANT) -> tuple[SeriesInfo, ...]:
        """The series measured in the last five minutes, in order, with their newest sample."""
        newest: dict[Series, float] = {}
        for match in self._matches:
            for found in self._instant(f"{match}[{_LOOKBACK_SECONDS}s]", tenant):
                one = named(found["metric"])
                if one is not None and found.get("values"):
                    newest[one] = max(float(found["values"][-1][0]), newest.get(one, -math.inf))
        return tuple(SeriesInfo(one, newest[one]) for one in sorted(newest))

    def tenants(self) -> tuple[str, ...]:
        """The one of all data: the backend does not tell whose it holds."""
        return (DEFAULT_TENANT,)

    def latest_unix(self, tenant: str = DEFAULT_TENANT) -> float | None:
        """Time of the newest sample of the last five minutes, or None."""
        seen = [
            float(found["value"][1])
            for match in self._matches
            if match.startswith("{")
            for found in self._instant(f"max(timestamp(up{match}))", tenant)
        ]
        if not seen:  # nothing was scraped here: samples came in another way
            seen = [info.last_unix for info in self.series(tenant)]
        return max(seen, default=None)

    def oldest_unix(self, tenant: str = DEFAULT_TENANT) -> float | None:
        """Not known: the store that is asked tells no such time."""
        return None

    def expire(self, before_unix: float) -> int:
        """Nothing: the backend forgets by itself."""
        return 0

    def check(self) -> None:
        """Raise Unavailable with the reason unless the backend answers queries."""
        self._instant("vector(1)", DEFAULT_TENANT)

    def close(self) -> None:
        """Let go of the connections; idempotent."""
        self._client.close()

    def _grid(
        self, query: WindowQuery, edges: np.ndarray, step_ms: int
    ) -> dict[Series, np.ndarray]:
        """For each series that is asked for, its value at each edge (Unix milliseconds)."""
        grid: dict[Series, np.ndarray] = {}
        for match in self._matches:
            labels, count = self._labels(match, edges, step_ms, query.tenant)
            rows = max(1, min(_MOST_POINTS, _MOST_CELLS // max(count, 1)))
            text = self._last(match, labels, step_ms)
            for start in range(0, len(edges), rows):
                some = edges[start : start + rows]
                for found in self._range(text, some, step_ms, query.tenant):
                    one = named(found["metric"])
                    if one is not None and _asked_for(query, one):
                        column = grid.setdefault(one, np.full(len(edges), np.nan))
                        _fill(column[start : start + rows], found, some, step_ms)
        return grid

    def _last(self, match: str, labels: Iterable[str], step_ms: int) -> str:
        """PromQL for the last sample of (t - step, t] of each series that has not ended by t.

        `last_over_time` passes over staleness markers, a plain selector heeds them.
        """
        left_out = 1 if self._holds_start() else 0
        last = f"last_over_time({match}[{max(step_ms - left_out, 1)}ms])"
        if step_ms > 1000 * _LOOKBACK_SECONDS:
            return last
        on = ", ".join(sorted(name for name in labels if _PLAIN_NAME.fullmatch(name)))
        return f"{last} and on({on}) {match}"

    def _holds_start(self) -> bool:
        """Whether a range holds the sample at its start, as before version 3 of Prometheus."""
        if self._closed_left is None:
            (found,) = self._instant(_STARTS, DEFAULT_TENANT, time=1.7e9)
            self._closed_left = float(found["value"][1]) > 2
        return self._closed_left

    def _labels(
        self, match: str, edges: np.ndarray, step_ms: int, tenant: str
    ) -> tuple[set[str], int]:
        """The label names of the series that lie in the window, and how many series they are."""
        asked = {
            "match[]": match,
            "start": _seconds(int(edges[0]) - step_ms),
            "end": _seconds(int(edges[-1])),
        }
        listed = self._ask("series", asked, tenant)
        if not isinstance(listed, list):
            raise Unavailable(_OTHER_API)
        return {name for one in listed for name in one}, len(listed)

    def _range(self, text: str, edges: np.ndarray, step_ms: int, tenant: str) -> Sequence[_Found]:
        asked = {
            "query": text,
            "start": _seconds(int(edges[0])),
            "end": _seconds(int(edges[-1])),
            "step": _seconds(step_ms),
        }
        return _result(self._ask("query_range", asked, tenant))

    def _instant(self, text: str, tenant: str, time: float | None = None) -> Sequence[_Found]:
        asked = {"query": text} | ({} if time is None else {"time": f"{time:.3f}"})
        return _result(self._ask("query", asked, tenant))

    def _ask(self, what: str, asked: Mapping[str, str], tenant: str) -> object:
        """The data of an answer.

        Raises:
            Unavailable: no answer, or one that says to come again.
            InvalidConfiguration: the backend does not let us in, or is none.
            InvalidInput: it refuses the query.
        """
        headers = {} if tenant == DEFAULT_TENANT else {"X-Scope-OrgID": tenant}
        limits = {"timeout": f"{_TIMEOUT_SECONDS:g}s", "partial_response": "false"}
        try:
            answer = self._client.post(
                f"{self.address}/api/v1/{what}", data={**asked, **limits}, headers=headers
            )
        except httpx.TransportError as error:
            reason = str(error) or type(error).__name__
            raise Unavailable(f"{self.address} does not answer: {reason}") from error
        return self._data(answer)

    def _data(self, answer: httpx.Response) -> object:
        told = _json(answer)
        reason = f"{self.address} says {answer.status_code}: {told.get('error', answer.text[:200])}"
        if answer.status_code in (401, 403, 404):
            raise InvalidConfiguration(f"ROOTWARD_SAMPLES_URL: {reason}")
        if answer.status_code in (400, 413, 422):
            raise InvalidInput(f"{reason}; fewer series may help: {ALLOWED}")
        if answer.status_code != 200 or told.get("status") != "success":
            raise Unavailable(reason)
        if told.get("warnings"):
            log.warning("promql backend warns", extra={"warnings": told["warnings"]})
        return told.get("data")


def _parsed(url: str) -> tuple[str, tuple[str, ...]]:
    """The address of the backend and the selectors of what is read there."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise InvalidConfiguration(
            f"ROOTWARD_SAMPLES_URL has the scheme {parts.scheme or '(none)'}; allowed: {ALLOWED}"
        )
    asked = parse_qs(parts.query)
    if wrong := sorted(asked.keys() - {"match"}):
        raise InvalidConfiguration(
            f"ROOTWARD_SAMPLES_URL has a parameter {', '.join(wrong)}; allowed: {ALLOWED}"
        )
    scheme = parts.scheme.removeprefix("promql+")
    address = urlunsplit((scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
    return address, tuple(asked.get("match", [ALL]))


def _json(answer: httpx.Response) -> Mapping[str, object]:
    try:
        told = answer.json()
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _result(data: object) -> Sequence[_Found]:
    if not isinstance(data, dict) or not isinstance(data.get("result"), list):
        raise Unavailable(_OTHER_API)
    return cast(Sequence[_Found], data["result"])


def _fill(column: np.ndarray, found: _Found, edges: np.ndarray, step_ms: int) -> None:
    """Put the values of an answer into a column, where it holds none yet."""
    points = found.get("values", ())
    times = np.array([time for time, _ in points], np.float64)
    values = np.array([value for _, value in points], dtype=np.str_).astype(np.float64)
    rows = np.rint((times * 1000 - edges[0]) / step_ms).astype(np.int64)
    fresh = np.isnan(column[rows]) & np.isfinite(values)
    column[rows[fresh]] = values[fresh]


def _asked_for(query: WindowQuery, series: Series) -> bool:
    return (query.services is None or series.service in query.services) and (
        query.series is None or series in query.series
    )


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.3f}"
