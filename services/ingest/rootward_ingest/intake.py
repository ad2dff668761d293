"""The one way into the bus: limits, clock and label rules; what is accepted here is durable."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

import numpy as np

from rootward import telemetry
from rootward.errors import RejectedSamples, Unavailable
from rootward.model.series import SampleBatch
from rootward.ports import DEFAULT_TENANT, Platform
from rootward_ingest.contradictions import Numbered
from rootward_ingest.known_series import KnownSeries, Slot
from rootward_ingest.limits import Limits, too_many_samples
from rootward_ingest.naming import Naming
from rootward_ingest.reasons import WANTED, Reason, explained
from rootward_ingest.replicas import Replicas
from rootward_ingest.rules import Rules
from rootward_ingest.seldom import QUIET_SECONDS, Seldom
from rootward_ingest.tenants import Tenancy, Tenants

__all__ = ["Intake", "Limits", "Readings", "Receipt"]

log = logging.getLogger(__name__)

_CODE: Mapping[Reason | None, int] = {None: 0} | {r: k for k, r in enumerate(Reason, start=1)}
_NUMBER = attrgetter("number")
_REASON = {code: reason for reason, code in _CODE.items() if reason}


@dataclass(frozen=True, eq=False)
class Readings:
    """Samples as they came in: sample k belongs to `slots[k]`."""

    slots: Sequence[Slot]
    times: np.ndarray
    """(samples,) float64, Unix seconds."""
    values: np.ndarray
    """(samples,) float64, NaN where the series is not measured from there on."""
    stale: int = 0
    """How many of the NaN were staleness markers."""
    ignored: Mapping[str, int] = field(default_factory=dict)
    """What came along and is not used, by kind: exemplars, histograms, metadata."""


@dataclass(frozen=True)
class Receipt:
    """What became of a request: samples that are durable now, and samples that were refused."""

    accepted: int
    rejected: Mapping[str, int]
    """Refused samples by reason."""
    details: tuple[str, ...] = ()
    """For each reason, what was expected and the first sample refused for it."""
    refused: tuple[int, ...] = ()
    """Places of the refused samples in the request."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Samples that the operator wants left out, by reason; their sender need not know."""

    @property
    def settled(self) -> int:
        """Samples with which everything is as it should be."""
        return self.accepted + sum(self.left_out.values())

    def raise_rejected(self) -> None:
        """Raise RejectedSamples where any sample was refused."""
        if self.rejected:
            raise RejectedSamples(self.accepted, self.rejected)


class Intake:
    """Checks samples and hands them to the bus. One for all routes and the scraper of a process."""

    def __init__(
        self,
        platform: Platform,
        limits: Limits,
        tenancy: Tenancy | None = None,
        rules: Rules | None = None,
    ) -> None:
        self.limits = limits
        self._rules = rules or Rules()
        self.tenants = Tenants(limits, tenancy or Tenancy())
        self._platform = platform
        self._latest_unix = 0.0
        self._seldom = Seldom(QUIET_SECONDS)
        self._known: dict[str, KnownSeries] = {}
        self._known_lock = threading.Lock()
        self.known_of(DEFAULT_TENANT)

    @property
    def known(self) -> KnownSeries:
        """The series of the default tenant."""
        return self.known_of(DEFAULT_TENANT)

    def known_of(self, tenant: str) -> KnownSeries:
        """The series of a tenant."""
        known = self._known.get(tenant)
        if known is None:
            with self._known_lock:
                known = self._known.get(tenant) or self._seeded(tenant)
                self._known[tenant] = known
        return known

    def naming_of(self, tenant: str) -> Naming:
        """How label sets of a tenant become series."""
        pairing = self._rules.pairing
        replicas = Replicas(pairing.failover_seconds, self._platform.clock.now)
        return Naming(self.limits_of(tenant), self._rules.relabelling, pairing, replicas)

    def limits_of(self, tenant: str) -> Limits:
        """The limits of a tenant."""
        return self.tenants.limits(tenant)

    def accept(self, readings: Readings, protocol: str, tenant: str = DEFAULT_TENANT) -> Receipt:
        """Publish the samples that pass; once this returns, they survive a crash.

        Exact duplicates and samples out of order pass. One that contradicts the newest sample of
        its series is refused; the store keeps the first of each time in any case.

        Raises:
            TooLarge: too many samples at once; nothing was taken.
            OverQuota: the tenant sends too many; nothing was taken.
            Busy: the bus is full; nothing was taken.
            Unavailable: the bus does not answer; nothing is promised.
        """
        limits, now = self.limits_of(tenant), self._platform.clock.now()
        if len(readings.slots) > limits.max_samples:
            raise too_many_samples(limits.max_samples)
        self.tenants.take(tenant, len(readings.slots), now)
        slots, index = _distinct(readings.slots)
        numbers = np.fromiter(map(_NUMBER, slots), np.int64, len(slots))[index]
        newest = self.known_of(tenant).newest
        distinct = len(slots) == len(index)
        samples = Numbered(numbers, readings.times, readings.values, distinct)
        wrong = newest.contradicting(samples)
        verdict = _verdict(readings, _label_verdict(slots, index), wrong, now, limits)
        kept, batch = _kept(readings, slots, index, verdict == 0, tenant)
        if len(batch):
            self._platform.bus.publish(batch)
        for slot in kept:
            slot.seen_unix = now
        newest.remember(samples.only(verdict == 0))
        if self._seldom.now(f"sweep {tenant}", now):
            self.known_of(tenant).make_room(now)
        receipt = _receipt(readings, verdict, len(batch), limits)
        self._count(readings, batch, receipt, protocol, now)
        return receipt

    def _seeded(self, tenant: str) -> KnownSeries:
        """The series of a tenant as the store knows them."""
        limits = self.limits_of(tenant)
        known = KnownSeries(limits.max_series, limits.max_age_seconds, self.naming_of(tenant))
        try:
            stored = self._platform.samples.series(tenant)
        except Unavailable as error:
            log.warning("series limit starts from zero", extra={"reason": str(error)})
        else:
            known.seed((info.series, info.last_unix) for info in stored)
            telemetry.ACTIVE_SERIES.labels(tenant).set(len(known))
        return known

    def _count(
        self, readings: Readings, batch: SampleBatch, receipt: Receipt, protocol: str, now: float
    ) -> None:
        telemetry.INGEST_SAMPLES.labels(protocol, batch.tenant).inc(receipt.accepted)
        telemetry.INGEST_STALE.inc(readings.stale)
        known = self.known_of(batch.tenant)
        telemetry.ACTIVE_SERIES.labels(batch.tenant).set(len(known))
        if len(batch):
            self._latest_unix = max(self._latest_unix, float(batch.times.max()))
            telemetry.LAST_SAMPLE.set(self._latest_unix)
        for kind, count in (*readings.ignored.items(), *receipt.left_out.items()):
            telemetry.INGEST_IGNORED.labels(kind).inc(count)
        for (reason, count), detail in zip(receipt.rejected.items(), receipt.details, strict=True):
            telemetry.INGEST_REJECTED.labels(reason, batch.tenant).inc(count)
            facts = {"protocol": protocol, "tenant": batch.tenant, "samples": count}
            facts |= {"detail": detail}
            if self._seldom.now(f"{reason} {batch.tenant}", now):
                log.warning("samples rejected", extra=facts)


def _verdict(
    readings: Readings,
    verdict: np.ndarray,
    contradicting: np.ndarray,
    now: float,
    limits: Limits,
) -> np.ndarray:
    """For each sample 0 where it passes, else the code of the first rule that it breaks.

    `verdict` is that on its labels; `contradicting` says which samples another one contradicts.
    """
    ahead = readings.times > now + limits.max_ahead_seconds
    # not `<`: a time that is NaN must not pass
    old = ~(readings.times >= now - limits.max_age_seconds)
    for reason, broken in (
        (Reason.TOO_FAR_AHEAD, ahead),
        (Reason.TOO_OLD, old),
        (Reason.INFINITE, np.isinf(readings.values)),
        (Reason.DUPLICATE_CONFLICT, contradicting),
    ):
        verdict[broken & (verdict == 0)] = _CODE[reason]
    return verdict


def _receipt(readings: Readings, verdict: np.ndarray, accepted: int, limits: Limits) -> Receipt:
    rejected: dict[str, int] = {}
    left_out: dict[str, int] = {}
    details: list[str] = []
    for code in np.unique(verdict[verdict > 0]).tolist():
        reason, count = _REASON[code], int(np.count_nonzero(verdict == code))
        if reason in WANTED:
            left_out[reason.value] = count
            continue
        rejected[reason.value] = count
        example = _shown(readings, int(np.argmax(verdict == code)))
        details.append(f"{reason}: {explained(reason, limits)}{example}")
    wanted = [_CODE[reason] for reason in WANTED]
    refused = np.flatnonzero((verdict > 0) & ~np.isin(verdict, wanted)) if rejected else ()
    return Receipt(accepted, rejected, tuple(details), tuple(map(int, refused)), left_out)


def _distinct(slots: Sequence[Slot]) -> tuple[Sequence[Slot], np.ndarray]:
    """Each slot once, and for each sample the place of its slot among them."""
    position = dict.fromkeys(slots, 0)
    if len(position) == len(slots):  # one sample a series, as of a scrape
        return slots, np.arange(len(slots), dtype=np.int32)
    for place, slot in enumerate(position):
        position[slot] = place
    return list(position), np.fromiter(map(position.__getitem__, slots), np.int32, len(slots))


def _label_verdict(slots: Sequence[Slot], index: np.ndarray) -> np.ndarray:
    reasons = [slot.reason for slot in slots]
    if reasons.count(None) == len(reasons):
        return np.zeros(len(index), dtype=np.int64)
    return np.array([_CODE[reason] for reason in reasons], dtype=np.int64)[index]


def _kept(
    readings: Readings,
    slots: Sequence[Slot],
    index: np.ndarray,
    keep: np.ndarray,
    tenant: str,
) -> tuple[Sequence[Slot], SampleBatch]:
    """The slots of the samples to keep and no others, and these samples."""
    if not keep.all():
        used, index = np.unique(index[keep], return_inverse=True)
        slots = [slots[k] for k in used.tolist()]
    series = [slot.series for slot in slots]
    return slots, SampleBatch(
        tenant=tenant,
        series=tuple(s for s in series if s is not None),
        index=index.astype(np.int32),
        times=readings.times[keep],
        values=readings.values[keep],
    )


def _shown(readings: Readings, k: int) -> str:
    slot = readings.slots[k]
    name = slot.shown or (str(slot.series) if slot.series else "")
    if not name:
        return ""
    name = name.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair, say
    return f"; first: {name} at {readings.times[k]:.3f} with value {readings.values[k]:g}"
