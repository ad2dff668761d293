"""What every store of experiments keeps to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rootward.model.experiment import Recorded
from rootward.ports import Platform
from rootward.testing.equipment import experiment

NOON = 1_700_000_000.0
RECORDED = Recorded("default", "fast-cart", "cart", NOON, experiment(seed=1, effect=1.0))


def _last(stores: Platform, start: float = NOON - 60, end: float = NOON + 60) -> Recorded | None:
    return stores.experiments.last(start, end, "default")


def test_an_experiment_comes_back_as_it_was_put(stores: Platform):
    stores.experiments.put(RECORDED)
    found = _last(stores)
    assert found is not None
    assert (found.id, found.service, found.began_unix) == ("fast-cart", "cart", NOON)
    ours, theirs = RECORDED.experiment, found.experiment
    for name in ("instrument", "exposure", "outcome", "covariates"):
        assert np.array_equal(getattr(ours, name), getattr(theirs, name))
    for name in ("name", "outcome_name", "covariate_names", "clusters"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert theirs.calibration is not None
    assert ours.calibration is not None
    assert np.array_equal(ours.calibration.true, theirs.calibration.true)


def test_clusters_come_back_and_no_pairs_stay_none(stores: Platform):
    clusters = tuple(f"cart-{k % 9}" for k in range(len(RECORDED.experiment.outcome)))
    bare = replace(RECORDED.experiment, clusters=clusters, calibration=None)
    stores.experiments.put(replace(RECORDED, experiment=bare))
    found = _last(stores)
    assert found is not None
    assert found.experiment.clusters == clusters
    assert found.experiment.calibration is None


def test_the_later_word_under_one_id_stays(stores: Platform):
    for service in ("cart", "checkout"):
        stores.experiments.put(replace(RECORDED, service=service))
    found = _last(stores)
    assert found is not None
    assert found.service == "checkout"
    assert stores.experiments.expire(NOON + 1) == 1


def test_the_one_that_began_last_in_the_time_is_given(stores: Platform):
    for name, began in (("early", NOON - 50), ("late", NOON + 50), ("later", NOON + 70)):
        stores.experiments.put(replace(RECORDED, id=name, began_unix=began))
    found = _last(stores)
    assert found is not None
    assert found.id == "late"
    assert _last(stores, NOON - 40, NOON + 40) is None


def test_another_tenant_sees_nothing_and_what_is_old_goes(stores: Platform):
    stores.experiments.put(replace(RECORDED, tenant="other"))
    assert _last(stores) is None
    assert stores.experiments.expire(NOON) == 0
    assert stores.experiments.expire(NOON + 1) == 1
