"""List and watch, as the Kubernetes API documents them: pages, versions, bookmarks, 410 Gone."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from rootward.errors import InvalidConfiguration, Unavailable

Object = Mapping[str, Any]
"""An object as the API writes it in JSON."""

TOKEN_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
CA_FILE = TOKEN_FILE.with_name("ca.crt")
_PAGE = 500
_QUIET_SECONDS = 30.0
"""A watch that says nothing for so long is begun again where it stood."""
_GONE = 410


class Expired(Exception):
    """The version to go on from is too old for the server: list again."""


@dataclass(frozen=True)
class Resource:
    """A kind of object and where it is found."""

    kind: str
    group: str
    """Path of its group and version: `api/v1`, `apis/apps/v1`."""
    plural: str
    namespaced: bool = True

    def path(self, namespace: str) -> str:
        """Where it is found, in one namespace or, empty, in all of them."""
        within = f"namespaces/{namespace}/" if namespace and self.namespaced else ""
        return f"/{self.group}/{within}{self.plural}"


@dataclass(frozen=True)
class Happened:
    """One line of a watch."""

    type: str
    """ADDED, MODIFIED, DELETED or BOOKMARK."""
    object: Object

    @property
    def version(self) -> str:
        """The version to go on from after it."""
        return str(self.object["metadata"]["resourceVersion"])


class Api:
    """A client of one API server; safe to use from several threads.

    The token is read again for each request, for the kubelet replaces it.
    """

    def __init__(self, url: str, token_file: Path = TOKEN_FILE, ca_file: Path = CA_FILE) -> None:
        self._token_file = token_file
        self._lock = threading.Lock()
        self._watched: set[socket.socket] = set()
        self._ended = False
        try:
            verify = ssl.create_default_context(cafile=ca_file if ca_file.exists() else None)
            self._client = httpx.Client(
                base_url=url,
                verify=verify,
                trust_env=False,
                timeout=httpx.Timeout(10.0, read=_QUIET_SECONDS),
                limits=httpx.Limits(max_connections=None),  # each watch holds one
                headers={"Accept": "application/json", "User-Agent": "rootward"},
            )
        except (OSError, ValueError) as error:
            raise InvalidConfiguration(f"ROOTWARD_KUBERNETES_URL: {error}") from error

    def list(self, resource: Resource, namespace: str = "") -> tuple[list[Object], str]:
        """Every object there is, and the version to watch from.

        Raises:
            Unavailable: the server does not answer, or refuses.
        """
        found: list[Object] = []
        more = ""
        while True:
            asked = {"limit": str(_PAGE)} | ({"continue": more} if more else {})
            with self._asked(resource.path(namespace), asked) as answer:
                page = _read(answer.read())
            found.extend(page.get("items") or ())
            more = page["metadata"].get("continue", "")
            if not more:
                return found, str(page["metadata"]["resourceVersion"])

    def watch(self, resource: Resource, version: str, namespace: str = "") -> Iterator[Happened]:
        """What happens from a version on, until the server ends it or falls silent.

        Raises:
            Expired: the version is too old.
            Unavailable: the server does not answer, or refuses.
        """
        asked = {"watch": "1", "allowWatchBookmarks": "true", "resourceVersion": version}
        with self._asked(resource.path(namespace), asked) as answer, self._ending(answer):
            try:
                for line in answer.iter_lines():
                    if line:
                        yield _happened(_read(line))
            except httpx.ReadTimeout:
                return
            except httpx.HTTPError as error:
                raise Unavailable(f"Kubernetes: the watch broke off: {error}") from error

    def end(self) -> None:
        """End every watch, and each that is begun later at once; idempotent."""
        with self._lock:
            self._ended = True
            for one in self._watched:
                with suppress(OSError):  # the server was first
                    one.shutdown(socket.SHUT_RDWR)  # which wakes who reads from it

    def close(self) -> None:
        """Let go of all connections; idempotent."""
        self._client.close()

    @contextmanager
    def _ending(self, answer: httpx.Response) -> Iterator[None]:
        """While this answer is read, `end` may end it."""
        one: socket.socket = answer.extensions["network_stream"].get_extra_info("socket")
        with self._lock:
            if self._ended:
                raise Unavailable("Kubernetes is no longer watched")
            self._watched.add(one)
        try:
            yield
        finally:
            with self._lock:
                self._watched.discard(one)

    @contextmanager
    def _asked(self, path: str, parameters: Mapping[str, str]) -> Iterator[httpx.Response]:
        try:
            with self._client.stream("GET", path, params=parameters, headers=self._who()) as answer:
                if answer.status_code == _GONE:
                    raise Expired
                if answer.status_code != httpx.codes.OK:
                    raise Unavailable(f"Kubernetes answers {answer.status_code} to GET {path}")
                yield answer
        except (httpx.HTTPError, RuntimeError) as error:  # RuntimeError: closed meanwhile
            raise Unavailable(f"Kubernetes does not answer: {error}") from error

    def _who(self) -> dict[str, str]:
        try:
            token = self._token_file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return {}
        return {"Authorization": f"Bearer {token}"}


def _read(text: str | bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise Unavailable(f"Kubernetes answers what is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Unavailable("Kubernetes answers what is no object")
    return found


def _happened(line: Mapping[str, Any]) -> Happened:
    kind, thing = str(line.get("type")), line.get("object", {})
    if kind == "ERROR":
        if thing.get("code") == _GONE:
            raise Expired
        raise Unavailable(f"Kubernetes ends the watch: {thing.get('message', thing)}")
    return Happened(kind, thing)
