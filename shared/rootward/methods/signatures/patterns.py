"""Patterns in words: what shape a latent answers to, where and when it fires."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from rootward.methods.signatures.tokens import Tokens
from rootward.model.wording import listed, number

MOST_SERIES_NAMED = 3
TOGETHER = 0.6
"""Cosine from which on two latents fire at the same places."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CLEAR = 2.0
"""Deviations that a pattern must reach on average to be told."""
_SMALL = 1.5
"""Deviations below which a level or a change is none to speak of."""


def letter(place: int) -> str:
    """Pattern A is the first that an answer names."""
    return LETTERS[place % len(LETTERS)]


def together(f: Float[np.ndarray, "tokens latents"], worth: Sequence[int]) -> list[list[int]]:
    """Latents in groups that fire at the same places: a shape is often the sum of several."""
    length = np.maximum(np.linalg.norm(f, axis=0), 1e-12)
    alike = (f.T @ f) / np.outer(length, length)
    groups: list[list[int]] = []
    for k in worth:
        near = next((g for g in groups if alike[k, g[0]] >= TOGETHER), None)
        if near is None:
            groups.append([k])
        else:
            near.append(k)
    return groups


def speaks(stretch: Float[np.ndarray, " stretch"]) -> bool:
    """Whether a stretch leaves the usual at all."""
    return bool(np.abs(stretch).max() >= CLEAR)


def in_words(stretch: Float[np.ndarray, " stretch"]) -> str:
    """What a stretch does: where it stands at last, and how it came there."""
    last, first = float(stretch[-1]), float(stretch[0])
    peak = float(stretch[np.abs(stretch).argmax()])
    side = "above" if last > 0 else "below"
    if abs(last - first) >= max(_SMALL, 0.3 * abs(peak)):
        verb = "rises" if last > first else "falls"
        return f"{verb} from {number(round(first, 1))} to {number(round(last, 1))} deviations"
    if abs(peak) >= _SMALL and abs(peak) > 1.5 * max(abs(last), abs(first)):
        return f"spikes to {number(round(peak, 1))} deviations and returns"
    if abs(last) >= _SMALL:
        return f"stays {number(abs(round(last, 1)))} deviations {side} the usual"
    return "moves within the usual"


def fed_by(seen: Tokens, weight: Float[np.ndarray, " series"]) -> list[tuple[str, float]]:
    """Series by their share of a weight, largest first; those with less than a fiftieth left out.

    Shares are of what is not negative.
    """
    positive = np.maximum(weight, 0.0)
    share = positive / max(float(positive.sum()), 1e-12)
    order = np.argsort(-share, kind="stable").tolist()
    return [(str(seen.series[k]), float(share[k])) for k in order if share[k] >= 0.02]


def named(found: Sequence[tuple[str, float]], most: int = MOST_SERIES_NAMED) -> str:
    """The first few series, and how many more."""
    first = [name for name, _ in found[:most]]
    more = len(found) - len(first)
    return listed(first) if more <= 0 else f"{', '.join(first)} and {more} more"


def bouts(fires: Bool[np.ndarray, " rows"]) -> int:
    """How many separate times something went on for two rows and more."""
    padded = np.concatenate(([False], fires, [False])).astype(np.int8)
    edges = np.flatnonzero(np.diff(padded))
    return int(np.sum(edges[1::2] - edges[::2] >= 2))
