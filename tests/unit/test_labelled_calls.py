import pytest

from rootward.model.series import Series
from rootward.rca.labelled_calls import labelled_calls

CART, USER = Series.of("cpu_usage", "cart"), Series.of("cpu_usage", "user")


def test_a_client_that_names_whom_it_calls_gives_a_call():
    client = Series.of("http_client_request_duration_seconds_count", "cart", dependency="user")
    assert labelled_calls([client, USER]) == (("cart", "user"),)


@pytest.mark.parametrize(
    "address", ["user", "user:8080", "user.shop.svc.cluster.local:80", "http://user:8000", "User"]
)
def test_an_address_stands_for_the_service_that_its_host_names(address: str):
    client = Series(
        "http.client.request.duration", (("server.address", address), ("service", "cart"))
    )
    assert labelled_calls([client, USER]) == (("cart", "user"),)


def test_a_mesh_names_both_ends_whoever_reports():
    labels = {"source_workload": "cart", "destination_workload": "user"}
    reported = Series.of("istio_requests_total", "user", **labels)
    assert labelled_calls([reported, CART]) == (("cart", "user"),)


def test_a_server_that_names_its_caller_gives_a_call():
    assert labelled_calls([Series.of("requests_total", "user", caller="cart"), CART]) == (
        ("cart", "user"),
    )


def test_a_name_that_is_no_service_here_and_a_call_to_itself_are_nothing():
    outside = Series.of("x", "cart", dependency="api.example.org")
    itself = Series.of("y", "cart", dependency="cart")
    assert labelled_calls([outside, itself, USER]) == ()
