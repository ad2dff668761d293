"""Figures behind 0003-fusion.md: ablation, robustness to the onset, and the confidence map.

    .venv/bin/python docs/decisions/fusion_figures.py FOLDER_OF_LABELLED_CASES [PART…]

The folder holds case folders as `rootward bench` reads them. No graph is learnt, so that it takes
minutes; `rootward bench` gives the figures with one.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from rootward.model.series import Series
from rootward.model.window import Window
from rootward.numerics import anomaly, suspicion
from rootward.rca import confidence, onset, ranking
from rootward.rca.frame import framed
from rootward.rca.usual import usual_score
from rootward_cli import cases, evaluation

Calls = tuple[tuple[str, str], ...]
Labelled = tuple[str, tuple[str, ...], Window, Calls, bool]

ABLATIONS: tuple[tuple[str, tuple[tuple[object, str, object], ...]], ...] = (
    ("all", ()),
    ("peak instead of sustained size", ((anomaly, "_SUSTAINED", 1.0),)),
    ("median instead of sustained size", ((anomaly, "_SUSTAINED", 0.5),)),
    ("no pseudo-incidents (IQR and deviation)", ((anomaly, "usual_extreme", None),)),
    ("no floor from the level", ((anomaly, "LEVEL_FLOOR", 0.0),)),
    ("no scale from siblings", ((anomaly, "SIBLING_SCALE", 0.0),)),
    ("harmless changes count in full", ((suspicion, "HARMLESS", 1.0),)),
    ("traffic counts in full", ((suspicion, "LOAD", 1.0),)),
    ("no order of onsets", ((suspicion, "LATE", 0.0),)),
    ("no support", ((suspicion, "SUPPORT", 0.0),)),
    ("no second kind", ((suspicion, "SECOND_KIND", 0.0),)),
    ("callees explain nothing", ((ranking, "EXPLAINED", 1.0),)),
    ("nothing is beyond reach", ((ranking, "BEYOND", 1.0),)),
)


def labelled(folder: Path) -> Iterator[Labelled]:
    """Every case with an onset: data set, true services, window, calls, clean baseline or not."""
    for path in cases.find([folder]):
        label, recording = cases.label(path), cases.read(path)
        if recording.window.onset is None:
            continue
        case = json.loads((path / "case.json").read_text())
        clean = all(fault["time"] >= case["inject_time"] for fault in case["other_faults"])
        yield label.dataset, label.services, framed(recording.window), recording.calls, clean


@contextmanager
def replaced(changes: tuple[tuple[object, str, object], ...]) -> Iterator[None]:
    """Other values for module constants while the block runs; None: a scale of nothing."""
    before = [(module, name, getattr(module, name)) for module, name, _ in changes]
    for module, name, value in changes:
        setattr(module, name, _no_extreme if value is None else value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def _no_extreme(away: np.ndarray, length: int) -> np.ndarray:
    return np.zeros(away.shape[1])


def scores(window: Window, calls: Calls, begun: int) -> dict[str, float]:
    """The services' scores for an onset, corrected as the diagnosis does."""
    found = ranking.rank(onset.around(window.with_onset(begun), calls), calls)
    return dict(zip(found.services, found.scores.tolist(), strict=True))


def told(window: Window, calls: Calls, begun: int) -> tuple[str, float, float]:
    """The first service, the excess of its score, and what lead and rows leave of its chance."""
    seen = onset.around(window.with_onset(begun), calls)
    found = ranking.rank(seen, calls)
    more = confidence.excess(found.scores, usual_score(seen, calls))
    left = confidence.certainty(found.scores, len(window.times) - seen.onset)
    return found.services[0], more, left if found.scores[0] >= confidence.LEAST_SCORE else 0.0


def table(data: list[Labelled], rows: list[tuple[str, Callable[[Window, Calls], dict[str, float]]]],
          changes: dict[str, tuple[tuple[object, str, object], ...]]) -> None:  # fmt: skip
    """Print AC@1 / Avg@5 for each row and data set, and their means over data sets."""
    names = sorted({dataset for dataset, *_ in data})
    show("| | " + " | ".join(names) + " | mean |\n|" + " --- |" * (len(names) + 2))
    for title, scorer in rows:
        ranks = defaultdict(list)
        with replaced(changes.get(title, ())):
            for dataset, truth, window, calls, _ in data:
                ranks[dataset].append(evaluation.worst_rank(scorer(window, calls), truth))
        found = [evaluation.scores(ranks[name]) for name in names]
        cells = [f"{f.ac1:.2f} {f.avg5:.2f}" for f in found]
        mean = [np.mean([f.ac1 for f in found]), np.mean([f.avg5 for f in found])]
        show(f"| {title} | " + " | ".join(cells) + f" | {mean[0]:.2f} {mean[1]:.2f} |")


def ablation(data: list[Labelled]) -> None:
    """Each piece taken out."""
    rows = [(title, lambda w, c: scores(w, c, w.onset or 0)) for title, _ in ABLATIONS]
    table(data, rows, dict(ABLATIONS))


def shifted(data: list[Labelled]) -> None:
    """The onset some rows too early or too late, and found without being told."""

    def by(rows: int) -> Callable[[Window, Calls], dict[str, float]]:
        return lambda w, c: scores(w, c, int(np.clip((w.onset or 0) + rows, 3, len(w.times) - 1)))

    def found(window: Window, calls: Calls) -> dict[str, float]:
        row = onset.find_onset(window, calls)
        return {} if row is None else scores(window, calls, row)

    rows = [(f"onset {k:+d} rows", by(k)) for k in (-5, -2, -1, 0, 1, 2, 3, 5)]
    table(data, [*rows, ("onset found", found)], {})


def names(data: list[Labelled]) -> None:
    """What hangs on what metrics are called: the same windows with names that tell nothing."""

    def by(rename: Callable[[Window], tuple[Series, ...]]) -> Callable[[Window, Calls], dict]:
        return lambda w, c: scores(replace(w, series=rename(w)), c, w.onset or 0)

    def numbered(window: Window) -> tuple[Series, ...]:
        number = {m: k for k, m in enumerate(sorted({s.metric for s in window.series}))}
        return tuple(Series(f"m{number[s.metric]}", s.labels) for s in window.series)

    def alone(window: Window) -> tuple[Series, ...]:
        return tuple(Series(f"m{k}", s.labels) for k, s in enumerate(window.series))

    table(data, [("as they are", by(lambda w: w.series)), ("metrics numbered", by(numbered)),
                 ("every series its own metric", by(alone))], {})  # fmt: skip


def calibration(data: list[Labelled]) -> None:
    """Fit the confidence map leaving out one data set at a time, then on all."""
    x, left, y, sets, weights, quiet = _points(data)
    guess = np.empty(len(y))
    show("| data set | right | mean probability | quiet stretches with an answer |")
    show("| --- | --- | --- | --- |")
    for name in np.unique(sets):
        out = sets == name
        fitted = _fit(x[~out], left[~out], y[~out], weights[~out])
        guess[out] = _probability(fitted, x[out], left[out])
        told, still = out & ~quiet, out & quiet
        some = f"{np.sum(guess[still] >= confidence.LEAST_CONFIDENCE)} of {still.sum()}"
        show(f"| {name} | {y[told].mean():.2f} | {guess[told].mean():.2f} | {some} |")
    show("\n| probability | cases | right | quiet stretches |\n| --- | --- | --- | --- |")
    bounds = (0.0, 0.1, confidence.LEAST_CONFIDENCE, confidence.MEDIUM, confidence.HIGH, 0.9, 1.01)
    for low, high in pairwise(bounds):
        inside = (guess >= low) & (guess < high)
        right = y[inside & ~quiet].mean() if (inside & ~quiet).any() else np.nan
        counts = f"{(inside & ~quiet).sum()} | {right:.2f} | {(inside & quiet).sum()}"
        show(f"| {low}–{min(high, 1.0)} | {counts} |")
    intercept, per_excess = _fit(x, left, y, weights)
    brier = float(np.average((guess - y) ** 2, weights=weights))
    show(f"\nintercept {intercept:.2f}, excess {per_excess:.2f}, Brier {brier:.3f}")


def _points(data: list[Labelled]) -> tuple[np.ndarray, ...]:
    """Features and hits of every case, and of quiet stretches of baselines (a miss each)."""
    points: list[tuple[str, bool, float, float, bool]] = []
    for dataset, truth, window, calls, clean in data:
        begun = window.onset or 0
        first, more, left = told(window, calls, begun)
        points.append((dataset, False, more, left, first in truth))
        quiet = window.rows(0, begun)
        for onset_row in (round(0.7 * begun), begun - 12) if clean and begun >= 40 else ():
            points.append((dataset, True, *told(quiet, calls, onset_row)[1:], False))
    names, still, more, left, hits = (np.array(one) for one in zip(*points, strict=True))
    weights = np.array(
        [
            (0.5 if q else 1.0) / np.sum((names == name) & (still == q))
            for name, q in zip(names, still, strict=True)
        ]
    )
    x = np.stack([np.ones(len(more)), more], axis=1)
    return x, left, hits.astype(np.float64), names, weights, still


def searched(data: list[Labelled]) -> None:
    """Answers without a told onset, by the baseline that the found one leaves.

    Cases lose rows at the start, a random number, so that short baselines come with faults too;
    quiet stretches are whole clean baselines.
    """
    rng = np.random.default_rng(0)
    found: list[tuple[bool, bool, int, float, float]] = []
    for _, truth, window, calls, clean in data:
        begun = window.onset or 0
        start = begun - int(rng.integers(min(12, begun), begun + 1))
        found.append((False, *_searched(window.rows(start, len(window.values)), calls, truth)))
        if clean and begun >= 40:
            found.append((True, *_searched(window.rows(0, begun), calls, ())))
    quiet, hit, base, before, after = (np.array(one) for one in zip(*found, strict=True))
    show("| baseline | cases | right | named, right | quiet | named | high | without the factor |")
    show("|" + " --- |" * 8)
    for low, high in ((0, 20), (20, 40), (40, 80), (80, 160), (160, 10**6), (0, 10**6)):
        inside = (base >= low) & (base < high)
        told, still = inside & ~quiet, inside & quiet
        named = told & (after >= confidence.MEDIUM)
        shares = [
            float(np.mean(p[still] >= bar))
            for p in (after, before)
            for bar in (confidence.MEDIUM, confidence.HIGH)
        ]
        show(
            f"| {low}– | {told.sum()} | {hit[told].mean():.2f} | {named.sum()}, "
            f"{_share(hit[named])} | {still.sum()} | {shares[0]:.2f} | {shares[1]:.2f} | "
            f"{shares[2]:.2f} {shares[3]:.2f} |"
        )


def _share(hits: np.ndarray) -> str:
    return f"{hits.mean():.2f}" if len(hits) else ""


def _searched(
    window: Window, calls: Calls, truth: tuple[str, ...]
) -> tuple[bool, int, float, float]:
    """Right or not, rows before the onset that is found, probability without and with them."""
    begun = onset.find_onset(window.with_onset(None), calls)
    if begun is None:
        return False, 0, 0.0, 0.0
    first, more, left = told(window, calls, begun)
    usual = 1 / (1 + np.exp(-confidence.INTERCEPT - confidence.PER_EXCESS * more))
    known = begun / (begun + confidence.SEARCHED)
    return first in truth, begun, float(usual * left), float(usual * left * known)


def conformal(data: list[Labelled]) -> None:
    """How often the likely set holds the cause, with the table of leads fitted on other systems."""
    sets, leads, counts = _leads(data)
    show("| data set | cases | cause in the set | services in it | of |\n|" + " --- |" * 5)
    names, covered, sizes = np.unique(sets), [], []
    for name in names:
        out = sets == name
        lead = _quantile(leads[~out], sets[~out], confidence.LIKELY)
        covered.append(float(np.mean(leads[out] <= lead)))
        own = [scores for scores, is_out in zip(counts, out, strict=True) if is_out]
        sizes.append(float(np.mean([np.sum(s[0] - s <= lead) for s in own])))
        of = np.mean([len(s) for s in own])
        show(f"| {name} | {out.sum()} | {covered[-1]:.2f} | {sizes[-1]:.1f} | {of:.0f} |")
    show(f"| mean | | {np.mean(covered):.2f} | {np.mean(sizes):.1f} | |\n")
    levels = [level for level, _ in confidence.LEADS]
    shown = [f"({level}, {_quantile(leads, sets, level):.2f})" for level in levels]
    show(f"table: {', '.join(shown)}")


def _leads(data: list[Labelled]) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Data set, lead of the first over the true service, and all scores, where it answers.

    Each case counts early, later and in full: the set is shown from the third row on.
    """
    found = []
    for dataset, truth, window, calls, _ in data:
        begun = window.onset or 0
        for rows in (confidence.LEAST_ROWS, 12, len(window.times)):
            part = window.rows(0, min(len(window.times), begun + rows)).with_onset(begun)
            seen = onset.around(part, calls)
            made = ranking.rank(seen, calls)
            by_service = dict(zip(made.services, made.scores.tolist(), strict=True))
            ordered, usual = made.scores, usual_score(seen, calls)
            if confidence.confidence(ordered, len(part.times) - seen.onset, usual) > 0:
                true = max((by_service[s] for s in truth if s in by_service), default=-np.inf)
                found.append((dataset, ordered[0] - true, ordered))
    sets, leads, counts = zip(*found, strict=True)
    return np.array(sets), np.array(leads), list(counts)


def _quantile(leads: np.ndarray, sets: np.ndarray, level: float) -> float:
    """The split-conformal quantile; every data set weighs the same."""
    weights = np.array([1 / np.sum(sets == name) for name in sets])
    order = np.argsort(leads)
    reached = np.cumsum(weights[order]) / weights.sum()
    place = np.searchsorted(reached, level * (1 + 1 / len(leads)))
    return float(leads[order][min(place, len(leads) - 1)])


def _probability(weights: np.ndarray, x: np.ndarray, left: np.ndarray) -> np.ndarray:
    return left / (1 + np.exp(-x @ weights))


def _fit(x: np.ndarray, left: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    def loss(b: np.ndarray) -> float:
        p = np.clip(_probability(b, x, left), 1e-6, 1 - 1e-6)
        return float(0.01 * (b[1:] @ b[1:]) - weights @ (y * np.log(p) + (1 - y) * np.log(1 - p)))

    return np.asarray(minimize(loss, np.zeros(x.shape[1])).x)


def show(text: str) -> None:
    """A line of the page."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    everything = list(labelled(Path(sys.argv[1])))
    parts = {"ablation": ablation, "shifted": shifted, "calibration": calibration,
             "searched": searched, "conformal": conformal, "names": names}  # fmt: skip
    for part in sys.argv[2:] or parts:
        parts[part](everything)
        show("")
