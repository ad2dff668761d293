"""The loop: explore, learn the wiring, play the most promising action, notice what changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from rootward.errors import InvalidParameters
from rootward.methods.change.causal_bandit.model.actions import (
    System,
    Values,
    climbed,
    in_order,
    numbered,
    values_of_all,
)
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
    power_loss_score,
)

SCANNED = 12
"""Most nodes of which all 2^N actions are scanned; beyond, the best is climbed to."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a learner does; the defaults are ours, `AS_PUBLISHED` is the paper's."""

    wiring: Literal["order", "mutual_information", "power_loss"] = "order"
    """How the topology is learnt."""
    explore: int = 2
    """Samples that every column gets from random actions first."""
    explore_again: bool = False
    """Random actions after a change, until the column has `explore` samples again?"""
    most: int | None = None
    """Samples a column learns from at most; None for all."""
    precision: float = 1.0
    """Of the prior of a weight, in units of the noise variance."""
    width: float = 2.0
    """Deviations of an estimate that are added to it."""
    bound: Literal["first_order", "theorem"] = "first_order"
    """What an estimate's uncertainty is."""
    horizon: int | None = None
    """Steps after which the width has sunk to nothing on a cosine; None: it never does."""
    every: int = 3
    """Steps between two looks at the topology; ours looks ever more rarely."""
    change: Literal["inflation", "window", "none"] = "inflation"
    """How a changed column is noticed."""
    threshold: float = 14.0
    """Log-likelihood ratio from which a column has changed."""
    window: int = 20
    """Last samples of a column in which a change is looked for."""
    settled: int = 0
    """Steps before which no change is looked for."""

    def __post_init__(self) -> None:
        if self.bound == "first_order" and self.wiring != "order":
            raise InvalidParameters(
                f"{self.wiring} learns each regime by itself and may leave loops between the two; "
                "only the bound of the theorem is defined for it"
            )


AS_PUBLISHED = Options(
    wiring="mutual_information",
    explore=20,
    explore_again=True,
    most=100,
    precision=1e-6,
    width=0.5,
    bound="theorem",
    horizon=1500,
    every=50,
    change="window",
    threshold=40.0,
    settled=200,
)
"""Peng, Zhang, Mitra 2025; the threshold is their 2 a sample for 20 samples."""


@dataclass(frozen=True)
class Restart:
    """A column that was found changed."""

    step: int
    regime: int
    node: int
    samples: int
    """Last samples of the column that are taken to be after the change."""


class Learner:
    """Chooses actions for a linear system of unknown wiring and learns from what they do.

    Node `nodes - 1` is the reward, and a sink. Noise means and variances are known, the latter
    up to a common factor at least.
    """

    def __init__(
        self,
        means: Float[np.ndarray, " nodes"],
        variances: Float[np.ndarray, " nodes"],
        options: Options,
        rng: np.random.Generator,
    ) -> None:
        self.options, self._rng = options, rng
        self.columns = Columns(means, variances, precision=options.precision, most=options.most)
        self.order = list(range(len(means)))
        self.restarts: list[Restart] = []
        self._recent = Recent(len(means), options.window)
        self._kept: list[tuple[Int[np.ndarray, " nodes"], Float[np.ndarray, " nodes"]]] = []
        self._since = np.zeros((2, len(means)), dtype=np.int64)
        self._step, self._changed_at, self._look_at, self._scan_at = 0, 0, 0, 0
        self._scale: float | None = None
        self._exploring = True
        self._values: Values | None = None

    def choose(self) -> Int[np.ndarray, " nodes"]:
        """The next action: one regime for each node."""
        if self._exploring:
            return self._rng.integers(0, 2, self.columns.nodes)
        if self.columns.nodes > SCANNED:
            return self._climb()
        values = self._scan()
        promise = values.mean + self._width(values) * values.deviation
        return numbered(int(promise.argmax()), self.columns.nodes)

    def observe(
        self, action: Int[np.ndarray, " nodes"], values: Float[np.ndarray, " nodes"]
    ) -> None:
        """Learn from what an action did."""
        innovations = self.columns.add(action, values)
        self._recent.add(action, values, innovations)
        if self.options.wiring != "order":
            self._kept.append((action, values))
        self._step += 1
        counts = self.columns.counts
        short = bool((counts < self.options.explore).any())
        if self._exploring and not short:
            self._exploring = False
            self._relearn()
        elif not self._exploring:
            flagged = self._restart_changed(action)
            if not self._exploring and (flagged or self._step >= self._look_at):
                self._relearn()

    def _restart_changed(self, action: Int[np.ndarray, " nodes"]) -> bool:
        if self.options.change == "none" or self._step <= self.options.settled:
            return False
        nodes = np.arange(self.columns.nodes)
        ratio, lengths = self._ratios(action)
        flagged = np.flatnonzero(ratio > self.options.threshold)
        for node in nodes[flagged]:
            self._restart(int(action[node]), int(node), int(lengths[node]))
        return bool(len(flagged))

    def _ratios(
        self, action: Int[np.ndarray, " nodes"]
    ) -> tuple[Float[np.ndarray, " nodes"], Int[np.ndarray, " nodes"]]:
        at = (action, np.arange(self.columns.nodes))
        if self.options.change == "inflation":
            return inflation_ratio(self._recent.innovations[at])
        x = self._recent.values[at]
        columns = self.columns
        own = np.einsum("iwi->iw", x) - columns.means[:, None]
        left = own - np.einsum("iwp,ip->iw", x, columns.weights[at])
        whole = ~np.isnan(left).any(axis=1)
        ratio = np.zeros(columns.nodes)
        deviation = np.sqrt(columns.variances[whole])
        ratio[whole] = self.options.window * mean_and_variance_ratio(left[whole], deviation)
        return ratio, np.ones(columns.nodes, dtype=np.int64)

    def _restart(self, regime: int, node: int, samples: int) -> None:
        kept = self._recent.last(regime, node, samples)
        self.columns.restart(regime, node, kept)
        self._recent.forget(regime, node)
        self._since[regime, node] = self._step - 1
        self.restarts.append(Restart(self._step, regime, node, samples))
        self._changed_at, self._scale = self._step, None
        self._look_at = self._step + self.options.every
        if self.options.explore_again:
            self._exploring = True

    def _relearn(self) -> None:
        self._values = None
        if self.options.wiring == "order":
            self.order = learnt_order(self.columns, last=self.columns.nodes - 1)
            parents = parents_before(self.order)
            # Ever more rarely: each look costs nodes³ fits, and less and less is left to learn.
            self._look_at = self._step + max(self.options.every, self._step // 2)
        else:
            parents = np.stack([self._acyclic(regime) for regime in range(2)])
            self._look_at = self._step + self.options.every
        if not np.array_equal(parents, self.columns.parents):
            self.columns.relearn(parents)
            if self.options.change == "inflation":
                self._recent.innovations[:] = np.nan

    def _acyclic(self, regime: int) -> np.ndarray:
        score = (
            dependence_score if self.options.wiring == "mutual_information" else power_loss_score
        )
        actions = np.array([a for a, _ in self._kept])
        values = np.array([x for _, x in self._kept])
        samples = []
        for node in range(self.columns.nodes):
            since = self._since[regime, node]
            rows = np.flatnonzero(actions[since:, node] == regime)[: self.options.most] + since
            samples.append(values[rows])
        return acyclic(samples, self.columns.means, score)

    def _width(self, values: Values) -> float:
        if self.options.bound == "first_order":
            return self.options.width
        if self._scale is None:
            self._scale = float(values.mean.max() / values.deviation.max())
        width = self.options.width * self._scale
        if self.options.horizon is None:
            return width
        span = max(self.options.horizon - self._changed_at, 1)
        gone = min((self._step - self._changed_at) / span, 1.0)
        return float(width * (1 + np.cos(np.pi * gone)) / 2)

    def _scan(self) -> Values:
        if self._values is None or self._step >= self._scan_at:
            # Half a percent more samples changes little; what was relearnt is looked at at once.
            self._scan_at = self._step + 1 + (self._step - self._changed_at) // 200
            if self.options.bound == "theorem":
                self._values = values_by_inverse(self.columns, 0.05)
            else:
                self._values = self._ordered(values_of_all(self.system()))
        return self._values

    def system(self) -> System:
        """The columns as they are known now, nodes in causal order."""
        columns = self.columns
        spread = columns.spread * columns.variances[:, None, None]
        return in_order(columns.weights, spread, columns.means, self.order)

    def _ordered(self, values: Values) -> Values:
        """From actions numbered in causal order to actions numbered in the nodes' own."""
        nodes = self.columns.nodes
        axes = np.argsort(self.order)
        shape = (2,) * nodes
        mean = values.mean.reshape(shape).transpose(axes).reshape(-1)
        return Values(mean, values.deviation.reshape(shape).transpose(axes).reshape(-1))

    def _climb(self) -> Int[np.ndarray, " nodes"]:
        nodes = self.columns.nodes
        starts = self._rng.integers(0, 2, (4, nodes))
        found = climbed(self.system(), self.options.width, starts)
        action = np.empty(nodes, dtype=np.int64)
        action[self.order] = found
        return action
