"""A large store for the benchmark of the API: incidents, alerts, a day of samples."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import psycopg
from psycopg import sql
from sqlalchemy import Connection, Table, insert, text

from rootward.adapters.sql import tables
from rootward.adapters.sql.engine import Database, open_database
from rootward.codec import to_json
from rootward.model.alert import Alert, AlertStatus
from rootward.model.handling import Activity, Handling
from rootward.model.incident import Change, Diagnosis, Incident, Severity, Status
from rootward.model.series import SampleBatch, Series
from rootward.model.summary import Summary
from rootward.ports import Platform
from tests.services import made_up_incident as shop

NOW = 1_790_000_000.0
SERVICES = tuple(f"service-{k:02d}" for k in range(40))
METRICS = (
    "request_duration_seconds_p99", "request_errors_ratio", "request_rate",
    "process_cpu_ratio", "process_resident_memory_bytes", "queue_depth",
)  # fmt: skip
CHANGES = 30
STEP = 15.0
ROWS = 5760
"""A day."""
_AT_ONCE = 500
SERIES = tuple(Series.of(metric, service) for service in SERVICES for metric in METRICS)
LONG_SERIES = SERIES[: 4 * len(METRICS)]
LONG_SECONDS = 73 * 86_400.0


def fill(url: str, platform: Platform, incidents: int, alerts: int) -> None:
    """Put everything into the tables, many rows at once."""
    database = open_database(url)
    try:
        for rows in _parts(_incident_rows(incidents), _AT_ONCE):
            _write(database, rows)
        for rows in _parts(_alert_rows(alerts, incidents), 5000):
            _write(database, rows)
        _samples(platform)
        database.write(_counted)
    finally:
        database.close()


def _counted(connection: Connection) -> None:
    """Let PostgreSQL count what there is, as autovacuum does a minute after a large copy."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("ANALYZE"))


def _parts(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while part := list(islice(rows, size)):
        yield part


def _write(database: Database, rows: list[list[tuple[Table, dict[str, Any]]]]) -> None:
    by_table: dict[str, tuple[Table, list[dict[str, Any]]]] = {}
    for table, row in (pair for one in rows for pair in one):
        by_table.setdefault(table.name, (table, []))[1].append(row)

    def work(connection: Connection) -> None:
        for table, found in by_table.values():
            if connection.dialect.name == "postgresql":
                _copy(connection, table, found)
            else:
                connection.execute(insert(table), found)

    database.write(work)


def _copy(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Rows of the same columns by COPY: a fifth of the time that INSERT takes."""
    raw = connection.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    columns = sql.SQL(", ").join(map(sql.Identifier, rows[0]))
    into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    with raw.cursor() as cursor, cursor.copy(into) as copy:
        for row in rows:
            copy.write_row(list(row.values()))


def _incident_rows(count: int) -> Iterator[list[tuple[Table, dict[str, Any]]]]:
    diagnosis = shop.diagnosis()
    body = to_json(diagnosis, Diagnosis)
    rng = np.random.default_rng(1)
    for number in range(1, count + 1):
        incident = _incident(number, rng)
        yield _rows_of(incident, diagnosis, body)


def _incident(number: int, rng: np.random.Generator) -> Incident:
    onset = NOW - 73 * 86_400 + 600.0 * number
    chosen = rng.permutation(len(SERIES))[:CHANGES]
    changes = tuple(
        Change(SERIES[k], onset + 15.0 * place, 50.0 - place, 0.1, 2.0)
        for place, k in enumerate(chosen)
    )
    is_open = number % 50 == 0
    return Incident(
        id=f"incident-{number:06d}",
        tenant="default",
        onset_unix=onset,
        opened_unix=onset + 30,
        symptom=changes[0].series,
        changes=changes,
        title=f"{changes[0].series} is 8.5 times its baseline",
        severity=tuple(Severity)[number % 3],
        status=Status.OPEN if is_open else Status.RESOLVED,
        resolved_unix=None if is_open else onset + 900,
        last_change_unix=onset + 900,
        number=number,
        handling=Handling(assignee=("", "kim", "lee")[number % 3]),
    )


def _rows_of(
    incident: Incident, diagnosis: Diagnosis, body: str
) -> list[tuple[Table, dict[str, Any]]]:
    tenant, key = incident.tenant, incident.id
    summary = Summary.of(incident, diagnosis, None)
    shared = {
        "number": incident.number,
        "status": incident.status.value,
        "opened_unix": incident.opened_unix,
    }
    head = {
        **shared,
        "tenant": tenant,
        "incident_id": key,
        "severity": incident.severity.value,
        "assignee": incident.handling.assignee,
        "acknowledged": False,
        "merged_into": "",
        "searched": summary.text,
        "body": to_json(summary, Summary),
    }
    line = Activity(key, incident.opened_unix, "", "opened", incident.title)
    services = {*incident.services, incident.symptom.service}
    whole = {**shared, "tenant": tenant, "id": key, "body": to_json(incident, Incident)}
    return [
        (tables.incident, whole),
        (tables.incident_head, head),
        (tables.diagnosis, {"tenant": tenant, "incident_id": key, "body": body, "failure": None}),
        (
            tables.activity,
            {
                "tenant": tenant, "incident_id": key, "at_unix": line.at_unix, "actor": "",
                "action": "opened", "body": to_json(line, Activity),
            },
        ),
        *(
            (tables.incident_service, {"tenant": tenant, "service": name, "incident_id": key})
            for name in sorted(services)
        ),
    ]  # fmt: skip


def _alert_rows(count: int, incidents: int) -> Iterator[list[tuple[Table, dict[str, Any]]]]:
    labels = (("alertname", "HighLatency"), ("severity", "critical"))
    for k in range(count):
        alert = Alert(
            "default", f"f{k:06d}", NOW - 73 * 86_400 + 60.0 * k, AlertStatus.RESOLVED,
            SERVICES[k % len(SERVICES)], labels, (("summary", "p99 is over 1 s"),),
            ends_unix=NOW - 73 * 86_400 + 60.0 * k + 600, seen_unix=NOW,
            incident_id=f"incident-{1 + k % incidents:06d}",
        )  # fmt: skip
        row = {
            "tenant": "default", "key": alert.key, "status": alert.status.value,
            "service": alert.service, "incident_id": alert.incident_id,
            "seen_unix": alert.seen_unix, "body": to_json(alert, Alert),
        }  # fmt: skip
        yield [(tables.alert, row)]


def fill_long(platform: Platform) -> None:
    """One incident that has lasted for 73 days, with the samples of a small system since then."""
    start = NOW - LONG_SECONDS
    changes = tuple(
        Change(series, start + STEP * place, 50.0 - place, 10.0, 20.0)
        for place, series in enumerate(LONG_SERIES)
    )
    opened = platform.incidents.open(
        Incident("long", "default", start, start, LONG_SERIES[0], changes, "slow for 73 days")
    )
    platform.incidents.save(opened.id, shop.diagnosis())
    _samples(platform, LONG_SERIES, int(LONG_SECONDS / STEP), 1920)


def _samples(
    platform: Platform, series: tuple[Series, ...] = SERIES, rows: int = ROWS, at_once: int = 240
) -> None:
    """Rows of every series until now."""
    rng = np.random.default_rng(2)
    for start in range(0, rows, at_once):
        times = NOW - STEP * (rows - 1 - np.arange(start, start + at_once))
        platform.samples.append(
            SampleBatch(
                "default",
                series,
                np.tile(np.arange(len(series), dtype=np.int32), at_once),
                np.repeat(times, len(series)),
                rng.normal(10, 1, at_once * len(series)),
            )
        )
