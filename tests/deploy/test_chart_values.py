"""values.schema.json against random values, and against the settings it repeats."""

from __future__ import annotations

import copy
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from rootward.settings import Settings
from rootward_cli.up import running
from tests.deploy import readme

CHART = Path(__file__).parents[2] / "helm/rootward"
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
OF_SETTINGS = SCHEMA["properties"]["settings"]["properties"]
MADE_BY_THE_CHART = {
    *("database_url", "bus_url", "jobs_url", "host", "port", "instance"),
    *(
        "scrape_file",
        "intake_file",
        "runbooks",
        "kubernetes_url",
        "kubernetes_namespaces",
        "notify_file",
        "admin_token_file",
        "ingest_token_file",
    ),
}
KUBERNETES_OWN = ("resources", "podSecurityContext", "securityContext")
VALID = jsonschema.Draft7Validator(SCHEMA).is_valid
NUMBERS = [n for n, s in OF_SETTINGS.items() if s["type"] in ("integer", "number")]


def _with(path: tuple[str, ...], value: object) -> dict[str, Any]:
    values = copy.deepcopy(DEFAULTS)
    place = values
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return values


def _closed_objects(
    schema: dict[str, Any], path: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    if schema.get("additionalProperties") is False:
        yield path
    for key, inner in schema.get("properties", {}).items():
        yield from _closed_objects(inner, (*path, key))


def _leaves(values: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*path, key))
        else:
            yield (*path, key)


CLOSED = list(_closed_objects(SCHEMA))
TYPED = [p for p in _leaves(DEFAULTS) if not set(p) & set(KUBERNETES_OWN)]


def test_the_defaults_are_valid():
    jsonschema.validate(DEFAULTS, SCHEMA)


def test_every_value_has_a_default_and_every_default_stands_in_the_schema():
    def names(schema: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        for key, inner in schema.get("properties", {}).items():
            yield (*path, key)
            yield from names(inner, (*path, key))

    def given_names(values: object, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        for key, inner in values.items() if isinstance(values, dict) else ():
            yield (*path, key)
            yield from given_names(inner, (*path, key))

    def ours(found: Iterator[tuple[str, ...]]) -> set[tuple[str, ...]]:
        return {n for n in found if not set(n) & {"settings", *KUBERNETES_OWN, "grafana_dashboard"}}

    assert ours(names(SCHEMA)) == ours(given_names(DEFAULTS))


def test_every_value_is_explained_and_the_readme_says_so():
    explained = {name for name, _, _ in readme.described()}
    free = {*KUBERNETES_OWN, "grafana_dashboard"}
    leaves = {".".join(path) for path in _leaves(DEFAULTS) if not set(path) & free}
    assert leaves - explained == set()
    written = readme.README.read_text(encoding="utf-8")
    assert written == readme.text(), "write it again: python -m tests.deploy.readme"


def test_settings_are_those_of_the_process_and_the_rest_is_made_by_the_chart():
    assert set(OF_SETTINGS) | MADE_BY_THE_CHART == set(Settings.model_fields)
    assert not set(OF_SETTINGS) & MADE_BY_THE_CHART


@settings(deadline=None)
@given(name=st.sampled_from(NUMBERS), value=st.integers(-2, 20_000) | st.floats(-1, 1))
def test_a_number_is_valid_where_the_process_takes_it(name: str, value: float):
    if isinstance(value, float) and (
        OF_SETTINGS[name]["type"] == "integer" or not math.isfinite(value)
    ):
        value = int(value)
    try:
        Settings(**{name: json.dumps(value)})
        taken = True
    except ValidationError:
        taken = False
    assert VALID(_with(("settings", name), value)) == taken


@settings(deadline=None)
@given(
    path=st.sampled_from(CLOSED), key=st.from_regex(r"[a-z]{3,12}[A-Z0-9][a-z]{9}", fullmatch=True)
)
def test_an_unknown_value_is_refused_at_every_depth(path: tuple[str, ...], key: str):
    assert not VALID(_with((*path, key), "x"))


@settings(deadline=None)
@given(
    path=st.sampled_from(TYPED),
    value=st.sampled_from([None, True, -1, 0.5, "\n", [1], {"x": {"y": 1}}]),
)
def test_a_value_of_another_type_is_refused(path: tuple[str, ...], value: object):
    default = DEFAULTS
    for key in path:
        default = default[key]
    if type(value) is type(default) and not isinstance(value, int):
        return  # of the type asked for: other tests hold its bounds
    if isinstance(value, bool) and isinstance(default, bool):
        return
    assert not VALID(_with(path, value))


def _ask(url: str, push: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(CHART / "files/check.py")],
        env={"URL": url, "PUSH": push},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("push", ["yes", "no"])
def test_the_helm_test_passes_where_rootward_runs(tmp_path: Path, push: str):
    settings = Settings(port=0, database_url=f"sqlite:///{tmp_path}/rootward.db")
    with running(settings) as node:
        done = _ask(node.url, push)
    assert done.returncode == 0, done.stderr


def test_the_helm_test_fails_where_nothing_answers():
    assert _ask("http://127.0.0.1:9", "yes").returncode != 0
