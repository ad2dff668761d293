"""What a target exposes, as label sets and values: Prometheus text format and OpenMetrics."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from rootward.errors import TooLarge, UnreadableBody
from rootward.model.series import METRIC_NAME
from rootward_ingest.limits import DEFAULTS

LabelSet = tuple[tuple[str, str], ...]
_EXPORTED = "exported_"
_CREATED = "_created"
_BESIDE_CREATED = ("_total", "_count", "_gcount")


class Exposition:
    """Reads the answers of one target, one after the other.

    Lines whose label set stood in the answer before are not parsed again. Where a label of the
    target and one of a sample have the same name, the target's wins and the other is kept as
    `exported_…`, as Prometheus does it. Times in the answer are not used. `_created` series of
    counters and histograms are left out.
    """

    def __init__(self, target_labels: LabelSet, most_lines: int = DEFAULTS.max_samples) -> None:
        self._most_lines = most_lines
        self._target = target_labels
        self._target_names = {name for name, _ in target_labels}
        self._known: dict[str, LabelSet] = {}

    def read(self, text: str, media: str) -> list[tuple[LabelSet, float]]:
        """Label sets, `__name__` first, and values.

        Raises:
            UnreadableBody: the text is in neither format.
            TooLarge: it has too many lines.
        """
        if text.count("\n") > self._most_lines:
            raise TooLarge(f"over {self._most_lines} lines", "samples")
        try:
            if media.startswith("application/openmetrics-text"):
                found = [
                    (self._merged(s.name, s.labels), float(s.value))
                    for family in openmetrics(text)  # type: ignore[no-untyped-call]
                    for s in family.samples
                ]
            else:
                found = list(self._lines(text.split("\n")))
        except (ValueError, IndexError, KeyError) as error:
            raise UnreadableBody(f"not a Prometheus exposition: {error}") from error
        names = {labels[0][1] for labels, _ in found}
        return [(labels, value) for labels, value in found if not _only_created(labels, names)]

    def _lines(self, lines: Iterable[str]) -> Iterator[tuple[LabelSet, float]]:
        seen: dict[str, LabelSet] = {}
        for line in lines:
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            head, rest = _halves(line)
            labels = self._known.get(head) or self._parsed(head)
            seen[head] = labels
            yield labels, _value(rest)
        self._known = seen

    def _parsed(self, head: str) -> LabelSet:
        """The label set of a line; without its TYPE the parser leaves the name as it is."""
        families = plain_text(f"{head} 0")
        (sample,) = itertools.chain.from_iterable(family.samples for family in families)
        return self._merged(sample.name, sample.labels)

    def _merged(self, name: str, labels: dict[str, str]) -> LabelSet:
        own = {
            (_EXPORTED + label if label in self._target_names else label): value
            for label, value in labels.items()
        }
        return ((METRIC_NAME, name), *sorted((own | dict(self._target)).items()))


def _halves(line: str) -> tuple[str, str]:
    """Name with labels, and value with time: neither of the latter holds a brace or a blank."""
    if "{" in line:
        head, brace, rest = line.rpartition("}")
        return head + brace, rest
    head = line.split(maxsplit=1)[0]
    return head, line[len(head) :]


def _value(rest: str) -> float:
    words = rest.split()
    if not 1 <= len(words) <= 2 or "_" in words[0]:
        raise ValueError(f"expected a value and perhaps a time, got {rest.strip()!r}")
    return float(words[0])


def _only_created(labels: LabelSet, names: set[str]) -> bool:
    """A series says when a counter or histogram began, which is of no use for a diagnosis."""
    base = labels[0][1].removesuffix(_CREATED)
    return base != labels[0][1] and any(base + suffix in names for suffix in _BESIDE_CREATED)
