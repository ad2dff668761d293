"""Every registered method against all that is asked of any method; nobody lists them here."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter

from rootward.codec import from_json, to_json
from rootward.errors import InvalidParameters
from rootward.methods.base import Cost, Family
from rootward.methods.registry import load
from rootward.model.result import Result
from rootward.testing.checks import CHECKS, is_slow, quick, small_case, standard_run

MOST_BYTES = 256 * 1024
METHODS = load().methods
TESTS = Path(__file__).parent


def _marked(check, name):
    marks = [pytest.mark.slow] if is_slow(check, METHODS[name]) else []
    return pytest.param(check, name, marks=marks, id=f"{check.__name__}-{name}")


def _results(name):
    """The result on the small case, and on the standard one where that is instant."""
    kind = METHODS[name]
    method = quick(kind)
    yield method.run(small_case(method))
    if kind.about.cost is Cost.INSTANT:
        yield standard_run(kind).result


@pytest.mark.parametrize(("check", "name"), [_marked(c, n) for c in CHECKS for n in METHODS])
def test_it_holds_for_every_method(check, name):
    kind = METHODS[name]
    if reason := kind.exceptions.get(check.__name__):
        pytest.skip(f"declared on the class: {reason}")
    check(kind)


@pytest.mark.parametrize("name", METHODS)
def test_its_result_survives_the_codec_and_stays_small(name):
    for result in _results(name):
        text = to_json(result, Result)
        assert from_json(text, Result) == result
        assert len(text.encode()) < MOST_BYTES


@pytest.mark.parametrize("name", METHODS)
def test_its_parameters_have_a_schema_with_defaults(name):
    schema = TypeAdapter(METHODS[name]).json_schema()
    for parameter, described in schema.get("properties", {}).items():
        assert "default" in described, parameter


@pytest.mark.parametrize("name", METHODS)
def test_a_parameter_that_it_does_not_have_is_refused(name):
    with pytest.raises(InvalidParameters, match="no parameter"):
        load().make(name, {"no_such_parameter": 1})


@pytest.mark.parametrize("name", METHODS)
def test_it_has_a_test_of_its_own(name):
    family = METHODS[name].about.family
    assert (TESTS / Family(family) / f"test_{name}.py").is_file()
