"""What ways from callers to callees tell of both ends."""

import numpy as np

from rootward.numerics.topology import charged_to, explained_callers

WEB, CART, STOCK, MAIL = range(4)
OWN = -1


def _charged(rows: list[tuple[int, int, float]]) -> list[int]:
    """Whom each felt series (owner, viewer, surprise) speaks against."""
    owners, viewers = (np.array(column) for column in list(zip(*rows, strict=True))[:2])
    surprise = np.array([row[2] for row in rows])
    return charged_to(surprise, np.ones(len(rows), dtype=bool), owners, viewers).tolist()


def test_slow_ways_to_callees_that_are_fast_themselves_speak_against_their_caller():
    rows = [(CART, WEB, 6.0), (STOCK, WEB, 5.5), (CART, OWN, 0.2), (STOCK, OWN, 0.1)]

    assert _charged(rows) == [WEB, WEB, CART, STOCK]


def test_one_slow_way_speaks_against_the_callee():
    rows = [(CART, WEB, 6.0), (STOCK, WEB, 0.3), (CART, OWN, 0.2), (STOCK, OWN, 0.1)]

    assert _charged(rows)[0] == CART


def test_ways_to_callees_that_are_slow_themselves_speak_against_them():
    rows = [(CART, WEB, 6.0), (STOCK, WEB, 6.0), (CART, OWN, 5.9), (STOCK, OWN, 5.9)]

    assert _charged(rows)[:2] == [CART, STOCK]


def test_a_callee_that_is_slow_for_all_of_its_callers_is_not_excused_by_them():
    rows = [
        *((STOCK, caller, 6.0) for caller in (WEB, CART, MAIL)),
        *((callee, WEB, 0.2) for callee in (CART, MAIL)),
    ]

    assert _charged(rows)[:3] == [STOCK, STOCK, STOCK]


def test_a_caller_that_waits_for_its_own_callee_is_not_charged_with_the_way_to_itself():
    rows = [(CART, WEB, 6.0), (STOCK, CART, 6.0), (MAIL, CART, 0.1), (MAIL, WEB, 0.1)]

    assert _charged(rows)[:2] == [CART, STOCK]


def test_a_callee_that_lacks_memory_explains_its_slow_caller():
    found = explained_callers(
        surprise=np.array([4.1, 3.9]),
        felt=np.array([True, False]),
        owners=np.array([WEB, STOCK]),
        viewers=np.array([OWN, OWN]),
        calls=np.array([[WEB, STOCK]]),
    )

    assert found.tolist() == [True]
