"""Labels out of the bytes of a series: each label that was read once is known by its bytes.

The series of a target differ in two or three labels, so that nearly all labels of a new series
were seen before; their texts are then shared, which also saves memory.
"""

from __future__ import annotations

_LABEL, _NAME, _VALUE = 0x0A, 0x0A, 0x12
"""Tags: a label in a series, the name and the value in a label."""
_MOST_REMEMBERED = 50_000

Pair = tuple[str, str]


class LabelBytes:
    """Reads labels in their ordinary form; one may ask from several threads."""

    def __init__(self) -> None:
        self._known: dict[bytes, Pair] = {}

    def read(self, span: bytes) -> list[Pair] | None:
        """The labels of a series; None where it is for the generic reader to say what they are."""
        pairs: list[Pair] = []
        known, place, end = self._known, 0, len(span)
        while place < end:
            if span[place] != _LABEL or place + 2 > end:
                return None
            behind = place + 2 + span[place + 1]
            if span[place + 1] >= 0x80 or behind > end:
                return None
            label = span[place + 2 : behind]
            pair = known.get(label)
            if pair is None:
                pair = _pair(label)
                if pair is None:
                    return None
                if len(known) >= _MOST_REMEMBERED:
                    known.clear()
                known[label] = pair
            pairs.append(pair)
            place = behind
        return pairs


def _pair(label: bytes) -> Pair | None:
    """Name and value of a label that has exactly these two, in this order."""
    if len(label) < 2 or label[0] != _NAME:
        return None
    at = 2 + label[1]
    if at + 2 > len(label) or label[at] != _VALUE or at + 2 + label[at + 1] != len(label):
        return None
    try:
        return label[2:at].decode(), label[at + 2 :].decode()
    except UnicodeDecodeError:
        return None
