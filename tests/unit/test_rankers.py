"""Names of rankings: one by itself, and several as views of one."""

import pytest

from rootward.errors import NotFound
from rootward_cli import rankers
from rootward_cli.cases import Recording
from rootward_cli.rankers import Ranking


def _fixed(**services: float) -> rankers.Ranker:
    return lambda recording, seed: Ranking(dict(services), {})


@pytest.fixture
def two_views(monkeypatch):
    known = {"one": _fixed(a=3.0, b=2.0, c=1.0), "two": _fixed(b=9.0, a=8.0, c=7.0, d=1.0)}
    whole = rankers.ranker

    def ranker(name: str) -> rankers.Ranker:
        return known[name] if name in known else whole(name)

    monkeypatch.setattr(rankers, "ranker", ranker)
    return ranker


def test_views_are_joined_by_reciprocal_ranks_and_the_first_breaks_ties(two_views):
    recording = Recording.__new__(Recording)
    scores = two_views("one+two")(recording, 0).services
    assert sorted(scores, key=lambda s: -scores[s]) == ["a", "b", "c", "d"]
    turned = two_views("two+one")(recording, 0).services
    assert max(turned, key=lambda s: turned[s]) == "b"
    assert scores["d"] == pytest.approx(1 / 4, abs=1e-5)


def test_a_view_that_there_is_not_is_refused():
    with pytest.raises(NotFound, match="no method 'magic' ranks"):
        rankers.ranker("surprise+magic")
