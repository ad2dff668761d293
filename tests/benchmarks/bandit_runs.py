"""The paper's setting: learners play the same systems, and what it cost them is counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from rootward.methods.change.causal_bandit.model.bandit import AS_PUBLISHED, Learner, Options
from rootward.testing.bandits import Bandit, changed, random_bandit
from tests.benchmarks.bandit_peers import LinSemTs, Ucb1

NODES, STEPS, SEED = 10, 1500, 2025
CHANGES = (500, 1000)
LATE = 200
"""Last steps, of which the share of optimal actions is told."""
NEARLY = 0.01
"""An action counts as optimal if it loses no more than this."""


class Player(Protocol):
    """Chooses actions and hears what they did."""

    def choose(self) -> np.ndarray: ...

    def observe(self, action: np.ndarray, values: np.ndarray) -> None: ...


Make = Callable[[Bandit, np.random.Generator], Player]


def _learner(options: Options) -> Make:
    return lambda bandit, rng: Learner(bandit.means, bandit.deviations**2, options, rng)


PLAYERS: Mapping[str, Make] = {
    "rootward": _learner(Options()),
    "UCB1, all actions": lambda bandit, _: Ucb1(bandit.nodes),
    "LinSEM-TS, graph given": LinSemTs,
    "as published": _learner(AS_PUBLISHED),
    "as published, power loss": _learner(replace(AS_PUBLISHED, wiring="power_loss")),
}
SLOW = ("as published", "as published, power loss")
"""Players that relearn from all samples; they play fewer systems unless told otherwise."""


@dataclass(frozen=True)
class Run:
    """One learner on one system."""

    regret: float
    share: float
    """Of the reward of always playing the best."""
    late: float
    """Share of optimal actions in the last steps."""
    missed: float
    """True edges that the learner left out in the end, both regimes; NaN without a graph."""
    superfluous: float
    restarts: float
    seconds: float
    """Processor time, the system's own included."""


def play(make: Make, seed: int, *, steps: int, changes: Sequence[int]) -> Run:
    """One run; systems and their changes depend on the seed alone."""
    bandit = random_bandit(NODES, np.random.default_rng([SEED, seed]))
    draws = np.random.default_rng([SEED, seed, 1])
    noise = np.random.default_rng([SEED, seed, 2])
    player = make(bandit, np.random.default_rng([SEED, seed, 3]))
    rewards, best, got = bandit.rewards(), np.empty(steps), np.empty(steps)
    place = 2 ** np.arange(NODES - 1, -1, -1)
    began = time.process_time()
    for step in range(steps):
        if step in changes:
            bandit = changed(bandit, draws)
            rewards = bandit.rewards()
        action = player.choose()
        player.observe(action, bandit.pull(action, noise))
        best[step], got[step] = rewards.max(), rewards[int(action @ place)]
    took = time.process_time() - began
    kept = player.columns.parents if isinstance(player, Learner) else None
    return Run(
        regret=float((best - got).sum()),
        share=float(got.sum() / best.sum()),
        late=float(np.mean(best[-LATE:] - got[-LATE:] <= NEARLY)),
        missed=np.nan if kept is None else float(np.count_nonzero(bandit.edges & ~kept)),
        superfluous=np.nan if kept is None else float(np.count_nonzero(kept & ~bandit.edges)),
        restarts=float(len(player.restarts)) if isinstance(player, Learner) else np.nan,
        seconds=took,
    )


def tournament(
    systems: int, slow_systems: int, *, steps: int, changes: Sequence[int]
) -> dict[str, list[Run]]:
    """All players on systems 0, 1, …, taking turns, so that other load hits them alike."""
    runs: dict[str, list[Run]] = {name: [] for name in PLAYERS}
    for seed in range(systems):
        for name, make in PLAYERS.items():
            if name not in SLOW or seed < slow_systems:
                runs[name].append(play(make, seed, steps=steps, changes=changes))
    return runs


def table(runs: Mapping[str, Sequence[Run]]) -> str:
    """One line a player: quantiles of regret, medians of the rest, means of edges."""
    head = (
        f"{'':26}{'runs':>5}{'regret 2.5 %':>13}{'median':>8}{'mean':>8}{'97.5 %':>8}"
        f"{'reward':>8}{'late':>7}{'missed':>8}{'superfl.':>9}{'restarts':>9}{'s':>7}"
    )
    lines = [head]
    for name, every in runs.items():
        if not every:
            continue
        regret = np.array([r.regret for r in every])
        low, middle, high = np.quantile(regret, (0.025, 0.5, 0.975))
        lines.append(
            f"{name:26}{len(every):>5}{low:>13.0f}{middle:>8.0f}{regret.mean():>8.0f}{high:>8.0f}"
            f"{np.mean([r.share for r in every]):>8.1%}{np.mean([r.late for r in every]):>7.0%}"
            f"{np.mean([r.missed for r in every]):>8.2f}"
            f"{np.mean([r.superfluous for r in every]):>9.1f}"
            f"{np.mean([r.restarts for r in every]):>9.2f}"
            f"{np.median([r.seconds for r in every]):>7.2f}"
        )
    return "\n".join(lines)


def figures(runs: Mapping[str, Sequence[Run]]) -> dict[str, float]:
    """The ratios that are kept; peers are compared on the systems that both played."""

    def ratio(peer: str, of: Callable[[Run], float]) -> float:
        ours = [of(r) for r in runs["rootward"][: len(runs[peer])]]
        return float(np.median(ours) / np.median([of(r) for r in runs[peer]]))

    def mean_regret_ratio(peer: str) -> float:
        ours = [r.regret for r in runs["rootward"][: len(runs[peer])]]
        return float(np.mean(ours) / np.mean([r.regret for r in runs[peer]]))

    return {
        "regret_ratio_to_ucb1": mean_regret_ratio("UCB1, all actions"),
        "regret_ratio_to_linsem_ts": mean_regret_ratio("LinSEM-TS, graph given"),
        "regret_ratio_to_published": mean_regret_ratio("as published"),
        "optimal_share_last_200": float(np.mean([r.late for r in runs["rootward"]])),
        "missed_edges": float(np.mean([r.missed for r in runs["rootward"]])),
        "superfluous_edges": float(np.mean([r.superfluous for r in runs["rootward"]])),
        "missed_edges_published": float(np.mean([r.missed for r in runs["as published"]])),
        "time_ratio_to_mi_version": ratio("as published", lambda r: r.seconds),
        "reward_share": float(np.mean([r.share for r in runs["rootward"]])),
        "reward_share_ucb1": float(np.mean([r.share for r in runs["UCB1, all actions"]])),
        "reward_share_published": float(np.mean([r.share for r in runs["as published"]])),
    }
