"""From the labels of a sender to a series: rules, replicas of a pair, and which service it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rootward.model.series import METRIC_NAME, Series
from rootward_ingest.labels import named_series, series_of, wrong
from rootward_ingest.limits import DEFAULTS, Limits
from rootward_ingest.reasons import Reason
from rootward_ingest.relabel import Relabelling
from rootward_ingest.replicas import Member, Pairing, Replicas

_STATE_METRICS = "kube-state-metrics"


@dataclass(frozen=True)
class Naming:
    """How label sets become series, for one tenant."""

    limits: Limits = DEFAULTS
    relabelling: Relabelling = field(default_factory=Relabelling)
    pairing: Pairing = field(default_factory=Pairing)
    replicas: Replicas | None = None
    """None: all replicas are listened to."""

    def of(self, labels: Sequence[tuple[str, str]]) -> tuple[Series | Reason, Member | None]:
        """The series of a label set, or why there is none, and which replica sends it."""
        reason = wrong(labels, self.limits)
        if reason is not None:
            return reason, None
        labelled = dict(labels)
        member = self.pairing.member(labelled) if self.replicas else None
        if member is not None and self.replicas is not None:
            if not self.replicas.hears(member):
                return Reason.DEDUPLICATED, member
            labelled = self.pairing.stripped(labelled)
        kept = self.relabelling.apply(labelled)
        if kept is None:
            return Reason.DROPPED, member
        # what no rule touched was looked at above
        same = kept is labelled
        return named_series(kept) if same else series_of(kept.items(), self.limits), member

    def service_of(self, labels: dict[str, str]) -> str:
        """The service that the labels of an alert name; empty where they name none.

        An alert on what kube-state-metrics says is about a workload, not about that program.
        """
        about_pods = _STATE_METRICS in labels.get("job", "")
        metric = "kube_pod_alert" if about_pods else "alert"
        kept = self.relabelling.apply(labels | {METRIC_NAME: metric})
        found = series_of((kept or {}).items(), self.limits)
        return found.service if isinstance(found, Series) else ""
