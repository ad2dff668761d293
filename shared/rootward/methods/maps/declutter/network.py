"""TEDDY's second half: a graph network on the thinned graph, taught by one on the whole graph.

It serves whoever classifies services from their neighbours' metrics; the map itself needs none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from rootward.methods.maps.declutter.model import Lines
from rootward.numerics.pace import GoOn, always
from rootward.numerics.training import generator

LEARNING_RATE = 0.01
DECAY = 5e-4
DROPOUT = 0.5


@dataclass(frozen=True, eq=False)
class Nodes:
    """What is known of the nodes of a graph; labels count only where a node is in a mask."""

    features: Float[Tensor, "nodes features"]
    labels: Int[Tensor, " nodes"]
    train: Bool[Tensor, " nodes"]
    valid: Bool[Tensor, " nodes"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained."""

    hidden: int = 64
    epochs: int = 200
    keep_weights: float = 1.0
    """Share of the weights that may differ from zero, over all tensors together."""
    distillation: float = 10.0
    """Weight of the teacher's opinion."""


@dataclass(frozen=True, eq=False)
class Trained:
    """The network of the epoch that was best on the held-out nodes."""

    logits: Float[Tensor, "nodes classes"]
    weights: tuple[Tensor, ...]
    epochs: int

    def accuracy(self, labels: Int[Tensor, " nodes"], mask: Bool[Tensor, " nodes"]) -> float:
        """Share of the nodes in the mask that get their own label."""
        return float((self.logits.argmax(dim=1) == labels)[mask].float().mean())

    @property
    def nonzero(self) -> int:
        """How many weights differ from zero."""
        return sum(int((w != 0).sum()) for w in self.weights)


def propagation(lines: Lines, nodes: int) -> Tensor:
    """`D**-0.5 (A + I) D**-0.5`, sparse (nodes, nodes): what a layer averages with (Kipf 2017)."""
    own = np.arange(nodes)
    rows = np.concatenate([lines[:, 0], lines[:, 1], own])
    columns = np.concatenate([lines[:, 1], lines[:, 0], own])
    inverse = 1.0 / np.sqrt(np.bincount(rows, minlength=nodes))
    values = torch.from_numpy((inverse[rows] * inverse[columns]).astype(np.float32))
    at = torch.from_numpy(np.stack([rows, columns]))
    return torch.sparse_coo_tensor(at, values, (nodes, nodes), check_invariants=False).coalesce()


def keep_largest(weights: list[Tensor], share: float) -> None:
    """Set the `ceil((1 - share) n)` smallest of all weights to zero: on the ball of the l0 norm."""
    sizes = torch.cat([w.abs().flatten() for w in weights])
    gone = int(np.ceil((1 - share) * len(sizes) - 1e-9))
    if gone == 0:
        return
    kept = torch.ones(len(sizes), dtype=torch.bool)
    kept[torch.argsort(sizes, stable=True)[:gone]] = False
    start = 0
    for weight in weights:
        weight *= kept[start : start + weight.numel()].view_as(weight)
        start += weight.numel()


def train(
    nodes: Nodes,
    lines: Lines,
    recipe: Recipe,
    seed: int,
    *,
    teacher: Float[Tensor, "nodes classes"] | None = None,
    go_on: GoOn = always,
) -> Trained:
    """Two layers of graph convolution; cross-entropy on the labelled nodes.

    With a teacher, `distillation * KL(teacher || student)` over all nodes is added. After every
    step the smallest weights become zero again; those that went may come back.
    """
    random = generator(seed)
    spread = propagation(lines, len(nodes.features))
    classes = int(nodes.labels.max()) + 1
    shapes = ((nodes.features.shape[1], recipe.hidden), (recipe.hidden, classes))
    weights = [_glorot(shape, random).requires_grad_() for shape in shapes]
    weights += [torch.zeros(shape[1]).requires_grad_() for shape in shapes]
    optimiser = torch.optim.Adam(weights, LEARNING_RATE, weight_decay=DECAY)
    averaged = torch.sparse.mm(spread, nodes.features)
    best, best_share, taken = _logits(averaged, spread, weights).detach(), -1.0, 0
    kept = tuple(w.detach().clone() for w in weights)
    for taken in range(1, recipe.epochs + 1):
        optimiser.zero_grad()
        guess = _logits(averaged, spread, weights, random)
        _loss(guess, nodes, teacher, recipe.distillation).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        with torch.no_grad():
            keep_largest(weights, recipe.keep_weights)
            guess = _logits(averaged, spread, weights)
            right = (guess.argmax(dim=1) == nodes.labels)[nodes.valid].float().mean()
        if float(right) > best_share:
            best, best_share = guess, float(right)
            kept = tuple(w.detach().clone() for w in weights)
        if not go_on(taken / recipe.epochs):
            break
    return Trained(best, kept, taken)


def _glorot(shape: tuple[int, int], random: torch.Generator) -> Tensor:
    reach = (6.0 / (shape[0] + shape[1])) ** 0.5
    return reach * (2 * torch.rand(shape, generator=random) - 1)


def _logits(
    averaged: Tensor, spread: Tensor, weights: list[Tensor], random: torch.Generator | None = None
) -> Tensor:
    """The network; with random numbers half of the hidden units are left out, as in training."""
    inner = torch.relu(averaged @ weights[0] + weights[2])
    if random is not None:
        kept = torch.rand(inner.shape, generator=random) >= DROPOUT
        inner = inner * kept / (1 - DROPOUT)
    return torch.sparse.mm(spread, inner @ weights[1]) + weights[3]


def _loss(guess: Tensor, nodes: Nodes, teacher: Tensor | None, distillation: float) -> Tensor:
    loss = nn.functional.cross_entropy(guess[nodes.train], nodes.labels[nodes.train])
    if teacher is None:
        return loss
    told = torch.log_softmax(guess, dim=1)
    opinion = torch.log_softmax(teacher, dim=1)
    apart = nn.functional.kl_div(told, opinion, reduction="batchmean", log_target=True)
    return loss + distillation * apart
