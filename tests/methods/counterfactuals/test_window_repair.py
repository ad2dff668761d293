"""Window repair: only what is broken is redrawn, near to the truth, and the rest stays."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
import torch
from scipy.stats import rankdata

from rootward.errors import InsufficientData, InvalidParameters
from rootward.methods.counterfactuals.window_repair.method import WindowRepair
from rootward.methods.counterfactuals.window_repair.model import Repairer, Shape, broken, trained
from rootward.model.case import Case
from rootward.model.deadline import Deadline
from rootward.numerics.diffusion import Schedule
from rootward.numerics.training import generator
from rootward.testing import cases

NOISE = 0.08


@dataclass(frozen=True)
class Waves:
    """Series that follow one wave with gains of their own, and windows cut out of them."""

    gains: tuple[float, ...]
    shape: Shape

    def series(self, rng: np.random.Generator, rows: int) -> np.ndarray:
        wave = np.sin(2 * np.pi * (np.arange(rows) / 24 + rng.uniform()))
        noise = NOISE * rng.standard_normal((rows, len(self.gains)))
        return wave[:, None] * np.array(self.gains) + noise

    def windows(self, rows: int = 1500) -> tuple[np.ndarray, np.ndarray]:
        """Standardised windows, and the deviations they were divided by."""
        x = self.series(np.random.default_rng(0), rows)
        deviation = x.std(axis=0)
        starts = np.arange(rows - self.shape.rows)
        return (x / deviation)[starts[:, None] + np.arange(self.shape.rows)], deviation

    def shifted(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A clean window, the same with level shifts of 1.2 to 2.5, and the tokens they hit."""
        clean = self.series(rng, self.shape.rows)
        mask = np.zeros((self.shape.frames, len(self.gains)), dtype=bool)
        length = int(rng.integers(1, 4))
        start = int(rng.integers(1, self.shape.frames - length + 1))
        hit = rng.permutation(len(self.gains))[: rng.integers(1, 3)]
        mask[start : start + length, hit] = True
        size = rng.choice([-1, 1], len(self.gains)) * rng.uniform(1.2, 2.5, len(self.gains))
        return clean, clean + np.repeat(mask, self.shape.frame_rows, axis=0) * size, mask


@dataclass(frozen=True)
class Measured:
    """Means over windows; errors are mean squares inside of the true mask."""

    auc: float
    ours: float
    true_mask: float
    straight_line: float
    recorded: float
    outside: float


def _measured(waves: Waves, repairer: Repairer, deviation: np.ndarray, count: int) -> Measured:
    rng, found = np.random.default_rng(7), []
    for k in range(count):
        clean, recorded, mask = waves.shifted(rng)
        wide, random = np.repeat(mask, waves.shape.frame_rows, axis=0), generator(k)
        seen, suspicion = repairer.mask(recorded / deviation, random)
        redrawn = [
            repairer.redrawn(recorded / deviation, m, random).mean(axis=0) * deviation
            for m in (seen, mask)
        ]
        outside = np.abs(redrawn[0] - recorded)[~np.repeat(seen, waves.shape.frame_rows, axis=0)]
        errors = [float(((x - clean)[wide] ** 2).mean()) for x in redrawn]
        line = float(((_line(recorded, wide) - clean)[wide] ** 2).mean())
        as_it_was = float(((recorded - clean)[wide] ** 2).mean())
        auc, most = _auc(suspicion, mask), float(outside.max(initial=0.0))
        found.append([auc, *errors, line, as_it_was, most])
    return Measured(*np.mean(found, axis=0).tolist())


def _line(x: np.ndarray, mask: np.ndarray) -> np.ndarray:
    at, drawn = np.arange(len(x)), x.copy()
    for k in range(x.shape[1]):
        drawn[:, k] = np.interp(at, at[~mask[:, k]], x[~mask[:, k], k])
    return drawn


def _auc(score: np.ndarray, truth: np.ndarray) -> float:
    ranks, hits = rankdata(score.ravel()), int(truth.sum())
    above = ranks[truth.ravel()].sum() - hits * (hits + 1) / 2
    return float(above / (hits * (truth.size - hits)))


@cache
def _small() -> tuple[Waves, Repairer, np.ndarray]:
    waves = Waves((1.0, 0.8, -0.9), Shape(frames=6, series=3, frame_rows=6, width=32))
    windows, deviation = waves.windows(600)
    return waves, trained(windows, waves.shape, 0, steps=300), deviation


def test_a_short_training_beats_a_straight_line_through_the_mask():
    waves, repairer, deviation = _small()
    found = _measured(waves, repairer, deviation, 12)
    assert found.true_mask < 0.75 * found.straight_line
    assert found.auc > 0.75
    assert found.outside < 1e-12


@pytest.mark.slow
def test_acceptance_on_six_series(measured):
    waves = Waves((1.0, 0.8, -0.9, 0.6, 1.2, -0.7), Shape(8, 6, 6, width=48, blocks=2))
    windows, deviation = waves.windows()
    repairer = trained(windows, waves.shape, 0, steps=600)
    found = _measured(waves, repairer, deviation, 20)
    measured(
        f"masked tokens told with an area under the curve of {found.auc:.2f}; error inside "
        f"{found.ours:.3f}, given the true mask {found.true_mask:.3f}; straight line "
        f"{found.straight_line:.2f}, as recorded {found.recorded:.1f}"
    )
    assert found.auc > 0.97
    assert found.true_mask < 0.05 * found.straight_line
    assert found.ours < 0.15 * found.straight_line
    assert found.outside < 1e-6
    rng = np.random.default_rng(9)
    calm = [waves.series(rng, waves.shape.rows) / deviation for _ in range(20)]
    assert sum(repairer.mask(x, generator(k))[0].any() for k, x in enumerate(calm)) <= 2


def test_up_and_down_the_levels_with_one_noise_is_where_it_began():
    schedule, random = Schedule.linear(), generator(0)
    x, noise = torch.randn(2, 3, 4, generator=random), torch.randn(2, 3, 4, generator=random)
    up = schedule.moved(x, noise, 0, 70)
    assert torch.allclose(schedule.moved(up, noise, 70, 0), x, atol=1e-5)
    assert torch.allclose(up, schedule.noised(x, torch.tensor([70, 70]), noise), atol=1e-5)


def test_an_anomaly_is_put_in_somewhere_and_nowhere_else():
    windows = np.zeros((40, 24, 4))
    hit = broken(windows, np.random.default_rng(0)) != 0
    assert np.all(hit.any(axis=(1, 2)))
    assert np.all(hit.any(axis=1).sum(axis=1) <= 2)
    assert not hit[:, :3].any()


def test_an_empty_mask_changes_nothing_and_a_full_one_all():
    waves, repairer, deviation = _small()
    window = waves.series(np.random.default_rng(3), waves.shape.rows) / deviation
    nothing = repairer.redrawn(window, np.zeros((6, 3), dtype=bool), generator(0))
    assert np.array_equal(nothing[0], window)
    everything = repairer.redrawn(window, np.ones((6, 3), dtype=bool), generator(0), draws=2)
    assert np.all(everything[0] != window)
    assert not np.array_equal(everything[0], everything[1])


@pytest.mark.slow
def test_the_shop_s_broken_latency_is_redrawn_as_it_used_to_be():
    planted = cases.shop(seed=1)
    result = WindowRepair(steps=600).run(planted.case())
    table = next(b for b in result.blocks if b.kind == "table")
    assert {row[0] for row in table.rows} >= {str(planted.cause)}
    lines = next(b for b in result.blocks if b.kind == "lines" and b.title == str(planted.cause))
    usual = planted.window.baseline[:, planted.window.series.index(planted.cause)].mean()
    drawn = [v for v in lines.lines[1].values if v is not None]
    assert np.mean(drawn) == pytest.approx(usual, rel=0.3)


@pytest.mark.slow
def test_an_onset_claimed_falsely_redraws_little():
    found = []
    for seed in range(3):
        result = WindowRepair(steps=400).run(cases.no_fault(rows=360, seed=seed).case())
        found.append("Nothing was redrawn" in result.answer)
    assert sum(found) >= 2


def test_units_do_not_matter_and_rows_outside_are_as_recorded():
    method = WindowRepair(steps=4, width=8, most_series=3)
    case = cases.shop(seed=2).case()
    scaled = replace(case.window, values=case.window.values * 1024)
    tables = [
        next(b for b in method.run(c).blocks if b.kind == "heatmap")
        for c in (case, replace(case, window=scaled))
    ]
    assert np.allclose(tables[0].values, tables[1].values, rtol=1e-3)


def test_too_little_of_anything_is_said():
    window = cases.shop(seed=1).window
    with pytest.raises(InsufficientData, match="needs 80 rows before"):
        WindowRepair().run(Case(window.rows(250, 360), 0))
    with pytest.raises(InsufficientData, match="time was up after"):
        WindowRepair().run(Case(window, 0, deadline=Deadline.after(0.2)))
    with pytest.raises(InvalidParameters, match="multiple of 4"):
        WindowRepair(width=7)
