"""What every store of parts keeps to."""

from __future__ import annotations

import numpy as np
import pytest

from rootward.errors import NotFound
from rootward.ports import Platform

SHARED = {"x": np.linspace(0, 1, 7, dtype=np.float32), "n": np.array([3, 4]), "s": np.array("cpu")}


def test_what_is_shared_comes_back_bit_for_bit(stores: Platform):
    whole = stores.parts.lay_out("neural_granger", SHARED, 2)
    method, shared = stores.parts.shared(whole)

    assert method == "neural_granger"
    assert {k: (v.dtype, v.tolist()) for k, v in shared.items()} == {
        k: (v.dtype, v.tolist()) for k, v in SHARED.items()
    }


def test_each_part_is_taken_once_and_answers_stand_in_order(stores: Platform):
    whole = stores.parts.lay_out("m", SHARED, 3)
    taken = [stores.parts.take(whole, 60.0) for _ in range(4)]
    assert [part and part.number for part in taken] == [0, 1, 2, None]
    for part in filter(None, reversed(taken)):
        assert stores.parts.answers(whole) is None
        assert stores.parts.answer(part, {"k": np.array(part.number)})

    answers = stores.parts.answers(whole)
    assert answers is not None
    assert [int(one["k"]) for one in answers] == [0, 1, 2]


def test_who_lost_a_part_can_neither_keep_nor_answer_it(stores: Platform):
    whole = stores.parts.lay_out("m", SHARED, 1)
    lost = stores.parts.take(whole, -1.0)  # a lease that is over at once
    kept = stores.parts.take(whole, 60.0)

    assert lost is not None
    assert kept is not None
    assert not stores.parts.renew(lost, 60.0)
    assert not stores.parts.answer(lost, {"k": np.array(1)})
    assert stores.parts.renew(kept, 60.0)
    assert stores.parts.answer(kept, {"k": np.array(2)})


def test_what_was_cleared_away_is_gone_for_all(stores: Platform):
    whole = stores.parts.lay_out("m", SHARED, 2)
    part = stores.parts.take(whole, 60.0)
    assert part is not None
    stores.parts.clear(whole)
    stores.parts.clear(whole)

    assert stores.parts.take(whole, 60.0) is None
    assert not stores.parts.answer(part, {"k": np.array(1)})
    with pytest.raises(NotFound):
        stores.parts.shared(whole)


def test_what_nobody_cleared_away_expires(stores: Platform):
    stores.parts.lay_out("m", SHARED, 2)

    assert stores.parts.expire(stores.clock.now() - 10.0) == 0
    assert stores.parts.expire(stores.clock.now() + 10.0) == 1
