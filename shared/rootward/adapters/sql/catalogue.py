"""Which series there are: small ids for them on the way in, their names on the way out."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import repeat

import numpy as np
from sqlalchemy import Connection, bindparam, delete, select, update

from rootward.adapters.sql import tables
from rootward.adapters.sql.engine import Database
from rootward.model.series import Series, key_of, label_key

_SERIES = tables.series.c

TOUCH_US = 3600 * 10**6
"""The stored time of a series is never further than this behind its newest sample."""
_LOOKED_UP_AT_ONCE = 500
_MOST_PAIRS, _LONGEST_PAIR = 20_000, 256
"""Labels whose spelling is remembered, and characters of a value that is not too long for it."""
_as_json = json.JSONEncoder(separators=(",", ":")).encode
_MOST_REMEMBERED = 500_000

_NEWER = (
    update(tables.series)
    .where(_SERIES.id == bindparam("series_id"), _SERIES.last_us < bindparam("newest_us"))
    .values(last_us=bindparam("newest_us"))
)


@dataclass(eq=False)
class _Places:
    """Series of one tenant, each at a place; an object that was seen is found by its identity."""

    by_identity: dict[int, int] = field(default_factory=dict)
    by_series: dict[Series, int] = field(default_factory=dict)
    seen: list[Series] = field(default_factory=list)
    """Keeps every object whose identity is used."""
    ids: np.ndarray = field(default_factory=lambda: np.zeros(1024, np.int64))
    touched: np.ndarray = field(default_factory=lambda: np.zeros(1024, np.int64))
    """The time that is stored for each."""

    def of(self, series: Sequence[Series]) -> np.ndarray:
        """(series,) int64 places, -1 where a series has none."""
        found = map(self.by_identity.get, map(id, series), repeat(-1))
        places = np.fromiter(found, np.int64, len(series))
        for k in np.flatnonzero(places < 0).tolist():
            place = self.by_series.get(series[k], -1)
            if place >= 0 and len(self.seen) < 2 * len(self.by_series):
                self.seen.append(series[k])
                self.by_identity[id(series[k])] = place
            places[k] = place
        return places

    def put(self, series: Sequence[Series], ids: np.ndarray, newest_us: np.ndarray) -> None:
        """Remember ids, and the times that are stored now."""
        places = self.of(series)
        for k in np.flatnonzero(places < 0).tolist():
            places[k] = self.by_series.setdefault(series[k], len(self.by_series))
            self.seen.append(series[k])
            self.by_identity[id(series[k])] = int(places[k])
        if len(self.by_series) > len(self.ids):
            more = 2 * len(self.by_series) - len(self.ids)
            self.ids, self.touched = np.pad(self.ids, (0, more)), np.pad(self.touched, (0, more))
        self.ids[places], self.touched[places] = ids, newest_us


@dataclass(frozen=True, eq=False)
class Registration:
    """Series whose ids hold once the transaction that made them has been committed."""

    tenant: str
    series: Sequence[Series]
    ids: np.ndarray
    newest_us: np.ndarray


class Catalogue:
    """Ids and names of the series of a database; safe to use from several threads.

    A series that nobody has written to for `TOUCH_US` is looked up again, for `expire` may have
    deleted it. Ids are remembered only from transactions that were committed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._places: dict[str, _Places] = {}
        self._names: dict[str, dict[int, Series]] = {}
        self._lock = threading.Lock()

    def ids(
        self, tenant: str, series: Sequence[Series], newest_us: np.ndarray
    ) -> np.ndarray | None:
        """(series,) ids without a look into the database; None where one is needed.

        `newest_us` is the time of the newest sample of each series.
        """
        with self._lock:
            known = self._places.get(tenant)
            if known is None:
                return None
            places = known.of(series)
            if len(places) and places.min() < 0:
                return None
            if (newest_us > known.touched[places] + TOUCH_US).any():
                return None
            return known.ids[places]

    def registered(
        self, connection: Connection, tenant: str, series: Sequence[Series], newest_us: np.ndarray
    ) -> Registration:
        """The ids of all series, made where missing, their stored times moved on where due."""
        with self._lock:
            known = self._places.setdefault(tenant, _Places())
            places = known.of(series)
            touched, ids = known.touched[places], known.ids[places]
        stale = np.flatnonzero((places < 0) | (newest_us > touched + TOUCH_US))
        if len(stale):
            chosen = [series[k] for k in stale.tolist()]
            ids[stale] = _ids(self._database, connection, tenant, chosen, newest_us[stale])
            touched[stale] = newest_us[stale]
        return Registration(tenant, series, ids, touched)

    def remember(self, made: Iterable[Registration]) -> None:
        """Call it once the transaction has been committed."""
        with self._lock:
            for one in made:
                known = self._places.setdefault(one.tenant, _Places())
                if len(known.by_series) > _MOST_REMEMBERED:
                    known = self._places[one.tenant] = _Places()
                known.put(one.series, one.ids, one.newest_us)
                names = self._names.setdefault(one.tenant, {})
                names.update(zip(one.ids.tolist(), one.series, strict=True))

    def names(
        self, connection: Connection, tenant: str, wanted: Collection[int]
    ) -> Mapping[int, Series]:
        """Series by id, among them those that are wanted, unless they were deleted since."""
        names = self._names.setdefault(tenant, {})
        missing = set(wanted) - names.keys()
        if missing:
            if len(names) > _MOST_REMEMBERED:
                names, missing = {}, set(wanted)
            names = names | _named(connection, sorted(missing))
            with self._lock:
                self._names[tenant] = names | self._names[tenant]
        return names


def touch(connection: Connection, ids: np.ndarray, newest_us: np.ndarray) -> None:
    """Move the stored time of each series on to that of a newer sample."""
    rows = sorted(zip(ids.tolist(), newest_us.tolist(), strict=True))
    changes = [{"series_id": k, "newest_us": newest} for k, newest in rows]
    if changes:
        connection.execute(_NEWER, changes)


def forget_silent(connection: Connection, before_us: int) -> None:
    """Delete the series all of whose samples are older than a time."""
    connection.execute(delete(tables.series).where(_SERIES.last_us < before_us - TOUCH_US))


def _named(connection: Connection, ids: Sequence[int]) -> dict[int, Series]:
    found: dict[int, Series] = {}
    for start in range(0, len(ids), _LOOKED_UP_AT_ONCE):
        some = ids[start : start + _LOOKED_UP_AT_ONCE]
        query = select(_SERIES.id, _SERIES.metric, _SERIES.labels).where(_SERIES.id.in_(some))
        for row in connection.execute(query):
            labels = tuple((name, value) for name, value in json.loads(row.labels))
            found[row.id] = Series(row.metric, labels)
    return found


def _ids(
    database: Database,
    connection: Connection,
    tenant: str,
    series: Sequence[Series],
    newest_us: np.ndarray,
) -> list[int]:
    spelled = [_spelled(one) for one in series]
    digests = [hashlib.sha256(key.encode()).hexdigest() for key, _ in spelled]
    known = _lookup(database, connection, tenant, digests)
    rows = {
        digest: {
            "tenant": tenant,
            "digest": digest,
            "metric": one.metric,
            "labels": labels,
            "last_us": newest,
        }
        for one, digest, (_, labels), newest in zip(
            series, digests, spelled, newest_us.tolist(), strict=True
        )
        if digest not in known
    }
    old = np.array([digest in known for digest in digests], bool)
    if rows:  # in order, so that processes that register the same series do not block each other
        database.insert_new(connection, tables.series, [rows[digest] for digest in sorted(rows)])
        known |= _lookup(database, connection, tenant, list(rows))
    ids = [known[digest] for digest in digests]
    touch(connection, np.array(ids)[old], newest_us[old])
    return ids


def _lookup(
    database: Database, connection: Connection, tenant: str, digests: Sequence[str]
) -> dict[str, int]:
    here = (_SERIES.tenant == tenant, database.among(_SERIES.digest, digests))
    query = select(_SERIES.digest, _SERIES.id).where(*here).order_by(_SERIES.id)
    rows = connection.execute(query.with_for_update())  # nobody may forget them meanwhile
    return {row.digest: row.id for row in rows}


def _spelled(series: Series) -> tuple[str, str]:
    """The key of a series, and its labels in JSON.

    Both are put together of pairs, nearly all of which were seen in other series.
    """
    told = [_told(pair) if len(pair[1]) < _LONGEST_PAIR else _pair(pair) for pair in series.labels]
    return key_of(series.metric, [key for key, _ in told]), f"[{','.join([j for _, j in told])}]"


def _pair(pair: tuple[str, str]) -> tuple[str, str]:
    return label_key(*pair), _as_json(pair)


_told = lru_cache(_MOST_PAIRS)(_pair)
