"""POST /api/v1/experiments: who got a rollout and what came of it, one entry for each unit::

    {"id": "fast-cart", "service": "cart", "began": "2023-11-14T22:13:20Z",
     "outcome_name": "latency_seconds", "outcome": [0.21, 0.35, ...],
     "flag": [0, 1, ...], "taken": [0, 1, ...],
     "covariates": {"cpu": [0.4, 0.7, ...]}, "clusters": ["cart-1", "cart-2", ...],
     "calibration": {"predicted": [...], "true": [...]}}

A unit is a bucket of requests, or a pod in an hour: `flag` is 1 where the rollout was meant for
it, `taken` 1 where the new path was really used (left out: the same). The last three may be left
out. What comes later under one id takes the place of the earlier.
"""

from __future__ import annotations

import numpy as np
from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, FiniteFloat, ValidationError
from starlette.datastructures import Headers

from rootward.errors import InvalidInput
from rootward.model.experiment import Calibration, Experiment, Recorded
from rootward.ports import Platform
from rootward_ingest.desk import Parcel, Problem
from rootward_ingest.json_answers import JSON, problem_answer, require_plain, unreadable
from rootward_ingest.limits import Limits
from rootward_ingest.parts import PART_BYTES, require_json
from rootward_ingest.texts import Instant, Text, moment

_COST = 6
"""Bytes of objects that a byte of JSON becomes, roughly."""
_LONGEST_NAME = 256
_MOST_COVARIATES = 50
_EXPECTED = "id, service, began, outcome_name, outcome and flag, with a number for every unit"

Column = list[FiniteFloat]


class Pairs(BaseModel):
    """What a model predicted and what was true."""

    predicted: Column
    true: Column


class Trial(BaseModel):
    """An experiment as it is sent."""

    id: Text = Field(min_length=1, max_length=_LONGEST_NAME)
    service: Text = Field(min_length=1, max_length=_LONGEST_NAME)
    name: Text = Field(default="", max_length=_LONGEST_NAME)
    """Of the flag or the rollout; the id where there is none."""
    began: Instant
    outcome_name: Text = Field(min_length=1, max_length=_LONGEST_NAME)
    outcome: Column
    flag: list[bool]
    taken: list[bool] | None = None
    covariates: dict[Text, Column] = Field(default_factory=dict, max_length=_MOST_COVARIATES)
    clusters: list[Text] = Field(default_factory=list)
    calibration: Pairs | None = None


class Experiments:
    """Records of experiments: 200 once one is durable."""

    protocol = "experiments"

    def __init__(self, platform: Platform, limits: Limits) -> None:
        self._platform = platform
        self._limits = limits

    def check(self, headers: Headers) -> None:
        """Raise UnsupportedMedia unless the headers announce JSON."""
        require_plain(headers, JSON)

    def take(self, parcel: Parcel) -> Response:
        """Store the experiment of a request.

        Raises:
            UnreadableBody: not an experiment in JSON.
            InvalidInput: its columns differ in length, or it begins ahead of our clock.
            Unavailable: the store does not answer.
        """
        body, limits = parcel.body, self._limits
        built = _COST * len(body) + PART_BYTES * require_json(body, limits.max_parts)
        parcel.claim.cover(min(built, limits.largest_bytes))
        recorded = recorded_of(body, parcel.tenant)
        if recorded.began_unix > self._platform.clock.now() + limits.max_ahead_seconds:
            raise InvalidInput(
                f"experiment {recorded.id!r} begins over {limits.max_ahead_seconds:g} s ahead of "
                "our clock"
            )
        self._platform.experiments.put(recorded)
        return JSONResponse({"id": recorded.id, "units": len(recorded.experiment.outcome)})

    def refuse(self, problem: Problem) -> Response:
        """Problem details after RFC 9457."""
        return problem_answer(problem)


def recorded_of(body: bytes, tenant: str) -> Recorded:
    """The experiment that a body tells of.

    Raises:
        UnreadableBody: not an experiment in JSON.
        InvalidInput: its columns differ in length.
    """
    try:
        sent = Trial.model_validate_json(body)
    except ValidationError as error:
        raise unreadable(error, _EXPECTED) from error
    known = list(sent.covariates.values())
    if any(len(column) != len(sent.outcome) for column in known):
        raise InvalidInput("the columns of an experiment differ in length")
    flag = _numbers(sent.flag)
    pairs = None
    if sent.calibration is not None:
        pairs = Calibration(_numbers(sent.calibration.predicted), _numbers(sent.calibration.true))
    experiment = Experiment(
        name=sent.name or sent.id,
        instrument=flag,
        exposure=flag if sent.taken is None else _numbers(sent.taken),
        outcome=_numbers(sent.outcome),
        outcome_name=sent.outcome_name,
        covariates=np.array(known, dtype=np.float64).reshape(len(known), len(sent.outcome)).T,
        covariate_names=tuple(sent.covariates),
        clusters=tuple(sent.clusters),
        calibration=pairs,
    )
    began = moment(sent.began)
    assert began is not None  # an Instant is one
    return Recorded(tenant, sent.id, sent.service, began, experiment)


def _numbers(values: list[float] | list[bool]) -> np.ndarray:
    return np.array(values, dtype=np.float64)
