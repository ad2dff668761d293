"""How sure we are that the first candidate is the cause."""

from __future__ import annotations

from rootward.model.incident import Band

HIGH = 0.75
MEDIUM = 0.4


def band_of(confidence: float) -> Band:
    """The confidence in words."""
    if confidence >= HIGH:
        return Band.HIGH
    return Band.MEDIUM if confidence >= MEDIUM else Band.LOW
