"""Oracles on a few pixels, where the best choice can be seen."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import f1_score

from paperlib.postprocessing import mixture, morphology, oracles


def dice_above(anomaly, truth, threshold, missed=0):
    predicted = anomaly > threshold
    return 2 * (predicted & truth).sum() / (predicted.sum() + truth.sum() + missed)


def test_the_best_threshold_lies_between_tumour_and_the_rest():
    anomaly = np.array([0.1, 0.9, 0.4, 0.8, 0.3])
    truth = np.array([False, True, False, True, False])
    found = oracles.best_threshold(anomaly, truth)
    assert 0.4 <= found < 0.8
    assert dice_above(anomaly, truth, found) == 1


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_no_threshold_beats_it_among_all_there_are(kind):
    rng = np.random.default_rng(3)
    for _ in range(40):
        anomaly = rng.integers(0, 8, 30).astype(kind)  # many equal pixels
        truth = rng.random(30) < 0.3
        if not truth.any():
            continue
        found = oracles.best_threshold(anomaly, truth)
        every = [f1_score(truth, anomaly > t) for t in np.arange(-1.0, 8.0)]
        assert f1_score(truth, anomaly > found) == pytest.approx(max(every))


def test_true_pixels_that_cannot_be_found_make_it_more_generous():
    anomaly = np.array([4.0, 3.0, 2.0, 1.0])
    truth = np.array([True, False, True, False])
    # Without others both pixels up to the third are worth it; that holds the more with others.
    assert oracles.best_threshold(anomaly, truth) == 1.0
    truth = np.array([True, False, False, True])
    assert oracles.best_threshold(anomaly, truth) == 3.0  # 2/3 each: the first of equal ones
    found = oracles.best_threshold(anomaly, truth, missed=4)
    assert found < 1.0
    assert dice_above(anomaly, truth, found, 4) == pytest.approx(4 / 10)


def test_everything_is_above_the_best_threshold_where_everything_is_tumour():
    for kind in ("float32", "float64"):
        anomaly = np.array([-2.0, -2.0, 5.0], kind)
        assert (anomaly > oracles.best_threshold(anomaly, np.ones(3, bool))).all()


def test_without_tumour_nothing_is_above_the_best_threshold():
    assert oracles.best_threshold(np.array([1.0, 2.0]), np.zeros(2, bool)) == np.inf
    assert oracles.best_threshold(np.array([]), np.zeros(0, bool), missed=3) == np.inf


def test_the_two_clusters_are_the_chosen_one_and_the_rest_of_the_brain():
    rng = np.random.default_rng(0)
    brain = np.zeros((20, 20), bool)
    brain[2:18, 2:18] = True
    residual = rng.normal(0, 0.1, brain.shape)
    residual[5:9, 5:9] -= 2
    fit = mixture.fit_mixture(residual, brain, reading="weights")
    for cluster, tail in itertools.product(mixture.CLUSTERS, mixture.TAILS):
        rule = {"cluster": cluster, "tail": tail}
        chosen, other = oracles.both_clusters(fit, residual, brain, **rule)
        np.testing.assert_array_equal(chosen, mixture.tumour_mask(fit, residual, brain, **rule))
        assert chosen[5:9, 5:9].all()
        assert not (chosen & other).any()
        if tail == "both":
            np.testing.assert_array_equal(chosen | other, brain)
        else:
            assert (residual[other] < np.median(residual[brain])).all()
            assert other.any()


def test_of_a_fit_that_was_not_divided_both_clusters_are_empty():
    brain = np.ones((6, 6), bool)
    fit = mixture.fit_mixture(np.zeros((6, 6)), brain, reading="weights")
    found = oracles.both_clusters(fit, np.zeros((6, 6)), brain, cluster="smallest", tail="both")
    assert not np.any(found)


def test_each_slice_gets_the_mask_that_fits_it_better_and_the_first_of_equal_ones():
    truth, first, second = (np.zeros((4, 8, 8), bool) for _ in range(3))
    truth[:2, :4] = True
    first[0, :4] = True  # perfect in slice 0
    second[1, :4] = True  # perfect in slice 1
    first[2, 0], second[2, 5:] = True, True  # no truth: both are worth nothing
    second[3, 3:5, 3:5] = True
    found = oracles.best_of([first, second], truth)
    np.testing.assert_array_equal(found, np.stack([first[0], second[1], first[2], first[3]]))
    assert not morphology.open_close(found, np.ones_like(found))[3].any()
