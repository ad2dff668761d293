import numpy as np
import pytest

from rootward.model.series import Series
from rootward.model.traits import traits
from rootward.model.window import Window
from rootward.rca.callgraph import viewers
from rootward.rca.diagnose import diagnose
from rootward.rca.frame import framed
from rootward.rca.labelled_calls import labelled_calls, seen_at_callee

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


def _window(*series: Series) -> Window:
    times = 1_700_000_000 + 10.0 * np.arange(6)
    return Window(series, times, np.cumsum(np.ones((6, len(series))), axis=0), 10.0)


def test_what_a_client_measures_of_a_service_is_shown_under_that_service():
    client = Series.of("http_client_calls_total", "cart", dependency="user", instance="cart-1")
    (moved, _) = seen_at_callee(_window(client, USER)).series

    assert moved == Series.of("http_client_calls_from_cart_total", "user", caller_instance="cart-1")


def test_the_view_of_a_caller_survives_framing_and_names_its_viewer():
    clients = [Series.of("http_client_calls_total", "cart", dependency="user", instance=i)
               for i in ("a", "b")]  # fmt: skip
    frame = framed(_window(*clients, CART, USER))
    view = Series.of("http_client_calls_from_cart_rate", "user")

    assert view in frame.series
    assert frame.values[-1, frame.series.index(view)] == pytest.approx(0.2)
    names = traits(frame.series)
    seen_from = viewers(frame.series, names)[frame.series.index(view)]
    assert names.services[seen_from] == "cart"


def test_a_second_pass_and_a_window_without_labels_change_nothing():
    window = seen_at_callee(_window(Series.of("x", "cart", dependency="user"), USER))
    assert seen_at_callee(window) is window
    plain = _window(CART, USER)
    assert seen_at_callee(plain) is plain


def test_a_call_to_something_outside_stays_with_its_caller():
    outside = _window(Series.of("http_client_calls_total", "cart", dependency="bank"), USER)
    assert seen_at_callee(outside) is outside


def test_of_two_services_that_fail_alike_the_one_that_is_called_stands_first():
    names = ["aaa", "shipping"]
    values = np.abs(np.random.default_rng(2).normal(0.0, 0.01, (100, 3)))
    values[80:, :2] = 1.0
    series = (
        Series.of("http_errors_ratio", "aaa"),
        Series.of("http_errors_ratio", "shipping"),
        Series.of("http_client_pool_size", "aaa", dependency="shipping"),
    )
    window = Window(series, 10.0 * np.arange(100), values, 10.0, 80)

    found = diagnose(window, discovery=None)

    assert [c.service for c in found.candidates] == names[::-1]
