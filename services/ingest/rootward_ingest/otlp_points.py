"""OTLP metrics: from data points to samples.

| point | series |
|---|---|
| gauge, sum that may fall | `X` |
| monotonic sum, cumulative | `X_total` |
| sum, delta | `X_rate`, per second over the point's interval |
| histogram, cumulative | `X_count`, `X_sum`, `X_bucket{le}` |
| exponential histogram, cumulative | the same, with the powers of two as bounds |
| either histogram, delta | `X_mean`, and `…_rate` of the count without the unit |
| summary | `X_count`, `X_sum`, `X{quantile}` |

Deltas become rates here because nothing would add them up right: a point that is sent again would
count twice, and one that is lost would be missing for ever.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

import numpy as np
from google.protobuf.message import Message
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    SummaryDataPoint,
)

from rootward_ingest.intake import Readings
from rootward_ingest.known_series import KnownSeries, Labels
from rootward_ingest.limits import DEFAULTS, too_many_samples
from rootward_ingest.otlp_names import Pairs, labels_of, metric_name, pairs_of, resource_labels

NO_NAME = "a metric needs a name"
NO_INTERVAL = "a delta needs its start time"
NO_TEMPORALITY = "the aggregation temporality must be cumulative or delta"
NO_VALUE = "a data point needs a value"
BAD_BUCKETS = "bucket counts and bounds do not belong together"
TOO_MANY_BUCKETS = "a histogram has too many buckets"
MOST_BUCKETS = 2048
"""Counts and bounds of a histogram, both together; SDKs make 160 of them, or as many as told."""
WIRE = "otlp"
"""What spellings of data points go by."""
_NO_RECORDED_VALUE = 1
_NANO = 1e9
_CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
_DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_SCALES = range(-10, 21)
_EXPONENTS = range(-1074, 1024)
"""Powers of two that a float can be."""
_UNIT = re.compile(r"(_(duration|latency|time))?(_(seconds|milliseconds|bytes))?$")

Histogram = HistogramDataPoint | ExponentialHistogramDataPoint
Point = NumberDataPoint | Histogram | SummaryDataPoint
Spelling = tuple[str, Pairs, type[Point], bytes, Pairs]
"""Metric, labels of the resource, attributes of the point in its encoding, and further ones."""
_BESIDE_ATTRIBUTES: Mapping[type[Message], Sequence[str]] = {
    kind: [one.name for one in kind.DESCRIPTOR.fields if one.name != "attributes"]
    for kind in (
        NumberDataPoint,
        HistogramDataPoint,
        ExponentialHistogramDataPoint,
        SummaryDataPoint,
    )
}
P = TypeVar(
    "P", NumberDataPoint, HistogramDataPoint, ExponentialHistogramDataPoint, SummaryDataPoint
)
H = TypeVar("H", HistogramDataPoint, ExponentialHistogramDataPoint)
Value = tuple[str, Pairs, float]
"""Metric, attributes beside those of the point, value."""


@dataclass(frozen=True)
class Decoded:
    """The samples of a request, and which data point each of them is of."""

    readings: Readings
    points: np.ndarray
    """(samples,) int64, for each sample the number of its data point."""
    total: int
    """How many data points the request holds."""
    unusable: Counter[str]
    """Data points that make no sample, by what is wrong with them."""


@dataclass
class Rows:
    """The samples of a request, or of a part of one, as its data points make them."""

    spellings: Sequence[Spelling]
    times: Sequence[float] | np.ndarray
    values: Sequence[float] | np.ndarray
    points: Sequence[int] | np.ndarray
    """For each sample the number of its data point."""
    total: int = 0
    exemplars: int = 0
    stale: int = 0
    unusable: Counter[str] = field(default_factory=Counter)

    @property
    def unusual(self) -> bool:
        """Whether there is anything but samples and their values."""
        return bool(self.exemplars or self.stale or self.unusable)


@dataclass
class _Rows(Rows):
    """Rows that are being read."""

    spellings: list[Spelling] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    points: list[int] = field(default_factory=list)
    most: int = DEFAULTS.max_samples

    def take(
        self, points: Iterable[P], resource: Pairs, read: Callable[[P], Iterable[Value]]
    ) -> None:
        """Add what `read` makes of each point; its ValueError says why it makes nothing."""
        for point in points:
            try:
                found = list(read(point))
            except ValueError as error:
                self.unusable[str(error)] += 1
            else:
                self._add(point, resource, found)
            self.total += 1
            if len(self.times) > self.most:
                raise too_many_samples(self.most)

    def _add(self, point: Point, resource: Pairs, found: Iterable[Value]) -> None:
        missing = point.flags & _NO_RECORDED_VALUE
        time = point.time_unix_nano / _NANO
        if not isinstance(point, SummaryDataPoint):
            self.exemplars += len(point.exemplars)
        kind, attributes = type(point), _stripped(point)
        for metric, more, value in found:
            self.spellings.append((metric, resource, kind, attributes, more))
            self.times.append(time)
            self.values.append(math.nan if missing else value)
            self.points.append(self.total)
        self.stale += missing


def _stripped(point: Message) -> bytes:
    """The attributes as encoded, by taking all else out of the point, which is not needed again.

    They make a key as they are and are looked into once a series, which is most of the work.
    """
    for name in _BESIDE_ATTRIBUTES[type(point)]:
        point.ClearField(name)
    return point.SerializeToString()


def decode(
    request: ExportMetricsServiceRequest,
    known: KnownSeries,
    most_samples: int = DEFAULTS.max_samples,
) -> Decoded:
    """The samples of a request, with the series they belong to; the request is used up.

    Raises:
        TooLarge: they are too many.
    """
    return assembled([rows_of(request, most_samples)], known, most_samples)


def rows_of(request: ExportMetricsServiceRequest, most_samples: int) -> Rows:
    """What the data points of a request make; the request is used up.

    Raises:
        TooLarge: they are too many.
    """
    rows = _Rows(most=most_samples)
    for resource_metrics in request.resource_metrics:
        resource = resource_labels(resource_metrics.resource.attributes)
        for scope in resource_metrics.scope_metrics:
            for metric in scope.metrics:
                _take(metric, resource, rows)
    return rows


def assembled(parts: Sequence[Rows], known: KnownSeries, most_samples: int) -> Decoded:
    """The samples of all parts of a request, with the series they belong to.

    Raises:
        TooLarge: they are too many.
    """
    spellings = [spelling for part in parts for spelling in part.spellings]
    if len(spellings) > most_samples:
        raise too_many_samples(most_samples)
    slots = known.of_spans(WIRE, spellings, _labels)
    assert slots is not None  # `_labels` never gives None
    exemplars = sum(part.exemplars for part in parts)
    stale = sum(part.stale for part in parts)
    before = np.cumsum([0, *(part.total for part in parts)])
    points = [np.asarray(part.points, np.int64) + n for part, n in zip(parts, before, strict=False)]
    readings = Readings(
        slots,
        _joined([part.times for part in parts]),
        _joined([part.values for part in parts]),
        stale,
        {"exemplar": exemplars} if exemplars else {},
    )
    unusable = sum((part.unusable for part in parts), Counter[str]())
    return Decoded(readings, np.concatenate([*points, _NOTHING]), int(before[-1]), unusable)


_NOTHING = np.empty(0, np.int64)


def _joined(columns: Sequence[Sequence[float] | np.ndarray]) -> np.ndarray:
    return np.concatenate([np.empty(0), *(np.asarray(one, np.float64) for one in columns)])


def _labels(spelling: Spelling) -> Labels:
    metric, resource, kind, attributes, more = spelling
    return labels_of(metric, resource, pairs_of(kind.FromString(attributes).attributes) + more)


def _take(metric: Metric, resource: Pairs, rows: _Rows) -> None:
    """The points of a metric, each kind by its reader."""
    name, unit = metric.name, metric.unit
    if not metric_name(name, ""):
        rows.unusable[NO_NAME] += 1
        rows.total += 1
        return
    match metric.WhichOneof("data"):
        case "gauge":
            plain = metric_name(name, unit, gauge=True)
            rows.take(metric.gauge.data_points, resource, lambda p: [(plain, (), _number(p))])
        case "sum":
            rows.take(metric.sum.data_points, resource, _sum_reader(metric))
        case "histogram":
            kind = metric.histogram.aggregation_temporality
            reader = _histogram_reader(metric, kind, _bounds)
            rows.take(metric.histogram.data_points, resource, reader)
        case "exponential_histogram":
            kind = metric.exponential_histogram.aggregation_temporality
            powers = _histogram_reader(metric, kind, _powers)
            rows.take(metric.exponential_histogram.data_points, resource, powers)
        case "summary":
            family = metric_name(name, unit)
            rows.take(metric.summary.data_points, resource, lambda p: _summary(family, p))


def _sum_reader(metric: Metric) -> Callable[[NumberDataPoint], Iterable[Value]]:
    temporality = metric.sum.aggregation_temporality
    if temporality == _DELTA:
        rate = metric_name(metric.name, metric.unit) + "_rate"
        return lambda point: [(rate, (), _number(point) / _seconds(point))]
    counter = metric.sum.is_monotonic
    name = metric_name(metric.name, metric.unit, counter=counter)
    return lambda point: [(name, (), _cumulative(temporality, _number(point)))]


def _histogram_reader(
    metric: Metric, temporality: int, buckets: Callable[[H], Iterator[tuple[str, int]]]
) -> Callable[[H], Iterable[Value]]:
    family = metric_name(metric.name, metric.unit)
    rate = (_UNIT.sub("", family) or family) + "_rate"

    def of_interval(point: H) -> Iterator[Value]:
        yield rate, (), point.count / _seconds(point)
        if point.HasField("sum"):
            yield f"{family}_mean", (), point.sum / point.count if point.count else math.nan

    def since_start(point: H) -> Iterator[Value]:
        yield f"{family}_count", (), _cumulative(temporality, point.count)
        if point.HasField("sum"):
            yield f"{family}_sum", (), point.sum
        for bound, count in buckets(point):
            yield f"{family}_bucket", (("le", bound),), float(count)

    return of_interval if temporality == _DELTA else since_start


def _bounds(point: HistogramDataPoint) -> Iterator[tuple[str, int]]:
    """Upper bounds and how many values lie at or below; none where there are no buckets."""
    _require_few(len(point.bucket_counts) + len(point.explicit_bounds))
    counts, bounds = list(point.bucket_counts), list(point.explicit_bounds)
    if not counts and not bounds:
        return
    if point.flags & _NO_RECORDED_VALUE:
        counts = [0] * (len(bounds) + 1)
    ascending = all(low < high for low, high in pairwise([-math.inf, *bounds, math.inf]))
    if len(counts) != len(bounds) + 1 or not ascending:
        raise ValueError(BAD_BUCKETS)
    below = 0
    for bound, count in zip(bounds, counts, strict=False):
        below += count
        yield repr(bound), below
    yield "+Inf", below + counts[-1]


def _powers(point: ExponentialHistogramDataPoint) -> Iterator[tuple[str, int]]:
    """As `_bounds`, with the powers of two; coarser, but the same whatever the scale is."""
    if point.scale not in _SCALES:
        raise ValueError(BAD_BUCKETS)
    _require_few(len(point.positive.bucket_counts) + len(point.negative.bucket_counts))
    counts: Counter[int] = Counter()
    for place, count in enumerate(point.positive.bucket_counts, start=point.positive.offset):
        counts[_power_above(place, point.scale)] += count
    below = point.zero_count + sum(point.negative.bucket_counts)
    for power in sorted(counts):
        below += counts[power]
        if power in _EXPONENTS:
            yield repr(2.0**power), below
    yield "+Inf", max(point.count, below)


def _require_few(numbers: int) -> None:
    if numbers > MOST_BUCKETS:
        raise ValueError(TOO_MANY_BUCKETS)


def _power_above(place: int, scale: int) -> int:
    """The least power of two at or above all values of a bucket."""
    if scale >= 0:
        return max((place >> scale) + 1, _EXPONENTS.start)
    return max((place + 1) << -scale, _EXPONENTS.start)


def _summary(family: str, point: SummaryDataPoint) -> Iterator[Value]:
    yield f"{family}_count", (), float(point.count)
    yield f"{family}_sum", (), point.sum
    for one in point.quantile_values:
        yield family, (("quantile", repr(one.quantile)),), one.value


def _number(point: NumberDataPoint) -> float:
    match point.WhichOneof("value"):
        case "as_double":
            return point.as_double
        case "as_int":
            return float(point.as_int)
    if point.flags & _NO_RECORDED_VALUE:
        return math.nan
    raise ValueError(NO_VALUE)


def _cumulative(temporality: int, value: float) -> float:
    if temporality != _CUMULATIVE:
        raise ValueError(NO_TEMPORALITY)
    return float(value)


def _seconds(point: NumberDataPoint | Histogram) -> float:
    """The length of the interval of a delta."""
    nano = point.time_unix_nano - point.start_time_unix_nano
    if not point.start_time_unix_nano or nano <= 0:
        raise ValueError(NO_INTERVAL)
    return nano / _NANO
