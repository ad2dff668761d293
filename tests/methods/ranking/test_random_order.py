"""The floor: an order that depends on the seed and on nothing else."""

from dataclasses import replace

from rootward.methods.ranking.random_order import RandomOrder
from rootward.testing import cases


def test_the_values_do_not_decide_the_order():
    case = cases.shop(seed=1).case(seed=3)
    other = cases.shop(seed=2, service="cart").case(seed=3)

    assert RandomOrder().service_scores(case) == RandomOrder().service_scores(other)


def test_another_seed_gives_another_order():
    case = cases.shop().case(seed=0)

    orders = {tuple(RandomOrder().service_scores(replace(case, seed=k)).values()) for k in range(5)}

    assert len(orders) > 1


def test_another_time_gives_another_order():
    case = cases.shop().case()

    orders = {
        tuple(RandomOrder().service_scores(replace(case, window=case.window.rows(k, 300))).values())
        for k in range(5)
    }

    assert len(orders) > 1


def test_no_two_services_tie():
    found = RandomOrder().service_scores(cases.shop().case())

    assert len(set(found.values())) == len(found)
