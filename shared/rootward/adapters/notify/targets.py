"""The file that names the receivers."""

from __future__ import annotations

import ipaddress
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rootward.adapters.notify.messages import PAGERDUTY_EVENTS
from rootward.errors import InvalidConfiguration
from rootward.model.incident import Severity
from rootward.model.notification import USUAL, Target, TargetKind

PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"
_FIELDS = {"name", "kind", "url", "secret", "actions", "severities", "tenant"}


def read(path: Path) -> tuple[Target, ...]:
    """The receivers in a TOML file, `[[target]]` each.

    Raises:
        InvalidConfiguration: it cannot be read; the text says which receiver and why.
    """
    try:
        said = tomllib.loads(path.read_text(encoding="utf-8"))
        found = tuple(_target(one) for one in said.get("target", ()))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValueError, TypeError) as error:
        raise InvalidConfiguration(f"ROOTWARD_NOTIFY_FILE: {error}") from error
    names = [one.name for one in found]
    if len(set(names)) != len(names):
        raise InvalidConfiguration("ROOTWARD_NOTIFY_FILE: two targets have the same name")
    return found


def _target(said: dict[str, Any]) -> Target:
    name = str(said.get("name", ""))
    if not name:
        raise ValueError("a target has no name")
    if unknown := sorted(set(said) - _FIELDS):
        raise ValueError(f"{name}: no such field: {', '.join(unknown)}")
    kind = TargetKind(said.get("kind", ""))
    secret = str(said.get("secret", ""))
    if kind is not TargetKind.SLACK and not secret:
        raise ValueError(f"{name}: {kind.value} needs a secret")
    actions = tuple(str(one) for one in said.get("actions", USUAL[kind]))
    known = PAGERDUTY_EVENTS if kind is TargetKind.PAGERDUTY else USUAL[TargetKind.WEBHOOK]
    if wrong := sorted(set(actions) - set(known)):
        raise ValueError(f"{name}: no such action: {', '.join(wrong)}")
    return Target(
        name=name,
        kind=kind,
        url=_address(name, str(said.get("url", PAGERDUTY if kind is TargetKind.PAGERDUTY else ""))),
        secret=secret,
        actions=actions,
        severities=tuple(Severity(one) for one in said.get("severities", Severity)),
        tenant=str(said.get("tenant", "default")),
    )


def _address(name: str, url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{name}: its url must begin with https:// or http://")
    try:
        host = ipaddress.ip_address(parts.hostname)
    except ValueError:
        return url
    if host.is_link_local:  # clouds hand out credentials there
        raise ValueError(f"{name}: its url is a link-local address")
    return url
