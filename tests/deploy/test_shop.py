"""The demo shop: it runs, it breaks in the way it is told to, and it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from shop.errors import ShopError
from shop.faults import KINDS
from shop.load import Shape
from shop.run import FAULTS, Shop, canonical
from shop.services.payment import is_card_number
from shop.topology import SERVICES

QUIET = Shape(requests_per_second=0.01)
"""No visitors but the test's own requests."""
PATIENCE_SECONDS = 60.0


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait until the condition holds, at most `PATIENCE_SECONDS`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what


def request(method: str, url: str, body: object = None, timeout: float = 5.0) -> tuple[int, Any]:
    """Status and decoded answer."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, data, method=method), timeout=timeout
        ) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def measured(shop: Shop, service: str) -> dict[str, float]:
    """Values of a service by metric name, summed over labels; buckets are left out."""
    values: dict[str, float] = {}
    with urllib.request.urlopen(shop.targets()[service], timeout=5) as response:
        text = response.read().decode()
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if not sample.name.endswith("_bucket"):
                values[sample.name] = values.get(sample.name, 0.0) + sample.value
    return values


def grown(before: dict[str, float], after: dict[str, float], name: str) -> float:
    """How much one metric grew."""
    return after[name] - before[name]


def mean_seconds(before: dict[str, float], after: dict[str, float], histogram: str) -> float:
    """Mean of what a histogram took in between two looks."""
    return grown(before, after, f"{histogram}_sum") / grown(before, after, f"{histogram}_count")


def is_running(pid: int) -> bool:
    """Whether the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with Shop(tmp_path_factory.mktemp("shop"), seed=1, shape=QUIET) as shop:
        yield shop


@pytest.fixture
def shop(running: Shop) -> Iterator[Shop]:
    """A running shop without visitors; faults end with the test."""
    yield running
    running.heal()


def buy(shop: Shop, user: str) -> tuple[int, Any]:
    """Put something into the cart and check out."""
    item = {"user": user, "product": "p3", "quantity": 2}
    status, answer = request("POST", f"{shop.url}/cart", item)
    if status != 200:
        return status, answer
    return request("POST", f"{shop.url}/checkout", {"user": user, "card": "4111111111111111"})


def test_a_purchase_goes_through_every_service(shop: Shop) -> None:
    before = {name: measured(shop, name) for name in SERVICES}

    status, home = request("GET", f"{shop.url}/?user=ann")
    bought, order = buy(shop, "ann")

    assert (status, bought) == (200, 200)
    assert len(home["recommended"]) == 4
    assert order["tracking"].startswith("T")
    for name in SERVICES:
        assert grown(before[name], measured(shop, name), "http_request_duration_seconds_count") > 0


def test_an_order_is_kept_in_sqlite_and_the_cart_is_empty_after_it(shop: Shop) -> None:
    before = measured(shop, "orders")

    buy(shop, "bea")

    assert request("GET", f"{shop.url}/cart?user=bea") == (200, {"items": {}})
    assert request("POST", f"{shop.url}/checkout", {"user": "bea", "card": "4111111111111111"}) == (
        409,
        {"error": "the cart is empty"},
    )
    assert grown(before, measured(shop, "orders"), "sqlite_query_duration_seconds_count") == 2


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere", None, 404),
        ("GET", "/products/p999", None, 404),
        ("POST", "/cart", {"user": "cid", "product": "p1", "quantity": 0}, 400),
        ("POST", "/cart", ["no object"], 400),
        ("POST", "/checkout", {"user": "cid"}, 400),
    ],
)
def test_a_bad_request_is_refused_with_a_reason_and_is_no_error_of_the_shop(
    shop: Shop, method: str, path: str, body: object, status: int
) -> None:
    before = measured(shop, "frontend")

    answered, text = request(method, shop.url + path, body)

    assert (answered, bool(text["error"])) == (status, True)
    assert grown(before, measured(shop, "frontend"), "http_request_errors_total") == 0


def test_the_scrape_file_names_every_service(shop: Shop, tmp_path: Path) -> None:
    shop.write_scrape_file(tmp_path / "targets.json")

    entries = json.loads((tmp_path / "targets.json").read_text())

    assert {e["labels"]["service"] for e in entries} == set(SERVICES)
    assert {f"http://{e['targets'][0]}/metrics" for e in entries} == set(shop.targets().values())


def test_added_latency_shows_in_the_service_and_in_who_calls_it(shop: Shop) -> None:
    before = {name: measured(shop, name) for name in ("catalogue", "frontend", "cart")}

    shop.inject("latency@catalogue", seconds=0.2)
    request("GET", f"{shop.url}/products/p1")
    request("GET", f"{shop.url}/cart?user=dan")

    after = {name: measured(shop, name) for name in before}
    seconds = {
        n: mean_seconds(before[n], after[n], "http_request_duration_seconds") for n in before
    }
    assert seconds["catalogue"] > 0.15
    assert seconds["frontend"] > 0.15
    assert seconds["cart"] < 0.1


def test_errors_show_in_the_service_and_in_who_calls_it(shop: Shop) -> None:
    before = {name: measured(shop, name) for name in ("shipping", "checkout", "payment")}

    shop.inject("errors@shipping", share=1)
    status, _ = buy(shop, "eve")

    assert status == 502
    grew = {n: grown(before[n], measured(shop, n), "http_request_errors_total") for n in before}
    assert grew == {"shipping": 1, "checkout": 1, "payment": 0}


def test_a_service_that_hangs_is_not_answered_by_but_its_metrics_are(shop: Shop) -> None:
    before = {name: measured(shop, name) for name in ("cart", "frontend")}

    shop.inject("hang@cart")
    status, answer = request("GET", f"{shop.url}/cart?user=fay")

    cart, frontend = measured(shop, "cart"), measured(shop, "frontend")
    assert (status, answer) == (504, {"error": "cart did not answer in time"})
    assert cart["http_requests_in_flight"] == 1
    assert grown(before["cart"], cart, "http_request_duration_seconds_count") == 0
    assert mean_seconds(before["frontend"], frontend, "http_client_request_duration_seconds") > 0.9
    assert grown(before["frontend"], frontend, "http_client_request_errors_total") == 1

    shop.heal()
    eventually(lambda: measured(shop, "cart")["http_requests_in_flight"] == 0, "still hangs")
    assert request("GET", f"{shop.url}/cart?user=fay")[0] == 200


def test_a_held_lock_shows_as_wait_for_it(shop: Shop) -> None:
    before = measured(shop, "orders")

    shop.inject("lock@orders", hold_seconds=0.3)
    buy(shop, "gus")

    after = measured(shop, "orders")
    assert mean_seconds(before, after, "lock_wait_seconds") > 0.05
    assert mean_seconds(before, after, "http_request_duration_seconds") > 0.05


def test_burning_cpu_shows_as_cpu_time_and_slows_requests(shop: Shop) -> None:
    before = measured(shop, "payment")
    for _ in range(5):
        buy(shop, "hal")
    clean = measured(shop, "payment")

    shop.inject("cpu@payment")
    eventually(
        lambda: (
            measured(shop, "payment")["process_cpu_seconds_total"]
            > clean["process_cpu_seconds_total"] + 0.5
        ),
        "no CPU time is used",
    )
    begun = measured(shop, "payment")
    for _ in range(5):
        buy(shop, "hal")

    burning = measured(shop, "payment")
    slow = mean_seconds(begun, burning, "http_request_duration_seconds")
    assert slow > mean_seconds(before, clean, "http_request_duration_seconds") + 0.01


def test_a_leak_shows_as_memory_and_ends_at_its_limit(shop: Shop) -> None:
    megabyte = 2**20
    before = measured(shop, "recommendation")["process_resident_memory_bytes"]

    def memory() -> float:
        return (
            measured(shop, "recommendation")["process_resident_memory_bytes"] - before
        ) / megabyte

    shop.inject("leak@recommendation", megabytes_per_second=200, limit_megabytes=60)
    eventually(lambda: memory() > 40, "memory does not grow")
    eventually(lambda: memory() > 55, "memory does not reach its limit")
    assert memory() < 90

    shop.heal()
    eventually(lambda: memory() < 35, "memory is not given back")


def test_one_fault_of_each_kind_is_shipped_and_a_fault_is_in_no_metric(shop: Shop) -> None:
    for fault in FAULTS:
        shop.inject(fault)

    names = {name for service in SERVICES for name in measured(shop, service)}

    assert sorted(fault.partition("@")[0] for fault in FAULTS) == sorted(KINDS)
    assert not [name for name in names if "fault" in name or "inject" in name]


@pytest.mark.parametrize("fault", ["rust@cart", "latency@cellar", "latency", "@", ""])
def test_a_fault_that_there_is_not_is_refused(shop: Shop, fault: str) -> None:
    with pytest.raises(ShopError, match="is not kind@service; kinds: cpu, errors"):
        shop.inject(fault)


def test_a_service_may_be_named_in_the_other_spelling() -> None:
    assert canonical("latency@catalog") == "latency@catalogue"
    assert canonical("latency@cart") == "latency@cart"


def test_an_option_that_a_fault_does_not_have_is_refused(shop: Shop) -> None:
    with pytest.raises(ShopError, match="latency has no option 'minutes'; it has seconds"):
        shop.inject("latency@cart", minutes=1)
    with pytest.raises(ShopError, match="`seconds` must be a positive number"):
        shop.inject("latency@cart", seconds=-1)


def test_visitors_reach_every_service_and_stop_leaves_no_process(tmp_path: Path) -> None:
    shop = Shop(tmp_path, seed=2, shape=Shape(requests_per_second=200))
    shop.start()
    pids = list(shop.pids().values())
    try:
        for name in SERVICES:
            eventually(
                lambda name=name: measured(shop, name)["http_requests_total"] > 5,  # type: ignore[misc]
                f"no visitor reaches {name}",
            )
    finally:
        shop.stop()

    assert len(pids) == len(SERVICES) + 1
    assert not [pid for pid in pids if is_running(pid)]
    assert not (tmp_path / "shop.json").exists()


def test_a_shop_that_cannot_come_up_says_why_and_leaves_no_process(tmp_path: Path) -> None:
    (tmp_path / "orders.db").mkdir()
    shop = Shop(tmp_path, shape=QUIET)

    with pytest.raises(
        ShopError, match=r"(?s)orders did not come up.*unable to open database file"
    ):
        shop.start(timeout_seconds=10.0)

    assert shop.pids() == {}


def test_children_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    code = (
        "import json, sys; from pathlib import Path; from shop.run import Shop;"
        "shop = Shop(Path(sys.argv[1])); shop.start();"
        "print(json.dumps(shop.pids()), flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=Path(__file__).parents[2] / "deploy",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with parent:
        assert parent.stdout is not None
        pids = list(json.loads(parent.stdout.readline()).values())
        os.kill(parent.pid, signal.SIGKILL)

    assert len(pids) == len(SERVICES) + 1
    eventually(lambda: not any(map(is_running, pids)), "children outlive their parent")


def test_the_day_has_a_noon_and_a_night() -> None:
    shape = Shape(requests_per_second=20, swing=0.5, day_seconds=120)

    assert shape.rate(30) == pytest.approx(30)
    assert shape.rate(90) == pytest.approx(10)


def test_a_card_number_has_a_check_digit() -> None:
    assert is_card_number("4111111111111111")
    assert not is_card_number("4111111111111112")
    assert not is_card_number("four")
