"""The file that an operator lays down rules for intake in: TOML, read once at start.

::

    [relabel]
    defaults = true                  # the built-in rules, before those that follow

    [[relabel.rules]]                # as relabel_config of Prometheus
    action = "drop"
    source_labels = ["__name__"]
    regex = "go_.*|python_.*"

    [replicas]
    failover_seconds = 30
    labels = [["cluster", "__replica__"]]

    [tenants.team-a]                 # limits of one tenant; the settings are those of all others
    max_series = 100000
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rootward.errors import InvalidConfiguration
from rootward_ingest import relabel_defaults
from rootward_ingest.limits import MAX_LABELS, Limits
from rootward_ingest.relabel import Action, Relabelling, Rule
from rootward_ingest.replicas import Pairing


@dataclass(frozen=True)
class Rules:
    """What is laid down for intake beside the settings."""

    relabelling: Relabelling = relabel_defaults.DEFAULT
    pairing: Pairing = field(default_factory=Pairing)
    tenants: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Fields of `Limits` that tenants have other values of."""

    def limits(self, common: Limits) -> Mapping[str, Limits]:
        """The limits of the tenants that have their own."""
        return {name: Limits(**vars(common) | dict(own)) for name, own in self.tenants.items()}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _RuleIn(_Part):
    action: Action = Action.REPLACE
    source_labels: list[str] = []
    regex: str = "(.*)"
    target_label: str = ""
    replacement: str = "$1"
    separator: str = ";"


class _RelabelIn(_Part):
    defaults: bool = True
    rules: list[_RuleIn] = []


class _ReplicasIn(_Part):
    labels: list[tuple[str, str]] = list(Pairing().labels)
    failover_seconds: float = Field(Pairing().failover_seconds, gt=0)


class _TenantIn(_Part):
    max_samples: int | None = Field(None, gt=0)
    max_samples_per_second: float | None = Field(None, ge=0)
    max_series: int | None = Field(None, gt=0)
    max_labels: int | None = Field(None, gt=0, le=MAX_LABELS)
    max_label_name_bytes: int | None = Field(None, gt=0)
    max_label_value_bytes: int | None = Field(None, gt=0)
    max_ahead_seconds: float | None = Field(None, ge=0)
    max_age_seconds: float | None = Field(None, gt=0)


class _FileIn(_Part):
    relabel: _RelabelIn = _RelabelIn()
    replicas: _ReplicasIn = _ReplicasIn()
    tenants: dict[str, _TenantIn] = {}


def read(path: Path) -> Rules:
    """The rules in a file.

    Raises:
        InvalidConfiguration: it cannot be read; the text says where it is wrong.
    """
    try:
        found = _FileIn.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        return _rules(found)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise InvalidConfiguration(f"{path}: {told}") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, InvalidConfiguration) as error:
        raise InvalidConfiguration(f"{path}: {error}") from error


def _rules(found: _FileIn) -> Rules:
    built_in = relabel_defaults.DEFAULT.rules if found.relabel.defaults else ()
    own = (
        Rule(**one.model_dump() | {"source_labels": tuple(one.source_labels)})
        for one in found.relabel.rules
    )
    return Rules(
        Relabelling((*built_in, *own)),
        Pairing(tuple(found.replicas.labels), found.replicas.failover_seconds),
        {name: one.model_dump(exclude_none=True) for name, one in found.tenants.items()},
    )
