"""A series as a key: equal ones hash alike, here and in another process."""

import copy
import pickle

from rootward.model.series import Series


def test_equal_series_hash_alike():
    one, same = Series.of("up", "cart", instance="a"), Series.of("up", "cart", instance="a")
    assert one is not same
    assert hash(one) == hash(same)
    assert len({one, same, Series.of("up", "cart", instance="b")}) == 2


def test_a_hash_does_not_travel_to_another_process():
    one = Series.of("up", "cart")
    hash(one)
    for copied in (pickle.loads(pickle.dumps(one)), copy.deepcopy(one)):
        assert copied == one
        assert "_hash" not in vars(copied)
