"""The acceptance figures of the sparse methods, each beside its baselines.

Run with `python -m tests.benchmarks.bench_sparse [recovery|adaptive|gradient|dynamic]`: the
problems of the tests, at full length; times are processor seconds of one thread.
"""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch

from rootward.methods.recovery.kronecker_sbl.model import (
    AM,
    least_squares,
    matching_pursuit,
    plain,
    recover,
)
from rootward.methods.signatures.adaptive_sae.model import (
    UnderusedLatents,
    feature_choice,
    from_dead_start,
    mutual_choice,
)
from rootward.methods.signatures.gradient_sae.model import gradient_sae
from rootward.methods.training.dynamic_sparse.model import Kind, Plan, errors, fit, sensitivities
from rootward.numerics import autoencoder
from rootward.numerics.autoencoder import Shape, SilentLatents, TokenChoice, dead_share, unexplained
from rootward.numerics.downstream import gradients
from tests.methods.recovery import planted_hits
from tests.methods.signatures import planted_features
from tests.methods.training.planted_forecasts import metrics20

SEEDS = (0, 1)
Found = TypeVar("Found")


def told(line: str) -> None:
    """A line of figures."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def timed(make: Callable[[], Found]) -> tuple[Found, float]:
    """What it makes, and the processor seconds that it took."""
    began = time.process_time()
    found = make()
    return found, time.process_time() - began


def recovery() -> None:
    """Random dictionaries at three noise levels, then service graphs."""
    ways = {
        "Kronecker, SVD": lambda p: recover(p.y, p.factors, noise=p.noise).mean,
        "Kronecker, SVD, noise unknown": lambda p: recover(p.y, p.factors).mean,
        "Kronecker, AM": lambda p: recover(p.y, p.factors, AM, noise=p.noise).mean,
        "plain SBL": lambda p: plain(p.y, p.factors, noise=p.noise).mean,
        "OMP, true count": lambda p: matching_pursuit(p.y, p.factors, 9),
    }
    for decibels in (5.0, 10.0, 20.0):
        problems = [planted_hits.random_dictionaries(seed, decibels) for seed in range(20)]
        for name, way in ways.items():
            done = [timed(lambda p=p, way=way: way(p)) for p in problems]
            error = [
                planted_hits.nmse(x, p.truth) for (x, _), p in zip(done, problems, strict=True)
            ]
            seconds = np.median([s for _, s in done])
            told(f"{decibels:4.0f} dB  {name:30} NMSE {np.median(error):.4f}  {seconds:.3f} s")
    found = [recover(p.y, p.factors, noise=p.noise).support() for p in problems]
    rates = [
        planted_hits.overlap(s.astype(float), p.truth) for s, p in zip(found, problems, strict=True)
    ]
    told(f"  20 dB  support found {np.mean(rates):.2f}")
    graphs = [planted_hits.service_graph(seed) for seed in range(30)]
    of_graphs = {
        "Kronecker, SVD": lambda p: recover(p.y, p.factors).mean,
        "Kronecker, AM": lambda p: recover(p.y, p.factors, AM).mean,
        "plain SBL": lambda p: plain(p.y, p.factors).mean,
        "least squares": lambda p: least_squares(p.y, p.factors),
        "OMP, true count": lambda p: matching_pursuit(p.y, p.factors, 4),
    }
    for name, way in of_graphs.items():
        means = [way(p) for p in graphs]
        ranked = [planted_hits.strongest(x, 2) for x in means]
        first = np.mean([r[0] in p.services for r, p in zip(ranked, graphs, strict=True)])
        error = [planted_hits.nmse(x, p.truth) for x, p in zip(means, graphs, strict=True)]
        both = planted_hits.recall(ranked, graphs)
        told(f"graphs  {name:20} both {both:.2f}  first {first:.2f}  NMSE {np.mean(error):.3f}")


def adaptive() -> None:
    """Uneven mixtures, then what revives a dead half."""
    shape = Shape(128, 5)
    for seed in SEEDS:
        data = planted_features.uneven_mixture(seed)
        ways = {
            "TopK": lambda d=data, s=seed: autoencoder.fit(d.train, shape, TokenChoice(5), s),
            "Mutual": lambda d=data, s=seed: mutual_choice(d.train, shape, s),
            "Feature": lambda d=data, s=seed: feature_choice(d.train, shape, s),
        }
        for name, way in ways.items():
            fitted, seconds = timed(way)
            f = fitted.encoded(data.test)
            used = (f > 0).float().sum(dim=1)
            follows = planted_features.correlation(used, data.count)
            missed = unexplained(data.test, fitted.decoded(f))
            near = planted_features.likeness(fitted.model.decode, data.directions)
            told(
                f"seed {seed}  {name:8} unexplained {missed:.3f}  dead {dead_share(f):.3f}  "
                f"cosine {near:.2f}  L0 {used.mean():.2f}  follows {follows:.2f}  {seconds:.1f} s"
            )
    data = planted_features.uneven_mixture(0)
    for name, revival in {
        "none": None,
        "aux_k": SilentLatents(),
        "aux_zipf": UnderusedLatents(5, 128),
    }.items():
        fitted = from_dead_start(data.train, shape, TokenChoice(5), revival, 0)
        f = fitted.encoded(data.test)
        missed = unexplained(data.test, fitted.decoded(f))
        told(f"dead start, TopK, {name:8} dead {dead_share(f):.3f}  unexplained {missed:.3f}")


def gradient() -> None:
    """What the head downstream makes of rebuilt vectors, by the weight of the gradient."""
    for seed in (*SEEDS, 2):
        data = planted_features.small_but_read(seed)
        slopes, at_test = gradients(data.head, data.train), gradients(data.head, data.test)
        unit = slopes.norm(dim=1).mean()
        for beta in (0.0, 0.5, 1.0, 3.0):
            fitted = gradient_sae(data.train, slopes, Shape(96, 4, 1500), seed, beta=beta)
            rebuilt = fitted.decoded(fitted.encoded(data.test, at_test / unit))
            missed = unexplained(data.test, rebuilt)
            kept = planted_features.recovery(data, rebuilt)
            told(f"seed {seed}  beta {beta:3}  recovery {kept:.3f}  unexplained {missed:.3f}")


def dynamic() -> None:
    """Per-target forecasters on metrics20."""
    for seed in SEEDS:
        data = metrics20(seed)
        others = ~np.eye(*data.edges.shape, dtype=bool)
        for kind, density in [*((k, 0.1) for k in Kind), (Kind.DYNAMIC, 0.05)]:
            plan = Plan(density=density)
            found, seconds = timed(lambda k=kind, p=plan, d=data, s=seed: fit(*d.train, k, p, s))
            slopes = sensitivities(found.stack, data.test[0], 20).numpy()
            true, false = slopes[data.edges & others], slopes[~data.edges & others]
            auroc = np.mean(true[:, None] > false[None, :])
            told(
                f"seed {seed}  {kind:15} density {density:4}  "
                f"error {errors(found.stack, *data.test).mean():.3f}  edges {auroc:.3f}  "
                f"weights {found.weights}  explored {found.explored:.2f}  {seconds:.1f} s"
            )


PARTS = {"recovery": recovery, "adaptive": adaptive, "gradient": gradient, "dynamic": dynamic}


def main(names: list[str]) -> None:
    """The parts named, all without a name."""
    torch.set_num_threads(1)
    for name in names or PARTS:
        PARTS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
