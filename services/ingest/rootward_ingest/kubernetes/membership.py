"""Which pods a namespace has, whose they are, and behind which service they stand. Pure.

The owner of a pod is read off the pod alone, whose references name the ReplicaSet or Job, and
those are named after what made them; so neither need be read. An endpoint that is not ready is a
member all the same: this is membership, and no health.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rootward.model.placement import Backend, PlacedPod
from rootward_ingest.kubernetes.api import Object

SERVICE_NAME = "kubernetes.io/service-name"
"""Label by which an EndpointSlice names its service."""
_HASHES = ("pod-template-hash", "rollouts-pod-template-hash")
_OVER = ("Succeeded", "Failed")
_TIME_OF_JOB = re.compile(r"-[0-9]{8,10}$")
"""What a CronJob adds to its own name: minutes since 1970."""


@dataclass(frozen=True)
class Slice:
    """What one EndpointSlice says: pods behind a service."""

    service: str
    pods: tuple[str, ...]


Member = PlacedPod | Slice | Backend


def member(kind: str, thing: Object) -> Member | None:
    """What an object says of who is where; None where it says nothing."""
    return _MEMBERS[kind](thing)


def workload_of(pod: Object) -> str:
    """The name of the workload that a pod is of, by its owner; its own where it has none."""
    metadata = pod["metadata"]
    owner = next((o for o in metadata.get("ownerReferences") or () if o.get("controller")), None)
    if owner is None:
        return str(metadata["name"])
    name, labels = str(owner["name"]), metadata.get("labels") or {}
    if owner["kind"] == "Job":
        return _TIME_OF_JOB.sub("", name)
    made = next((labels[label] for label in _HASHES if label in labels), None)
    return name.removesuffix(f"-{made}") if owner["kind"] == "ReplicaSet" and made else name


def backends(found: Iterable[Member]) -> tuple[Backend, ...]:
    """The services of a namespace with the pods that all their slices name."""
    services: dict[str, Backend] = {}
    pods: dict[str, set[str]] = {}
    for one in found:
        if isinstance(one, Backend):
            services[one.name] = one
        elif isinstance(one, Slice):
            pods.setdefault(one.service, set()).update(one.pods)
    return tuple(
        Backend(name, services[name].addresses, tuple(sorted(pods.get(name, ()))))
        for name in sorted(services)
    )


def _pod(thing: Object) -> PlacedPod | None:
    spec, status = thing.get("spec") or {}, thing.get("status") or {}
    if status.get("phase") in _OVER:
        return None
    addresses = [] if spec.get("hostNetwork") else [a["ip"] for a in status.get("podIPs") or ()]
    return PlacedPod(
        name=thing["metadata"]["name"],
        workload=workload_of(thing),
        node=spec.get("nodeName") or "",
        addresses=tuple(a.lower() for a in addresses),
    )


def _service(thing: Object) -> Backend:
    """A service by itself; slices tell of its pods."""
    addresses = (thing.get("spec") or {}).get("clusterIPs") or ()
    own = tuple(a.lower() for a in addresses if a and a != "None")
    return Backend(thing["metadata"]["name"], own, ())


def _slice(thing: Object) -> Slice | None:
    service = (thing["metadata"].get("labels") or {}).get(SERVICE_NAME)
    if not service:
        return None
    targets: Iterable[Mapping[str, Any]] = (
        endpoint.get("targetRef") or {} for endpoint in thing.get("endpoints") or ()
    )
    return Slice(service, tuple(sorted(t["name"] for t in targets if t.get("kind") == "Pod")))


_MEMBERS = {"Pod": _pod, "Service": _service, "EndpointSlice": _slice}
