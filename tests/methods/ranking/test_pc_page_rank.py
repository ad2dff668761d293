"""PC with PageRank leads back along edges that were oriented, and nothing else."""

import numpy as np
import pytest

from rootward.errors import InvalidParameters
from rootward.methods.ranking.pc_page_rank import PcPageRank
from rootward.model.case import Case
from rootward.model.series import Series
from rootward.model.window import Window


def _case(**columns: np.ndarray) -> Case:
    series = tuple(Series.of("latency", name) for name in columns)
    values = np.column_stack(list(columns.values()))
    return Case(Window(series, 5.0 * np.arange(len(values)), values, 5.0, onset=500))


def test_rank_gathers_at_the_causes_of_a_common_effect():
    a, b, u = np.random.default_rng(1).standard_normal((3, 600))
    case = _case(a=a, b=b, effect=a + b + 0.5 * u)
    found = PcPageRank(significance=0.001).service_scores(case)
    assert found["a"] == found["b"] > found["effect"]


def test_it_is_blind_to_the_size_of_a_change_as_its_docstring_says():
    noise = np.random.default_rng(2).standard_normal((4, 600))
    noise[2, 500:] += 50
    case = _case(**dict(zip("abcd", noise, strict=True)))
    found = PcPageRank(significance=1e-6).scores(case)
    assert found == pytest.approx(0.25)


def test_wrong_damping_is_refused():
    with pytest.raises(InvalidParameters, match="damping"):
        PcPageRank(damping=1.0)
