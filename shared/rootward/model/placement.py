"""What runs where in a cluster, and behind which names: pods, workloads, nodes, services.

This is membership, and no calls: that a Kubernetes service leads to a workload says nothing about
who asks it. It tells which service a host name or an address in a label stands for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rootward.model.series import INSTANCE, Series

_POD_LABELS = ("pod", "k8s_pod_name", INSTANCE)
_NAMESPACE_LABELS = ("namespace", "k8s_namespace_name")
_Workload = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True)
class PlacedPod:
    """A pod, whose workload it is and where it runs."""

    name: str
    workload: str
    node: str
    """Empty until it has one."""
    addresses: tuple[str, ...]
    """Its own; none where it shares those of its node."""


@dataclass(frozen=True)
class Backend:
    """A Kubernetes service and the pods behind it."""

    name: str
    addresses: tuple[str, ...]
    """Of the service itself; none where it is headless."""
    pods: tuple[str, ...]
    """Names, of its own namespace."""


@dataclass(frozen=True)
class Placement:
    """All that runs in one namespace, as it was last seen."""

    namespace: str
    at_unix: float
    pods: tuple[PlacedPod, ...]
    backends: tuple[Backend, ...]


@dataclass(frozen=True)
class Whereabouts:
    """Where the pods of one service of ours run, and how it is asked for."""

    workloads: tuple[str, ...]
    """`namespace/name`, sorted."""
    pods: int
    nodes: tuple[str, ...]
    behind: tuple[str, ...]
    """Kubernetes services that lead to it, `namespace/name`, sorted."""
    running: tuple[tuple[str, PlacedPod], ...]
    """The pods, each with its namespace, sorted by both names."""
    seen_unix: float
    """When all of this was last seen to be so."""


class Placed:
    """Placements held against series: which workload is which service of ours.

    A workload is the service whose series name one of its pods or the address of one; of several
    the one with the workload's name; where none does, the service with the workload's name.
    """

    def __init__(self, placements: Sequence[Placement], series: Iterable[Series]) -> None:
        self._placements = placements
        self._services = _services(placements, series)

    def names(self) -> Mapping[str, tuple[str, ...]]:
        """The services that a host name or an address stands for, names in small letters.

        Kubernetes services stand there as `name.namespace`, and as `name` where all of that name
        lead to the same; pods and services by their addresses.
        """
        found: dict[str, tuple[str, ...]] = {}
        bare: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for placement in self._placements:
            for pod in placement.pods:
                if own := self._services.get((placement.namespace, pod.workload)):
                    found |= dict.fromkeys(pod.addresses, (own,))
            for backend, services in self._led_to(placement):
                bare[backend.name].add(services)
                if services:
                    name = f"{backend.name}.{placement.namespace}"
                    found |= dict.fromkeys((name, *backend.addresses), services)
        found |= {n: one for n, (one, *more) in bare.items() if one and not more}
        return found

    def whereabouts(self) -> Mapping[str, Whereabouts]:
        """Where each service runs, of those that the cluster knows."""
        pods: dict[str, list[tuple[str, PlacedPod]]] = defaultdict(list)
        behind: dict[str, set[str]] = defaultdict(set)
        seen: dict[str, float] = {}
        for placement in self._placements:
            for pod in placement.pods:
                if own := self._services.get((placement.namespace, pod.workload)):
                    pods[own].append((placement.namespace, pod))
                    seen[own] = min(seen.get(own, placement.at_unix), placement.at_unix)
            for backend, services in self._led_to(placement):
                for service in services:
                    behind[service].add(f"{placement.namespace}/{backend.name}")
        return {
            service: Whereabouts(
                workloads=tuple(sorted({f"{space}/{pod.workload}" for space, pod in own})),
                pods=len(own),
                nodes=tuple(sorted({pod.node for _, pod in own if pod.node})),
                behind=tuple(sorted(behind[service])),
                running=tuple(sorted(own, key=lambda one: (one[0], one[1].name))),
                seen_unix=seen[service],
            )
            for service, own in sorted(pods.items())
        }

    def _led_to(self, placement: Placement) -> Iterator[tuple[Backend, tuple[str, ...]]]:
        """Each Kubernetes service, and the services of ours behind it."""
        workloads = {pod.name: pod.workload for pod in placement.pods}
        for backend in placement.backends:
            led = {workloads[name] for name in backend.pods if name in workloads}
            own = {self._services.get((placement.namespace, workload)) for workload in led}
            yield backend, tuple(sorted(service for service in own if service))


def _services(placements: Sequence[Placement], series: Iterable[Series]) -> dict[_Workload, str]:
    """The service of ours that each workload is, of those that are one."""
    pods = _pods(placements)
    told: dict[_Workload, set[str]] = defaultdict(set)
    names = set()
    for one in series:
        names.add(one.service)
        if workload := _named(one, pods):
            told[workload].add(one.service)
    found = {}
    for workload in {(p.namespace, pod.workload) for p in placements for pod in p.pods}:
        services = told[workload] or names & {workload[1]}
        if workload[1] in services:
            found[workload] = workload[1]
        elif len(services) == 1:
            (found[workload],) = services
    return found


def _pods(placements: Sequence[Placement]) -> dict[str, set[_Workload]]:
    """Workloads by the names and addresses of their pods; of a stateful set, names recur."""
    found: dict[str, set[_Workload]] = defaultdict(set)
    for placement in placements:
        for pod in placement.pods:
            for name in (pod.name, *pod.addresses):
                found[name].add((placement.namespace, pod.workload))
    return found


def _named(series: Series, pods: Mapping[str, set[_Workload]]) -> _Workload | None:
    """The workload whose pod the labels name; None where none or several could be meant."""
    labels = dict(series.labels)
    meant = next((found for name in _hosts(series) if (found := pods.get(name))), set())
    spaces = {labels[name] for name in _NAMESPACE_LABELS if name in labels}
    likely = {one for one in meant if one[0] in spaces} or meant
    return next(iter(likely)) if len(likely) == 1 else None


def is_named(pod: PlacedPod, series: Series) -> bool:
    """Whether the labels of a series name a pod, or one of its addresses."""
    return not {pod.name, *pod.addresses}.isdisjoint(_hosts(series))


def _hosts(series: Series) -> list[str]:
    """What the labels of a series say it is measured at, the clearest first."""
    labels = dict(series.labels)
    return [host(labels[name]) for name in _POD_LABELS if name in labels]


def host(address: str) -> str:
    """The host of an address or URL, small, without port: `http://[::1]:80/` is `::1`."""
    whole = address.lower()
    place = (whole.partition("//")[2] or whole).partition("/")[0]
    if place.startswith("["):
        return place[1:].partition("]")[0]
    return place if place.count(":") > 1 else place.partition(":")[0]
