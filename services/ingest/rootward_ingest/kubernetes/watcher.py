"""Follows the objects of a cluster; stores what is done to them, and what runs where."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from rootward import telemetry
from rootward.errors import Unavailable
from rootward.model.change_event import ChangeEvent
from rootward.ports import Platform
from rootward_ingest.kubernetes.api import Api, Expired, Happened, Object, Resource
from rootward_ingest.kubernetes.meaning import Seen, changes, removed, seen, with_workloads
from rootward_ingest.kubernetes.placing import Placer

log = logging.getLogger(__name__)

RESOURCES = (
    Resource("Deployment", "apis/apps/v1", "deployments"),
    Resource("StatefulSet", "apis/apps/v1", "statefulsets"),
    Resource("DaemonSet", "apis/apps/v1", "daemonsets"),
    Resource("ConfigMap", "api/v1", "configmaps"),
    Resource("Pod", "api/v1", "pods"),
    Resource("Service", "api/v1", "services"),
    Resource("EndpointSlice", "apis/discovery.k8s.io/v1", "endpointslices"),
    Resource("Node", "api/v1", "nodes", namespaced=False),
)
"""What is read, and all that is: no secrets."""
STORE_EVERY_SECONDS = 5.0
"""How soon it is stored that something runs elsewhere."""
_FIRST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 1.0, 60.0


class Watcher:
    """One thread for each kind of object and namespace.

    The first look at an object is what later ones are compared with. Where the server has
    forgotten a version, all is listed again and compared with what was seen, so that nothing is
    missed but what came and went in between. Events have ids of their own: several watchers of
    one cluster store each once.
    """

    def __init__(
        self,
        platform: Platform,
        api: Api,
        namespaces: Sequence[str] = (),
        *,
        store_every_seconds: float = STORE_EVERY_SECONDS,
    ) -> None:
        self._platform = platform
        self._api = api
        self._stop = threading.Event()
        self._store_every_seconds = store_every_seconds
        scopes = namespaces or ("",)
        self._placer = Placer(platform, scopes)
        everywhere = [(r, n) for r in RESOURCES if r.namespaced for n in scopes]
        cluster = [(r, "") for r in RESOURCES if not r.namespaced and not namespaces]
        self._threads = [
            threading.Thread(
                target=self._follow, args=(resource, namespace), name=f"watch-{resource.plural}",
                daemon=True,
            )
            for resource, namespace in (*everywhere, *cluster)
        ]  # fmt: skip
        self._threads.append(threading.Thread(target=self._place, name="place", daemon=True))

    def start(self) -> None:
        """Begin to follow, in the background."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; who waits for news is woken, who lists ends with the process if it takes long."""
        self._stop.set()
        self._api.end()
        for thread in self._threads:
            thread.join(1.0)
        self._api.close()

    def _follow(self, resource: Resource, namespace: str) -> None:
        known: dict[str, Seen] = {}
        version, failures, first = "", 0, True
        while not self._stop.is_set():
            try:
                if not version:
                    version, first = self._look(resource, namespace, known, first=first), False
                for happened in self._api.watch(resource, version, namespace):
                    self._take(resource, namespace, known, happened)
                    version, failures = happened.version, 0
                self._placer.heard(resource.kind, namespace)
            except Expired:
                version = ""
            except (KeyError, TypeError, ValueError, AttributeError):
                log.exception("an object of Kubernetes is not what its API says")
                version, failures = "", failures + 1
                self._stop.wait(_wait_seconds(failures))
            except Unavailable as error:
                failures += 1
                facts = {"resource": resource.plural, "reason": str(error)}
                if not self._stop.is_set():
                    log.warning("Kubernetes is not seen", extra=facts)
                self._stop.wait(_wait_seconds(failures))

    def _look(
        self, resource: Resource, namespace: str, known: dict[str, Seen], *, first: bool
    ) -> str:
        """List everything; the version to watch from. Only pods tell of what was before."""
        found, version = self._api.list(resource, namespace)
        now = self._platform.clock.now()
        for thing in found:
            uid = thing["metadata"]["uid"]
            if uid in known or resource.kind == "Pod" or not first:
                self._store(self._done(resource, known.get(uid), thing, now))
            known[uid] = seen(thing)
        for uid in known.keys() - {thing["metadata"]["uid"] for thing in found}:
            del known[uid]
        self._placer.listed(resource.kind, namespace, found)
        return version

    def _take(
        self, resource: Resource, namespace: str, known: dict[str, Seen], happened: Happened
    ) -> None:
        if happened.type == "BOOKMARK":
            self._placer.heard(resource.kind, namespace)
            return
        thing: Object = happened.object
        gone = happened.type == "DELETED"
        self._placer.told(resource.kind, namespace, thing, gone=gone)
        uid, now = thing["metadata"]["uid"], self._platform.clock.now()
        if gone:
            self._store(list(removed(resource.kind, thing, now)))
            known.pop(uid, None)
            return
        self._store(self._done(resource, known.get(uid), thing, now))
        known[uid] = seen(thing)

    def _place(self) -> None:
        """Store what runs where, now and then."""
        while not self._stop.wait(self._store_every_seconds):
            self._placer.store()

    def _done(
        self, resource: Resource, before: Seen | None, thing: Object, now: float
    ) -> list[ChangeEvent]:
        """What was done to an object; of a node also who runs there."""
        found = list(changes(resource.kind, before, thing, now))
        if resource.kind != "Node" or not found:
            return found
        there = self._placer.runs_on(thing["metadata"]["name"])
        return [with_workloads(event, there) for event in found]

    def _store(self, events: list[ChangeEvent]) -> None:
        """Store events; where the store does not answer, wait for it: nothing is passed over."""
        while events and not self._stop.is_set():
            try:
                if self._platform.change_events.put(events):
                    for event in events:
                        telemetry.CHANGE_EVENTS.labels(event.kind.value).inc()
                return
            except Unavailable as error:
                log.warning("change events wait for the store", extra={"reason": str(error)})
                self._stop.wait(_FIRST_WAIT_SECONDS)


def _wait_seconds(failures: int) -> float:
    return min(_FIRST_WAIT_SECONDS * 2.0 ** (failures - 1), _LONGEST_WAIT_SECONDS)
