"""Gradient sparse autoencoder on an incident: which patterns moved the forecast and its error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Float

from rootward.errors import InsufficientData
from rootward.methods.base import TIME_IS_UP, About, Cost, Family, Method, Need, Provenance
from rootward.methods.signatures import patterns
from rootward.methods.signatures.gradient_sae.forecast import Forecast, deviations, forecast_of
from rootward.methods.signatures.gradient_sae.model import gradient_sae, impacts
from rootward.methods.signatures.tokens import Tokens, tokens_of
from rootward.model.case import Case
from rootward.model.result import (
    Bars,
    Block,
    Caveat,
    CaveatCode,
    Figure,
    Line,
    Lines,
    Result,
    Table,
)
from rootward.model.wording import number
from rootward.numerics.autoencoder import Fitted, Shape
from rootward.numerics.downstream import of_mean_norm_one

MOST_PATTERNS = 5
LEAST_SKILL = 0.05
"""Share of quiet variance that the forecast must foretell, or its movements mean little."""
COMPLETE = (0.5, 1.5)
"""Bounds of the share of the forecast's movement that all patterns together account for."""
LEAST_MOVED = 0.2
"""Log deviations by which the forecast must move to be worth taking apart."""


@dataclass(frozen=True, eq=False)
class Moved:
    """A pattern and what it did to the forecast of the symptom."""

    latents: tuple[int, ...]
    by_row: Float[np.ndarray, " steps"]
    """What it adds to the forecast beyond its mean before the onset, log deviations."""
    share: float
    """Of the forecast's movement after the onset."""
    feeds: Float[np.ndarray, " series"]
    """The same by series, mean after the onset."""
    stretch: Float[np.ndarray, " stretch"]
    error_without: float
    """Mean squared error after the onset with the pattern back at its usual level."""
    activation: float
    """Mean activation after the onset beyond that before it."""


@dataclass(frozen=True, eq=False)
class Account:
    """All patterns of one autoencoder, the one that moved the forecast most first."""

    patterns: tuple[Moved, ...]
    complete: float
    """Share of the forecast's movement that the patterns account for."""
    faithful: float
    """1 - squared error of the forecast from rebuilt vectors, as a share of that from the mean."""


def account(seen: Tokens, forecast: Forecast, fitted: Fitted, beta: float) -> Account:
    """What each pattern adds to the forecast after the onset."""
    tokens = seen.vectors[torch.from_numpy(forecast.at)]
    steps, series, width = tokens.shape
    flat, slopes = tokens.reshape(-1, width), forecast.slopes.reshape(-1, width)
    f = fitted.encoded(flat, of_mean_norm_one(slopes) if beta else None)
    added = impacts(fitted, f, slopes).reshape(steps, series, -1).double().numpy()
    activity = f.reshape(steps, series, -1).double().numpy()
    after = forecast.after
    usual = added[~after].mean(axis=0)
    moved = forecast.moved
    rise = (added[after].mean(axis=0) - usual).sum(axis=0)
    worth = [k for k in np.argsort(-np.abs(rise), kind="stable").tolist() if rise[k] != 0]
    groups = patterns.together(activity[after].reshape(-1, activity.shape[2]), worth)
    found = [_moved(seen, forecast, (added, activity), group, moved) for group in groups]
    rebuilt = fitted.decoded(f)
    spoilt = ((rebuilt - flat) * slopes).sum(dim=1).reshape(steps, series).sum(dim=1)
    spread = np.mean((forecast.foretold - forecast.foretold[~after].mean()) ** 2)
    return Account(
        tuple(sorted(found, key=lambda m: -m.share)),
        float(rise.sum() / moved) if moved else 0.0,
        1 - float((spoilt**2).mean()) / max(float(spread), 1e-12),
    )


def _moved(
    seen: Tokens,
    forecast: Forecast,
    parts: tuple[np.ndarray, np.ndarray],
    group: list[int],
    moved: float,
) -> Moved:
    added, activity = (part[:, :, group].sum(axis=2) for part in parts)
    after = forecast.after
    beyond = added - added[~after].mean(axis=0)
    by_row = beyond.sum(axis=1)
    weight = activity[after] * np.abs(beyond[after])
    stretch = np.einsum("rs,rst->t", weight, seen.stretches[forecast.at][after])[::-1]
    off = forecast.foretold - by_row - forecast.measured
    return Moved(
        tuple(group),
        by_row,
        float(by_row[after].mean()) / moved if moved else 0.0,
        beyond[after].mean(axis=0) * np.sign(moved),
        stretch / max(float(weight.sum()), 1e-12),
        float(np.mean(off[after] ** 2)),
        float(activity[after].mean() - activity[~after].mean()),
    )


@dataclass(frozen=True, kw_only=True)
class GradientSAE(Method):
    """Takes the forecast of the symptom apart into patterns by what each does to it.

    A linear forecast of the symptom is learnt on quiet rows from the encoder's vectors of all
    series. A sparse autoencoder, which prefers what that forecast listens to, writes the vectors
    as patterns; setting one back to its usual level and forecasting again says what it did. This
    is a root-cause score of the model's, shown beside the diagnosis and never mixed into it.
    """

    beta: float = 2.0
    """Weight of the effect downstream when patterns are chosen; 0 looks at activation alone."""
    latents: int = 24
    """Directions that are learnt."""
    active: int = 2
    """Directions per vector."""
    steps: int = 300
    """Training steps of each autoencoder."""

    quick: ClassVar[Mapping[str, int]] = {"steps": 40}

    about = About(
        name="gradient_sae",
        family=Family.SIGNATURES,
        question="Which patterns moved the forecast of the symptom and its error, and which "
        "metrics feed them?",
        paper="Olmo, Wilson, Forsey, Hepner, Howe, Wingate 2025, Features that Make a Difference: "
        "Leveraging Gradients for Improved Dictionary Learning, Findings of NAACL, "
        "arXiv 2411.10397",
        needs=frozenset({Need.ONSET, Need.SYMPTOM}),
        provenance=Provenance.RECONSTRUCTION,
        provenance_note="The selection is the paper's; its weight beta, the gradient of the "
        "forecast in place of that of the loss, and the use on vectors of a time-series encoder "
        "are ours.",
        measured=(
            "Small directions that a fixed network reads, 1,500 steps, seeds 0 to 2: it is served "
            "to 0.78, 0.73 and 0.75 by rebuilt vectors (1 is perfect), TopK 0.75, 0.63 and 0.68; "
            "variance unexplained 0.125, 0.130 and 0.125, TopK 0.120, 0.123 and 0.120. "
            "`python -m tests.benchmarks.bench_sparse gradient`.",
        ),
        cost=Cost.SECONDS,
        assumptions=(
            "The forecast learnt before the onset still listens to the same series after it.",
        ),
        limits=(
            "What moved the model's forecast is not what broke the system.",
            "Neither better steering nor fewer dead directions than TopK is claimed.",
        ),
    )

    def __post_init__(self) -> None:
        if self.beta < 0:
            raise ValueError(f"beta is {self.beta}; it is at least 0")
        if not 1 <= self.active <= self.latents:
            raise ValueError(f"active is {self.active}; it lies in 1 to {self.latents}")

    def run(self, case: Case) -> Result:
        if case.symptom is None:
            raise InsufficientData("a forecast is taken apart for a symptom; none is named")
        seen = tokens_of(case, case.seed)
        symptom = case.window.series[case.symptom]
        if symptom not in seen.series:
            raise InsufficientData(f"{symptom} has too few values")
        forecast = forecast_of(seen, seen.series.index(symptom))
        ours, late = self._account(case, seen, forecast, self.beta)
        topk, _ = self._account(case, seen, forecast, 0.0)
        if not ours.patterns or not topk.patterns:
            raise InsufficientData("no pattern fires in this window")
        caveats = _caveats(ours, forecast, late=late)
        loudest = max(topk.patterns, key=lambda m: m.activation)
        return Result(
            _sentence(ours, forecast, seen, str(symptom)),
            _blocks(ours, forecast, seen, case),
            status="weak" if caveats else "ok",
            caveats=caveats,
            headline=Figure(
                "of the forecast's movement by one pattern", 100 * ours.patterns[0].share, "%"
            ),
            baseline=Figure("by the pattern with the largest activation", 100 * loudest.share, "%"),
            inputs=seen.inputs(case),
        )

    def _account(
        self, case: Case, seen: Tokens, forecast: Forecast, beta: float
    ) -> tuple[Account, bool]:
        """The account, and whether time was up before training ended."""
        learnt = forecast.at[seen.training[forecast.at]]
        tokens = seen.vectors[torch.from_numpy(learnt)]
        slopes = forecast.weights[None].expand_as(tokens)
        fitted = gradient_sae(
            tokens.reshape(-1, tokens.shape[2]),
            slopes.reshape(-1, tokens.shape[2]),
            Shape(self.latents, self.active, self.steps, batch=256),
            case.seed,
            beta=beta,
            go_on=case.go_on,
        )
        return account(seen, forecast, fitted, beta), fitted.steps < self.steps


def _level(forecast: Forecast, values: Float[np.ndarray, " steps"]) -> str:
    return number(round(deviations(float(values[forecast.after].mean())), 1) + 0.0)


def _forecast_moved(forecast: Forecast) -> float:
    """How far the forecast's mean moved at the onset, in log deviations."""
    after = forecast.after
    return abs(float(forecast.foretold[after].mean() - forecast.foretold[~after].mean()))


def _sentence(found: Account, forecast: Forecast, seen: Tokens, symptom: str) -> str:
    first = found.patterns[0]
    if _forecast_moved(forecast) < LEAST_MOVED:
        return (
            f"The forecast of {symptom} hardly moved at the onset, by "
            f"{number(deviations(_forecast_moved(forecast)))} deviations: no pattern can be said "
            "to have moved it."
        )
    fed = patterns.fed_by(seen, first.feeds)
    feeding = ", ".join(f"{name} {share:.0%}" for name, share in fed[:3])
    return (
        f"With pattern A ({patterns.in_words(first.stretch)}) at its usual level, the forecast of "
        f"{symptom} after the onset would be {_level(forecast, forecast.foretold - first.by_row)} "
        f"instead of {_level(forecast, forecast.foretold)} deviations, {first.share:.0%} of its "
        f"movement less, and its squared error {_error(forecast, first)}; it is fed by {feeding}."
    )


def _error(forecast: Forecast, pattern: Moved) -> str:
    now = float(np.mean((forecast.foretold - forecast.measured)[forecast.after] ** 2))
    return f"{number(pattern.error_without)} instead of {number(now)}"


def _caveats(found: Account, forecast: Forecast, *, late: bool) -> tuple[Caveat, ...]:
    said = [TIME_IS_UP] if late else []
    moved = _forecast_moved(forecast)
    if forecast.skill < LEAST_SKILL:
        said.append(
            Caveat(
                CaveatCode.MODEL_MISFIT,
                f"The forecast foretells {max(forecast.skill, 0):.0%} of the quiet rows kept from "
                "training: what moves it tells little of the system.",
            )
        )
    if moved < LEAST_MOVED:
        said.append(
            Caveat(
                CaveatCode.MODEL_MISFIT,
                f"The forecast hardly moved ({number(deviations(moved))} deviations).",
            )
        )
    if forecast.moved * forecast.departed < 0:
        said.append(
            Caveat(
                CaveatCode.EXTRAPOLATION,
                "The forecast moved against what was measured: nothing like these values was "
                "seen before the onset.",
            )
        )
    if not COMPLETE[0] <= found.complete <= COMPLETE[1]:
        said.append(
            Caveat(
                CaveatCode.MODEL_MISFIT,
                f"All patterns together account for {found.complete:.0%} of the forecast's "
                f"movement; {COMPLETE[0]:.0%} to {COMPLETE[1]:.0%} are asked for.",
            )
        )
    return tuple(said)


def _blocks(found: Account, forecast: Forecast, seen: Tokens, case: Case) -> tuple[Block, ...]:
    shown = list(enumerate(found.patterns[:MOST_PATTERNS]))
    rows = tuple(
        (
            patterns.letter(k),
            patterns.in_words(p.stretch),
            100 * p.share,
            p.error_without,
            p.activation,
            patterns.named(patterns.fed_by(seen, p.feeds)),
        )
        for k, p in shown
    )
    columns = (
        *("pattern", "values", "share of the forecast's movement, %"),
        *("squared error without it", "activation gained", "fed by"),
    )
    times = tuple(case.window.times[seen.rows[forecast.at + 1]].tolist())
    lines = (
        Line("measured", tuple(forecast.measured.tolist())),
        Line("forecast", tuple(forecast.foretold.tolist())),
        Line("without A", tuple((forecast.foretold - found.patterns[0].by_row).tolist())),
    )
    pushed = np.sum([np.maximum(p.feeds, 0.0) for p in found.patterns], axis=0)
    order = np.argsort(-pushed, kind="stable")[:15].tolist()
    bars = Bars(
        "Series that pushed the forecast, log deviations",
        tuple(str(seen.series[k]) for k in order),
        tuple(float(pushed[k]) for k in order),
    )
    table = Table("Patterns by what they did to the forecast", columns, rows)
    return (Lines("Forecast one step ahead", times, lines, "log deviations"), table, bars)
