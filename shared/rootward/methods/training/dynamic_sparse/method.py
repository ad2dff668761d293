"""Dynamic sparse learning on the series of an incident: how few weights do forecasters need?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from rootward.methods.base import (
    TIME_IS_UP,
    About,
    Cost,
    Family,
    Method,
    Provenance,
    Scope,
)
from rootward.methods.discovery.baseline import baseline
from rootward.methods.training.dynamic_sparse.model import (
    Fit,
    Kind,
    Plan,
    errors,
    fit,
    weights_of,
)
from rootward.model.case import Case
from rootward.model.result import (
    Block,
    Caveat,
    CaveatCode,
    Figure,
    Inputs,
    Result,
    Scatter,
    Table,
)
from rootward.model.wording import number
from rootward.numerics.masks import Schedule
from rootward.numerics.regression import lagged_design

LEAST_SAMPLES = 80
HELD_OUT = 0.25
MOST_INPUTS = 64
"""Series that a forecaster looks at; of a wider window they are taken evenly."""
WATCHED = 0.2
"""Share of the rows before those that says when to stop."""
BYTES = 6
"""Of one sparse weight: four for its value, two for where it stands."""
DENSE_BYTES = 4
CERTAIN = 2.0
"""Standard errors by which a difference must exceed zero to be claimed."""


@dataclass(frozen=True, eq=False)
class Trained:
    """One way of training on all targets."""

    kind: Kind
    fit: Fit
    error: Float[np.ndarray, " targets"]
    """Mean squared error on the last quarter of the rows, in variances of the quiet series."""
    of_mean: float
    """The same of the mean of the rows before, over all targets."""

    @property
    def bytes(self) -> int:
        """Memory of one forecaster."""
        sparse = self.kind in (Kind.STATIC, Kind.DYNAMIC)
        return self.fit.weights * (BYTES if sparse else DENSE_BYTES)


@dataclass(frozen=True)
class Difference:
    """Of the errors of two ways, target by target: mean and standard error."""

    mean: float
    error: float

    @property
    def certain(self) -> bool:
        """Whether the first errs less beyond doubt."""
        return self.mean < -CERTAIN * self.error


def difference(one: Trained, other: Trained) -> Difference:
    """Error of the first less that of the second."""
    gap = one.error - other.error
    spread = float(gap.std(ddof=1)) / len(gap) ** 0.5 if len(gap) > 1 else np.inf
    return Difference(float(gap.mean()), spread)


@dataclass(frozen=True, kw_only=True)
class DynamicSparse(Method):
    """Trains a forecaster for each series sparse from the first step, within a fixed budget.

    Every so often the smallest weights give way to those that would help most, so that each
    forecaster finds the few inputs that it needs. A dense one, a small dense one of the same
    budget and one with a mask that stays are trained beside it, on the same rows.
    """

    density: float = 0.1
    """Share of the weights of the first two layers that may differ from zero."""
    megabytes: float = 0.0
    """Memory for all forecasters of the window's series; 0: what the density takes."""
    targets: int = 8
    """Series that forecasters are trained for in the comparison."""
    hidden: int = 32
    """Units in each of the two layers."""
    lags: int = 4
    """Rows that a forecast looks back."""
    steps: int = 300
    """Training steps of each way."""

    quick: ClassVar[Mapping[str, int]] = {"steps": 30, "hidden": 16}

    about = About(
        name="dynamic_sparse",
        family=Family.TRAINING,
        question="Can each forecaster be trained sparse from the first step within a fixed "
        "memory budget?",
        paper="Wang, Sui, Wu, Zheng, Xiong 2024, Dynamic Sparse Learning: A Novel Paradigm for "
        "Efficient Recommendation, WSDM, arXiv 2402.02855",
        provenance=Provenance.RECONSTRUCTION,
        provenance_note="The exchange of weights and its schedule are those of the authors' "
        "repository, for embeddings of a recommender; forecasters are ours, and so is a mask of "
        "exactly the budget in place of independent draws.",
        measured=(
            "20 metrics with three causes each, six targets, seeds 0 and 1: squared error 0.448 "
            "and 0.340 with a tenth, 0.412 and 0.325 with a twentieth of the weights, static "
            "sparse 0.469 and 0.372, small dense 0.484 and 0.371, dense 0.690 and 0.505. "
            "`python -m tests.benchmarks.bench_sparse dynamic`.",
        ),
        scope=Scope.MODEL,
        cost=Cost.SECONDS,
        assumptions=("The last quarter of the quiet rows stands for those to come.",),
        limits=(
            "Fewer weights take less memory; whether they are faster was not measured here.",
            "What holds on these series need not hold on others: measure again.",
        ),
    )

    def __post_init__(self) -> None:
        if not 0 < self.density <= 1:
            raise ValueError(f"density is {self.density}; it lies in (0, 1]")
        if self.megabytes < 0:
            raise ValueError(f"megabytes is {self.megabytes}; it is at least 0")

    def run(self, case: Case) -> Result:
        rows = baseline(case.window)
        rows.require(LEAST_SAMPLES, self.lags)
        looked_at = _spaced(rows.values.shape[1], MOST_INPUTS)
        past, present = lagged_design(rows.values[:, looked_at], rows.since_gap, self.lags)
        x = torch.from_numpy(past.reshape(len(past), -1).astype(np.float32))
        columns = _spaced(present.shape[1], self.targets)
        y = torch.from_numpy(present[:, columns].astype(np.float32))
        inputs, count = x.shape[1], len(case.window.series)
        density = self._density(inputs, count)
        plan = Plan(
            self.hidden,
            density,
            self.steps,
            batch=128,
            schedule=Schedule(every=max(1, self.steps // 16)),
        )
        found = {kind: _trained(kind, (x, y), plan, case) for kind in Kind}
        late = min(t.fit.steps for t in found.values()) < self.steps
        ours, dense = found[Kind.DYNAMIC], found[Kind.DENSE]
        caveats = _caveats(found, late=late)
        return Result(
            _sentence(found, inputs, self.hidden, count),
            _blocks(found, count),
            status="weak" if caveats else "ok",
            caveats=caveats,
            cautions=rows.cautions,
            headline=Figure("squared error, dynamic sparse", float(ours.error.mean()), "variances"),
            baseline=Figure("squared error, dense", float(dense.error.mean()), "variances"),
            inputs=Inputs.of(case.window),
        )

    def _density(self, inputs: int, series: int) -> float:
        """The density asked for, or the one that a budget of memory allows; one input a unit is
        the least."""
        if not self.megabytes:
            return self.density
        allowed = self.megabytes * 1e6 / series / BYTES - self.hidden
        full = weights_of(inputs, self.hidden) - self.hidden
        return float(np.clip(allowed / full, 1 / inputs, 1.0))


def _spaced(count: int, most: int) -> Int[np.ndarray, " chosen"]:
    """Positions of at most so many, evenly spaced."""
    return np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(np.int64))


def _trained(kind: Kind, data: tuple[Tensor, Tensor], plan: Plan, case: Case) -> Trained:
    x, y = data
    cut = len(x) - int(HELD_OUT * len(x))
    done = list(Kind).index(kind) / len(Kind)
    seen = int((1 - WATCHED) * cut)
    found = fit(
        x[:seen],
        y[:seen],
        kind,
        plan,
        case.seed,
        watched=(x[seen:cut], y[seen:cut]),
        go_on=lambda share: case.go_on(done + share / len(Kind)),
    )
    error = errors(found.stack, x[cut:], y[cut:]).double().numpy()
    of_mean = float(((y[cut:] - y[:cut].mean(dim=0)) ** 2).mean())
    return Trained(kind, found, error, of_mean)


def _sentence(found: Mapping[Kind, Trained], inputs: int, hidden: int, series: int) -> str:
    ours, dense, small = (found[k] for k in (Kind.DYNAMIC, Kind.DENSE, Kind.SMALL))
    return (
        f"Forecasters with {ours.fit.weights} of {weights_of(inputs, hidden)} weights, sparse from "
        f"the first step, err {_against(ours, dense, 'dense ones')} and "
        f"{_against(ours, small, 'small dense ones of as many weights')} on the last quarter of "
        f"the quiet rows; for all {series} series they take {_memory(ours, series)} instead of "
        f"{_memory(dense, series)}."
    )


def _against(one: Trained, other: Trained, name: str) -> str:
    change = float(one.error.mean() / other.error.mean()) - 1
    gap = difference(one, other)
    sure = abs(gap.mean) > CERTAIN * gap.error
    word = f"{abs(change):.0%} {'less' if change < 0 else 'more'} than {name}"
    return word if sure else f"{word} (no clear difference)"


def _memory(one: Trained, series: int) -> str:
    size = one.bytes * series
    return f"{number(size / 1e6)} MB" if size >= 1e6 else f"{number(size / 1e3)} kB"


def _caveats(found: Mapping[Kind, Trained], *, late: bool) -> tuple[Caveat, ...]:
    said = [TIME_IS_UP] if late else []
    ours = found[Kind.DYNAMIC]
    least = min(found.values(), key=lambda t: float(t.error.mean()))
    if least is not ours and difference(least, ours).certain:
        said.append(
            Caveat(
                CaveatCode.NO_BETTER_THAN_BASELINE,
                f"The forecasters called {least.kind} err less: "
                f"{number(least.error.mean())} of the variance.",
            )
        )
    if float(least.error.mean()) >= least.of_mean:
        said.append(
            Caveat(
                CaveatCode.MODEL_MISFIT,
                "None of them foretells more than the mean does; how they compare says little.",
            )
        )
    return tuple(said)


def _blocks(found: Mapping[Kind, Trained], series: int) -> tuple[Block, ...]:
    ours = found[Kind.DYNAMIC]
    rows = []
    for kind, one in found.items():
        gap = difference(one, ours) if kind is not Kind.DYNAMIC else None
        rows.append(
            (
                str(kind),
                one.fit.weights,
                float(one.error.mean()),
                gap.mean if gap else None,
                gap.error if gap else None,
                one.bytes * series / 1e3,
                one.fit.multiply_adds,
                100 * one.fit.explored,
            )
        )
    columns = (
        *("way of training", "weights", "squared error, variances", "more than dynamic"),
        *("give or take", "memory for all series, kB", "multiply-adds", "positions explored, %"),
    )
    plot = Scatter(
        "Error against weights",
        "weights of a forecaster",
        "squared error, variances",
        tuple(str(k) for k in found),
        tuple(float(t.fit.weights) for t in found.values()),
        tuple(float(t.error.mean()) for t in found.values()),
    )
    return (Table("The same rows, four ways of training", columns, tuple(rows)), plot)
