"""How sure we are that the first candidate is the cause, and when we say nothing."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from rootward.model.incident import Band
from rootward.numerics.suspicion import DEPARTED

HIGH = 0.75
MEDIUM = 0.5
"""From here on a cause is named: it is more likely right than not. Below it there is no confident
cause, only a nearest candidate. Of quiet stretches of baselines 14 % reach it."""
LEAST_CONFIDENCE = 0.2
"""Below it nothing speaks for the nearest candidate either."""
SEARCHED = 20.0
"""Rows of baseline at which an onset that was searched for halves what can be said: among so few
any wander is without example, and the search looks for just that."""
LEAST_SCORE = float(np.log1p(DEPARTED))
"""A service whose changes together are below three deviations did not depart."""

# The map, fitted on labelled incidents of eight systems and on quiet stretches of their
# baselines; docs/decisions/0003-fusion.md shows it left out system by system.
INTERCEPT = -1.09
PER_EXCESS = 2.36
"""For each time what is usual that the first scores more than that, within `BOUNDS`."""
BOUNDS = (-2.0, 6.0)
CALMEST = 1.0
"""Least score, in log deviations, that is taken as usual: nothing is calmer than its noise."""
EVEN = 0.3
"""Lead over the second, in log deviations, from which on the two are hardly even."""


LIKELY = 0.9
"""How often the likely set is to hold the cause."""
LEAST_ROWS = 3
"""Rows after the onset below which no set is told."""
LEADS = ((0.5, 0.00), (0.8, 0.00), (0.9, 0.78), (0.95, 2.35))
"""(level, lead): at this level the first leads the cause by no more than so many log deviations.

Split-conformal quantiles over the labelled incidents, cut after 3 rows, after 12 and not at all,
every system weighing the same; docs/decisions/0003-fusion.md shows the coverage of systems that
were left out.
"""
COVERED = "61 to 100 %, 90 % on average"
"""Coverage of single systems that were left out, in words."""


def likely_count(scores: Float[np.ndarray, " services"], rows: int) -> int:
    """How many of the first services make the set that holds the cause at the level `LIKELY`.

    The nonconformity of a service is the lead that the first has over it. `scores` are largest
    first. Exact for incidents like the labelled ones; for another system a measured hope. 0
    where too few rows are seen.
    """
    lead = dict(LEADS)[LIKELY]
    return int((scores[0] - scores <= lead).sum()) if rows >= LEAST_ROWS else 0


def excess(scores: Float[np.ndarray, " services"], usual: float) -> float:
    """How many times what is `usual` the first scores more than that, within `BOUNDS`.

    A ratio: an excess that a restless system shows by itself is beyond example on a calm one.
    """
    return float(np.clip((scores[0] - usual) / max(usual, CALMEST), *BOUNDS))


def certainty(
    scores: Float[np.ndarray, " services"], rows: int, searched: int | None = None
) -> float:
    """What lead and rows leave of a probability, 0 to 1; `scores` are largest first.

    A half where the first two are even: either may be it. Times n / (n + 1) for n rows after the
    onset, so that no answer from one or two rows is sure: one row more may show another. Times
    b / (b + 20) for the b rows before an onset that was `searched` for.
    """
    lead = float(scores[0] - scores[1]) if len(scores) > 1 else np.inf
    known = 1.0 if searched is None else searched / (searched + SEARCHED)
    return (1 - 0.5 * float(np.exp(-lead / EVEN))) * rows / (rows + 1) * known


def confidence(
    scores: Float[np.ndarray, " services"], rows: int, usual: float, searched: int | None = None
) -> float:
    """Probability that the first is the cause; 0 where nothing speaks for it.

    `scores` are largest first, `rows` is how many lie after the onset, `searched` how many before
    it where nobody told it, `usual` what the first service scores at pseudo-onsets in the
    baseline: the same departure says much on a calm system and little on one that wanders. Score
    and lead alone gave quiet stretches high answers three times as often; agreement of the views
    and number of services made it worse.
    """
    if scores[0] < LEAST_SCORE:
        return 0.0
    odds = INTERCEPT + PER_EXCESS * excess(scores, usual)
    probability = float(1 / (1 + np.exp(-odds))) * certainty(scores, rows, searched)
    return probability if probability >= LEAST_CONFIDENCE else 0.0


def band_of(probability: float) -> Band:
    """The confidence in words; `NONE` for 0."""
    if probability >= HIGH:
        return Band.HIGH
    if probability >= MEDIUM:
        return Band.MEDIUM
    return Band.LOW if probability > 0 else Band.NONE
