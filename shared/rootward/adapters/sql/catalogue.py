"""Which series there are: small ids for them on the way in, their names on the way out."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection, bindparam, delete, insert, select, update

from rootward.adapters.sql import tables
from rootward.model.series import Series

_SERIES = tables.series.c

TOUCH_US = 3600 * 10**6
"""The stored time of a series is never further than this behind its newest sample."""
_LOOKED_UP_AT_ONCE = 500
_MOST_TUPLES = 32
_MOST_REMEMBERED = 500_000
_UNKNOWN = (-1, -(2**62))

_NEWER = (
    update(tables.series)
    .where(_SERIES.id == bindparam("series_id"), _SERIES.last_us < bindparam("newest_us"))
    .values(last_us=bindparam("newest_us"))
)


@dataclass(frozen=True, eq=False)
class _Resolved:
    """A tuple of series that senders repeat; it is kept, so its identity stands for it."""

    series: tuple[Series, ...]
    ids: np.ndarray
    """(series,) int64, -1 where the series is not known yet."""
    touched: np.ndarray
    """(series,) int64, the time that is stored for each."""


class SeriesIds:
    """Ids of the series that are written to.

    A series that nobody has written to for `TOUCH_US` is looked up again, for `expire` may have
    deleted it. What is remembered is only what was committed: see `undone_on_failure`.
    """

    def __init__(self) -> None:
        self._series: dict[tuple[str, Series], tuple[int, int]] = {}
        self._tuples: OrderedDict[tuple[str, int], _Resolved] = OrderedDict()

    def of(
        self, connection: Connection, tenant: str, series: tuple[Series, ...], newest_us: np.ndarray
    ) -> np.ndarray:
        """(series,) ids, made where missing; -1 for a series without a sample in this batch.

        `newest_us` is the time of the newest sample of each series.
        """
        found = self._resolved(tenant, series)
        stale = np.flatnonzero(newest_us > found.touched + TOUCH_US)
        if len(stale):
            chosen = [series[k] for k in stale]
            ids = _ids(connection, tenant, chosen, newest_us[stale])
            found.ids[stale] = ids
            found.touched[stale] = newest_us[stale]
            rows = zip(chosen, ids, newest_us[stale].tolist(), strict=True)
            self._series.update(((tenant, one), (k, newest)) for one, k, newest in rows)
        return found.ids

    def _resolved(self, tenant: str, series: tuple[Series, ...]) -> _Resolved:
        key = (tenant, id(series))
        if key not in self._tuples:
            if len(self._series) > _MOST_REMEMBERED:
                self._series.clear()
            rows = [self._series.get((tenant, one), _UNKNOWN) for one in series]
            columns = np.array(rows, np.int64).reshape(-1, 2)
            self._tuples[key] = _Resolved(series, columns[:, 0].copy(), columns[:, 1].copy())
        self._tuples.move_to_end(key)
        if len(self._tuples) > _MOST_TUPLES:
            self._tuples.popitem(last=False)
        return self._tuples[key]

    @contextmanager
    def undone_on_failure(self) -> Iterator[None]:
        """Forget everything where the body fails: its transaction is rolled back."""
        try:
            yield
        except BaseException:
            self._series.clear()
            self._tuples.clear()
            raise


class SeriesNames:
    """Names of the series that are read."""

    def __init__(self) -> None:
        self._names: dict[str, dict[int, Series]] = {}

    def of(self, connection: Connection, tenant: str, ids: np.ndarray) -> dict[int, Series]:
        """The series of each id; one that has been deleted since is left out."""
        names = self._names.setdefault(tenant, {})
        wanted = ids.tolist()
        if not all(k in names for k in wanted):
            query = select(_SERIES.id, _SERIES.metric, _SERIES.labels)
            rows = connection.execute(query.where(_SERIES.tenant == tenant))
            names = {row.id: names.get(row.id) or named(row.metric, row.labels) for row in rows}
            self._names[tenant] = names
        return {k: names[k] for k in wanted if k in names}


def named(metric: str, labels: str) -> Series:
    """The series of a row."""
    return Series(metric, tuple((name, value) for name, value in json.loads(labels)))


def touch(connection: Connection, ids: np.ndarray, newest_us: np.ndarray) -> None:
    """Move the stored time of each series on to that of a newer sample."""
    rows = zip(ids.tolist(), newest_us.tolist(), strict=True)
    connection.execute(_NEWER, [{"series_id": k, "newest_us": newest} for k, newest in rows])


def forget_silent(connection: Connection, before_us: int) -> None:
    """Delete the series all of whose samples are older than a time."""
    connection.execute(delete(tables.series).where(_SERIES.last_us < before_us - TOUCH_US))


def _ids(
    connection: Connection, tenant: str, series: Sequence[Series], newest_us: np.ndarray
) -> list[int]:
    digests = [hashlib.sha256(one.key.encode()).hexdigest() for one in series]
    known = _lookup(connection, tenant, digests)
    rows = [
        {
            "tenant": tenant,
            "digest": digest,
            "metric": one.metric,
            "labels": json.dumps(one.labels, separators=(",", ":")),
            "last_us": newest,
        }
        for one, digest, newest in zip(series, digests, newest_us.tolist(), strict=True)
        if digest not in known
    ]
    if rows:
        connection.execute(insert(tables.series), rows)
        known |= _lookup(connection, tenant, [str(row["digest"]) for row in rows])
    ids = [known[digest] for digest in digests]
    touch(connection, np.array(ids), newest_us)
    return ids


def _lookup(connection: Connection, tenant: str, digests: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for some in _pieces(digests):
        query = select(_SERIES.digest, _SERIES.id)
        rows = connection.execute(query.where(_SERIES.tenant == tenant, _SERIES.digest.in_(some)))
        found.update((row.digest, row.id) for row in rows)
    return found


def _pieces(digests: Sequence[str]) -> Iterable[Sequence[str]]:
    for start in range(0, len(digests), _LOOKED_UP_AT_ONCE):
        yield digests[start : start + _LOOKED_UP_AT_ONCE]
