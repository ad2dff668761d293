"""The causal bandit: its parts against plain algebra, its play, and its detector of mechanisms."""

import numpy as np
import pytest

from rootward.errors import InvalidParameters
from rootward.methods.change.causal_bandit.method import CausalBandit
from rootward.methods.change.causal_bandit.model.actions import (
    all_actions,
    climbed,
    values_of,
    values_of_all,
)
from rootward.methods.change.causal_bandit.model.bandit import AS_PUBLISHED, Learner, Options
from rootward.methods.change.causal_bandit.model.columns import Columns
from rootward.methods.change.causal_bandit.model.order import learnt_order, parents_before
from rootward.methods.change.causal_bandit.model.shift import (
    Recent,
    inflation_ratio,
    mean_and_variance_ratio,
)
from rootward.methods.change.causal_bandit.model.theorem import values_by_inverse
from rootward.methods.change.causal_bandit.model.topology import (
    acyclic,
    dependence_score,
    mutual_information,
    power_loss_score,
)
from rootward.testing import cases
from rootward.testing.bandits import Bandit, changed, random_bandit

NODES = 6


def _explored(bandit: Bandit, steps: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Actions chosen at random, and what they did."""
    rng = np.random.default_rng(seed)
    actions = rng.integers(0, 2, (steps, bandit.nodes))
    return actions, np.array([bandit.pull(a, rng) for a in actions])


def _columns(bandit: Bandit, steps: int, seed: int = 0, **options) -> Columns:
    columns = Columns(bandit.means, bandit.deviations**2, **options)
    columns.relearn(parents_before(list(bandit.order)))
    for action, values in zip(*_explored(bandit, steps, seed), strict=True):
        columns.add(action, values)
    return columns


def _learner(bandit: Bandit, options: Options) -> Learner:
    return Learner(bandit.means, bandit.deviations**2, options, np.random.default_rng(3))


def _play(learner: Learner, bandit: Bandit, steps: int, seed: int = 4) -> float:
    """Regret of so many steps."""
    rng, rewards = np.random.default_rng(seed), bandit.rewards()
    numbers = 2 ** np.arange(bandit.nodes - 1, -1, -1)
    regret = 0.0
    for _ in range(steps):
        action = learner.choose()
        learner.observe(action, bandit.pull(action, rng))
        regret += float(rewards.max() - rewards[int(action @ numbers)])
    return regret


def test_rank_one_updates_give_the_ridge_regression_of_all_samples():
    bandit = random_bandit(NODES, np.random.default_rng(1))
    columns = _columns(bandit, 80)
    actions, values = _explored(bandit, 80)
    node = bandit.order[3]
    earlier = list(bandit.order[:3])
    rows = actions[:, node] == 1
    x, y = values[rows][:, earlier], values[rows, node] - 1
    plain = np.linalg.solve(x.T @ x + np.eye(3), x.T @ y)
    assert columns.weights[1, node, earlier] == pytest.approx(plain)
    columns.relearn(columns.parents)
    assert columns.weights[1, node, earlier] == pytest.approx(plain)


def test_a_full_column_learns_no_more_and_the_others_go_on():
    bandit = random_bandit(NODES, np.random.default_rng(1))
    assert _columns(bandit, 80, most=10).counts.max() == 10
    assert _columns(bandit, 80).counts.sum() == 80 * NODES


def test_innovations_are_standard_normal_while_nothing_changes():
    bandit = random_bandit(NODES, np.random.default_rng(2))
    columns = _columns(bandit, 60)
    rng = np.random.default_rng(9)
    seen = []
    for _ in range(400):
        action = rng.integers(0, 2, NODES)
        seen.append(columns.add(action, bandit.pull(action, rng)))
    assert np.mean(seen) == pytest.approx(0, abs=0.1)
    assert np.std(seen) == pytest.approx(1, abs=0.1)


def test_the_trees_of_all_actions_agree_with_inverses_and_with_one_action_at_a_time():
    bandit = random_bandit(NODES, np.random.default_rng(3))
    learner = _learner(bandit, Options())
    _play(learner, bandit, 100)
    values = values_of_all(learner.system())
    listed = values_of(learner.system(), all_actions(NODES))
    assert values.mean == pytest.approx(listed.mean)
    assert values.deviation == pytest.approx(listed.deviation)
    by_inverse = values_by_inverse(learner.columns, 0.05)
    in_their_order = all_actions(NODES)[:, learner.order] @ (2 ** np.arange(NODES - 1, -1, -1))
    assert by_inverse.mean == pytest.approx(values.mean[in_their_order])


def test_the_bound_of_the_theorem_is_wider_than_the_error_and_than_the_deviation():
    bandit = random_bandit(NODES, np.random.default_rng(4))
    columns = _columns(bandit, 300)
    values = values_by_inverse(columns, 0.05)
    error = np.abs(values.mean - bandit.rewards())
    assert np.mean(error <= values.deviation) >= 0.95


def test_the_first_order_deviation_is_as_large_as_the_errors_that_it_foretells():
    ratios = []
    for seed in range(20):
        bandit = random_bandit(NODES, np.random.default_rng([5, seed]), shuffled=False)
        learner = _learner(bandit, Options())
        learner.order = list(bandit.order)
        learner.columns = _columns(bandit, 300, seed)
        values = values_of_all(learner.system())
        known = values.deviation > 1e-9
        ratios.append(((values.mean - bandit.rewards())[known] / values.deviation[known]) ** 2)
    assert 0.7 < np.sqrt(np.mean([r.mean() for r in ratios])) < 1.3


def test_climbing_reaches_nearly_the_best_action_of_a_system_that_is_scanned():
    lost = []
    for seed in range(5):
        bandit = random_bandit(8, np.random.default_rng([6, seed]))
        learner = _learner(bandit, Options())
        _play(learner, bandit, 60)
        values = values_of_all(learner.system())
        starts = np.random.default_rng(seed).integers(0, 2, (4, 8))
        found = climbed(learner.system(), 0.0, starts)
        reached = values.mean[int(found @ (2 ** np.arange(7, -1, -1)))]
        lost.append((values.mean.max() - reached) / np.ptp(values.mean))
    assert np.mean(lost) < 0.01


def test_more_than_twelve_nodes_are_played_without_scanning_all_actions():
    bandit = random_bandit(14, np.random.default_rng(7))
    learner = _learner(bandit, Options())
    _play(learner, bandit, 25)
    assert learner.choose().shape == (14,)


@pytest.mark.parametrize("seed", range(3))
def test_the_order_learner_misses_no_edge(seed):
    bandit = random_bandit(NODES, np.random.default_rng([8, seed]))
    columns = _columns(bandit, 200)
    kept = parents_before(learnt_order(columns, last=NODES - 1))
    assert np.count_nonzero(bandit.edges & ~kept) == 0


@pytest.mark.parametrize("score", [dependence_score, power_loss_score])
def test_the_complete_graph_loses_no_more_than_acyclicity_forces(score):
    bandit = random_bandit(NODES, np.random.default_rng(9))
    actions, values = _explored(bandit, 400)
    samples = [values[actions[:, i] == 0] for i in range(NODES)]
    kept = acyclic(samples, bandit.means, score)
    powers = np.linalg.matrix_power(kept.astype(float), NODES)
    assert not powers.any()
    missed = np.count_nonzero(bandit.edges[0] & ~kept)
    assert missed <= 0.2 * np.count_nonzero(bandit.edges[0])


def test_mutual_information_is_that_of_a_normal_pair_and_nothing_without_dependence():
    rng = np.random.default_rng(10)
    x, noise = rng.standard_normal((2, 500))
    y = 0.8 * x + 0.6 * noise
    both = mutual_information(x, np.column_stack([y, rng.standard_normal(500)]))
    assert both[0] == pytest.approx(-0.5 * np.log(1 - 0.64), abs=0.1)
    assert both[1] < 0.05


def test_the_statistics_of_a_change_are_those_of_the_formulas():
    e = np.array([[0.5, 1.5, -1.0, 3.0]])
    m, s = e.mean(), e.std()
    by_hand = np.log(1 / s) + (e**2).mean() / 2 - (((e - m) / s) ** 2).mean() / 2
    assert mean_and_variance_ratio(e, np.ones(1))[0] == pytest.approx(by_hand)
    ratio, samples = inflation_ratio(np.array([np.nan, np.nan, 0.1, 5.0]))
    assert ratio == pytest.approx((25 - 1 - np.log(25)) / 2)
    assert samples == 1


def test_it_loses_far_less_than_the_published_procedure_and_misses_no_edge():
    ours, published = [], []
    for seed in range(3):
        bandit = random_bandit(5, np.random.default_rng([11, seed]))
        learner = _learner(bandit, Options())
        ours.append(_play(learner, bandit, 300))
        published.append(_play(_learner(bandit, AS_PUBLISHED), bandit, 300))
        assert np.count_nonzero(bandit.edges & ~learner.columns.parents) == 0
    assert sum(ours) < 0.7 * sum(published)


def test_a_wiring_with_loops_between_regimes_is_refused_the_deviation_to_first_order():
    with pytest.raises(InvalidParameters, match="theorem"):
        Options(wiring="power_loss")


def test_only_the_changed_column_is_restarted_and_soon():
    for seed in range(3):
        before = random_bandit(NODES, np.random.default_rng([12, seed]))
        after = changed(before, np.random.default_rng(seed))
        learner = _learner(before, Options())
        _play(learner, before, 300)
        assert learner.restarts == []
        late = _play(learner, after, 200, seed=5)
        regime, node = np.argwhere((before.weights != after.weights).any(axis=1))[0]
        assert [(r.regime, r.node) for r in learner.restarts] == [(regime, node)]
        assert learner.restarts[0].step - 300 <= 30
        frozen = _learner(before, Options(change="none"))
        _play(frozen, before, 300)
        assert late < _play(frozen, after, 200, seed=5)


def test_a_change_of_actions_is_no_change_of_a_column():
    bandit = random_bandit(NODES, np.random.default_rng([13, 0]))
    learner = _learner(bandit, Options())
    _play(learner, bandit, 400)
    assert learner.restarts == []


def test_of_a_chain_that_follows_its_head_only_the_head_is_named():
    case = cases.chain(rows=240, seed=1, length=6, fault=8.0).case()
    result = CausalBandit().run(case)
    (table, followers) = result.blocks
    assert [row[0] for row in table.rows] == ["x0|x0"]
    assert len(followers.rows) == 5


@pytest.mark.parametrize("seed", range(3))
def test_a_fault_deep_in_the_shop_is_found_where_it_was_planted(seed):
    planted = cases.shop(seed=seed)
    result = CausalBandit().run(planted.case())
    named = [row[0] for row in result.blocks[0].rows]
    assert str(planted.cause) in named[:2]
    assert len(named) <= 4


def test_nothing_is_named_where_a_detector_was_wrong():
    result = CausalBandit().run(cases.no_fault(seed=5).case())
    assert result.found is False


def test_inputs_that_move_as_one_leave_the_weights_finite_where_there_is_hardly_a_prior():
    rng = np.random.default_rng(1)
    columns = Columns(np.zeros(NODES), np.ones(NODES), precision=1e-6)
    parents = np.zeros((2, NODES, NODES), dtype=bool)
    parents[:, :-1, -1] = True
    columns.relearn(parents)
    for _ in range(1000):
        values = np.full(NODES, 1e6 * rng.standard_normal())
        values[-1] = 0.5 * values[0] + rng.standard_normal()
        columns.add(np.zeros(NODES, dtype=np.int64), values)

    weights = columns.weights[0, -1]
    assert weights.sum() == pytest.approx(0.5, abs=0.01)
    assert np.abs(weights).max() < 1


def test_a_column_that_starts_anew_gives_back_no_more_samples_than_it_has():
    recent = Recent(NODES, 20)
    for k in range(3):
        recent.add(np.zeros(NODES, dtype=np.int64), np.full(NODES, float(k)), np.zeros(NODES))

    assert recent.last(0, 0, 5)[:, 0].tolist() == [0, 1, 2]
    assert len(recent.last(1, 0, 5)) == 0
