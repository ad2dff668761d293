"""Many labelled cases in; what every method made of each out."""

from __future__ import annotations

import json
import logging
import math
import resource
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.progress import track

from rootward.errors import RootwardError
from rootward.model.series import Series
from rootward_cli import cases, evaluation, rankers
from rootward_cli.evaluation import Outcome
from rootward_cli.rankers import Ranking
from rootward_cli.sources import Source
from rootward_cli.variants import Variant, variants

log = logging.getLogger(__name__)

_DIGITS = 9
"""Significant digits to which two scores must agree to be equal."""


@dataclass(frozen=True)
class Plan:
    """What to run."""

    sources: tuple[Source, ...]
    methods: tuple[str, ...]
    seed: int = 0
    shifts: tuple[int, ...] = ()
    """Rows by which the onset is made wrong, each in a run of its own."""
    check: bool = False
    """Run each case with permuted columns and with other units, too."""
    jobs: int = 1
    """Processes that share the cases."""

    @property
    def runs(self) -> int:
        """How many outcomes there will be."""
        return len(self.sources) * len(self.methods) * len(variants(self.shifts, self.check))


def run(plan: Plan) -> Iterator[Outcome]:
    """One outcome for each case, variant and method, case by case; a failure is one, and a miss.

    Raises:
        NotFound: there is no method of a name.
    """
    for name in plan.methods:
        rankers.ranker(name)
    if plan.jobs == 1:
        for source in plan.sources:
            yield from _outcomes(plan, source)
        return
    with ProcessPoolExecutor(plan.jobs, get_context("spawn")) as pool:
        for found in pool.map(partial(_outcomes, replace(plan, sources=())), plan.sources):
            yield from found


def _outcomes(plan: Plan, source: Source) -> list[Outcome]:
    labelled, forms = _Labelled(source, plan.seed), variants(plan.shifts, plan.check)
    return [
        outcome
        for name in plan.methods
        for outcome in labelled.outcomes(name, rankers.ranker(name), forms)
    ]


@dataclass(frozen=True)
class _Labelled:
    """A case with its known answer."""

    source: Source
    seed: int

    def outcomes(
        self, name: str, ranker: rankers.Ranker, forms: Sequence[Variant]
    ) -> Iterator[Outcome]:
        first: _Attempt | None = None
        for form in forms:
            attempt = self._attempt(name, ranker, form)
            first = first or attempt
            yield self._outcome(name, form, attempt, first)

    def _attempt(self, name: str, ranker: rankers.Ranker, form: Variant) -> _Attempt:
        recording = None
        started = perf_counter()
        try:
            recording = form.change(self.source.read(), self.seed)
            started = perf_counter()
            ranking = ranker(recording, self.seed)
        except Exception as error:
            if not isinstance(error, RootwardError):
                log.exception("method crashed", extra={"case": self.source.name, "method": name})
            reason = f"{type(error).__name__}: {error}"
            return _Attempt(recording, perf_counter() - started, error=reason)
        return _Attempt(recording, perf_counter() - started, ranking)

    def _outcome(self, name: str, form: Variant, attempt: _Attempt, first: _Attempt) -> Outcome:
        label, ranking = self.source.label, attempt.ranking
        series = attempt.recording.window.series if attempt.recording else ()
        services = {s.service for s in series}
        by_series = None if ranking is None else ranking.series
        return Outcome(
            label.dataset,
            self.source.name,
            label.fault,
            name,
            service_rank=evaluation.worst_rank(ranking.services if ranking else {}, label.services),
            series_rank=evaluation.worst_rank(by_series or {}, [label.metric])
            if label.metric
            else None,
            seconds=attempt.seconds,
            abstained=ranking is not None
            and bool(ranking.diagnosis and ranking.diagnosis.abstained),
            error=attempt.error,
            retrieved=_retrieved(by_series or {}, label.services),
            services=len(services),
            causes=len(services.intersection(label.services)),
            series=len(series),
            series_of_causes=sum(s.service in label.services for s in series),
            variant=form.name,
            shift=form.shift,
            first_changed=attempt.first != first.first if form.same_answer else None,
            order_changed=attempt.order != first.order if form.same_answer else None,
        )


@dataclass(frozen=True)
class _Attempt:
    """What came of one method on one variant of a case."""

    recording: cases.Recording | None
    seconds: float
    ranking: Ranking | None = None
    error: str | None = None

    @property
    def order(self) -> dict[str, float]:
        """The rank of every service, ties at their worst; empty after a failure."""
        services = self.ranking.services if self.ranking else {}
        rounded = {s: float(f"{v:.{_DIGITS}g}") for s, v in services.items()}
        return {service: evaluation.worst_rank(rounded, [service]) for service in rounded}

    @property
    def first(self) -> set[str]:
        """The services that stand first."""
        order = self.order
        best = min(order.values(), default=0.0)
        return {service for service, rank in order.items() if rank == best}


def _retrieved(by_series: dict[str, float], causes: Sequence[str]) -> bool:
    names = [name for name in by_series if Series.from_column(name).service in causes]
    return evaluation.worst_rank(by_series, names) <= evaluation.RETRIEVED


def recorded(plan: Plan, jsonl: Path | None, console: Console) -> list[Outcome]:
    """Run, show progress on a terminal, write a line per outcome if asked."""
    done: list[Outcome] = []
    quiet = not console.is_terminal
    with ExitStack() as open_files:
        file = open_files.enter_context(jsonl.open("w", encoding="utf-8")) if jsonl else None
        for outcome in track(run(plan), "runs", plan.runs, console=console, disable=quiet):
            done.append(outcome)
            if file:
                file.write(json.dumps(_plain(outcome)) + "\n")
                file.flush()
    return done


def _plain(outcome: Outcome) -> dict[str, object]:
    """JSON knows no infinity: a miss has the rank null, and `error` tells if it failed."""
    return {
        key: None if isinstance(value, float) and math.isinf(value) else value
        for key, value in asdict(outcome).items()
    }


def peak_megabytes() -> float:
    """The most memory that this process, or one that it started, has had resident so far."""
    own, started = (
        resource.getrusage(of).ru_maxrss for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    peak = max(own, started)
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
