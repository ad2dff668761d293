import json

import numpy as np
import pytest

from rootward.errors import InvalidInput
from rootward.methods.registry import load
from rootward.testing import cases
from rootward.testing.discovery_scores import auroc, load_cases, score_all, summaries, truth_matrix


def _write(directory, planted):
    case = directory / "made" / "one"
    case.mkdir(parents=True)
    names = [s.metric for s in planted.window.series]
    rows = [",".join(["t", *names])]
    rows += [
        ",".join([str(t), *map(str, row)]) for t, row in enumerate(planted.window.values.tolist())
    ]
    (case / "series.csv").write_text("\n".join(rows) + "\n")
    edges = [[i, j, None] for i, j in sorted(planted.named_edges)]
    (case / "truth.json").write_text(json.dumps({"nodes": names, "edges": edges}))


def test_auroc_is_one_for_the_truth_a_half_for_ties_and_zero_for_the_opposite():
    truth = np.array([[0, 1, 0], [0, 0, 1], [0, 0, 0]])
    assert auroc(truth * 2.0, truth.astype(float)) == 1.0
    assert auroc(np.ones((3, 3)), truth.astype(float)) == 0.5
    assert auroc(-truth * 1.0, truth.astype(float)) == 0.0
    with pytest.raises(InvalidInput, match="AUROC"):
        auroc(np.ones((3, 3)), np.zeros((3, 3)))


def test_a_directory_of_known_graphs_is_scored_method_by_method(tmp_path):
    planted = cases.chain(rows=300, seed=1, length=5)
    _write(tmp_path, planted)
    ((dataset, case, read),) = load_cases(tmp_path)
    assert (dataset, case) == ("made", "one")
    assert np.array_equal(truth_matrix(read), truth_matrix(planted))
    scores = list(score_all(tmp_path, load(), ["lagged_correlation", "ridge_granger"]))
    simple, ridge = summaries(scores)
    assert ridge.mean_auroc == 1.0
    assert (simple.dataset, simple.method, simple.cases) == ("made", "lagged_correlation", 1)
    assert simple.failures == ridge.failures == 0


def test_a_method_that_fails_counts_as_a_coin_toss_with_its_reason(tmp_path):
    _write(tmp_path, cases.chain(rows=12, seed=1))
    (score,) = score_all(tmp_path, load(), ["ridge_granger"])
    assert score.auroc is None
    assert "needs 20 baseline rows" in score.error
    assert summaries([score])[0].mean_auroc == 0.5


def test_a_directory_without_cases_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="no case below"):
        list(load_cases(tmp_path))


def test_an_edge_between_unknown_series_is_refused(tmp_path):
    _write(tmp_path, cases.chain(rows=12, seed=1))
    path = tmp_path / "made" / "one" / "truth.json"
    path.write_text(json.dumps({"edges": [["x0", "nobody", None]]}))
    with pytest.raises(InvalidInput, match="nobody"):
        list(load_cases(tmp_path))
