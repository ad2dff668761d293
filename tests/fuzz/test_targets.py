"""What fuzzing starts from is valid, and a little damage is refused; `make fuzz` does more."""

import numpy as np
import pytest

from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS, forgiving

MUTATIONS = 60


def damaged(body: bytes, chance: np.random.Generator) -> bytes:
    """The body with some bytes changed, and now and then a part cut out or repeated."""
    content = bytearray(body)
    for place in chance.integers(0, max(len(content), 1), chance.integers(1, 5)):
        if content:
            content[place] = chance.integers(0, 256)
    start, end = sorted(chance.integers(0, len(content) + 1, 2))
    match chance.integers(0, 4):
        case 0:
            del content[start:end]
        case 1:
            content[end:end] = content[start:end]
    return bytes(content)


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_is_taken(name: str):
    target = TARGETS[name]()
    for seed in seeds(name):
        target(seed)


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_seeds_are_refused_or_taken(name: str):
    chance, target = np.random.default_rng(5), forgiving(name)
    for seed in seeds(name):
        for _ in range(MUTATIONS):
            target(damaged(seed, chance))
