"""Adaptive sparse autoencoders on an incident: the few patterns that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float
from torch import Tensor

from rootward.methods.base import (
    TIME_IS_UP,
    About,
    Cost,
    Family,
    Method,
    Need,
    Provenance,
)
from rootward.methods.signatures import patterns
from rootward.methods.signatures.adaptive_sae.model import feature_choice, mutual_choice
from rootward.methods.signatures.tokens import Tokens, tokens_of
from rootward.model.case import Case
from rootward.model.result import (
    Block,
    Caveat,
    CaveatCode,
    Figure,
    Heatmap,
    Line,
    Lines,
    Result,
    Table,
)
from rootward.model.wording import number
from rootward.numerics.autoencoder import Fitted, Shape, TokenChoice, fit, unexplained

MOST_PATTERNS = 6
ABOVE_QUIET = 2.0
"""Times its quiet activation that a pattern must reach after the onset to be one of it."""
COVERED = 0.05
"""Share of the incident's activation below which a pattern is not worth a name."""
POOR_FIT = 0.5
"""Share of the variance after the onset that patterns may leave unexplained."""


@dataclass(frozen=True, eq=False)
class Pattern:
    """Latents that fire together, as one thing."""

    f: Float[np.ndarray, "rows series"]
    """How much, where and when, in the series that it is told of."""
    excess: Float[np.ndarray, " series"]
    """Mean activation after the onset, of those series in which it is far above that before."""
    share: float
    """Of all that the onset brought."""
    stretch: Float[np.ndarray, " stretch"]
    """The mean stretch after the onset at which it fires, oldest first, deviations."""
    times_quiet: float | None
    """Activation after the onset over that before; None where there was none."""
    bouts: int
    """Separate times before the onset at which it fired as much as it usually does after it."""


@dataclass(frozen=True, eq=False)
class Signature:
    """The patterns of an incident, and how well they tell what was seen."""

    seen: Tokens
    patterns: tuple[Pattern, ...]
    """Those with the largest share first."""
    per_row: Float[np.ndarray, " rows"]
    """Latents that fire in a row, over all series."""
    quiet_missed: float
    """Variance that the latents leave unexplained on rows kept from training, before."""
    missed: float
    """The same after the onset."""
    missed_by_topk: float
    """The same of an autoencoder with as many latents for every vector."""


def signature(seen: Tokens, fitted: Fitted, topk: Fitted) -> Signature:
    """What of a window each pattern makes up."""
    rows, series, _ = seen.vectors.shape
    f = fitted.encoded(seen.flat).reshape(rows, series, -1).double().numpy()
    during, before = f[seen.after].mean(axis=0), f[~seen.after].mean(axis=0)
    excess = np.where(during >= ABOVE_QUIET * before, during - before, 0.0)
    total = max(float(excess.sum()), 1e-12)
    order = np.argsort(-excess.sum(axis=0), kind="stable").tolist()
    worth = [k for k in order if excess[:, k].sum() > 0]
    groups = patterns.together(f[seen.after].reshape(-1, f.shape[2]), worth)
    every = [_pattern(seen, f[:, :, g].sum(axis=2), excess[:, g], total) for g in groups]
    told = [p for p in every if p.share >= COVERED and patterns.speaks(p.stretch)]
    found = sorted(told, key=lambda p: -p.share)
    return Signature(
        seen,
        tuple(found[:MOST_PATTERNS]),
        np.asarray((f > 0).sum(axis=(1, 2)), dtype=np.float64),
        _missed(fitted, _held_out(seen, after=False)),
        _missed(fitted, _held_out(seen, after=True)),
        _missed(topk, _held_out(seen, after=True)),
    )


def _pattern(
    seen: Tokens,
    f: Float[np.ndarray, "rows series"],
    excess: Float[np.ndarray, "series latents"],
    total: float,
) -> Pattern:
    f = f * (excess.sum(axis=1) > 0)  # what these latents do elsewhere is no part of it
    after, before = f[seen.after], f[~seen.after]
    stretch = np.einsum("rs,rst->t", after, seen.stretches[seen.after])[::-1]
    level = max(float(np.median(after.max(axis=1))), 1e-12)
    usual = float(before.mean())
    return Pattern(
        f,
        excess.sum(axis=1),
        float(excess.sum()) / total,
        stretch / max(float(after.sum()), 1e-12),
        float(after.mean()) / usual if usual > 0 else None,
        patterns.bouts(before.max(axis=1) >= level),
    )


def _held_out(seen: Tokens, *, after: bool) -> Float[Tensor, "tokens d"]:
    """Vectors kept from training; all of a side that is too short to keep any."""
    side = seen.after if after else ~seen.after
    kept = side & ~seen.training
    return seen.chosen(kept if kept.any() else side)


def _missed(fitted: Fitted, tokens: Float[Tensor, "tokens d"]) -> float:
    return unexplained(tokens, fitted.decoded(fitted.encoded(tokens)))


@dataclass(frozen=True, kw_only=True)
class AdaptiveSAE(Method):
    """Takes what the forecaster's encoder saw apart into a few recurring patterns.

    Each row of each series is a vector of the encoder; a sparse autoencoder writes all of them as
    sums of few learnt directions. Quiet rows get by with few, an incident may use many. A pattern
    is told by the stretch of values at which it fires, by its series, and by how often it had
    been seen before.
    """

    choice: str = "mutual"
    """`mutual`: the budget goes where it is needed; `feature`: no pattern may starve, either."""
    latents: int = 24
    """Directions that are learnt."""
    active: int = 2
    """Directions per vector, on average."""
    steps: int = 300
    """Training steps of each autoencoder."""

    quick: ClassVar[Mapping[str, int]] = {"steps": 40}

    about = About(
        name="adaptive_sae",
        family=Family.SIGNATURES,
        question="Which few recurring patterns make up what the model saw in this incident?",
        paper="Ayonrinde 2024, Adaptive Sparse Allocation with Mutual Choice & Feature Choice "
        "Sparse Autoencoders, arXiv 2411.02124",
        needs=frozenset({Need.ONSET}),
        provenance=Provenance.RECONSTRUCTION,
        provenance_note="The two selections and the idea of aux_zipf are the paper's; its "
        "weighting, the constants of the law, the training schedule and thresholds without a "
        "batch are ours, as is the use on vectors of a time-series encoder.",
        measured=(
            "Uneven mixtures of 128 directions, seeds 0 and 1: variance unexplained 0.080 and "
            "0.076 (Mutual), 0.080 and 0.077 (Feature), TopK 0.223 and 0.237, five latents a "
            "token on average; latents used follow the true number with correlation 0.94 to "
            "0.96, TopK 0.13 to 0.19.",
            "A half of the latents begun dead: 2.3 % stay so with aux_zipf, 6.2 % with aux_k, "
            "46 % without. `python -m tests.benchmarks.bench_sparse adaptive`.",
        ),
        cost=Cost.SECONDS,
        assumptions=("The incident's rows are enough to learn its shapes from.",),
        limits=(
            "Patterns describe what the model reacted to; none of them is a cause.",
            "They are learnt from this window: the letters mean nothing in another incident.",
        ),
    )

    def __post_init__(self) -> None:
        if self.choice not in ("mutual", "feature"):
            raise ValueError(f"choice is {self.choice!r}; it is mutual or feature")
        if not 1 <= self.active <= self.latents:
            raise ValueError(f"active is {self.active}; it lies in 1 to {self.latents}")

    def run(self, case: Case) -> Result:
        seen = tokens_of(case, case.seed)
        learnt = seen.chosen(seen.training)
        shape = Shape(self.latents, self.active, self.steps, batch=256)
        train = mutual_choice if self.choice == "mutual" else feature_choice
        fitted = train(learnt, shape, case.seed, go_on=lambda share: case.go_on(0.6 * share))
        topk = fit(
            learnt,
            shape,
            TokenChoice(self.active),
            case.seed,
            go_on=lambda share: case.go_on(0.6 + 0.4 * share),
        )
        found = signature(seen, fitted, topk)
        caveats = _caveats(found, late=min(fitted.steps, topk.steps) < self.steps)
        return Result(
            _sentence(found),
            _blocks(found, case),
            status="weak" if caveats else "ok",
            caveats=caveats,
            headline=Figure("unexplained after the onset", 100 * found.missed, "%"),
            baseline=Figure(
                "unexplained with the same number of directions for every vector",
                100 * found.missed_by_topk,
                "%",
            ),
            inputs=seen.inputs(case),
        )


def _sentence(found: Signature) -> str:
    if not found.patterns:
        per_value, after = found.per_row / len(found.seen.series), found.seen.after
        return (
            "No pattern belongs to this incident more than to the time before: a value takes "
            f"{number(per_value[after].mean())} directions to tell after the onset, "
            f"{number(per_value[~after].mean())} before it."
        )
    told = [f"{patterns.letter(k)} {_card(p, found.seen)}" for k, p in _lettered(found)[:3]]
    count = len(found.patterns)
    covered = sum(p.share for p in found.patterns)
    return (
        f"{count} {'pattern makes' if count == 1 else 'patterns make'} up {covered:.0%} of what "
        f"the onset brought: {'; '.join(told)}."
    )


def _lettered(found: Signature) -> list[tuple[int, Pattern]]:
    return list(enumerate(found.patterns))


def _card(pattern: Pattern, seen: Tokens) -> str:
    where = patterns.named(patterns.fed_by(seen, pattern.excess), most=2)
    known = "not seen before" if not pattern.bouts else f"seen {_times(pattern.bouts)} before"
    return f"{patterns.in_words(pattern.stretch)}, {known} ({where})"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _caveats(found: Signature, *, late: bool) -> tuple[Caveat, ...]:
    said = [TIME_IS_UP] if late else []
    if found.missed > max(2 * found.quiet_missed, POOR_FIT):
        said.append(
            Caveat(
                CaveatCode.MODEL_MISFIT,
                f"The directions leave {found.missed:.0%} of what was seen after the onset "
                f"unexplained, {found.quiet_missed:.0%} before it: the incident does not "
                "resemble what they were learnt from.",
            )
        )
    if found.missed > found.missed_by_topk + 0.01:
        said.append(
            Caveat(
                CaveatCode.NO_BETTER_THAN_BASELINE,
                f"As many directions for every vector would leave {found.missed_by_topk:.0%} "
                f"unexplained, these leave {found.missed:.0%}.",
            )
        )
    return tuple(said)


def _blocks(found: Signature, case: Case) -> tuple[Block, ...]:
    times = tuple(case.window.times[found.seen.rows].tolist())
    pace = Lines("Directions per row", times, (Line("all", tuple(found.per_row.tolist())),))
    if not found.patterns:
        return (pace,)
    table = Table(
        "Patterns of the incident",
        ("pattern", "values", "share of what the onset brought, %", "times quiet", "seen before"),
        tuple(
            (
                patterns.letter(k),
                patterns.in_words(p.stretch),
                100 * p.share,
                p.times_quiet,
                p.bouts,
            )
            for k, p in _lettered(found)
        ),
    )
    lines = tuple(
        Line(patterns.letter(k), tuple(p.f.sum(axis=1).tolist())) for k, p in _lettered(found)
    )
    return (table, Lines("When each fires", times, lines), _where(found), pace)


def _where(found: Signature) -> Heatmap:
    part = np.column_stack([p.excess for p in found.patterns])
    order = np.argsort(-part.sum(axis=1), kind="stable").tolist()
    return Heatmap(
        "Where each fires after the onset, mean activation",
        tuple(str(found.seen.series[k]) for k in order),
        tuple(patterns.letter(k) for k, _ in _lettered(found)),
        tuple(tuple(part[k].tolist()) for k in order),
    )
