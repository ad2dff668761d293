"""CloudEvents 1.0 over HTTP: structured, binary and batched content, as events of one shape.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from urllib.parse import unquote

from pydantic import BaseModel, Field, JsonValue, TypeAdapter, ValidationError, model_validator
from starlette.datastructures import Headers

from rootward.errors import UnreadableBody
from rootward_ingest.json_answers import JSON, media_of, unreadable
from rootward_ingest.texts import Instant, Text

STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
MOST_EVENTS = 5000
_BINARY = "ce-"
_EXPECTED = "a CloudEvent of version 1.0 with specversion, id, source and type"
_LONGEST_NAME = 1024


class CloudEvent(BaseModel):
    """An event; attributes that are not used here are left out."""

    specversion: str = Field(pattern=r"^1\.")
    id: Text = Field(min_length=1, max_length=_LONGEST_NAME)
    source: Text = Field(min_length=1, max_length=_LONGEST_NAME)
    type: Text = Field(min_length=1, max_length=_LONGEST_NAME)
    subject: Text = ""
    time: Instant | None = None
    data: JsonValue = None

    @model_validator(mode="before")
    @classmethod
    def _with_plain_data(cls, value: object) -> object:
        """Data in base 64 or as text is JSON in disguise, or nothing that can be used."""
        if not isinstance(value, dict):
            return value
        data = value.get("data")
        if data is None and isinstance(value.get("data_base64"), str):
            data = _decoded(value["data_base64"])
        return value | {"data": _parsed(data) if isinstance(data, str) else data}


_ONE: TypeAdapter[CloudEvent] = TypeAdapter(CloudEvent)
_MANY: TypeAdapter[list[CloudEvent]] = TypeAdapter(list[CloudEvent])


def read(body: bytes, headers: Headers) -> list[CloudEvent]:
    """The events of a request: one, or those of a batch.

    Plain JSON is an event in itself where no header begins with `ce-`.

    Raises:
        UnreadableBody: not JSON, or not CloudEvents of version 1; the text says where.
    """
    attributes = _attributes(headers)
    try:
        if media_of(headers) == BATCH:
            events = _MANY.validate_json(body)
            if len(events) > MOST_EVENTS:
                raise UnreadableBody(f"a batch may hold {MOST_EVENTS} events")
            return events
        if attributes and media_of(headers) == JSON:
            return [_ONE.validate_python(attributes | {"data": _json(body)})]
        return [_ONE.validate_json(body)]
    except ValidationError as error:
        raise unreadable(error, _EXPECTED) from error


def _attributes(headers: Headers) -> dict[str, object]:
    """The attributes that the headers of binary content carry, percent-decoded."""
    return {
        name.removeprefix(_BINARY): unquote(value.strip().strip('"'))
        for name, value in headers.items()
        if name.startswith(_BINARY)
    }


def _json(body: bytes) -> object:
    try:
        return json.loads(body) if body.strip() else None
    except (ValueError, RecursionError) as error:
        raise UnreadableBody(f"the data of the event is not JSON: {error}") from error


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def field(data: JsonValue, *names: str) -> str:
    """The text at the first of these places, `a.b` for one within another; empty if none is."""
    for name in names:
        found = data
        for step in name.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
        if isinstance(found, str | int | float) and not isinstance(found, bool) and found != "":
            return str(found)
    return ""
