"""Experiments as rows, their columns as one body."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Column, Double, Index, LargeBinary, String, Table, Text, delete, select

from rootward.adapters.sql.engine import Database
from rootward.adapters.sql.incident_rows import put
from rootward.adapters.sql.tables import metadata
from rootward.codec import arrays_from_bytes, arrays_to_bytes
from rootward.model.experiment import Calibration, Experiment, Recorded
from rootward.model.spread import Arrays

experiment_table = Table(
    "experiment",
    metadata,
    Column("tenant", String(128), primary_key=True),
    Column("id", String(256), primary_key=True),
    Column("service", Text, nullable=False),
    Column("began_unix", Double, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index(None, "tenant", "began_unix"),
)
_ROW = experiment_table.c


class SqlExperimentStore:
    """One row an experiment."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, recorded: Recorded) -> None:
        """Store a record durably, in place of an earlier one of the same tenant and id."""
        key = {"tenant": recorded.tenant, "id": recorded.id}
        values = {
            "service": recorded.service,
            "began_unix": recorded.began_unix,
            "body": arrays_to_bytes(_columns(recorded.experiment)),
        }
        self._database.write(lambda connection: put(connection, experiment_table, key, values))

    def last(self, start_unix: float, end_unix: float, tenant: str) -> Recorded | None:
        """The one that began last within start ≤ time ≤ end; None where none did."""
        query = (
            select(experiment_table)
            .where(
                _ROW.tenant == tenant, _ROW.began_unix >= start_unix, _ROW.began_unix <= end_unix
            )
            .order_by(_ROW.began_unix.desc(), _ROW.id)
            .limit(1)
        )
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        experiment = _experiment(arrays_from_bytes(row.body))
        return Recorded(row.tenant, row.id, row.service, row.began_unix, experiment)

    def expire(self, before_unix: float) -> int:
        """Delete those that began before a time; returns how many went."""
        change = delete(experiment_table).where(_ROW.began_unix < before_unix)
        return self._database.write(lambda connection: connection.execute(change).rowcount)


def _columns(experiment: Experiment) -> Arrays:
    found = {
        "name": np.array(experiment.name),
        "outcome_name": np.array(experiment.outcome_name),
        "instrument": experiment.instrument,
        "exposure": experiment.exposure,
        "outcome": experiment.outcome,
        "covariates": experiment.covariates,
        "covariate_names": _words(experiment.covariate_names),
        "clusters": _words(experiment.clusters),
    }
    if experiment.calibration is not None:
        found["predicted"] = experiment.calibration.predicted
        found["true"] = experiment.calibration.true
    return found


def _words(words: Sequence[str]) -> np.ndarray:
    return np.array(words, dtype=np.str_)


def _experiment(columns: Arrays) -> Experiment:
    pairs = Calibration(columns["predicted"], columns["true"]) if "true" in columns else None
    return Experiment(
        name=str(columns["name"]),
        instrument=columns["instrument"],
        exposure=columns["exposure"],
        outcome=columns["outcome"],
        outcome_name=str(columns["outcome_name"]),
        covariates=columns["covariates"],
        covariate_names=tuple(columns["covariate_names"].tolist()),
        clusters=tuple(columns["clusters"].tolist()),
        calibration=pairs,
    )
