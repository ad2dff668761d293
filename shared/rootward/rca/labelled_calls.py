"""Who calls whom, read from labels: clients, meshes and tracers name the other end of a call.

The names follow the OpenTelemetry semantic conventions (`peer.service`, `server.address`), Istio's
and Linkerd's standard metrics, and the service graphs that tracing backends write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rootward.model.series import Series

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
_CALLER = ("source_service", "source_workload", "source_app", "caller", "client_service")
"""Labels of a server's series that name who calls it."""


def labelled_calls(series: Iterable[Series]) -> tuple[tuple[str, str], ...]:
    """Pairs (caller, callee) that the labels tell, sorted; only between services in `series`.

    A host name stands for the service that its first part names: `cart.shop.svc:8080` is `cart`.
    """
    seen = tuple(series)
    services = {one.service.lower(): one.service for one in seen}
    found = {
        (caller, callee)
        for one in seen
        for before, after in _ends(one)
        if (caller := _service(before, services)) and (callee := _service(after, services))
    }
    return tuple(sorted(pair for pair in found if pair[0] != pair[1]))


def _ends(series: Series) -> Iterator[tuple[str, str]]:
    labels = dict(series.labels)
    for caller, callee in _BOTH_ENDS:
        if caller in labels and callee in labels:
            yield labels[caller], labels[callee]
            return
    yield from ((series.service, labels[name]) for name in _CALLEE if name in labels)
    yield from ((labels[name], series.service) for name in _CALLER if name in labels)


def _service(name: str, services: dict[str, str]) -> str | None:
    whole = name.lower()
    host = whole.partition("//")[2] or whole
    return services.get(whole) or services.get(host.partition(":")[0].partition(".")[0])
