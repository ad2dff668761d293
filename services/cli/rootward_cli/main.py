"""The `rootward` command.

Each command imports what it runs, so that `rootward version` and `--help` do not load torch.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track

from rootward import __version__, settings, telemetry
from rootward.errors import RootwardError
from rootward_cli import access, graphs, incidents

app = typer.Typer(
    name="rootward",
    help="Self-hosted root-cause analysis for microservices.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
dead_letters = typer.Typer(help="What was given up on.", no_args_is_help=True)
app.add_typer(dead_letters, name="dead-letters")
app.add_typer(incidents.app, name="incidents")
app.add_typer(graphs.app, name="graphs")
out = Console()
err = Console(stderr=True)

app.add_typer(access.tokens, name="tokens")
app.add_typer(access.people, name="people")
app.command()(access.audit)

Seed = Annotated[int, typer.Option(help="Seed of every random choice.", min=0)]


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


@app.command()
def diagnose(
    paths: Annotated[list[Path], typer.Argument(help="CSV files or case folders.")],
    onset: Annotated[
        float | None, typer.Option(help="When the incident began, unix seconds; else it is found.")
    ] = None,
    method: Annotated[
        str, typer.Option(help="`diagnosis`, or the name of a method.")
    ] = "diagnosis",
    jsonl: Annotated[Path | None, typer.Option(help="Write one JSON line for each case.")] = None,
    top: Annotated[int, typer.Option(help="How many causes to show.", min=1)] = 5,
    separator: Annotated[str, typer.Option(help="Between service and metric in a column.")] = "|",
    runbooks: Annotated[
        Path | None, typer.Option(help="Folder with runbooks in Markdown, for methods that read.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Rank the causes of an incident in a recording, or ask a method about it; no server."""
    from rootward_cli import cases
    from rootward_cli import diagnose as diagnosing

    found = cases.find(paths)
    answers = diagnosing.run(
        found, method, onset_unix=onset, separator=separator, seed=seed, runbooks=runbooks
    )
    quiet = jsonl is None or not err.is_terminal
    failed = 0
    with (jsonl or Path(os.devnull)).open("w", encoding="utf-8") as file:
        for answer in track(answers, "cases", len(found), console=err, disable=quiet):
            file.write(diagnosing.json_line(answer, top) + "\n")
            file.flush()
            failed += answer.error is not None
            if jsonl is None:
                diagnosing.show(answer, top, out)
    if failed:
        err.print(f"{failed} of {len(found)} cases failed; each says why")
    if failed == len(found):
        raise typer.Exit(1)


@app.command()
def bench(
    paths: Annotated[list[Path] | None, typer.Argument(help="Folders with labelled cases.")] = None,
    methods: Annotated[
        str, typer.Option(help="Names, separated by commas; `all` for every one.")
    ] = ("diagnosis,n_sigma,robust_z"),
    planted: Annotated[
        int,
        typer.Option(help="So many simulated incidents of every shape."),
    ] = 0,
    calls: Annotated[
        bool, typer.Option("--calls", help="Planted incidents come with their call graph.")
    ] = False,
    jsonl: Annotated[
        Path | None, typer.Option(help="Write one JSON line per case, variant and method.")
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(help="Write the figures as one JSON document.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write the figures into this markdown page.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Count rankings that change with columns or units.")
    ] = False,
    shift: Annotated[
        str, typer.Option(help="Also give an onset wrong by so many rows, such as -5,-2,2,5,10.")
    ] = "",
    jobs: Annotated[int, typer.Option(help="Processes that share the cases.", min=1)] = 1,
    seed: Seed = 0,
) -> None:
    """Measure accuracy, robustness and speed of methods on labelled cases; planted ones by seed."""
    from rootward_cli import bench as benching
    from rootward_cli import benchmarks_page, measured, rankers, sources

    chosen = rankers.names() if methods == "all" else methods.split(",")
    shifts = measured.shifts(shift)
    if report:
        benchmarks_page.around(report)  # a page that cannot take the figures is refused now
    labelled = (*sources.recorded(paths or ()), *sources.planted(planted, seed, calls))
    plan = benching.Plan(labelled, tuple(dict.fromkeys(chosen)), seed, shifts, check, jobs)
    found = measured.measure(plan, jsonl, err)
    print(measured.text(found))
    if figures:
        figures.parent.mkdir(parents=True, exist_ok=True)
        figures.write_text(measured.as_json(found) + "\n", encoding="utf-8")
    if report:
        command = benchmarks_page.command_line(found, report)
        benchmarks_page.into(report, benchmarks_page.section(found, command))


@app.command("bench-scaling")
def bench_scaling(
    sizes: Annotated[str, typer.Option(help="Numbers of series, separated by commas.")] = (
        "50,200,1000,5000"
    ),
    figures: Annotated[
        Path | None, typer.Option(help="Put the points into this JSON document.")
    ] = None,
) -> None:
    """Measure how seconds and memory of a diagnosis grow with the number of series."""
    from rootward_cli import scaling

    found = list(scaling.points([int(size) for size in sizes.split(",")]))
    print(scaling.text(found))
    if figures:
        scaling.into(figures, found)


@app.command("bench-graphs")
def bench_graphs(
    folder: Annotated[Path, typer.Argument(help="Folder with series.csv and truth.json below.")],
    methods: Annotated[
        str, typer.Option(help="Discovery methods, separated by commas; name:parameter=value.")
    ] = ("lagged_correlation,ridge_granger,neural_granger"),
    figures: Annotated[
        Path | None, typer.Option(help="Write the figures as one JSON document.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Measure how well discovery methods find known causal graphs (AUROC of the edges)."""
    from rootward.methods import registry
    from rootward.testing import discovery_scores

    found = discovery_scores.score_all(folder, registry.load(), methods.split(","), seed)
    lines = discovery_scores.summaries(list(found))
    if figures:
        figures.parent.mkdir(parents=True, exist_ok=True)
        figures.write_text(json.dumps([asdict(line) for line in lines], indent=1) + "\n", "utf-8")
    for line in lines:
        print(
            f"{line.dataset:20} {line.method:20} n {line.cases:3}  AUROC {line.mean_auroc:.3f}  "
            f"median {line.median_seconds:.2f} s  failed {line.failures}"
        )


@app.command()
def up() -> None:
    """Run everything in one process on one port, until a signal; settings by environment."""
    from rootward_cli import up as running_up

    values = settings.load()
    telemetry.set_up_logging(values.log_level, values.log_format)
    with running_up.running(values) as node:
        err.print(f"Rootward {__version__} answers at {node.url}", highlight=False)
        running_up.wait_for_signal()


@app.command()
def ingest() -> None:
    """Take samples in, as one process of several; settings by environment."""
    _serve("ingest")


@app.command()
def detect() -> None:
    """Store samples and watch them, as one process of several."""
    _serve("detect")


@app.command()
def work() -> None:
    """Run diagnoses and analyses, as one process of several."""
    _serve("work")


@app.command()
def dashboard() -> None:
    """Answer API and pages, as one process of several."""
    _serve("dashboard")


def _serve(service: str) -> None:
    """Be one service until a signal."""
    from rootward_cli import parts, up

    values = settings.load()
    telemetry.set_up_logging(values.log_level, values.log_format)
    with parts.running(parts.Service(service), values) as node:
        err.print(f"Rootward {service} {__version__} answers at {node.url}", highlight=False)
        up.wait_for_signal()


@dead_letters.command("list")
def list_dead_letters() -> None:
    """Show what was given up on, and why."""
    from rootward import bootstrap
    from rootward_cli import letters

    platform = bootstrap.build(settings.load())
    try:
        out.print(letters.table(letters.waiting(platform)))
    finally:
        platform.close()


@dead_letters.command("replay")
def replay_dead_letters() -> None:
    """Have it all tried again; with queues in the database, stop `rootward up` before."""
    from rootward import bootstrap
    from rootward_cli import letters

    platform = bootstrap.build(settings.load())
    try:
        taken, left = letters.replay(platform), len(list(letters.waiting(platform)))
    finally:
        platform.close()
    err.print(f"{taken} to be tried again, {left} left")


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema; `up` does it by itself."""
    from rootward import bootstrap

    bootstrap.build(settings.load()).close()
    err.print("the database is at the newest schema")


@app.command()
def demo(
    fault: Annotated[str, typer.Option(help="kind@service; see --list.")] = "latency@catalogue",
    every: Annotated[bool, typer.Option("--all", help="One run for each kind of fault.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Only list the faults.")] = False,
    leave: Annotated[bool, typer.Option("--exit", help="End once the cause is named.")] = False,
    against: Annotated[
        bool, typer.Option("--against", help="Use the services at the URLs of the settings.")
    ] = False,
    port: Annotated[int, typer.Option(help="Port of the pages; 0 takes a free one.")] = 0,
    clean: Annotated[
        int, typer.Option(help="Seconds that the shop runs well; most methods want 150.", min=20)
    ] = 50,
) -> None:
    """Start a small shop and Rootward, break one service, and see its incident page name it."""
    from rootward_cli import demo as showing

    if listed:
        for name in showing.shop().FAULTS:
            out.print(name)
        return
    faults = list(showing.shop().FAULTS) if every else [fault]
    start = showing.against(settings.load()) if against else showing.alone(port)
    verdicts = showing.run(faults, start, stay=not leave, console=out, clean_seconds=clean)
    if not all(v.right for v in verdicts):
        raise typer.Exit(1)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="metrics.csv of a recording.")],
    speed: Annotated[
        float, typer.Option(help="How many times faster than it was; 0: as fast as it goes.", min=0)
    ] = 0,
    stay: Annotated[bool, typer.Option("--stay", help="Keep the pages up until Ctrl-C.")] = False,
    port: Annotated[int, typer.Option(help="Port of the pages; 0 takes a free one.")] = 0,
) -> None:
    """Send a recording through the whole platform; report incidents, and faults if labelled."""
    from rootward_cli import replay as replaying

    replaying.show(file, speed=speed, stay=stay, port=port, console=out)


@app.command("replay-diagnosis")
def replay_diagnosis(
    bundle: Annotated[Path, typer.Argument(help="Zip file that an incident was exported as.")],
) -> None:
    """Make a diagnosis again from its bundle; status 1 unless it is the same, bit for bit."""
    from rootward_cli import reproduce

    done = reproduce.replay(bundle)
    print(reproduce.text(done))
    if done.differences:
        raise typer.Exit(1)


@app.command()
def methods(
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything about each, as one JSON document.")
    ] = False,
) -> None:
    """List every method with its question, and whether it can be run here."""
    from rootward_cli import listing

    print(listing.as_json()) if as_json else listing.show(out)


@app.command("new-method")
def new_method(
    family: Annotated[str, typer.Argument(help="Its family, such as discovery.")],
    name: Annotated[str, typer.Argument(help="What it does, in small_letters.")],
    root: Annotated[Path, typer.Option(help="Where the sources lie.")] = Path(),
) -> None:
    """Write the file of a method and its test, with the blanks marked."""
    from rootward_cli import scaffold

    for path in scaffold.write(root, family, name):
        out.print(f"wrote {path}", highlight=False)


@app.command()
def docs(
    folder: Annotated[Path, typer.Argument(help="Where configuration.md and methods.md go.")],
) -> None:
    """Write the pages of docs/ that are made from the code."""
    from rootward.methods import registry
    from rootward_cli import reference

    (folder / "configuration.md").write_text(reference.configuration(), encoding="utf-8")
    (folder / "methods.md").write_text(reference.methods(registry.load()), encoding="utf-8")


def main() -> None:
    """Run the command; our own errors become one line and exit status 1."""
    settings.one_thread()
    telemetry.set_up_logging("WARNING", "text")
    try:
        app()
    except (RootwardError, OSError) as error:
        err.print(f"[red]error:[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)
