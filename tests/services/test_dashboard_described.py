"""The API does what its OpenAPI document says, whatever it is asked: made-up requests to each."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from rootward.testing.fakes import ManualClock, fake_platform
from rootward_dashboard.app import create_app
from tests.services import made_up_incident as shop

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
ENDLESS = "/api/v1/events"


def described() -> schemathesis.BaseSchema:
    platform = fake_platform(ManualClock(shop.NOW))
    shop.fill(platform)
    for number in range(3):
        platform.incidents.open(shop.older(number))
    return schemathesis.openapi.from_asgi("/openapi.json", create_app(platform))


SCHEMA = described()
OPERATIONS = {
    one.label: one
    for one in (found.ok() for found in SCHEMA.get_all_operations())
    if one.path != ENDLESS
}
REFUSING = [label for label, one in OPERATIONS.items() if one.body or one.query]
KEYED = [label for label in OPERATIONS if "{key}" in label]


def ask(label: str, mode: GenerationMode, key: str | None, examples: int) -> None:
    """Send made-up requests; the first answer that is not as described is an error."""

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[label].as_strategy(generation_mode=mode))
    def asked(case: schemathesis.Case) -> None:
        if key is not None:
            case.path_parameters = {**case.path_parameters, "key": key}
        case.validate_response(case.call(), checks=CHECKS)

    asked()


@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_what_fits_the_document_is_answered_as_described(label: str):
    ask(label, GenerationMode.POSITIVE, None, 5)


@pytest.mark.slow
@pytest.mark.parametrize("label", sorted(REFUSING))
def test_what_does_not_fit_is_refused_as_described(label: str):
    ask(label, GenerationMode.NEGATIVE, None, 6)


@pytest.mark.slow
@pytest.mark.parametrize("label", sorted(KEYED))
def test_an_incident_that_is_there_is_worked_on_as_described(label: str):
    ask(label, GenerationMode.POSITIVE, "INC-1", 5)
