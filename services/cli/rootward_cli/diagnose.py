"""A CSV or case folders in, ranked causes out, with no server."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from pydantic import TypeAdapter
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from rootward.errors import RootwardError
from rootward.methods import registry
from rootward.model.incident import Diagnosis
from rootward.model.result import Result
from rootward_cli import asking, cases, rankers
from rootward_cli.rankers import Ranking

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """What came of one recording: a ranking, or the reason why there is none."""

    case: str
    seconds: float
    onset_unix: float | None = None
    ranking: Ranking | None = None
    notices: tuple[str, ...] = ()
    result: Result | None = None
    """Of a method that neither ranks nor diagnoses."""
    error: str | None = None


def run(
    paths: Sequence[Path],
    method: str,
    *,
    onset_unix: float | None,
    separator: str,
    seed: int,
    runbooks: Path | None = None,
) -> Iterator[Answer]:
    """One answer for each recording found; one that fails is an answer with `error`.

    Raises:
        NotFound: there is no such method.
        InvalidInput: a path does not exist or holds no recording.
    """
    known = registry.load().methods
    asked = rankers.ranker(method) if method in rankers.names() or method not in known else None
    made = None if asked else registry.load().make(method)

    def answer(recording: cases.Recording) -> Answer:
        if made is not None:
            subject = asking.Subject(recording, seed, runbooks)
            return Answer("", 0.0, recording.window.onset_unix, result=asking.ask(subject, made))
        assert asked is not None
        return Answer("", 0.0, ranking=asked(recording, seed))

    for path in cases.find(paths):
        yield _answer(path, answer, onset_unix, separator)


def _answer(
    path: Path,
    answer: Callable[[cases.Recording], Answer],
    onset_unix: float | None,
    separator: str,
) -> Answer:
    name = path.name if path.is_dir() else path.stem
    started = perf_counter()
    try:
        recording = cases.read(path, separator, onset_unix)
        found = answer(recording)
    except Exception as error:
        if not isinstance(error, RootwardError):
            log.exception("diagnosis crashed", extra={"case": name})
        reason = f"{type(error).__name__}: {error}"
        return Answer(name, perf_counter() - started, onset_unix, error=reason)
    diagnosis = found.ranking.diagnosis if found.ranking else None
    onset = diagnosis.onset_unix if diagnosis else recording.window.onset_unix
    seconds = perf_counter() - started
    return replace(found, case=name, seconds=seconds, onset_unix=onset, notices=recording.notices)


def json_line(answer: Answer, top: int) -> str:
    """The answer as one line of JSON."""
    found = answer.ranking.diagnosis if answer.ranking else None
    line: dict[str, Any] = {
        "case": answer.case,
        "onset_unix": answer.onset_unix,
        "seconds": round(answer.seconds, 4),
        "abstained": found.abstained if found else False,
        "candidates": _candidates(answer.ranking, top) if answer.ranking else [],
        "error": answer.error,
    }
    if found:
        line |= {"confidence": found.confidence, "band": found.band, "conclusion": found.conclusion}
        line["cautions"] = list(found.cautions)
    if answer.result:
        line["result"] = TypeAdapter(Result).dump_python(answer.result, mode="json")
    line["notices"] = list(answer.notices)
    return json.dumps(line)


def _candidates(ranking: Ranking, top: int) -> list[dict[str, Any]]:
    if ranking.diagnosis:
        return [
            {
                "rank": c.rank,
                "service": c.service,
                "series": str(c.series),
                "score": c.score,
                "evidence": [e.text for e in c.evidence],
            }
            for c in ranking.diagnosis.candidates[:top]
        ]
    best: dict[str, str] = {}
    for series in sorted(ranking.series, key=lambda s: -ranking.series[s]):
        best.setdefault(series.partition("|")[0].partition("#")[0], series)
    ranked = sorted(ranking.services.items(), key=lambda pair: (-pair[1], pair[0]))[:top]
    return [
        {"rank": k, "service": s, "series": best.get(s), "score": v, "evidence": []}
        for k, (s, v) in enumerate(ranked, start=1)
    ]


def show(answer: Answer, top: int, console: Console) -> None:
    """The answer for a person: conclusion, causes with evidence, what to be careful about."""
    console.rule(escape(answer.case))
    if answer.result:
        asking.show(answer.result, console)
        return
    if answer.error or not answer.ranking:
        reason = escape(answer.error or "no ranking")
        console.print(f"[red]failed:[/red] {reason}", soft_wrap=True)
        return
    found = answer.ranking.diagnosis
    if found:
        console.print(f"[bold]{escape(found.conclusion)}[/bold]", soft_wrap=True)
        console.print(f"confidence {found.confidence:.0%} ({found.band})")
    for c in _candidates(answer.ranking, top):
        share = f"{c['score']:.0%}" if found else f"score {c['score']:.3g}"
        head = f"{c['rank']}. [bold]{escape(c['service'])}[/bold]  {share}"
        console.print(f"{head}  {escape(str(c['series'] or ''))}", highlight=False, soft_wrap=True)
        for text in c["evidence"]:
            console.print(Padding(f"- {escape(text)}", (0, 0, 0, 3)), highlight=False)
    for caution in (*answer.notices, *_cautions(found)):
        console.print(f"[yellow]note:[/yellow] {escape(caution)}", soft_wrap=True)


def _cautions(found: Diagnosis | None) -> tuple[str, ...]:
    return found.cautions if found else ()
