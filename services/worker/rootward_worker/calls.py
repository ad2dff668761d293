"""Who calls whom: what labels tell, their names understood as the cluster does."""

from __future__ import annotations

from rootward.model.placement import Placed
from rootward.model.series import Series
from rootward.ports import DEFAULT_TENANT, Platform
from rootward.rca.labelled_calls import labelled_calls


def calls_within(
    platform: Platform, series: tuple[Series, ...], tenant: str = DEFAULT_TENANT
) -> tuple[tuple[str, str], ...]:
    """Pairs (caller, callee) between the services of series.

    A cluster that is watched tells which service a host name or an address stands for; that it
    says which pods stand behind which name makes no call of its own.
    """
    placed = Placed(platform.placements.all(tenant), series)
    return labelled_calls(series, placed.names())
