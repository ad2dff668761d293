"""Why a candidate is a candidate, in words with numbers and units."""

from __future__ import annotations

import numpy as np

from rootward.model.incident import Evidence
from rootward.model.window import Window
from rootward.numerics.suspicion import NEVER
from rootward.rca.ranking import Ranking
from rootward.rca.wording import clock, duration, quantity


def size_of_change(window: Window, ranking: Ranking, column: int, onset: int) -> Evidence:
    """How far the series went from its baseline, and when."""
    series = window.series[column]
    before = float(ranking.found.centre[column])
    away = np.nan_to_num(ranking.found.z[onset:, column])
    row = onset + int(np.abs(away).argmax())
    peak, score = float(window.values[row, column]), float(ranking.found.z[row, column])
    if not np.isfinite(score) or score == 0:
        return Evidence("size", f"{series} stayed at its baseline.", 0.0, "deviations")
    verb = "rose" if score > 0 else "fell"
    text = (
        f"{series} {verb} from {quantity(before, series)} to {quantity(peak, series)}, "
        f"{abs(score):.3g} deviations of its baseline, at {clock(float(window.times[row]))}."
    )
    return Evidence("size", text, abs(score), "deviations")


def order_of_onset(
    window: Window, ranking: Ranking, column: int, symptom: int | None
) -> Evidence | None:
    """Whether the series left its baseline before or after the symptom did."""
    own = int(ranking.onsets[column])
    if own == NEVER or symptom is None or symptom == column:
        return None
    reference = int(ranking.onsets[symptom])
    if reference == NEVER:
        return None
    ahead = float(window.times[reference] - window.times[own])
    name = str(window.series[symptom])
    if ahead == 0:
        step = duration(window.step_seconds)
        text = f"It departed in the same row as the symptom {name} (one row is {step})."
    else:
        word = "before" if ahead > 0 else "after"
        text = f"It departed {duration(abs(ahead))} {word} the symptom {name}."
    return Evidence("onset", text, ahead, "s")


def why_not_first(window: Window, ranking: Ranking, place: int) -> Evidence:
    """What the candidate lacks against the first."""
    own, first = ranking.speaking[place], ranking.speaking[0]
    smaller = np.expm1(ranking.surprise[first]) / max(np.expm1(ranking.surprise[own]), 1e-9)
    reasons = []
    if smaller > 1:
        reasons.append(f"its change is {smaller:.3g} times smaller")
    late = int(ranking.onsets[own]) - int(ranking.onsets[first])
    if NEVER not in (ranking.onsets[own], ranking.onsets[first]) and late > 0:
        gap = float(window.times[ranking.onsets[own]] - window.times[ranking.onsets[first]])
        reasons.append(f"it departed {duration(gap)} later")
    reason = " and ".join(reasons) or "the views together speak less for it"
    return Evidence("against", f"Not first: {reason} than {window.series[first]}.")
