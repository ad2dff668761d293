"""The calls of the API as functions. Answers are the JSON that docs/api.md describes."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any
from urllib.parse import quote

import httpx

from rootward.errors import RootwardError, Unavailable

Json = Mapping[str, Any]
"""One object of an answer."""
TIMEOUT_SECONDS = 30.0
_PAGE = 100


class Refused(RootwardError):
    """The API answered with a problem; `code` is its stable word, `status` the HTTP status."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        self.status = status
        self.code = code
        super().__init__(f"{detail} ({code}, HTTP {status})")


class Client:
    """One server, with a token where it asks for one.

    Requests that change something carry an Idempotency-Key and are sent a second time where the
    connection broke: they are done once.
    """

    def __init__(
        self, url: str, token: str = "", *, transport: httpx.BaseTransport | None = None
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1/",
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            transport=transport,
        )

    def __enter__(self) -> Client:
        """Itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self._http.close()

    def incidents(self, **filters: str | Sequence[str] | bool) -> Iterator[Json]:
        """Incidents that fit, newest first: status, severity, service, assignee, q."""
        return self._every("incidents", filters)

    def incident(self, key: str) -> Json:
        """One incident with all that is known of it."""
        return self._read(f"incidents/{_part(key)}")

    def activity(self, key: str) -> Sequence[Json]:
        """Its log, the earliest line first."""
        return tuple(self._read(f"incidents/{_part(key)}/activity")["items"])

    def acknowledge(self, key: str) -> Json:
        """Note that it was seen."""
        return self._change(key, "acknowledge")

    def assign(self, key: str, assignee: str) -> Json:
        """Give it to somebody, or with an empty name to nobody."""
        path = f"incidents/{_part(key)}"
        etag = f'"{self.incident(key)["incident"]["version"]}"'
        return self._sent("PATCH", path, {"assignee": assignee}, {"If-Match": etag})

    def resolve(self, key: str, note: str = "") -> Json:
        """End it."""
        return self._change(key, "resolve", {"note": note})

    def reopen(self, key: str, note: str = "") -> Json:
        """Take its end back."""
        return self._change(key, "reopen", {"note": note})

    def comment(self, key: str, text: str) -> Json:
        """Say something about it; the line of the log."""
        return self._change(key, "comments", {"text": text})

    def merge(self, key: str, others: Sequence[str]) -> Json:
        """Let it take in any number of others."""
        return self._change(key, "merge", {"incidents": list(others)})

    def feedback(self, key: str, service: str, verdict: str, reason: str = "") -> Json:
        """Say that a service was the cause (confirmed), was not (rejected), or partly."""
        said = {"service": service, "verdict": verdict, "reason": reason}
        return self._change(key, "feedback", said)

    def tell_outcome(
        self, key: str, action: str, service: str, helped: bool | None = None, note: str = ""
    ) -> Json:
        """Say what came of a check or a remedy; without `helped` the symptom's recovery decides."""
        word = {"action": action, "service": service, "helped": helped, "note": note}
        return self._change(key, "outcomes", word)

    def outcomes(self, key: str) -> Sequence[Json]:
        """What was told of checks and remedies in it, the earliest first."""
        return tuple(self._read(f"incidents/{_part(key)}/outcomes")["items"])

    def explain(self, start_unix: float, end_unix: float, services: Sequence[str] = ()) -> Json:
        """Ask for the diagnosis of a stretch of time; `diagnosis` reads how far it is."""
        wanted = {"start": start_unix, "end": end_unix, "services": list(services)}
        return self._post("diagnoses", wanted)

    def diagnosis(self, run_id: str) -> Json:
        """A diagnosis by request."""
        return self._read(f"diagnoses/{_part(run_id)}")

    def bundle(self, key: str) -> bytes:
        """The zip file that repeats its diagnosis."""
        return self._answer("GET", f"incidents/{_part(key)}/bundle").content

    def graphs(self) -> Iterator[Json]:
        """The current version of the causal graph of each service, without edges."""
        return self._every("graphs", {})

    def graph(self, service: str, version: int | None = None) -> Json:
        """The causal graph of a service with its edges; without a version the current one."""
        return self._read(f"graphs/{_part(service)}", {"version": version} if version else None)

    def drift(self) -> Iterator[Json]:
        """What changed after something was done, though no incident opened, newest first."""
        return self._every("drift", {})

    def status(self) -> Json:
        """What comes in, how fresh it is, what waits."""
        return self._read("status")

    def _every(self, path: str, filters: Mapping[str, Any]) -> Iterator[Json]:
        cursor: str | None = None
        while True:
            wanted = {**filters, "limit": _PAGE} | ({"cursor": cursor} if cursor else {})
            page = self._read(path, wanted)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _read(self, path: str, params: Mapping[str, Any] | None = None) -> Json:
        return self._object(self._answer("GET", path, params=params))

    def _change(self, key: str, deed: str, body: Json | None = None) -> Json:
        return self._post(f"incidents/{_part(key)}/{deed}", body)

    def _post(self, path: str, body: Json | None) -> Json:
        return self._sent("POST", path, body, {"Idempotency-Key": uuid.uuid4().hex})

    def _sent(self, method: str, path: str, body: Json | None, headers: Mapping[str, str]) -> Json:
        try:
            return self._object(self._answer(method, path, json=body, headers=headers))
        except Unavailable:
            return self._object(self._answer(method, path, json=body, headers=headers))

    def _answer(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise Unavailable(f"{self._http.base_url} does not answer: {error}") from error
        if answer.is_success:
            return answer
        raise _refusal(answer)

    def _object(self, answer: httpx.Response) -> Json:
        try:
            found: Json = answer.json()
        except ValueError as error:
            raise Unavailable(f"{self._http.base_url} is no API of Rootward") from error
        return found


def _part(key: str) -> str:
    return quote(key, safe="")


def _refusal(answer: httpx.Response) -> Refused:
    try:
        told = answer.json()
        return Refused(answer.status_code, str(told["code"]), str(told["detail"]))
    except (ValueError, KeyError, TypeError):
        return Refused(answer.status_code, "http_error", answer.reason_phrase)
