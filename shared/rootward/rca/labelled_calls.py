"""Who calls whom, read from labels: clients, meshes and tracers name the other end of a call.

What a client measures of a call tells as much about the other end as about itself: it is shown
under the service that was called, with the caller in its name, `…_from_<caller>`.

The names follow the OpenTelemetry semantic conventions (`peer.service`, `server.address`), Istio's
and Linkerd's standard metrics, and the service graphs that tracing backends write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType

from rootward.model.placement import host
from rootward.model.series import INSTANCE, SERVICE, Series
from rootward.model.traits import VIEWED
from rootward.model.window import Window

_SUFFIX = re.compile(r"(_(total|count|sum|bucket))?$")

_BOTH_ENDS = (
    ("client", "server"),
    ("source_workload", "destination_workload"),
    ("source_canonical_service", "destination_canonical_service"),
    ("source_app", "destination_app"),
    ("source_service", "destination_service"),
    ("deployment", "dst_deployment"),
)
"""Labels that name caller and callee on the same series."""
_CALLEE = (
    "peer_service", "peer.service", "server_address", "server.address", "destination_service_name",
    "destination_service", "destination_workload", "dst_deployment", "dependency", "upstream",
    "upstream_service", "upstream_host", "remote_service", "target_service", "callee", "backend",
)  # fmt: skip
"""Labels of a client's series that name whom it calls."""
CALLER_LABELS = (
    "source_service", "source_workload", "source_app", "caller", "client_service", "source",
)  # fmt: skip
"""Labels of a server's series that name who calls it."""
_NO_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType({})


def labelled_calls(
    series: Iterable[Series], names: Mapping[str, tuple[str, ...]] = _NO_NAMES
) -> tuple[tuple[str, str], ...]:
    """Pairs (caller, callee) that the labels tell, sorted; only between services in `series`.

    A host name stands for the service that its first part names: `cart.shop.svc:8080` is `cart`.
    `names` tells of others, and of addresses (`Placed.names`); a call to one that several services
    stand behind is a call to each.
    """
    seen = tuple(series)
    services = {one.service.lower(): one.service for one in seen}
    found = {
        (caller, callee)
        for one in seen
        for before, after in _ends(one)
        for caller in _meant(before, services, names)
        for callee in _meant(after, services, names)
    }
    return tuple(sorted(pair for pair in found if pair[0] != pair[1]))


def seen_at_callee(window: Window) -> Window:
    """The same window with what callers measured of a service under that service.

    Series that name no service of the window stay where they are, so that a second pass
    changes nothing. The caller's instance moves to the label `caller_instance`.

    Labels alone decide, not what a cluster says of names and addresses (`labelled_calls` asks it):
    that changes, and a window read again, or replayed elsewhere, keeps the names of its series.
    """
    moved = _all_moved(window.series)
    return window if moved is window.series else replace(window, series=moved)


@lru_cache(maxsize=16)
def _all_moved(series: tuple[Series, ...]) -> tuple[Series, ...]:
    services = {one.service.lower(): one.service for one in series}
    moved = tuple(_moved(one, services) for one in series)
    return series if len(set(moved)) < len(moved) or moved == series else moved


def _moved(series: Series, services: dict[str, str]) -> Series:
    labels = dict(series.labels)
    named = [name for name in _CALLEE if name in labels]
    callee = next((s for name in named if (s := _service(labels[name], services))), None)
    if callee is None or callee == series.service or VIEWED in series.metric:
        return series
    metric = _SUFFIX.sub(lambda end: f"{VIEWED}{series.service}{end[0]}", series.metric, count=1)
    kept = {k: v for k, v in labels.items() if k not in (SERVICE, INSTANCE, *named)}
    if series.instance:
        kept["caller_instance"] = series.instance
    return Series.of(metric, callee, **kept)


def _ends(series: Series) -> Iterator[tuple[str, str]]:
    labels = dict(series.labels)
    for caller, callee in _BOTH_ENDS:
        if caller in labels and callee in labels:
            yield labels[caller], labels[callee]
            return
    yield from ((series.service, labels[name]) for name in _CALLEE if name in labels)
    yield from ((labels[name], series.service) for name in CALLER_LABELS if name in labels)


def _service(name: str, services: dict[str, str]) -> str | None:
    return services.get(name.lower()) or services.get(host(name).partition(".")[0])


def _meant(
    name: str, services: dict[str, str], names: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """The services that a name stands for: what the cluster says of it goes before a guess."""
    if (known := services.get(name.lower())) is not None:
        return (known,)
    place = host(name)
    first, _, rest = place.partition(".")
    told = names.get(place) or names.get(f"{first}.{rest.partition('.')[0]}")
    if told is None and (guess := services.get(first)) is not None:
        return (guess,)
    return tuple(s for s in told or () if s.lower() in services)
