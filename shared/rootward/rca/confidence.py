"""How sure we are that the first candidate is the cause, and when we say nothing."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from rootward.model.incident import Band
from rootward.numerics.suspicion import DEPARTED

HIGH = 0.75
MEDIUM = 0.4
LEAST_CONFIDENCE = 0.1
"""Below it, an answer is worth less than the time to read it."""
LEAST_SCORE = float(np.log1p(DEPARTED))
"""A service whose changes together are below three deviations did not depart."""

# The logistic map, fitted on labelled incidents of eight systems and on quiet stretches of their
# baselines; docs/decisions/0003-fusion.md shows it left out system by system.
INTERCEPT = -2.39
PER_SCORE = 0.45
"""For each log deviation that speaks against the first, up to `MOST_SCORE`."""
PER_MARGIN = 0.58
"""For each log deviation by which the first leads the second, up to `MOST_MARGIN`."""
MOST_SCORE = 8.0
MOST_MARGIN = 4.0


LIKELY = 0.9
"""How often the likely set is to hold the cause."""
LEAST_ROWS = 3
"""Rows after the onset below which no set is told."""
LEADS = ((0.5, 0.00), (0.8, 0.27), (0.9, 1.45), (0.95, 2.19))
"""(level, lead): at this level the first leads the cause by no more than so many log deviations.

Split-conformal quantiles over the labelled incidents, cut after 3 rows, after 12 and not at all,
every system weighing the same; docs/decisions/0003-fusion.md shows the coverage of systems that
were left out.
"""
COVERED = "50 to 100 %, 89 % on average"
"""Coverage of single systems that were left out, in words."""


def likely_count(scores: Float[np.ndarray, " services"], rows: int) -> int:
    """How many of the first services make the set that holds the cause at the level `LIKELY`.

    The nonconformity of a service is the lead that the first has over it. `scores` are largest
    first. Exact for incidents like the labelled ones; for another system a measured hope. 0
    where too few rows are seen.
    """
    lead = dict(LEADS)[LIKELY]
    return int((scores[0] - scores <= lead).sum()) if rows >= LEAST_ROWS else 0


def features(scores: Float[np.ndarray, " services"]) -> tuple[float, float]:
    """Score of the first and its lead over the second; `scores` are largest first."""
    first = float(scores[0])
    second = float(scores[1]) if len(scores) > 1 else 0.0
    return min(first, MOST_SCORE), min(first - second, MOST_MARGIN)


def confidence(scores: Float[np.ndarray, " services"], rows: int) -> float:
    """Probability that the first is the cause; 0 where nothing clears the bar.

    `rows` is how many lie after the onset. One row more may still show another answer: the
    probability is taken times n / (n + 1), so that no answer from one or two rows is sure.

    Two features carry it: how far the first departed, and how far it leads. The agreement of
    the views and the number of services were tried too; left out system by system they made
    the probabilities worse.
    """
    first, margin = features(scores)
    if first < LEAST_SCORE:
        return 0.0
    odds = INTERCEPT + PER_SCORE * first + PER_MARGIN * margin
    probability = float(1 / (1 + np.exp(-odds))) * rows / (rows + 1)
    return probability if probability >= LEAST_CONFIDENCE else 0.0


def band_of(probability: float) -> Band:
    """The confidence in words; `NONE` for 0."""
    if probability >= HIGH:
        return Band.HIGH
    if probability >= MEDIUM:
        return Band.MEDIUM
    return Band.LOW if probability > 0 else Band.NONE
