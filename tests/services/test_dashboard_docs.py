"""docs/api.md tells what the API does: its examples are read by the wire types themselves."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from rootward.testing.fakes import fake_platform
from rootward_dashboard import (
    condition,
    detail,
    handling,
    judging,
    looking,
    problems,
    schemas,
    trying,
)
from rootward_dashboard.api import graphs
from rootward_dashboard.app import create_app

DOCS = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL)]
KINDS = (
    schemas.IncidentPageOut,
    detail.IncidentDetailOut,
    handling.ActivitiesOut,
    schemas.DiagnosisOut,
    schemas.QueuedOut,
    judging.RunOut,
    judging.AccuracyOverTimeOut,
    trying.OutcomeOut,
    schemas.SeriesPageOut,
    condition.StatusOut,
    looking.CurvesOut,
    schemas.AlertPageOut,
    schemas.ChangeEventPageOut,
    graphs.KeptGraphOut,
    schemas.ProblemOut,
)


def _unknown(example: object, schema: dict[str, object], defs: dict[str, object]) -> list[str]:
    """Names in an example that the schema does not have; an `…` stands for what is left out."""
    if "$ref" in schema:
        schema = defs[str(schema["$ref"]).rpartition("/")[2]]  # type: ignore[assignment]
    options = schema.get("anyOf")
    if isinstance(options, list):
        return min((_unknown(example, option, defs) for option in options), key=len)
    if isinstance(example, list):
        items = schema.get("items", {})
        return [name for e in example for name in _unknown(e, items, defs)]  # type: ignore[arg-type]
    properties = schema.get("properties")
    if not isinstance(example, dict) or not isinstance(properties, dict):
        return []
    found = [name for name in example if name not in properties and name != "…"]
    for name, value in example.items():
        found += _unknown(value, properties.get(name, {}), defs)
    return found


@pytest.mark.parametrize(("example", "kind"), list(zip(EXAMPLES, KINDS, strict=True)))
def test_an_example_has_only_fields_that_the_answer_has(example: object, kind: type[schemas.Wire]):
    schema = TypeAdapter(kind).json_schema()
    assert _unknown(example, schema, schema.get("$defs", {})) == []


def test_every_route_is_documented():
    paths = TestClient(create_app(fake_platform())).get("/openapi.json").json()["paths"]
    missing = [p for p in paths if p not in DOCS]
    assert missing == []


def test_every_code_of_an_error_is_documented():
    source = "".join(
        path.read_text(encoding="utf-8") for path in Path(problems.__file__).parent.rglob("*.py")
    )
    codes = set(re.findall(r'Problem\(\s*\d{3},\s*"(\w+)"', source))
    codes |= {code for _, _, code, _ in problems._KINDS}
    rare = {"too_large", "unsupported_media", "insufficient_data"}  # ingest and workers raise them
    assert {c for c in codes - rare if f"`{c}`" not in DOCS} == set()
    assert {"not_found", "diagnosis_pending", "internal_error", "cross_site"} <= codes
