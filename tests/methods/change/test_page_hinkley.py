"""PageHinkley finds lasting shifts of single series."""

from rootward.methods.change.page_hinkley import PageHinkley
from rootward.testing import cases


def test_it_finds_the_shift_of_the_series_that_moved():
    case = cases.chain(rows=300, seed=2, length=4, fault=6.0).case()
    result = PageHinkley().run(case)
    assert result.found
    assert result.blocks[0].rows[0][0] == "x0|x0"


def test_a_series_that_nothing_drives_stays_unnamed():
    planted = cases.shop(seed=1, service="payment", fault="errors")
    named = {row[0] for row in PageHinkley().run(planted.case()).blocks[0].rows}
    assert str(planted.cause) in named
    assert "catalog-db|errors_per_second" not in named


def test_noise_with_a_memory_is_no_change():
    window = cases.noise(rows=300, seed=3, own=0.8).window.with_onset(200)
    assert PageHinkley().run(cases.Planted(window, frozenset()).case()).found is False
