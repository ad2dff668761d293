"""What became of an object between two looks at it, as change events. Pure.

The service of an event is the name of its workload, which is also what the built-in rules for
metrics make of the names of pods. Values of config maps are never kept, only which keys changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rootward.model.change_event import RUNS, ChangeEvent, ChangeKind
from rootward.ports import DEFAULT_TENANT
from rootward_ingest.kubernetes.api import Object
from rootward_ingest.kubernetes.membership import workload_of

_RESTARTED = "kubectl.kubernetes.io/restartedAt"
_CAUSE = "kubernetes.io/change-cause"
_LEADER = "control-plane.alpha.kubernetes.io/leader"
_SYSTEM = frozenset({"kube-system", "kube-public", "kube-node-lease"})
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
_MOST_WORKLOADS = 50
_BAD_NODE = ("MemoryPressure", "DiskPressure", "PIDPressure")


@dataclass(frozen=True)
class Seen:
    """What is remembered of an object: enough to say what changed, and little more."""

    images: Mapping[str, str]
    template: str
    """Hash of the pod template without images and the mark of a restart."""
    restarted: str
    replicas: int | None
    keys: Mapping[str, str]
    """Hash by key of a config map."""
    conditions: Mapping[str, str]
    """Of a node: status by type, and whether it takes pods."""
    killed: Mapping[str, int]
    """Of a pod: restarts by container that ran out of memory."""
    evicted: bool


def seen(thing: Object) -> Seen:
    """What to remember of an object."""
    spec, status = thing.get("spec") or {}, thing.get("status") or {}
    template = spec.get("template") or {}
    conditions = {c["type"]: c["status"] for c in status.get("conditions") or ()}
    data = {**(thing.get("data") or {}), **(thing.get("binaryData") or {})}
    return Seen(
        images=_images(template),
        template=_hash(_plain(template)),
        restarted=((template.get("metadata") or {}).get("annotations") or {}).get(_RESTARTED, ""),
        replicas=spec.get("replicas"),
        keys={key: _hash(value) for key, value in data.items()},
        conditions={**conditions, "cordoned": str(bool(spec.get("unschedulable")))},
        killed=_killed(status),
        evicted=status.get("reason") == "Evicted",
    )


def changes(kind: str, before: Seen | None, thing: Object, now: float) -> Iterator[ChangeEvent]:
    """What happened to an object since it was seen; before None, what happened to a new one."""
    after = seen(thing)
    if kind == "Pod":
        yield from _of_pod(before, after, thing, now)
    elif kind == "Node":
        yield from _of_node(before, after, thing, now)
    elif kind == "ConfigMap":
        yield from _of_config(before, after, thing, now)
    elif kind in _WORKLOADS:
        yield from _of_workload(kind, before, after, thing, now)


def with_workloads(event: ChangeEvent, workloads: Sequence[str]) -> ChangeEvent:
    """What happened to a node, with the workloads that have pods there."""
    details = {**dict(event.details), RUNS: ", ".join(workloads[:_MOST_WORKLOADS])}
    return replace(event, details=tuple(sorted((n, v) for n, v in details.items() if v)))


def removed(kind: str, thing: Object, now: float) -> Iterator[ChangeEvent]:
    """What the deletion of an object means."""
    if kind in _WORKLOADS:
        name = thing["metadata"]["name"]
        yield _event(thing, "removed", ChangeKind.DEPLOY, f"{name} removed", now, service=name)


def _of_workload(
    kind: str, before: Seen | None, after: Seen, thing: Object, now: float
) -> Iterator[ChangeEvent]:
    name, at = thing["metadata"]["name"], _changed_unix(thing, now)
    images = ", ".join(sorted(after.images.values()))
    said = {"service": name, "workload": kind, "image": images}
    if before is None:
        yield _event(thing, "created", ChangeKind.DEPLOY, f"{name} created: {images}", at, **said)
        return
    if before.images != after.images:
        moved = _moves(before.images, after.images)
        yield _event(thing, "rollout", ChangeKind.DEPLOY, f"{name}: {moved}", at, **said)
    elif before.template != after.template:
        title = f"{name}: pod template changed"
        yield _event(thing, "template", ChangeKind.CONFIG, title, at, **said)
    elif before.restarted != after.restarted:
        yield _event(thing, "restart", ChangeKind.OTHER, f"{name} restarted", at, **said)
    if None not in (before.replicas, after.replicas) and before.replicas != after.replicas:
        title = f"{name}: {before.replicas} → {after.replicas} replicas"
        said["replicas"] = str(after.replicas)
        yield _event(thing, "scaling", ChangeKind.SCALING, title, at, **said)


def _of_config(
    before: Seen | None, after: Seen, thing: Object, now: float
) -> Iterator[ChangeEvent]:
    metadata = thing["metadata"]
    machinery = metadata.get("namespace") in _SYSTEM or _LEADER in _annotations(thing)
    if before is None or machinery or before.keys == after.keys:
        return
    keys = {**before.keys, **after.keys}
    changed = sorted(k for k in keys if before.keys.get(k) != after.keys.get(k))
    labels = metadata.get("labels") or {}
    service = labels.get("app.kubernetes.io/name") or labels.get("app") or ""
    title = f"config map {metadata['name']}: {', '.join(changed[:5])} changed"
    at = _changed_unix(thing, now)
    key = ",".join(changed[:20])
    yield _event(thing, "config", ChangeKind.CONFIG, title, at, service=service, key=key)


def _of_node(before: Seen | None, after: Seen, thing: Object, now: float) -> Iterator[ChangeEvent]:
    if before is None:
        return
    name = thing["metadata"]["name"]
    was, now_is = before.conditions, after.conditions
    if (was.get("Ready") == "True") != (now_is.get("Ready") == "True"):
        state = "ready" if now_is.get("Ready") == "True" else "not ready"
        yield _event(thing, "ready", ChangeKind.OTHER, f"node {name} is {state}", now)
    for pressure in _BAD_NODE:
        if was.get(pressure) != "True" == now_is.get(pressure):
            yield _event(thing, pressure, ChangeKind.OTHER, f"node {name}: {pressure}", now)
    if was["cordoned"] != now_is["cordoned"]:
        state = "takes no more pods" if now_is["cordoned"] == "True" else "takes pods again"
        yield _event(thing, "cordon", ChangeKind.OTHER, f"node {name} {state}", now)


def _of_pod(before: Seen | None, after: Seen, thing: Object, now: float) -> Iterator[ChangeEvent]:
    name, service = thing["metadata"]["name"], workload_of(thing)
    for container, restarts in after.killed.items():
        if before is None or before.killed.get(container, -1) < restarts:
            title = f"{service}: {container} of {name} ran out of memory"
            at = _killed_unix(thing, container, now)
            aspect = f"oom/{container}/{restarts}"
            yield _event(thing, aspect, ChangeKind.OTHER, title, at, service=service)
    if after.evicted and not (before and before.evicted):
        reason = str((thing.get("status") or {}).get("message", ""))
        title = f"{service}: {name} evicted. {reason}".strip()
        yield _event(thing, "evicted", ChangeKind.OTHER, title, now, service=service)


def _event(
    thing: Object, aspect: str, kind: ChangeKind, title: str, at: float, **said: str
) -> ChangeEvent:
    """An event; its id is the same whoever sees it, and however often."""
    metadata = thing["metadata"]
    exact = aspect.startswith(("oom/", "evicted", "removed", "created"))
    version = "" if exact else metadata.get("generation") or metadata["resourceVersion"]
    details = {
        "namespace": metadata.get("namespace", ""),
        "revision": _annotations(thing).get("deployment.kubernetes.io/revision", ""),
        "cause": _annotations(thing).get(_CAUSE, ""),
        **{name: value for name, value in said.items() if name != "service"},
    }
    return ChangeEvent(
        tenant=DEFAULT_TENANT,
        source=f"kubernetes/{metadata.get('namespace', '')}",
        id=f"{metadata['uid']}/{aspect}/{version}".rstrip("/"),
        at_unix=at,
        kind=kind,
        service=said.get("service", "")[:256],
        title=title[:200],
        type=f"kubernetes.{aspect.partition('/')[0]}",
        details=tuple(sorted((n, str(v)) for n, v in details.items() if v)),
    )


def _images(template: Mapping[str, Any]) -> dict[str, str]:
    spec = template.get("spec") or {}
    every = (*(spec.get("initContainers") or ()), *(spec.get("containers") or ()))
    return {c["name"]: c.get("image", "") for c in every}


def _plain(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template without images and the mark of a restart, which are looked at by themselves."""
    found: dict[str, Any] = json.loads(json.dumps(template))
    metadata = found.pop("metadata", None) or {}
    (metadata.get("annotations") or {}).pop(_RESTARTED, None)
    found["metadata"] = {name: value for name, value in metadata.items() if value}
    for group in ("initContainers", "containers"):
        for container in (found.get("spec") or {}).get(group) or ():
            container.pop("image", None)
    return found


def _moves(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    names = sorted({**before, **after})
    moved = [n for n in names if before.get(n) != after.get(n)]
    return ", ".join(f"{before.get(n, 'none')} → {after.get(n, 'none')}" for n in moved)


def _killed(status: Mapping[str, Any]) -> dict[str, int]:
    return {
        c["name"]: int(c.get("restartCount", 0))
        for c in status.get("containerStatuses") or ()
        if _ended(c).get("reason") == "OOMKilled"
    }


def _killed_unix(pod: Object, container: str, now: float) -> float:
    for one in (pod.get("status") or {}).get("containerStatuses") or ():
        if one["name"] == container:
            return _unix(_ended(one).get("finishedAt")) or now
    return now


def _ended(container: Mapping[str, Any]) -> Mapping[str, Any]:
    """How a container ended, now or before its last restart."""
    for state in ("state", "lastState"):
        if ended := (container.get(state) or {}).get("terminated"):
            return dict(ended)
    return {}


def _annotations(thing: Object) -> Mapping[str, str]:
    return thing["metadata"].get("annotations") or {}


def _changed_unix(thing: Object, now: float) -> float:
    """When something but its status was last written, as its managed fields tell."""
    written = (
        _unix(field.get("time"))
        for field in thing["metadata"].get("managedFields") or ()
        if field.get("subresource") != "status"
    )
    return min(max((at for at in written if at), default=now), now)


def _unix(time: str | None) -> float | None:
    return datetime.fromisoformat(time).timestamp() if time else None


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
