"""The next best check: what it is worth, what it learns from, and that it is not fooled."""

from dataclasses import replace

import numpy as np
import pytest

from rootward.errors import InsufficientData
from rootward.methods.decisions.next_check import NextCheck, arms_of, worth
from rootward.model.action import ACTIONS
from rootward.model.case import Case
from rootward.model.incident import Candidate, Evidence
from rootward.model.outcome import Outcome
from rootward.model.series import Series
from rootward.testing import cases


def _candidates(*shares: float, metric: str = "latency_p95_seconds") -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            rank, f"s{rank}", Series.of(metric, f"s{rank}"), share,
            (Evidence("size", f"s{rank} rose most."),),
        )
        for rank, share in enumerate(shares, start=1)
    )  # fmt: skip


def _outcomes(action: str, helped: int, failed: int, kind: str = "latency") -> list[Outcome]:
    return [
        Outcome(f"i{k}", action, "s9", kind, float(k < helped), 1.7e9 + k)
        for k in range(helped + failed)
    ]


def _case(candidates: tuple[Candidate, ...], outcomes: list[Outcome], seed: int = 0) -> Case:
    case = cases.chain(rows=60, seed=1, fault=5.0).case(seed=seed)
    return replace(case, candidates=candidates, outcomes=tuple(outcomes))


def _first(case: Case, **parameters) -> str:
    return NextCheck(**parameters).run(case).blocks[0].rows[0][0]


def test_what_helped_before_comes_first_and_says_so():
    case = _case(_candidates(0.8, 0.2), _outcomes("scale_out", 9, 1))
    result = NextCheck().run(case)
    assert result.answer.startswith("Next: add an instance of s1")
    assert "helped in 9 of 10" in result.answer
    assert "s1 rose most" in result.answer
    assert result.headline.value > result.baseline.value


def test_what_failed_before_is_no_longer_proposed():
    failed = _outcomes("roll_back", 0, 12)
    assert "roll back" not in _first(_case(_candidates(0.9, 0.1), failed))


def test_success_against_another_kind_of_trouble_counts_for_less():
    same = _case(_candidates(0.8, 0.2), _outcomes("restart", 6, 0))
    other = _case(_candidates(0.8, 0.2), _outcomes("restart", 6, 0, kind="errors"))
    gains = [NextCheck().run(c).headline.value for c in (same, other)]
    assert gains[0] > gains[1]


def test_a_check_comes_before_remedies_where_it_is_not_known_which_of_two_it_is():
    sure = _outcomes("restart", 30, 0) + _outcomes("read_logs", 30, 0)
    unsure = _case(_candidates(0.5, 0.5), sure)
    known = _case(_candidates(0.97, 0.03), sure)
    assert "look at the logs" in _first(unsure)
    assert _first(known) == "restart s1"


def test_a_check_says_what_its_answer_would_change():
    sure = _outcomes("restart", 30, 0) + _outcomes("read_logs", 30, 0)
    answer = NextCheck().run(_case(_candidates(0.5, 0.4, 0.1), sure)).answer
    assert "if it shows the cause there, restart s" in answer
    assert "; if not, restart s" in answer


def test_what_is_hardly_suspected_is_not_checked_before_a_likely_cause_is_acted_upon():
    """A check is worth nothing where the same remedy follows whatever it shows."""
    shares = (0.76, 0.13, 0.06, 0.05)
    for seed in range(5):
        rows = NextCheck().run(_case(_candidates(*shares), [], seed)).blocks[0].rows
        assert "s1" in rows[0][0]
        assert not any("whatever it shows" in row[-1] for row in rows)


def test_a_check_is_not_worth_the_luck_of_knowing_what_will_help():
    """It tells where the cause is; the remedy is chosen by what is known of remedies then."""
    found = worth(arms_of(_candidates(1.0), []), 30.0, 2000, np.random.default_rng(0))
    remedies = [k for k, a in enumerate(found.arms) if ACTIONS[a.action].remedy]
    best = max(found.mean[k] for k in remedies)
    assert all(found.mean[k] < best for k in range(len(found.arms)) if k not in remedies)


def test_an_incident_that_is_nearly_over_is_worth_no_long_remedy():
    rows = NextCheck(minutes_left=2.0).run(_case(_candidates(0.9, 0.1), [])).blocks[0].rows
    assert all(row[2] < 0 for row in rows if row[1] == "remedy")


def test_few_outcomes_make_the_answer_weak():
    assert NextCheck().run(_case(_candidates(1.0), [])).status == "weak"
    known = _case(_candidates(1.0), _outcomes("restart", 5, 5))
    assert NextCheck().run(known).status == "ok"


def test_nothing_to_act_upon_is_said():
    with pytest.raises(InsufficientData, match="diagnosis"):
        NextCheck().run(_case((), []))


@pytest.mark.parametrize("choice", ["ucb", "thompson"])
def test_over_many_incidents_it_finds_the_remedy_that_works(choice):
    truth = dict.fromkeys(ACTIONS, 0.1) | {"drain": 0.9}
    rng = np.random.default_rng(3)
    outcomes: list[Outcome] = []
    helped = []
    for k in range(60):
        found = worth(arms_of(_candidates(1.0), outcomes), 30.0, 200, np.random.default_rng(k))
        index = found.best if choice == "thompson" else found.mean + 0.5 * found.deviation
        remedies = [i for i, a in enumerate(found.arms) if ACTIONS[a.action].remedy]
        chosen = found.arms[max(remedies, key=lambda i: index[i])]
        success = float(rng.random() < truth[chosen.action])
        helped.append(success)
        outcomes.append(Outcome(f"i{k}", chosen.action, "s1", "latency", success, 1.7e9 + k))
    assert np.mean(helped[-20:]) > 0.7
    assert np.mean(helped[:10]) < 0.7


def _gain(case: Case, step: str) -> float:
    rows = NextCheck().run(case).blocks[0].rows
    return next((float(row[2]) for row in rows if row[0] == step), -np.inf)


def test_after_ten_words_on_one_kind_what_helped_passes_what_stood_before_it():
    """Planted: draining works nine times of ten, all else fails; the untaught order is beaten."""
    candidates = _candidates(0.8, 0.2)
    taught = _case(candidates, _outcomes("drain", 9, 1) + _outcomes("roll_back", 0, 10))
    untaught = _case(candidates, [])
    drain, roll_back = "drain the worst instance of s1", "roll back the last change of s1"
    assert _gain(untaught, roll_back) > _gain(untaught, drain)
    assert _first(taught) == drain
    assert _gain(taught, drain) > _gain(taught, roll_back) + 5.0


def test_words_on_another_kind_of_trouble_move_a_gain_by_much_less():
    candidates, step = _candidates(0.8, 0.2), "drain the worst instance of s1"
    none, same, other = (
        _gain(_case(candidates, told), step)
        for told in ([], _outcomes("drain", 4, 0), _outcomes("drain", 4, 0, kind="errors"))
    )
    assert 0 < other - none < 0.6 * (same - none)


def test_words_on_one_action_leave_the_gains_of_the_others_alone():
    candidates, step = _candidates(1.0), "roll back the last change of s1"
    gains = [
        _gain(_case(candidates, told, seed), step)
        for seed in range(5)
        for told in ([], _outcomes("restart", 20, 0))
    ]
    assert np.mean(gains[1::2]) == pytest.approx(np.mean(gains[::2]), rel=0.1)


def test_what_it_says_it_learnt_from_gives_the_same_answer_again():
    told = _outcomes("drain", 3, 2) + _outcomes("restart", 1, 4, kind="errors")
    candidates = _candidates(0.7, 0.3)
    result = NextCheck().run(_case(candidates, told))
    (learnt,) = (b for b in result.blocks if b.title == "What was learnt from")
    again = [
        one
        for action, kind, tried, helped in learnt.rows
        for one in _outcomes(action, int(helped), int(tried - helped), kind)
    ]
    assert NextCheck().run(_case(candidates, again)) == result
