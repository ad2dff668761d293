"""The label rules: which label names the service, which the instance, what is refused."""

import pytest

from rootward.model.naming import SERVICE_SOURCES
from rootward.model.series import Series
from rootward_ingest.labels import series_of
from rootward_ingest.reasons import MAX_LABEL_BYTES, Reason

UP = ("__name__", "up")


def of(**labels: str) -> Series | Reason:
    return series_of([UP, *labels.items()])


def test_the_sources_of_the_service_are_tried_in_their_order():
    names = list(SERVICE_SOURCES)
    while names:
        found = series_of([UP, *((name, f"from-{name}") for name in names)])
        assert isinstance(found, Series)
        assert found.service == f"from-{names.pop(0)}"


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"service": "cart"}, Series.of("up", "cart")),
        ({"app": "cart"}, Series.of("up", "cart")),
        ({"job": "shop/cart"}, Series.of("up", "cart", job="shop/cart")),
        ({"job": "cart"}, Series.of("up", "cart")),
        ({"service": "cart", "job": "shop"}, Series.of("up", "cart", job="shop")),
        ({"service": "", "app": "cart"}, Series.of("up", "cart")),
        ({"app": "cart", "pod": "cart-1"}, Series.of("up", "cart", instance="cart-1")),
        (
            {"app": "cart", "pod": "cart-1", "instance": "10.0.0.1:80"},
            Series.of("up", "cart", instance="10.0.0.1:80", pod="cart-1"),
        ),
        ({"app": "cart", "le": "+Inf"}, Series.of("up", "cart", le="+Inf")),
        ({"app": "cart", "größe": "L"}, Series.of("up", "cart", größe="L")),
    ],
)
def test_labels_become_a_series(labels: dict[str, str], expected: Series):
    assert of(**labels) == expected


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        ([("service", "cart")], Reason.NO_NAME),
        ([("__name__", ""), ("service", "cart")], Reason.NO_NAME),
        ([], Reason.NO_NAME),
        ([UP], Reason.NO_SERVICE),
        ([UP, ("service", "")], Reason.NO_SERVICE),
        ([UP, ("job", "shop/")], Reason.NO_SERVICE),
        ([UP, ("service", "a"), ("service", "b")], Reason.BAD_LABELS),
        ([UP, ("service", "a"), ("", "b")], Reason.BAD_LABELS),
        ([UP, ("service", "a\0b")], Reason.BAD_LABELS),
        ([UP, ("service", "\ud800")], Reason.BAD_LABELS),
        ([UP, ("service", "x" * MAX_LABEL_BYTES)], Reason.LABELS_TOO_LONG),
    ],
)
def test_labels_without_a_series_say_why(pairs: list[tuple[str, str]], reason: Reason):
    assert series_of(pairs) is reason
