"""A cluster that is watched by a real watcher over HTTP, and what was stored of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rootward.model.change_event import ChangeEvent
from rootward.model.placement import Placement
from rootward.ports import Platform
from rootward_ingest.kubernetes.api import Api
from rootward_ingest.kubernetes.watcher import RESOURCES, Watcher
from tests.real.children import until
from tests.services.kubernetes_server import Cluster


class Watched:
    """A cluster that is watched, and what was stored of it."""

    def __init__(self, cluster: Cluster, url: str, platform: Platform, folder: Path) -> None:
        self.cluster = cluster
        self.url = url
        self._platform = platform
        self._token = folder / "token"
        self._token.write_text(cluster.token)
        self._watchers: list[Watcher] = []

    def start(self, *namespaces: str) -> None:
        """Watch; returns once every kind of object is watched."""
        api = Api(self.url, self._token)
        watcher = Watcher(self._platform, api, namespaces, store_every_seconds=0.02)
        self._watchers.append(watcher)
        running = self.cluster.watches
        self._watchers[-1].start()
        everywhere = [resource for resource in RESOURCES if resource.namespaced]
        watches = len(namespaces) * len(everywhere) or len(RESOURCES)
        until(lambda: self.cluster.watches >= running + watches, "all is watched")

    def stop(self) -> None:
        """End every watcher."""
        for watcher in self._watchers:
            watcher.stop()

    def events(self, count: int) -> list[ChangeEvent]:
        """What was stored, the first first, once it is so much."""
        until(lambda: len(self._page()) >= count, f"{count} events")
        found = self._page()
        assert len(found) == count, [e.title for e in found]
        return found

    def placement(self, holds: Callable[[Placement], object]) -> Placement:
        """What is stored of the namespace `shop`, once that is so."""

        def stored() -> list[Placement]:
            return [p for p in self._platform.placements.all() if p.namespace == "shop"]

        until(lambda: any(holds(p) for p in stored()), "it is stored")
        return stored()[0]

    def _page(self) -> list[ChangeEvent]:
        return list(reversed(self._platform.change_events.page(limit=100).items))
