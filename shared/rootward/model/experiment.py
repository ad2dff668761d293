"""Experiment: what a rollout, a flag or a canary did to many units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from rootward.errors import InvalidInput


@dataclass(frozen=True, eq=False)
class Calibration:
    """Pairs of what a model predicted and what was true, from units outside of an experiment."""

    predicted: Float[np.ndarray, " pairs"]
    true: Float[np.ndarray, " pairs"]

    def __post_init__(self) -> None:
        if len(self.predicted) != len(self.true):
            raise InvalidInput("a calibration needs a true score for every predicted one")
        if not (np.isfinite(self.predicted).all() and np.isfinite(self.true).all()):
            raise InvalidInput("a calibration holds a value that is not finite")


@dataclass(frozen=True, eq=False)
class Experiment:
    """One entry for each unit (a bucket of requests, a pod in an hour); nothing is NaN."""

    name: str
    """The flag or the rollout."""
    instrument: Float[np.ndarray, " units"]
    """1 for the units that the rollout was meant for, 0 for the others."""
    exposure: Float[np.ndarray, " units"]
    """1 where the new path was really taken."""
    outcome: Float[np.ndarray, " units"]
    outcome_name: str
    """With its unit, such as latency_seconds."""
    covariates: Float[np.ndarray, "units covariates"]
    """What was known of each unit before the rollout."""
    covariate_names: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    """For each unit the group whose members resemble each other; empty where there are none."""
    calibration: Calibration | None = None
    """Where `outcome` is a score that a model predicted: pairs that tell how far it shrinks."""

    def __post_init__(self) -> None:
        units = len(self.instrument)
        columns = (self.exposure, self.outcome, self.covariates)
        if any(len(column) != units for column in columns):
            raise InvalidInput("the columns of an experiment differ in length")
        if self.covariates.shape[1] != len(self.covariate_names):
            raise InvalidInput("an experiment needs a name for each covariate")
        if len(self.clusters) not in (0, units):
            raise InvalidInput("an experiment names a cluster for every unit or for none")
        if not all(np.isfinite(column).all() for column in (self.instrument, *columns)):
            raise InvalidInput("an experiment holds a value that is not finite")


@dataclass(frozen=True, eq=False)
class Recorded:
    """An experiment as somebody recorded it, and the service whose rollout it is."""

    tenant: str
    id: str
    """Its name at its sender; what comes later under one id takes the place of the earlier."""
    service: str
    began_unix: float
    experiment: Experiment
