"""Targets to scrape, from a file in Prometheus' file_sd JSON that is read again when it changes.

https://prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from rootward.errors import InvalidConfiguration
from rootward.model.naming import SERVICE_SOURCES
from rootward.model.series import INSTANCE
from rootward_ingest.exposition import LabelSet
from rootward_ingest.labels import series_of
from rootward_ingest.reasons import Reason

log = logging.getLogger(__name__)

_PARAMETER = "__param_"


@dataclass(frozen=True)
class Target:
    """One address to scrape, and the labels that all of its series get."""

    url: str
    labels: LabelSet


class TargetFile:
    """The targets in a file, kept up to date.

    A file that cannot be read or understood leaves the targets as they were, with an error in
    the log; one that is not there yet stands for no targets.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version: tuple[int, ...] | None = None
        self._targets: tuple[Target, ...] = ()

    def targets(self) -> tuple[Target, ...]:
        """The targets by now."""
        version = self._current_version()
        if version != self._version:
            self._version = version
            self._reload()
        return self._targets

    def _current_version(self) -> tuple[int, ...]:
        try:
            stat = self._path.stat()
        except OSError:
            return ()
        return (stat.st_mtime_ns, stat.st_size, stat.st_ino)

    def _reload(self) -> None:
        try:
            self._targets = read_targets(self._path.read_bytes())
        except (OSError, InvalidConfiguration) as error:
            log.error(
                "target file unusable",
                extra={"file": str(self._path), "reason": str(error), "kept": len(self._targets)},
            )
            return
        nameless = [t.url for t in self._targets if _nameless(t)]
        log.info("targets read", extra={"file": str(self._path), "targets": len(self._targets)})
        if nameless:
            log.warning(
                "targets name no service",
                extra={"targets": nameless[:5], "give one of": ", ".join(SERVICE_SOURCES)},
            )


def read_targets(content: bytes) -> tuple[Target, ...]:
    """The targets in file_sd JSON, each once, in their order.

    `__scheme__`, `__metrics_path__`, `__address__` and `__param_<name>` among the labels say how
    to reach a target; all labels that begin with two underscores are then left out. `instance` is
    the address unless the file gives one.

    Raises:
        InvalidConfiguration: not file_sd JSON; the text says what is wrong.
    """
    try:
        groups = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidConfiguration(f"not JSON: {error}") from error
    if not isinstance(groups, list):
        raise InvalidConfiguration("expected a list of objects with `targets` and `labels`")
    return tuple(dict.fromkeys(target for group in groups for target in _in_group(group)))


def _in_group(group: object) -> Iterator[Target]:
    if not isinstance(group, dict):
        raise InvalidConfiguration(f"expected an object with `targets` and `labels`: {group!r}")
    addresses, labels = group.get("targets", []), group.get("labels", {})
    if not isinstance(addresses, list) or not all(isinstance(a, str) and a for a in addresses):
        raise InvalidConfiguration(f"`targets` must be a list of host:port, got {addresses!r}")
    if not isinstance(labels, dict) or not all(isinstance(v, str) for v in labels.values()):
        raise InvalidConfiguration(f"`labels` must map names to texts, got {labels!r}")
    for address in addresses:
        yield _target(str(labels.get("__address__", address)), labels)


def _target(address: str, labels: dict[str, str]) -> Target:
    if "/" in address or any(c.isspace() for c in address):
        raise InvalidConfiguration(
            f"target {address!r} is not host:port; give scheme and path as the labels "
            "__scheme__ and __metrics_path__"
        )
    scheme = labels.get("__scheme__", "http")
    if scheme not in ("http", "https"):
        raise InvalidConfiguration(f"__scheme__ of {address} is {scheme!r}, not http or https")
    path = labels.get("__metrics_path__", "/metrics")
    query = urlencode(
        {k.removeprefix(_PARAMETER): v for k, v in labels.items() if k.startswith(_PARAMETER)}
    )
    kept = {INSTANCE: address} | {k: v for k, v in labels.items() if v and not k.startswith("__")}
    url = f"{scheme}://{address}/{path.removeprefix('/')}" + (f"?{query}" if query else "")
    return Target(url, tuple(sorted(kept.items())))


def _nameless(target: Target) -> bool:
    return series_of((("__name__", "up"), *target.labels)) is Reason.NO_SERVICE
