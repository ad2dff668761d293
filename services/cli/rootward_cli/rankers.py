"""What `diagnose` and `bench` can run by name: the diagnosis, and every ranking method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rootward.errors import NotFound
from rootward.methods import registry
from rootward.methods.base import DiscoveryMethod, RankingMethod
from rootward.model.case import Case
from rootward.model.incident import Diagnosis
from rootward.rca.diagnose import diagnose
from rootward.rca.frame import framed
from rootward.rca.onset import with_onset
from rootward_cli.cases import Recording

DIAGNOSIS = "diagnosis"
DISCOVERY = "neural_granger"


@dataclass(frozen=True)
class Ranking:
    """Services and series with their scores, higher is more suspect."""

    services: dict[str, float]
    series: dict[str, float]
    diagnosis: Diagnosis | None = None


Ranker = Callable[[Recording, int], Ranking]


def discovery(name: str = DISCOVERY) -> DiscoveryMethod:
    """A discovery method with its defaults, or parameters as in `name:parameter=value`.

    Raises:
        NotFound: there is none of that name.
        InvalidParameters: a parameter that it does not have or cannot take.
    """
    method = registry.load().make(*registry.spelled(name))
    if not isinstance(method, DiscoveryMethod):
        raise NotFound(f"{name} ranks or tests, it does not learn a graph")
    return method


def ranker(name: str) -> Ranker:
    """`diagnosis`, `diagnosis:<discovery method or none>`, or the name of a ranking method.

    Several of them joined by `+` are views of one ranking: what a view adds to those before it
    is seen by leaving it out.

    Raises:
        NotFound: there is none of that name.
    """
    if "+" in name:
        views = [ranker(part) for part in name.split("+")]
        return lambda recording, seed: _joined([view(recording, seed) for view in views])
    base, _, learner = name.partition(":")
    if base == DIAGNOSIS:
        chosen = None if learner == "none" else discovery(learner or DISCOVERY)
        return lambda recording, seed: _of_diagnosis(recording, chosen, seed)
    if name not in names():
        raise NotFound(f"no method {name!r} ranks; there are {', '.join(names())}")
    method = registry.load().make(name)
    assert isinstance(method, RankingMethod)
    return lambda recording, seed: _of_method(recording, method, seed)


def names() -> list[str]:
    """Every name that `ranker` knows, the diagnosis first."""
    kinds = registry.load().methods
    return [DIAGNOSIS, *(n for n, kind in kinds.items() if issubclass(kind, RankingMethod))]


def _joined(views: list[Ranking]) -> Ranking:
    """Names by the sum of their reciprocal ranks; where they tie, the first view decides."""
    return Ranking(
        _fused([view.services for view in views]), _fused([view.series for view in views])
    )


def _fused(views: list[dict[str, float]]) -> dict[str, float]:
    """A name that a view does not score gets nothing from it."""
    found = dict.fromkeys((name for view in views for name in view), 0.0)
    for k, view in enumerate(views):
        order = sorted(view, key=lambda name: (-view[name], name))
        for rank, name in enumerate(order, start=1):
            found[name] += (1.0 - 1e-6 * k) / rank
    return found


def _of_diagnosis(recording: Recording, learner: DiscoveryMethod | None, seed: int) -> Ranking:
    found = diagnose(recording.window, discovery=learner, calls=recording.calls, seed=seed)
    return Ranking(
        services={c.service: -float(c.rank) for c in found.candidates},
        series={
            str(series): -(c.rank + 1.001 * place)
            for c in reversed(found.candidates)
            for place, series in enumerate((c.series, *c.also))
        },
        diagnosis=found,
    )


def _of_method(recording: Recording, method: RankingMethod, seed: int) -> Ranking:
    """A method alone; where no onset is known, it gets the one that a diagnosis would find."""
    window = recording.window
    if window.onset is None:
        window = window.with_onset(with_onset(framed(window)).onset)
    case = Case(window, seed=seed, calls=recording.calls)
    scores = method.scores(case)
    return Ranking(
        services=method.service_scores(case),
        series={str(s): float(v) for s, v in zip(recording.window.series, scores, strict=True)},
    )
