"""Domain counterfactuals: the truth of a planted shift, and nothing where nothing changed."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from rootward.errors import InsufficientData, InvalidParameters
from rootward.methods.counterfactuals.affected import affected
from rootward.methods.counterfactuals.domain_shift.method import DomainShift, View, told
from rootward.methods.counterfactuals.domain_shift.model import SLOPE, fit_domains, sparsest
from rootward.model.case import Case
from rootward.testing import cases

SIZE = 4
CHANGED = [2, 3]


@dataclass(frozen=True)
class Planted:
    """Rows of each domain, and what each would have been in each other: (from, to, rows, x)."""

    domains: list[np.ndarray]
    truth: np.ndarray

    def error(self, move) -> float:
        """Mean squared error over all pairs of different domains, summed over variables."""
        count = len(self.domains)
        pairs = [(a, b) for a in range(count) for b in range(count) if a != b]
        errors = [(move(self.domains[a], a, b) - self.truth[a, b]) ** 2 for a, b in pairs]
        return float(np.mean([e.sum(axis=1).mean() for e in errors]))


def planted(seed: int, rows: int, domains: int = 3) -> Planted:
    """Linear latent equations of which the last two differ by domain, bent and mixed."""
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((SIZE, SIZE))
    mixing /= abs(np.linalg.det(mixing)) ** (1 / SIZE)
    shared = np.tril(rng.standard_normal((SIZE, SIZE)), -1)
    equations = []
    for _ in range(domains):
        weights, level = shared.copy(), np.zeros(SIZE)
        weights[CHANGED] = np.tril(rng.standard_normal((SIZE, SIZE)), -1)[CHANGED]
        level[CHANGED] = (4 * rng.random() - 2) * np.sqrt(SIZE / len(CHANGED))
        equations.append((np.linalg.inv(np.eye(SIZE) - weights), level))
    noise = rng.standard_normal((domains, rows, SIZE))

    def latents(e, domain):
        z = e @ equations[domain][0].T + equations[domain][1]
        return np.where(z > 0, z, SLOPE * z)

    scale = np.concatenate([latents(noise[d], d) for d in range(domains)]).std(axis=0)
    truth = np.array(
        [[latents(noise[a], b) / scale @ mixing.T for b in range(domains)] for a in range(domains)]
    )
    return Planted([truth[d, d] for d in range(domains)], truth)


def _errors(seed: int, rows: int) -> tuple[int, dict[str, float]]:
    """How many mechanisms were found changed, and the error of ours and of the baselines."""
    case = planted(seed, rows)
    ours = sparsest(case.domains, np.random.default_rng(0))[0]
    dense = fit_domains(case.domains, SIZE, np.random.default_rng(0))[0]
    means = [x.mean(axis=0) for x in case.domains]
    return ours.changed, {
        "ours": case.error(ours.counterfactual),
        "dense": case.error(dense.counterfactual),
        "shift": case.error(lambda x, a, b: x - means[a] + means[b]),
        "nothing": case.error(lambda x, a, b: x),
    }


def test_few_changed_mechanisms_give_the_truth_where_changing_all_does_not():
    case = planted(4, 300)
    sparse = fit_domains(case.domains, 2, np.random.default_rng(0), restarts=8)[0]
    dense = fit_domains(case.domains, SIZE, np.random.default_rng(0), restarts=8)[0]
    nothing = case.error(lambda x, a, b: x)
    assert dense.loss <= sparse.loss  # the likelihood alone would choose the worse one
    assert case.error(sparse.counterfactual) < 0.2 * case.error(dense.counterfactual)
    assert case.error(sparse.counterfactual) < 0.2 * nothing


@pytest.mark.slow
def test_acceptance_over_five_seeds_with_the_number_of_changes_unknown(measured):
    found = [_errors(seed, 1000) for seed in range(5)]
    mean = {name: np.mean([errors[name] for _, errors in found]) for name in found[0][1]}
    measured(
        f"mean squared error {mean['ours']:.2f}; every mechanism may change {mean['dense']:.1f}, "
        f"difference of means {mean['shift']:.1f}, doing nothing {mean['nothing']:.1f}"
    )
    assert mean["ours"] < 0.3 * mean["dense"]
    assert mean["ours"] < 0.2 * mean["nothing"]
    assert mean["ours"] < 0.3 * mean["shift"]
    assert sum(changed in (2, 3) for changed, _ in found) >= 4


def test_going_to_another_domain_and_back_changes_nothing():
    case = planted(1, 200, domains=2)
    model = fit_domains(case.domains, 2, np.random.default_rng(0), restarts=2)[0]
    there = model.counterfactual(case.domains[0], 0, 1)
    assert np.allclose(model.counterfactual(there, 1, 0), case.domains[0], atol=1e-6)
    assert np.array_equal(model.counterfactual(there, 1, 1), there)


def test_it_puts_a_latency_fault_back_and_names_the_service():
    case = cases.shop(seed=1).case(seed=0)
    result = DomainShift(restarts=6).run(case)
    table = next(b for b in result.blocks if b.kind == "table")
    bars = next(b for b in result.blocks if b.kind == "bars")
    cause = cases.shop(seed=1).cause
    usual = case.window.baseline[:, case.window.series.index(cause)].mean()
    row = next(r for r in table.rows if r[0] == str(cause))
    assert bars.names[0] == cause.service
    assert row[2] > 2 * usual
    assert row[3] == pytest.approx(usual, rel=0.15)
    assert "catalog-db differs most" in result.answer


def test_an_onset_claimed_falsely_has_nothing_to_put_back():
    result = DomainShift(restarts=4).run(cases.no_fault(rows=480, seed=3).case())
    table = next(b for b in result.blocks if b.kind == "table")
    assert max(abs(row[5]) for row in table.rows) < 1.0


def test_it_says_the_same_whatever_the_units():
    method = DomainShift(most_series=3, restarts=2)
    case = cases.shop(seed=2).case()
    scaled = replace(case.window, values=case.window.values * 1024)
    one, other = method.run(case), method.run(replace(case, window=scaled))
    assert other.headline.value == pytest.approx(1024 * one.headline.value, rel=1e-3)
    tables = [next(b for b in r.blocks if b.kind == "table") for r in (one, other)]
    assert [r[5] for r in tables[0].rows] == pytest.approx([r[5] for r in tables[1].rows], abs=1e-3)


def test_a_short_incident_gets_fewer_series_and_a_shorter_one_no_answer():
    window = cases.shop(seed=1).window
    short = window.rows(0, 300 + 12)
    result = DomainShift(restarts=2).run(Case(short, 0))
    assert result.inputs.series_count == 2
    with pytest.raises(InsufficientData, match="10 since, got 300 and 4"):
        DomainShift().run(Case(window.rows(0, 304), 0))
    with pytest.raises(InsufficientData, match="onset"):
        DomainShift().run(Case(window.with_onset(None), 0))


def test_wrong_parameters_are_said():
    with pytest.raises(InvalidParameters, match="most_series"):
        DomainShift(most_series=1)


def test_a_replay_that_leaves_all_that_was_seen_is_not_told_as_what_would_have_been():
    case = cases.shop(seed=1).case()
    chosen = affected(case, 3, least_before=60, least_since=10)
    calm = View(chosen, 1, np.zeros((len(chosen.since), 3)), np.zeros(3))
    wild = replace(calm, rows=calm.rows + 1e4)
    assert "the previous regime would have shown" in told(case, calm, 0.0).answer
    untold = told(case, wild, 0.0)
    assert "cannot be told" in untold.answer
    assert untold.headline is None
    assert untold.status == "weak"
