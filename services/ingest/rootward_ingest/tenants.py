"""Whose data a request brings, what this tenant may send, and how much of it at a time."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.datastructures import Headers

from rootward.errors import InvalidInput, OverQuota
from rootward.model.access import Caller
from rootward.ports import DEFAULT_TENANT
from rootward_ingest.limits import Limits

_NAME = re.compile(r"[A-Za-z0-9!_.*'()-]{1,128}")
"""What Mimir and Cortex allow for a tenant, but shorter."""
BURST_SECONDS = 10.0
"""A tenant may send at once what its rate allows in so long."""
FULL_SECONDS = 60.0
"""When to come back where there is no room for another tenant."""


@dataclass(frozen=True)
class Tenancy:
    """How tenants are told apart, and which of them have limits of their own."""

    header: str = ""
    """The header that names the tenant; empty: all data is of the default tenant."""
    most: int = 20
    """Most tenants of a process; each may have as many series as its limits say."""
    limits: Mapping[str, Limits] = field(default_factory=dict)
    """Limits of single tenants; all others have the common ones."""


class Tenants:
    """The tenants of a process; safe to use from several threads."""

    def __init__(self, common: Limits, tenancy: Tenancy) -> None:
        self._common = common
        self._tenancy = tenancy
        self._lock = threading.Lock()
        self._rates: dict[str, Rate] = {}

    def of(self, headers: Headers, sender: Caller) -> str:
        """The tenant that a request is of: the sender's own, else the one that the header names.

        Raises:
            InvalidInput: the header is missing, or holds what cannot name a tenant.
            OverQuota: there is no room for another tenant.
        """
        if sender.bound:
            self._rate(sender.tenant)
            return sender.tenant
        if not self._tenancy.header:
            return DEFAULT_TENANT
        name = headers.get(self._tenancy.header, "")
        if not _NAME.fullmatch(name) or name in (".", ".."):
            raise InvalidInput(
                f"{self._tenancy.header} must name a tenant with 1 to 128 letters, digits or "
                "one of !-_.*'()"
            )
        self._rate(name)
        return name

    def limits(self, tenant: str) -> Limits:
        """The limits of a tenant; those on bodies and bytes in flight are common to all."""
        return self._tenancy.limits.get(tenant, self._common)

    def take(self, tenant: str, samples: int, now: float) -> None:
        """Let a tenant send so many samples.

        Raises:
            OverQuota: it has sent too many of late; nothing was counted.
        """
        self._rate(tenant).take(samples, now)

    def _rate(self, tenant: str) -> Rate:
        with self._lock:
            known = self._rates.get(tenant)
            if known is None:
                if len(self._rates) >= self._tenancy.most:
                    told = f"{self._tenancy.most} tenants are known; see ROOTWARD_MAX_TENANTS"
                    raise OverQuota(told, FULL_SECONDS, "tenants")
                limits = self.limits(tenant)
                known = self._rates[tenant] = Rate(limits.max_samples_per_second)
            return known


class Rate:
    """A bucket of samples that fills up at a rate; 0 stands for no bound."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._left = BURST_SECONDS * per_second
        self._at_unix = -math.inf
        self._lock = threading.Lock()

    def take(self, samples: int, now: float) -> None:
        """Take samples out; raises OverQuota where there are not so many.

        A full bucket lets any request pass, however large, and is then in debt.
        """
        if not self._per_second:
            return
        most = BURST_SECONDS * self._per_second
        with self._lock:
            gained = max(0.0, now - self._at_unix) * self._per_second
            self._left, self._at_unix = min(most, self._left + gained), now
            if samples > self._left and self._left < most:
                wait = (min(samples, most) - self._left) / self._per_second
                told = f"over {self._per_second:g} samples a second"
                raise OverQuota(told, wait, "rate")
            self._left -= samples
