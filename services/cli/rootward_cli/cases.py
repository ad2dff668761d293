"""Recordings on disk → windows: a CSV file, or a case folder with its label."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from rootward.errors import InsufficientData, InvalidInput
from rootward.model.series import Series
from rootward.model.window import Window

LARGEST_VALUE = 1e150
"""From here on a value counts as infinite: its square would be."""
_MILLISECONDS_FROM = 1e11
"""A time beyond this (the year 5138 in seconds) is in a finer unit."""


@dataclass(frozen=True, eq=False)
class Recording:
    """A window read from disk, what is known of it, and what the reader should be told."""

    name: str
    path: Path
    window: Window
    calls: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Label:
    """The known answer of a case; only `bench` and `replay` look at it."""

    dataset: str
    services: tuple[str, ...]
    metric: str | None
    fault: str


def find(paths: Sequence[Path]) -> list[Path]:
    """CSV files and case folders at or below the given paths, sorted within each.

    Raises:
        InvalidInput: a path does not exist or holds neither.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise InvalidInput(f"{path} does not exist")
        below = [path] if path.is_file() else sorted(_below(path))
        if not below:
            raise InvalidInput(f"{path} holds no CSV file and no case folder (metrics.csv)")
        found += below
    return found


def _below(folder: Path) -> Iterator[Path]:
    if (folder / "metrics.csv").is_file():
        yield folder
        return
    for file in folder.rglob("metrics.csv"):
        yield file.parent
    yield from folder.glob("*.csv")


def read(path: Path, separator: str = "|", onset_unix: float | None = None) -> Recording:
    """One recording; `inject_time`, `interval_s` and `leaky_columns` of case.json are used.

    An onset given here wins over the one in case.json.

    Raises:
        InvalidInput: not readable as a recording; the text says where and why.
        InsufficientData: no rows, or an onset outside of them.
    """
    folder = path if path.is_dir() else None
    about = _json(folder / "case.json") if folder else {}
    table = path / "metrics.csv" if folder else path
    times, names, values, notices = _table(table)
    keep, series, left_out = _columns(names, separator, about.get("leaky_columns"))
    order = np.argsort(times, kind="stable")
    first = np.concatenate([[True], np.diff(times[order]) > 0])
    if len(first) != first.sum():
        notices += (f"{len(first) - first.sum()} rows repeat a time; the first of each was kept",)
    rows = order[first]
    step = float(about.get("interval_s") or _step(times[rows]))
    window = Window(series, times[rows], values[np.ix_(rows, keep)], step)
    given = about.get("inject_time") if onset_unix is None else onset_unix
    return Recording(
        name=path.name if folder else path.stem,
        path=path,
        window=window.with_onset(None if given is None else _onset_row(window, float(given))),
        calls=_calls(folder / "graph.json") if folder else (),
        notices=notices + left_out,
    )


def label(path: Path) -> Label:
    """The known answer of a case folder.

    Raises:
        InvalidInput: the folder has no label.
    """
    about = _json(path / "case.json")
    services = about.get("root_cause_services") or [about.get("root_cause_service")]
    if not services or not services[0]:
        raise InvalidInput(f"{path} names no root_cause_service")
    return Label(
        dataset=str(about.get("dataset") or path.parent.name),
        services=tuple(services),
        metric=about.get("root_cause_metric"),
        fault=str(about.get("fault_type") or "unknown"),
    )


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidInput(f"{path} is not JSON: {error}") from error
    if not isinstance(loaded, dict):
        raise InvalidInput(f"{path} holds no object")
    return loaded


def _calls(path: Path) -> tuple[tuple[str, str], ...]:
    edges = _json(path).get("edges", [])
    return tuple((str(caller), str(callee)) for caller, callee in edges)


def _table(path: Path) -> tuple[np.ndarray, list[str], np.ndarray, tuple[str, ...]]:
    """Times, column names without the first, values (rows, columns), notices."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"{path} cannot be read: {error}") from error
    if not lines or len(lines[0]) < 2 or lines[0][0].strip().lower() != "time":
        raise InvalidInput(f"{path}: the first column must be `time`, with a series beside it")
    body = [(number, line) for number, line in enumerate(lines[1:], start=2) if any(line)]
    if not body:
        raise InsufficientData(f"{path} has a header and no rows")
    width = len(lines[0])
    for number, line in body:
        if len(line) != width:
            raise InvalidInput(f"{path}:{number} has {len(line)} cells, the header has {width}")
    times = np.array([_time(line[0], path, number) for number, line in body])
    values = np.array([_numbers(line[1:], path, number) for number, line in body])
    infinite = np.abs(values) >= LARGEST_VALUE
    notice = f"{infinite.sum()} infinite values were taken as not measured"
    notices = (notice,) if infinite.any() else ()
    return times, lines[0][1:], np.where(infinite, np.nan, values), notices


def _time(text: str, path: Path, number: int) -> float:
    try:
        unix = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError as error:
            raise InvalidInput(
                f"{path}:{number} time {text!r} is neither unix seconds nor ISO 8601"
            ) from error
        unix = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    if not np.isfinite(unix):
        raise InvalidInput(f"{path}:{number} time {text!r} is not a number")
    if abs(unix) > _MILLISECONDS_FROM:
        raise InvalidInput(f"{path}:{number} time {text} is not in unix seconds; divide it first")
    return unix


def _numbers(cells: list[str], path: Path, number: int) -> list[float]:
    try:
        return [float(cell) if cell and not cell.isspace() else np.nan for cell in cells]
    except ValueError as error:
        raise InvalidInput(f"{path}:{number} {error}") from error


def _columns(
    names: list[str], separator: str, leaky: str | None
) -> tuple[list[int], tuple[Series, ...], tuple[str, ...]]:
    """Positions and series of the columns to keep, and a notice for those left out."""
    hidden = re.compile(leaky) if leaky else None
    chosen: dict[Series, int] = {}
    unknown: list[str] = []
    for position, name in enumerate(names):
        if hidden and hidden.search(name):
            continue
        try:
            series = Series.from_column(name, separator)
        except InvalidInput:
            unknown.append(name)
            continue
        if series in chosen:
            raise InvalidInput(f"column {name!r} stands there twice")
        chosen[series] = position
    if not chosen:
        raise InvalidInput(
            f"no column is `service{separator}metric` (first: {names[0]!r}); "
            "name the separator with --separator"
        )
    notice = f"{len(unknown)} columns without a service were left out: {', '.join(unknown[:5])}"
    return list(chosen.values()), tuple(chosen), ((notice,) if unknown else ())


def _step(times: np.ndarray) -> float:
    if len(times) < 2:
        raise InsufficientData("a single row tells nothing about change")
    return float(np.median(np.diff(times)))


def _onset_row(window: Window, unix: float) -> int:
    if not np.isfinite(unix):
        raise InvalidInput(f"onset {unix} is not a time in unix seconds")
    row = window.row_at(unix)
    if row >= len(window.times):
        raise InsufficientData(
            f"onset {unix:.0f} lies after the last row ({window.times[-1]:.0f}); "
            "there is nothing of the incident to look at"
        )
    return row
