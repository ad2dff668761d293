"""Keeps what runs where in a cluster, and stores what has changed of it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from rootward.errors import Unavailable
from rootward.model.placement import PlacedPod, Placement
from rootward.ports import Platform
from rootward_ingest.kubernetes.api import Object
from rootward_ingest.kubernetes.membership import Member, backends, member

log = logging.getLogger(__name__)

KINDS = frozenset({"Pod", "Service", "EndpointSlice"})
"""What is needed to tell what runs where."""
SAY_AGAIN_SECONDS = 3600.0
"""What does not change is stored again so often, for it is forgotten after a day."""


class Placer:
    """What the watches of a cluster say of pods, services and their endpoints; for many threads.

    A namespace is stored once all three kinds were listed, with the time of the last word from
    the cluster: of several watchers, one that no longer sees it replaces nothing.
    """

    def __init__(self, platform: Platform, scopes: Sequence[str]) -> None:
        self._platform = platform
        self._scopes = scopes
        """Namespaces that are watched one by one; a single empty one for all of them together."""
        self._lock = threading.Lock()
        self._members: dict[str, dict[str, dict[str, Member]]] = {kind: {} for kind in KINDS}
        """By kind, namespace and name."""
        self._heard: dict[tuple[str, str], float] = {}
        """Time of the last word, by kind and scope."""
        self._changed: set[str] = set()
        self._stored: dict[str, float] = {}
        """Time that was stored with it, by namespace."""

    def listed(self, kind: str, scope: str, things: Sequence[Object]) -> None:
        """These are all the objects of a kind."""
        if kind not in KINDS:
            return
        found: dict[str, dict[str, Member]] = {}
        for thing in things:
            if one := member(kind, thing):
                found.setdefault(_namespace(thing), {})[thing["metadata"]["name"]] = one
        with self._lock:
            known = self._members[kind]
            for namespace in found.keys() | {n for n in known if scope in ("", n)}:
                if known.get(namespace, {}) != found.get(namespace, {}):
                    self._changed.add(namespace)
                known[namespace] = found.get(namespace, {})
            self._heard[kind, scope] = self._platform.clock.now()

    def told(self, kind: str, scope: str, thing: Object, *, gone: bool) -> None:
        """One object as it is now, or one that is gone."""
        if kind not in KINDS:
            return
        one = None if gone else member(kind, thing)
        name, namespace = thing["metadata"]["name"], _namespace(thing)
        with self._lock:
            known = self._members[kind].setdefault(namespace, {})
            if known.get(name) != one:
                self._changed.add(namespace)
            if one is None:
                known.pop(name, None)
            else:
                known[name] = one
        self.heard(kind, scope)

    def heard(self, kind: str, scope: str) -> None:
        """The cluster answers: what is known of a kind is how it is."""
        with self._lock:
            self._heard[kind, scope] = self._platform.clock.now()

    def runs_on(self, node: str) -> tuple[str, ...]:
        """Workloads with a pod on a node, by name."""
        with self._lock:
            pods = [p for known in self._members["Pod"].values() for p in known.values()]
        return tuple(
            sorted({p.workload for p in pods if isinstance(p, PlacedPod) and p.node == node})
        )

    def store(self) -> None:
        """Store the namespaces that changed, and those that were not stored for long."""
        found = self._news()
        if not found:
            return
        try:
            self._platform.placements.put(found)
        except Unavailable as error:
            log.warning("placements wait for the store", extra={"reason": str(error)})
            with self._lock:
                self._changed |= {one.namespace for one in found}
            return
        self._stored |= {one.namespace: one.at_unix for one in found}

    def _news(self) -> list[Placement]:
        with self._lock:
            found = []
            for scope in self._scopes:
                heard = [self._heard.get((kind, scope)) for kind in KINDS]
                if None in heard:
                    continue  # not all is listed yet
                at = max(unix for unix in heard if unix is not None)
                found += [self._placement(n, at) for n in self._due(scope, at)]
            self._changed -= {one.namespace for one in found}
            return found

    def _due(self, scope: str, at_unix: float) -> list[str]:
        known = {name for members in self._members.values() for name in members}
        return [
            name
            for name in sorted(known)
            if scope in ("", name)
            and (
                name in self._changed
                or at_unix - self._stored.get(name, at_unix) >= SAY_AGAIN_SECONDS
            )
        ]

    def _placement(self, namespace: str, at_unix: float) -> Placement:
        members = [
            one
            for kind in sorted(KINDS)
            for _, one in sorted(self._members[kind].get(namespace, {}).items())
        ]
        pods = tuple(one for one in members if isinstance(one, PlacedPod))
        return Placement(namespace, at_unix, pods, backends(members))


def _namespace(thing: Object) -> str:
    return str(thing["metadata"]["namespace"])
