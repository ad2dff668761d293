"""An API server of Kubernetes, as far as list and watch go, after its documentation.

Objects have versions that only grow; a list comes in pages and says the version it is of; a watch
sends what happened since a version as lines of JSON, with bookmarks; one from before what is
remembered gets 410, as a status or, once the watch runs, as an ERROR line.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Object = dict[str, Any]
PAGE = 2
"""Objects of a page at most, whatever is asked for."""


class Cluster:
    """The objects of a cluster and what happened to them."""

    def __init__(self, token: str = "") -> None:
        self.token = token
        self.asked: list[str] = []
        """Method and path of every request."""
        self.watches = 0
        """Watches that run."""
        self._objects: dict[tuple[str, str], Object] = {}
        self._log: list[tuple[int, str, str, Object]] = []
        self._version = 100
        self._oldest = 0
        self._cut = 0
        self._changed = threading.Condition()

    def put(self, plural: str, thing: Object) -> None:
        """Create or replace an object."""
        metadata = thing["metadata"]
        with self._changed:
            self._version += 1
            stored = json.loads(json.dumps(thing))
            stored["metadata"] |= {"resourceVersion": str(self._version), "uid": metadata["name"]}
            key = (plural, metadata["name"])
            before = self._objects.get(key, {})
            if "spec" in stored and plural != "nodes":
                same = before.get("spec") == stored["spec"]
                generation = before.get("metadata", {}).get("generation", 0)
                stored["metadata"]["generation"] = generation + (not same)
            self._log.append((self._version, "MODIFIED" if before else "ADDED", plural, stored))
            self._objects[key] = stored
            self._changed.notify_all()

    def delete(self, plural: str, name: str) -> None:
        """Delete an object."""
        with self._changed:
            self._version += 1
            gone = self._objects.pop((plural, name))
            gone["metadata"]["resourceVersion"] = str(self._version)
            self._log.append((self._version, "DELETED", plural, gone))
            self._changed.notify_all()

    def forget(self) -> None:
        """Forget what happened, as etcd does when it is compacted."""
        with self._changed:
            self._version += 1
            self._oldest = self._version
            self._log.clear()
            self._changed.notify_all()

    def cut(self) -> None:
        """Break off every watch that runs."""
        with self._changed:
            self._cut += 1
            self._changed.notify_all()

    def page(self, plural: str, limit: int, after: str) -> Object:
        """A page of a list."""
        with self._changed:
            every = sorted(k for k in self._objects if k[0] == plural and k[1] > after)
            size = min(limit or PAGE, PAGE)
            items = [self._objects[k] for k in every[:size]]
            more = every[size - 1][1] if len(every) > size else ""
            metadata = {"resourceVersion": str(self._version), "continue": more}
        return {"kind": "List", "metadata": metadata, "items": items}

    def since(self, plural: str, version: int) -> Iterator[Object | None]:
        """Lines of a watch; None where it is to end."""
        cut = self._cut
        while True:
            with self._changed:
                if version < self._oldest:
                    status = {"kind": "Status", "code": 410, "reason": "Expired"}
                    yield {"type": "ERROR", "object": status}
                    return
                lines = [(v, t, o) for v, t, p, o in self._log if p == plural and v > version]
                newest = self._version
                if not lines and newest == version and self._cut == cut:
                    self._changed.wait(30)
                    continue
            if self._cut != cut:
                yield None
                return
            for _, kind, thing in lines:
                yield {"type": kind, "object": thing}
            version = newest
            yield {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(newest)}}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cluster: Cluster

    def do_GET(self) -> None:
        cluster, where = self.cluster, urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(where.query).items()}
        cluster.asked.append(f"{self.command} {where.path}")
        if cluster.token and self.headers["Authorization"] != f"Bearer {cluster.token}":
            self._answer(401, {"kind": "Status", "code": 401})
            return
        plural = where.path.rpartition("/")[2]
        if asked.get("watch") == "1":
            self._watch(plural, int(asked["resourceVersion"]))
        else:
            limit = int(asked.get("limit", 0))
            self._answer(200, cluster.page(plural, limit, asked.get("continue", "")))

    def _answer(self, code: int, body: Object) -> None:
        written = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def _watch(self, plural: str, version: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.cluster.watches += 1
        try:
            for line in self.cluster.since(plural, version):
                if line is None:
                    self.close_connection = True
                    return  # in the middle, as a proxy that restarts would
                written = json.dumps(line).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(written), written))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True
        finally:
            self.cluster.watches -= 1

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(cluster: Cluster) -> Iterator[str]:
    """The cluster's API server on a free port of the loopback; its URL."""
    handler = type("Handler", (_Handler,), {"cluster": cluster})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            cluster.cut()
            server.shutdown()
            thread.join()
