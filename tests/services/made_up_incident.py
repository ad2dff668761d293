"""A made-up incident in a shop of eight services: what the dashboard's tests look at."""

from __future__ import annotations

import math
import random
from dataclasses import replace

from rootward.model.graph import CausalGraph, Edge
from rootward.model.incident import (
    Band,
    Candidate,
    Change,
    Diagnosis,
    Evidence,
    Excerpt,
    Incident,
    Opinion,
    Severity,
    Status,
)
from rootward.model.result import (
    Analysis,
    Bars,
    Caveat,
    CaveatCode,
    Figure,
    GraphBlock,
    Heatmap,
    Inputs,
    Line,
    Lines,
    MethodEntry,
    Note,
    Result,
    Scatter,
    Table,
)
from rootward.model.series import Sample, SampleBatch, Series
from rootward.ports import Platform

NOW = 1_790_000_000.0
ONSET = NOW - 720.0
LOCKS = Series.of("db_lock_wait_seconds", "orders-db", instance="orders-db-0")
CPU = Series.of("process_cpu_ratio", "orders-db")
ORDERS = Series.of("request_duration_seconds_p99", "orders")
ORDERS_ERRORS = Series.of("request_errors_ratio", "orders")
CHECKOUT = Series.of("request_duration_seconds_p99", "checkout")
CHECKOUT_POOL = Series.of("http_client_pool_pending", "checkout")
CART = Series.of("request_duration_seconds_p99", "cart")
CATALOG = Series.of("process_resident_memory_bytes", "catalog")
PAYMENT = Series.of("request_errors_ratio", "payment")
FRONTEND = Series.of("request_duration_seconds_p99", "frontend")
FRONT_ERRORS = Series.of("request_errors_ratio", "frontend")
SHIPPING = Series.of("request_rate", "shipping")
EVERY = (
    *(LOCKS, CPU, ORDERS, ORDERS_ERRORS, CHECKOUT, CHECKOUT_POOL),
    *(CART, CATALOG, PAYMENT, FRONTEND, FRONT_ERRORS, SHIPPING),
)


def incident(**other: object) -> Incident:
    """Lock waits in a database make the front end slow."""
    seen = (
        (LOCKS, 0, 41.0, 0.002, 1.84),
        (CPU, 15, -6.1, 0.42, 0.11),
        (ORDERS, 15, 22.4, 0.081, 2.3),
        (ORDERS_ERRORS, 30, 9.0, 0.001, 0.12),
        (CHECKOUT, 45, 14.9, 0.19, 2.6),
        (CHECKOUT_POOL, 45, 12.2, 1.0, 48.0),
        (FRONTEND, 60, 11.3, 0.34, 2.9),
        (FRONT_ERRORS, 75, 6.4, 0.0, 0.07),
        (SHIPPING, 105, -4.8, 31.0, 12.0),
    )
    made = Incident(
        id="0f3c9a5e7d1b",
        tenant="default",
        onset_unix=ONSET,
        opened_unix=ONSET + 75,
        symptom=FRONTEND,
        changes=tuple(
            Change(series, ONSET + after, score, low, high)
            for series, after, score, low, high in seen
        ),
        title="frontend request_duration_seconds_p99 is 8.5 times its baseline",
        severity=Severity.CRITICAL,
        last_change_unix=NOW - 5,
    )
    return replace(made, **other)  # type: ignore[arg-type]


def graph() -> CausalGraph:
    """Fifteen edges, one of them unsure, one closing a cycle."""
    return CausalGraph(
        EVERY,
        (
            Edge(LOCKS, ORDERS, 1, 0.91, 1, 0.94),
            Edge(LOCKS, CPU, 1, 0.42, -1, 0.8),
            Edge(CPU, ORDERS, 1, 0.2, -1, 0.55),
            Edge(LOCKS, ORDERS_ERRORS, 2, 0.51, 1, 0.82),
            Edge(ORDERS, CHECKOUT, 2, 0.77, 1, 0.92),
            Edge(ORDERS, CHECKOUT_POOL, 1, 0.63, 1, 0.88),
            Edge(ORDERS_ERRORS, FRONT_ERRORS, 2, 0.33, 1, 0.71),
            Edge(CHECKOUT_POOL, CHECKOUT, 1, 0.4, 1, 0.75),
            Edge(CHECKOUT, FRONTEND, 1, 0.84, 1, 0.96),
            Edge(CHECKOUT, FRONT_ERRORS, 1, 0.31, 0, 0.61),
            Edge(FRONT_ERRORS, FRONTEND, 1, 0.18, 1, None),
            Edge(FRONTEND, ORDERS, 3, 0.12, 1, 0.52),
            Edge(CART, FRONTEND, 1, 0.22, 1, 0.72),
            Edge(CATALOG, CART, 2, 0.15, 1, 0.6),
            Edge(FRONTEND, SHIPPING, 3, 0.3, -1, 0.77),
        ),
    )


def diagnosis(**other: object) -> Diagnosis:
    """Twelve candidates, five excerpts of 240 points, three opinions."""
    made = Diagnosis(
        conclusion=(
            "Lock waits in orders-db most likely caused the slow frontend: they departed "
            "60 s before it and drive it through orders and checkout."
        ),
        candidates=candidates(),
        graph=graph(),
        confidence=0.86,
        band=Band.HIGH,
        abstained=False,
        onset_unix=ONSET,
        symptom=FRONTEND,
        likely=("orders-db", "orders"),
        method="neural_granger",
        seed=7,
        start_unix=NOW - 3600,
        end_unix=NOW,
        step_seconds=15.0,
        rows=240,
        series_count=96,
        cautions=(
            "3 series were left out: constant over the whole window.",
            "payment reported nothing for 2 minutes before the onset.",
        ),
        excerpts=tuple(
            excerpt(series, low, high, unit, after)
            for series, low, high, unit, after in (
                (FRONTEND, 0.34, 2.9, "s", 60),
                (ORDERS, 0.081, 2.3, "s", 15),
                (LOCKS, 0.002, 1.84, "s", 0),
                (CHECKOUT_POOL, 1.0, 48.0, "", 45),
                (CATALOG, 310e6, 318e6, "B", 0),
            )
        ),
        opinions=(
            Opinion("robust_z", ("orders-db", "orders", "checkout")),
            Opinion("baro", ("orders-db", "checkout", "frontend")),
            Opinion("n_sigma", ("orders", "orders-db", "checkout")),
        ),
        seconds=8.42,
        version="0.1.0",
        parameters={"max_lag": 3, "hidden": 32, "sparsity": 0.02, "epochs": 200},
    )
    return replace(made, **other)  # type: ignore[arg-type]


def candidates() -> tuple[Candidate, ...]:
    """Twelve services and what speaks for them."""
    reasons = (
        Evidence("size", "lock waits rose from 2 ms to 1.84 s, 41 baseline deviations", 41.0, ""),
        Evidence("onset", "departed first of all series, 60 s before the symptom", 60.0, "s"),
        Evidence("edges", "drives orders (lag 15 s, strength 0.91, in 94 % of resamples)", 15.0),
        Evidence("agreement", "ranked first by robust_z and baro as well"),
    )
    against = (
        Evidence("edges", "drives checkout (lag 30 s, strength 0.77)", 30.0, "s"),
        Evidence("against", "departed 15 s after orders-db, which drives it"),
    )
    known = [
        ("orders-db", LOCKS, 0.62, reasons, 0.0),
        ("orders", ORDERS, 0.17, against, 15.0),
        ("checkout", CHECKOUT_POOL, 0.09, against[1:], 45.0),
        ("frontend", FRONTEND, 0.05, (Evidence("size", "rose from 340 ms to 2.9 s"),), 60.0),
        ("shipping", SHIPPING, 0.02, (Evidence("against", "departed after the symptom"),), 105.0),
        ("catalog", CATALOG, 0.015, (), None),
        ("cart", CART, 0.01, (), None),
        ("payment", PAYMENT, 0.008, (), None),
    ]
    known += [
        (name, Series.of("request_rate", name), 0.00425, (), None)
        for name in ("email", "ads", "currency", "search")
    ]
    return tuple(
        Candidate(k, service, series, score, why, None if after is None else ONSET + after)
        for k, (service, series, score, why, after) in enumerate(known, 1)
    )


def excerpt(series: Series, low: float, high: float, unit: str, after: float) -> Excerpt:
    """240 points with a step up, noise, and a gap of eight rows."""
    noise = random.Random(series.key)
    times = tuple(NOW - 15.0 * (240 - k) for k in range(240))
    values: list[float | None] = []
    for k, time in enumerate(times):
        level = low + (high - low) * (1 - math.exp(-max(0.0, time - ONSET - after) / 60))
        values.append(None if 100 <= k < 108 else level * (1 + 0.06 * noise.gauss(0, 1)))
    return Excerpt(series, times, tuple(values), 0.85 * low, 1.15 * low, unit)


def analyses() -> tuple[Analysis, ...]:
    """One of each status, every kind of block, and what to try next."""
    key = incident().id
    times = tuple(NOW - 60.0 * (30 - k) for k in range(30))
    blocks = (
        Bars("Services by score", ("orders-db", "orders", "cart"), (2.4, 1.1, -0.3)),
        Table("Ranks", ("Service", "Score"), (("orders-db", 0.62), ("orders", None))),
        Lines(
            "Latency, p99",
            times,
            (
                Line("measured", tuple(0.3 + 0.05 * (k % 7) for k in range(30))),
                Line("expected", tuple(None if k == 9 else 0.35 for k in range(30))),
            ),
            "s",
        ),
        Heatmap(
            "Deviation", ("orders", "cart"), ("12:00", "12:01"), ((1.0, -2.0), (None, 0.5)), "σ"
        ),
        Scatter("Cost", "lag, s", "strength", ("a", "b", "c"), (1.0, 2.0, 15.0), (0.2, 0.9, 0.5)),
        GraphBlock("Causal graph", graph()),
        Note("A plain paragraph."),
    )
    good = Result("orders-db stands first with a score of 2.4.", blocks, ("Scores are no odds.",))
    return (
        Analysis(key, "pagerank", '{"damping":0.9}', "ok", good, "", 0.412),
        Analysis(key, "pc", "{}", "not_applicable", None, "needs 480 rows, got 240", 0.01),
        Analysis(key, "baro", "{}", "failed", None, "ZeroDivisionError: division by zero", 0.2),
        Analysis(key, "similar", "{}", "weak", unsure(), "", 1.5, 1.2, 3, '{"k":5}',
                 {"rootward": "0"}),
        Analysis(key, "slow", "{}", "running", progress=0.4),
        next_check(),
    )  # fmt: skip


def next_check() -> Analysis:
    """A remedy before a check, both of the likeliest cause."""
    columns = (
        "step", "kind", "expected gain (min)", "5 %", "95 %", "chance to be the best", "why",
    )  # fmt: skip
    why = "orders-db is the cause with a share of 62%"
    steps = (
        ("roll back the last change of orders-db", "remedy", 6.1, 0.4, 14.2, 0.41,
         f"{why}; it helped in 3 of 4 earlier cases"),
        ("look at the logs of orders-db", "check", 5.2, 1.1, 9.8, 0.3,
         f"{why}; never tried so far"),
        ("restart orders-db", "remedy", 3.9, 0.2, 12.0, 0.2, f"{why}; never tried so far"),
    )  # fmt: skip
    answer = "Next: roll back the last change of orders-db; expected to save 6.1 min."
    result = Result(answer, (Table("What to do next", columns, steps),))
    return Analysis(incident().id, "next_check", "{}", "ok", result, "", 0.03)


def unsure() -> Result:
    """A result with everything that says how sure it is."""
    used = Inputs(("orders|latency",), 1, NOW - 3600, NOW, 240, 60.0, {"cart|cpu": "constant"})
    return Result(
        "INC-3 looks most alike.",
        (Note("It matched through other words."),),
        status="weak",
        caveats=(Caveat(CaveatCode.FEW_EXAMPLES, "There are only 9 earlier incidents."),),
        headline=Figure("nDCG@10", 0.5),
        baseline=Figure("BM25", 0.4),
        inputs=used,
    )


def catalogue() -> tuple[MethodEntry, ...]:
    """Seven methods: one cannot run here, one cannot apply, one runs."""
    schema = '{"type":"object","properties":{"damping":{"type":"number","default":0.85}}}'
    plain = '{"type":"object","properties":{}}'
    return (
        MethodEntry("pagerank", "ranking", "Which service do the effects lead back to?",
                    "Brin and Page 1998", "PageRank against the edges.", schema, True, "0.1.0"),
        MethodEntry("pc", "discovery", "Which series drive which?", "Spirtes et al. 2000",
                    "Constraint-based discovery.", plain, False, "0.1.0"),
        MethodEntry("baro", "ranking", "What changed most against its own past?",
                    "Pham et al. 2024", "Robust deviations.", plain, True, "0.1.0"),
        MethodEntry("similar", "retrieval", "When did we see this before?", "Geng et al. 2024",
                    "Sparse retrieval.", plain, False, "0.1.0", "reconstruction",
                    "The encoder is ours.", anchors=("similar",), cost="seconds",
                    assumptions=("Words repeat.",), limits=("Alike is not the same cause.",)),
        MethodEntry("slow", "signatures", "Which patterns make it up?", "Ayonrinde 2024",
                    "Sparse codes.", plain, False, "0.1.0", anchors=("patterns",),
                    cost="minutes"),
        MethodEntry("remote", "discovery", "What would a remote learner draw?", "Nobody 2000",
                    "Somewhere else.", plain, False, "0.1.0", anchors=("graph",),
                    unavailable="needs the library remote, which is not installed here"),
        MethodEntry("idle", "discovery", "What else drives it?", "Nobody 2001",
                    "Not asked yet.", schema, False, "0.1.0", anchors=("graph",)),
    )  # fmt: skip


def fill(platform: Platform) -> Incident:
    """Put samples, the catalogue, the incident, its diagnosis and analyses into a platform."""
    platform.samples.append(SampleBatch.of([Sample(s, NOW - 4.0, 1.0) for s in EVERY]))
    platform.results.save_catalogue(catalogue())
    opened = platform.incidents.open(incident())
    platform.incidents.save(opened.id, diagnosis())
    for analysis in analyses():
        platform.results.save(analysis)
    return opened


def older(number: int, status: Status = Status.RESOLVED) -> Incident:
    """One of many incidents, the lower the older."""
    onset = NOW - 86400 + 300.0 * number
    return incident(
        id=f"older-{number:05d}",
        onset_unix=onset,
        opened_unix=onset + 60,
        resolved_unix=onset + 240 if status is Status.RESOLVED else None,
        status=status,
        severity=Severity.WARNING,
        changes=(Change(CART, onset, 7.0, 0.1, 0.9),),
        symptom=CART,
        title=f"cart is slow, occasion {number}",
    )
