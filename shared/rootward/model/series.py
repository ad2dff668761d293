"""Series and the batches that samples travel in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rootward.errors import InvalidInput

SERVICE = "service"
INSTANCE = "instance"
METRIC_NAME = "__name__"


@dataclass(frozen=True, order=True)
class Series:
    """A metric name and a label set; the `service` label is mandatory.

    `labels` is sorted by name and holds neither empty names, empty values nor duplicates.
    """

    metric: str
    labels: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        if not self.metric:
            raise InvalidInput("a series needs a metric name")
        names, values = zip(*self.labels, strict=True) if self.labels else ((), ())
        if [*names] != sorted(set(names)):
            raise InvalidInput(f"labels of {self.metric} are unsorted or duplicate: {[*names]}")
        if not (all(names) and all(values)):
            raise InvalidInput(f"labels of {self.metric} hold an empty name or value")
        if SERVICE not in names:
            raise InvalidInput(f"{self.metric} has no `{SERVICE}` label")

    @classmethod
    def of(cls, metric: str, service: str, **labels: str) -> Series:
        """A series from keyword labels, sorted; empty values are left out."""
        pairs = {SERVICE: service} | labels
        return cls(metric, tuple(sorted((k, v) for k, v in pairs.items() if v)))

    @classmethod
    def checked(cls, metric: str, labels: tuple[tuple[str, str], ...]) -> Series:
        """One whose labels the caller has made sorted, whole and with a service; much faster."""
        made = object.__new__(cls)
        vars(made).update(metric=metric, labels=labels)
        return made

    @classmethod
    def from_column(cls, column: str, separator: str = "|") -> Series:
        """A series from a column name `service|metric` or `service#instance|metric`.

        With another separator the service ends at its first occurrence.

        Raises:
            InvalidInput: the separator is missing or one of the two parts is empty.
        """
        if not separator:
            raise InvalidInput("the separator between service and metric is empty")
        owner, found, metric = column.partition(separator)
        service, _, instance = owner.partition("#")
        if not (found and service and metric):
            raise InvalidInput(
                f"column {column!r} is not `service{separator}metric`; "
                "name the separator with --separator"
            )
        return cls.of(metric, service, instance=instance)

    @cached_property
    def _hash(self) -> int:
        return hash((self.metric, self.labels))

    def __hash__(self) -> int:
        return self._hash  # series are looked up far more often than made

    def __reduce__(self) -> tuple[type[Series], tuple[str, tuple[tuple[str, str], ...]]]:
        return Series, (self.metric, self.labels)  # a hash means nothing in another process

    @cached_property
    def _values(self) -> dict[str, str]:
        return dict(self.labels)

    def label(self, name: str, default: str = "") -> str:
        """The value of one label, or `default`."""
        return self._values.get(name, default)

    @property
    def service(self) -> str:
        """The service that the series tells about."""
        return self._values[SERVICE]

    @property
    def instance(self) -> str:
        """The pod, host or process, or an empty string."""
        return self.label(INSTANCE)

    @property
    def key(self) -> str:
        """The whole identity as text, `metric{label="value",…}`: stable, for storage and URLs."""
        return key_of(self.metric, [label_key(*pair) for pair in self.labels])

    def __str__(self) -> str:
        """`service[#instance]|metric`, then the other labels in braces if there are any."""
        owner = f"{self.service}#{self.instance}" if self.instance else self.service
        others = [f"{k}={v}" for k, v in self.labels if k not in (SERVICE, INSTANCE)]
        return f"{owner}|{self.metric}" + (f"{{{','.join(others)}}}" if others else "")


def key_of(metric: str, labels: Iterable[str]) -> str:
    """The key of a series, of the keys of its labels."""
    return f"{metric}{{{','.join(labels)}}}"


def label_key(name: str, value: str) -> str:
    """What stands in the key of a series for a label."""
    return f'{name}="{_escaped(value)}"'


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@dataclass(frozen=True)
class Sample:
    """One value of one series at one time (Unix seconds)."""

    series: Series
    time: float
    value: float


@dataclass(frozen=True, eq=False)
class SampleBatch:
    """Samples that travel together, as columns.

    Sample `k` belongs to `series[index[k]]`, was taken at `times[k]` (Unix seconds) and has
    the value `values[k]`. A NaN says that the series is not measured from there on: a
    staleness marker is carried as NaN, and is never interpolated over.
    """

    tenant: str
    series: tuple[Series, ...]
    index: np.ndarray
    """(samples,) int32, positions in `series`."""
    times: np.ndarray
    """(samples,) float64, Unix seconds."""
    values: np.ndarray
    """(samples,) float64."""

    def __post_init__(self) -> None:
        if not len(self.index) == len(self.times) == len(self.values):
            raise InvalidInput("the columns of a batch differ in length")

    def __len__(self) -> int:
        return len(self.index)

    @classmethod
    def of(cls, samples: Iterable[Sample], tenant: str = "default") -> SampleBatch:
        """A batch from single samples, in their order."""
        rows = list(samples)
        position = {s: k for k, s in enumerate(dict.fromkeys(row.series for row in rows))}
        return cls(
            tenant=tenant,
            series=tuple(position),
            index=np.array([position[row.series] for row in rows], dtype=np.int32),
            times=np.array([row.time for row in rows], dtype=np.float64),
            values=np.array([row.value for row in rows], dtype=np.float64),
        )
