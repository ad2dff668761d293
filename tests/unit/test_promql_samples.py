"""What a PromQL backend that does not play along is turned into: a clear error, never an answer."""

from collections.abc import Callable

import httpx
import pytest

from rootward.adapters.promql_samples import ALL, PromqlSampleStore
from rootward.errors import (
    InsufficientData,
    InvalidConfiguration,
    InvalidInput,
    RootwardError,
    Unavailable,
)
from rootward.ports import WindowQuery

URL = "promql+http://metrics:9090/prometheus"
QUERY = WindowQuery(1_700_000_000.0, 10, 15.0)
Answer = Callable[[httpx.Request], httpx.Response]


def store(answer: Answer, url: str = URL) -> PromqlSampleStore:
    return PromqlSampleStore(url, httpx.Client(transport=httpx.MockTransport(answer)))


def data(found: object) -> httpx.Response:
    return httpx.Response(200, json={"status": "success", "data": found})


def backend(request: httpx.Request) -> httpx.Response:
    """One that answers each question, and holds nothing."""
    if request.url.path.endswith("/series"):
        return data([{"__name__": "up", "job": "cart"}])
    starts = b"count_over_time" in request.content
    found = [{"metric": {}, "value": [1.7e9, "3"]}] if starts else []
    return data({"resultType": "vector", "result": found})


def refusing(status: int, error: str = "") -> Answer:
    body = {"status": "error", "errorType": "x", "error": error} if error else None
    return lambda _: httpx.Response(status, json=body)


def test_it_asks_below_the_path_of_its_address_and_for_the_tenant():
    asked: list[httpx.Request] = []

    def noting(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return backend(request)

    with pytest.raises(InsufficientData, match=r"no sample between 1699999850\.000"):
        store(noting).window(WindowQuery(1.7e9, 10, 15.0, tenant="shop"))

    paths = {request.url.path.removeprefix("/prometheus/api/v1/") for request in asked}
    assert paths == {"series", "query", "query_range"}
    windows = [request for request in asked if request.url.path.endswith("query_range")]
    assert [request.headers["X-Scope-OrgID"] for request in windows] == ["shop"]
    assert all(request.method == "POST" for request in asked)


@pytest.mark.parametrize(
    ("answer", "error", "told"),
    [
        (refusing(400, "parse error"), InvalidInput, "says 400: parse error"),
        (refusing(422, "too many samples"), InvalidInput, "too many samples"),
        (refusing(401), InvalidConfiguration, "ROOTWARD_SAMPLES_URL: .* says 401"),
        (refusing(404), InvalidConfiguration, "says 404"),
        (refusing(429, "slow down"), Unavailable, "slow down"),
        (refusing(503, "query timed out"), Unavailable, "query timed out"),
        (lambda _: httpx.Response(200, text="<html>"), Unavailable, "says 200"),
        (lambda _: data("nonsense"), Unavailable, "not as the query API"),
    ],
)
def test_an_answer_that_is_none_is_an_error_that_says_why(
    answer: Answer, error: type[RootwardError], told: str
):
    for ask in (lambda one: one.check(), lambda one: one.series()):
        with pytest.raises(error, match=told):
            ask(store(answer))


@pytest.mark.parametrize("failure", [httpx.ConnectError("refused"), httpx.ReadTimeout("slow")])
def test_a_backend_that_does_not_answer_is_unavailable(failure: Exception):
    def fail(_: httpx.Request) -> httpx.Response:
        raise failure

    with pytest.raises(Unavailable, match=f"metrics:9090/prometheus does not answer: {failure}"):
        store(fail).window(QUERY)


@pytest.mark.parametrize(("rows", "step"), [(0, 1.0), (5, 0.0), (5, 1 / 3), (5, float("nan"))])
def test_a_window_that_no_backend_can_give_is_refused(rows: int, step: float):
    with pytest.raises(InvalidInput, match="whole milliseconds"):
        store(backend).window(WindowQuery(1.7e9, rows, step))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://metrics:9090", "scheme http; allowed: promql"),
        ("promql+http://", "allowed"),
        ("promql+http://metrics?step=3", "parameter step"),
    ],
)
def test_an_address_that_is_wrong_is_named_with_what_is_allowed(url: str, told: str):
    with pytest.raises(InvalidConfiguration, match=f"ROOTWARD_SAMPLES_URL .*{told}"):
        PromqlSampleStore(url)


def test_without_selectors_it_reads_whatever_was_scraped():
    asked: list[bytes] = []

    def noting(request: httpx.Request) -> httpx.Response:
        asked.append(request.content)
        return backend(request)

    with pytest.raises(InsufficientData, match=ALL):
        store(noting).window(QUERY)
    assert any(b"job" in content for content in asked)


def test_series_without_a_service_are_left_out_and_infinite_values_are_not_measured():
    def two(request: httpx.Request) -> httpx.Response:
        if not request.url.path.endswith("query_range"):
            return backend(request)
        end = 1_700_000_000
        values = [[end - 30, "+Inf"], [end - 15, "NaN"], [end, "2.5"]]
        cart = {"metric": {"__name__": "load", "job": "shop/cart"}, "values": values}
        nobody = {"metric": {"__name__": "load"}, "values": values}
        native = {"metric": {"__name__": "latency", "job": "cart"}, "histograms": []}
        return data({"resultType": "matrix", "result": [cart, nobody, native]})

    window = store(two).window(WindowQuery(1.7e9, 3, 15.0))

    assert [one.service for one in window.series] == ["cart"]
    assert [str(value) for value in window.values[:, 0]] == ["nan", "nan", "2.5"]
