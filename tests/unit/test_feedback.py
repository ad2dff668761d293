"""Our own accuracy from what people confirmed."""

from __future__ import annotations

import pytest

from rootward.model.feedback import Feedback, Verdict, accuracy


def _word(incident: str, verdict: Verdict, rank: int | None, abstained: bool = False) -> Feedback:
    return Feedback(incident, "cart", verdict, "kim", 1.0, "", rank, abstained)


def test_without_a_word_nothing_is_claimed():
    found = accuracy([])
    assert (found.incidents, found.first, found.mean_reciprocal_rank) == (0, None, None)


def test_the_best_confirmed_cause_of_an_incident_counts():
    found = accuracy(
        [
            _word("a", Verdict.CONFIRMED, 4),
            _word("a", Verdict.CONFIRMED, 1),
            _word("b", Verdict.CONFIRMED, 3, abstained=True),
            _word("c", Verdict.CONFIRMED, None),
            _word("d", Verdict.REJECTED, 1),
            _word("e", Verdict.PARTLY, 1),
        ]
    )
    assert found.incidents == 3
    assert found.first == pytest.approx(1 / 3)
    assert found.first_three == pytest.approx(2 / 3)
    assert found.mean_reciprocal_rank == pytest.approx((1 + 1 / 3 + 0) / 3)
    assert found.abstained == pytest.approx(1 / 3)
    assert (found.rejected, found.partly) == (1, 1)


def test_a_rejected_first_beside_a_confirmed_other_counts_once():
    words = [_word("a", Verdict.REJECTED, 1), _word("a", Verdict.CONFIRMED, 2)]
    found = accuracy(words)
    assert (found.rejected, found.first, found.first_three) == (0, 0.0, 1.0)
