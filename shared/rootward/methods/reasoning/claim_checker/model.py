"""Axiomatic training: a network that learns from examples when one node causes another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from rootward.numerics.attention import Attention, FeedForward, linear
from rootward.numerics.dags import Links, reach
from rootward.numerics.training import generator

NAME_WIDTH = 32
WIDTH, HEADS, LAYERS, ROUNDS = 96, 4, 2, 2
BATCH = 128


@dataclass(frozen=True, eq=False)
class Question:
    """Premises "a causes b", one for each edge, and the hypothesis "one causes other"."""

    links: Links
    one: int
    other: int

    @property
    def follows(self) -> bool:
        """Whether the transitivity axiom gives the hypothesis: a way along the premises."""
        return bool(reach(self.links)[self.one, self.other])


def chain_question(
    rng: np.random.Generator, shortest: int, longest: int, flipped: float = 0.2
) -> Question:
    """A chain with some edges turned round; yes and no are equally likely where both occur."""
    size = int(rng.integers(shortest, longest + 1))
    turned = rng.random(size - 1) < flipped * rng.integers(0, 2)
    links = np.zeros((size, size), dtype=bool)
    at = np.arange(size - 1)
    links[np.where(turned, at + 1, at), np.where(turned, at, at + 1)] = True
    return _balanced(links, rng)


def branching_question(rng: np.random.Generator, smallest: int, largest: int) -> Question:
    """An acyclic graph with 1.4 to 2 edges for each node."""
    size = int(rng.integers(smallest, largest + 1))
    pairs = np.column_stack(np.triu_indices(size, 1))
    edges = min(round(size * rng.uniform(1.4, 2.0)), len(pairs))
    chosen = pairs[rng.choice(len(pairs), size=edges, replace=False)]
    links = np.zeros((size, size), dtype=bool)
    links[chosen[:, 0], chosen[:, 1]] = True
    return _balanced(links, rng)


def _balanced(links: Links, rng: np.random.Generator) -> Question:
    """A pair of which a fair coin decides whether it follows."""
    reached = reach(links)
    wanted = bool(rng.integers(2))
    pairs = np.argwhere((reached == wanted) & ~np.eye(len(links), dtype=bool))
    if not len(pairs):
        pairs = np.argwhere(~np.eye(len(links), dtype=bool))
    one, other = pairs[rng.integers(len(pairs))]
    return Question(links, int(one), int(other))


class Checker(nn.Module):
    """A set transformer over premises; the hypothesis token gives the answer.

    Names are random unit vectors, drawn anew for every question, so that they carry no
    information and names never seen before are no different. Tokens have no positions.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        random = generator(seed)
        self.premise = linear(2 * NAME_WIDTH, WIDTH, random)
        self.hypothesis = nn.Parameter(0.5 * torch.randn(WIDTH, generator=random))
        self.mix = nn.ModuleList(Attention(WIDTH, HEADS, random) for _ in range(LAYERS))
        self.think = nn.ModuleList(FeedForward(WIDTH, 4 * WIDTH, random) for _ in range(LAYERS))
        self.before = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(2 * LAYERS + 1))
        self.answer = linear(WIDTH, 1, random)

    def forward(
        self,
        pairs: Float[Tensor, "questions tokens ends"],
        present: Bool[Tensor, "questions tokens"],
    ) -> Float[Tensor, " questions"]:
        """Log odds that the hypothesis, the first token of each question, follows."""
        x = self.premise(pairs)
        x = torch.cat((x[:, :1] + self.hypothesis, x[:, 1:]), dim=1)
        for _ in range(ROUNDS):
            for k, (mix, think) in enumerate(zip(self.mix, self.think, strict=True)):
                seen = self.before[2 * k](x)
                x = x + mix(seen, seen, present)
                x = x + think(self.before[2 * k + 1](x))
        return torch.as_tensor(self.answer(self.before[-1](x[:, 0]))[:, 0])


def encoded(
    questions: Sequence[Question], random: torch.Generator
) -> tuple[Float[Tensor, "questions tokens ends"], Bool[Tensor, "questions tokens"]]:
    """Tokens of each question, the hypothesis first, and which of them are there."""
    ends = [_ends(q) for q in questions]
    tokens, nodes = max(len(e) for e in ends), max(len(q.links) for q in questions)
    at = np.zeros((len(questions), tokens, 2), dtype=np.int64)
    present = np.zeros((len(questions), tokens), dtype=bool)
    for k, pairs in enumerate(ends):
        at[k, : len(pairs)] = pairs
        present[k, : len(pairs)] = True
    names = torch.randn(len(questions), nodes, NAME_WIDTH, generator=random)
    names = names / names.norm(dim=2, keepdim=True)
    rows = torch.arange(len(questions))[:, None, None]
    return names[rows, torch.from_numpy(at)].flatten(2), torch.from_numpy(present)


def _ends(question: Question) -> Int[np.ndarray, "tokens 2"]:
    first = np.array([[question.one, question.other]])
    return np.concatenate((first, np.argwhere(question.links)))


def trained(
    steps: int, seed: int, go_on: Callable[[float], bool] = lambda share: True
) -> tuple[Checker, int]:
    """A checker taught on chains of 3 to 6 nodes, and the steps it took."""
    rng, random = np.random.default_rng(seed), generator(seed)
    checker = Checker(seed)
    optimiser = torch.optim.AdamW(checker.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for taken in range(steps):
        if not go_on(taken / steps):
            return checker, taken
        questions = [chain_question(rng, 3, 6) for _ in range(BATCH)]
        answers = torch.tensor([q.follows for q in questions], dtype=torch.float32)
        odds = checker(*encoded(questions, random))
        loss = nn.functional.binary_cross_entropy_with_logits(odds, answers)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        schedule.step()
    return checker, steps


def says_yes(
    checker: Checker, questions: Sequence[Question], seed: int
) -> Bool[np.ndarray, " questions"]:
    """What the network thinks of each hypothesis; an opinion, the graph itself knows better."""
    with torch.no_grad():
        odds = checker(*encoded(questions, generator(seed)))
    return np.asarray(odds.numpy() > 0)
