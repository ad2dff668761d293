"""What series and incidents are called on pages."""

from __future__ import annotations

from urllib.parse import quote

from rootward.model.incident import Incident
from rootward.model.series import INSTANCE, SERVICE, Series


def metric_of(series: Series) -> str:
    """A series without its service: metric, instance and the other labels."""
    instance = f" @ {series.instance}" if series.instance else ""
    others = [f"{k}={v}" for k, v in series.labels if k not in (SERVICE, INSTANCE)]
    return f"{series.metric}{instance}" + (f" {{{', '.join(others)}}}" if others else "")


def web_address(url: str) -> str:
    """An address that a page may lead to, an empty string for any other."""
    return url if url.startswith(("https://", "http://")) else ""


def incident_name(incident: Incident) -> str:
    """What people call an incident: INC-7, its id where it has no number yet."""
    return incident.id if incident.number is None else f"INC-{incident.number}"


def incident_key(incident: Incident) -> str:
    """An incident's name as a part of a path."""
    return quote(incident_name(incident), safe="")
