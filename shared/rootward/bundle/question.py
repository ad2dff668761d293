"""What a diagnosis was asked: the rows it looked at, the symptom, the learner, the seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rootward.bundle import parquet
from rootward.codec import from_json, to_json
from rootward.errors import UnreadableBody
from rootward.model.series import Series
from rootward.model.window import Window

_TIME = "time_unix"
_HEAD = "rootward"


@dataclass(frozen=True, eq=False)
class Question:
    """All that the answer depends on."""

    window: Window
    symptom: Series | None
    discovery: str
    """Name of the method that learns the graph, with its defaults."""
    seed: int
    versions: tuple[tuple[str, str], ...]
    """Of Rootward and the libraries that the numbers come from."""
    calls: tuple[tuple[str, str], ...] = ()
    """Calls (caller, callee) that were known, beside those that the labels of the rows tell."""


@dataclass(frozen=True)
class _Head:
    series: tuple[Series, ...]
    symptom: Series | None
    discovery: str
    seed: int
    step_seconds: float
    onset: int | None
    versions: tuple[tuple[str, str], ...]
    calls: tuple[tuple[str, str], ...] = ()


def packed(question: Question) -> bytes:
    """A question as one Parquet file: a column of times, one for each series by its key."""
    window = question.window
    head = _Head(
        window.series,
        question.symptom,
        question.discovery,
        question.seed,
        window.step_seconds,
        window.onset,
        question.versions,
        question.calls,
    )
    columns = {_TIME: window.times} | {
        one.key: window.values[:, column] for column, one in enumerate(window.series)
    }
    return parquet.parquet(columns, {_HEAD: to_json(head, _Head)})


def unpacked(data: bytes) -> Question:
    """The question that `packed` wrote, bit for bit.

    Raises:
        UnreadableBody: not such a file.
        TooLarge: it holds more than can be.
    """
    columns, facts = parquet.read(data)
    if _HEAD not in facts or _TIME not in columns:
        raise UnreadableBody("the Parquet file holds no window of Rootward")
    head = from_json(facts[_HEAD], _Head)
    try:
        values = [columns[one.key] for one in head.series]
    except KeyError as error:
        raise UnreadableBody(f"the window lacks the series {error}") from error
    matrix = np.column_stack(values) if values else np.empty((len(columns[_TIME]), 0))
    window = Window(head.series, columns[_TIME], matrix, head.step_seconds, head.onset)
    return Question(window, head.symptom, head.discovery, head.seed, head.versions, head.calls)
