"""Diagnoses by request and feedback in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rootward.errors import InvalidInput, NotFound
from rootward.model.feedback import Feedback
from rootward.model.incident import Incident
from rootward.model.run import DiagnosisRun
from rootward.ports import DEFAULT_TENANT, Clock, Events, IncidentStore
from rootward.ports.answers import RunPage
from rootward.ports.incidents import Deed


class FakeRunStore:
    """Runs in a dictionary."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._runs: dict[tuple[str, str], DiagnosisRun] = {}

    def put(self, run: DiagnosisRun) -> None:
        """Store a new run."""
        self._runs[run.tenant, run.id] = run
        self._tell(run)

    def get(self, run_id: str, tenant: str = DEFAULT_TENANT) -> DiagnosisRun:
        """One run; raises NotFound where there is none."""
        if (tenant, run_id) not in self._runs:
            raise NotFound(f"there is no diagnosis {run_id}")
        return self._runs[tenant, run_id]

    def revise(
        self,
        run_id: str,
        change: Callable[[DiagnosisRun], DiagnosisRun],
        tenant: str = DEFAULT_TENANT,
    ) -> DiagnosisRun:
        """Replace a run that is not over; raises NotFound."""
        known = self.get(run_id, tenant)
        if known.state.over:
            return known
        changed = self._runs[tenant, run_id] = change(known)
        self._tell(changed)
        return changed

    def page(
        self, tenant: str = DEFAULT_TENANT, *, limit: int = 50, cursor: str | None = None
    ) -> RunPage:
        """Runs, newest first; the cursor counts those seen."""
        if cursor is not None and not cursor.isdigit():
            raise InvalidInput("the cursor is not one of ours; start again without one")
        mine = [run for (whose, _), run in reversed(self._runs.items()) if whose == tenant]
        start = int(cursor or 0)
        more = str(start + limit) if len(mine) > start + limit else None
        return RunPage(tuple(mine[start : start + limit]), more)

    def expire(self, before_unix: float) -> int:
        """Delete runs of before a time; returns how many went."""
        old = [key for key, run in self._runs.items() if run.created_unix < before_unix]
        for key in old:
            del self._runs[key]
        return len(old)

    def _tell(self, run: DiagnosisRun) -> None:
        step = run.steps[-1].name if run.steps else None
        facts = {"run": run.id, "state": run.state.value, "step": step}
        self._events.tell("diagnosis", "", facts, run.tenant)


class FakeFeedbackStore:
    """Words in a dictionary."""

    def __init__(self, incidents: IncidentStore) -> None:
        self._incidents = incidents
        self._said: dict[tuple[str, str, str, str], Feedback] = {}

    def put(self, feedback: Feedback, tenant: str = DEFAULT_TENANT) -> None:
        """Store a word, which replaces an earlier one of the same person; raises NotFound."""

        def noted(asked: Sequence[Incident]) -> Sequence[Deed]:
            (one,) = asked
            return [Deed(one, feedback.line)]

        (one,) = self._incidents.handle([feedback.incident_id], noted, tenant)
        self._said[tenant, one.id, feedback.service, feedback.actor] = feedback

    def of(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> tuple[Feedback, ...]:
        """What was said about the candidates of an incident, the earliest first."""
        mine = (f for key, f in self._said.items() if key[:2] == (tenant, incident_id))
        return tuple(sorted(mine, key=lambda f: (f.at_unix, f.service, f.actor)))

    def since(self, unix: float, tenant: str = DEFAULT_TENANT) -> tuple[Feedback, ...]:
        """What was said since a time about all incidents, the earliest first."""
        mine = (f for key, f in self._said.items() if key[0] == tenant and f.at_unix >= unix)
        return tuple(sorted(mine, key=lambda f: f.at_unix))


class FakeExhibits:
    """What diagnoses were asked, in a dictionary."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[float, bytes]] = {}

    def keep(self, incident_id: str, body: bytes, tenant: str = DEFAULT_TENANT) -> None:
        """Store what the diagnosis of an incident was asked; a later one replaces it."""
        self._kept[tenant, incident_id] = (self._clock.now(), body)

    def of(self, incident_id: str, tenant: str = DEFAULT_TENANT) -> bytes | None:
        """What it was asked, None where that is not kept."""
        kept = self._kept.get((tenant, incident_id))
        return None if kept is None else kept[1]

    def expire(self, before_unix: float) -> int:
        """Delete what was kept before a time; returns how many went."""
        old = [key for key, (at_unix, _) in self._kept.items() if at_unix < before_unix]
        for key in old:
            del self._kept[key]
        return len(old)
