"""Binned rankings against scikit-learn and metrics.py."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from paperlib.evaluation.measures import metrics, ranking


def slices(seed=0, n=200):
    rng = np.random.default_rng(seed)
    tumour = rng.random(n) < 0.3
    scores = np.round(rng.normal(size=n) + tumour, 1)  # rounded: with ties
    return scores, tumour, rng.choice(list("abcde"), n)


def test_slices_are_counted_exactly_ties_included():
    scores, tumour, cases = slices()
    counted = ranking.slice_ranking(scores, tumour, cases)
    positive, negative = (part.sum(axis=0, keepdims=True) for part in counted[1:])
    assert ranking.auroc(positive, negative) == pytest.approx(roc_auc_score(tumour, scores))
    found = ranking.average_precision(positive, negative)
    assert found == pytest.approx(average_precision_score(tumour, scores))


def test_each_row_is_one_patient():
    scores, tumour, cases = slices()
    counted = ranking.slice_ranking(scores, tumour, cases)
    np.testing.assert_array_equal(counted.cases, list("abcde"))
    found = ranking.auroc(counted.positive, counted.negative)
    expected = [roc_auc_score(tumour[cases == c], scores[cases == c]) for c in "abcde"]
    np.testing.assert_allclose(found, expected)


def test_a_patient_of_one_kind_has_no_rank():
    one = ranking.slice_ranking(np.arange(3.0), np.ones(3, bool), np.array(["a"] * 3))
    assert np.isnan(ranking.auroc(one.positive, one.negative)).all()
    none = ranking.slice_ranking(np.arange(3.0), np.zeros(3, bool), np.array(["a"] * 3))
    assert np.isnan(ranking.average_precision(none.positive, none.negative)).all()


def test_binned_pixels_come_close_to_every_pixel_ranked():
    rng = np.random.default_rng(1)
    truth = rng.random((6, 40, 40)) < 0.08
    anomaly = rng.normal(size=truth.shape) + 2 * truth
    brain = rng.random(truth.shape) < 0.6
    anomaly[~brain] = 50.0
    edges = np.linspace(-5, 10, 2000)
    counted = ranking.pixel_ranking(anomaly, truth, brain, np.repeat([7, 3], 3), edges=edges)
    np.testing.assert_array_equal(counted.cases, [3, 7])
    assert counted.positive[0].sum() == (truth & brain)[3:].sum()
    positive, negative = (part.sum(axis=0, keepdims=True) for part in counted[1:])
    precision = metrics.pixel_average_precision(anomaly, truth, brain)
    assert ranking.average_precision(positive, negative) == pytest.approx(precision, abs=2e-3)
    area = metrics.pixel_auroc(anomaly, truth, brain)
    assert ranking.auroc(positive, negative) == pytest.approx(area, abs=1e-3)


def test_scores_beyond_the_edges_keep_their_place():
    anomaly = np.array([[[-99.0, 0.5, 99.0]]])
    truth = np.array([[[False, False, True]]])
    counted = ranking.pixel_ranking(
        anomaly, truth, np.ones_like(truth), np.array(["a"]), edges=np.array([0.0, 1.0])
    )
    np.testing.assert_array_equal(counted.positive, [[0, 0, 1]])
    np.testing.assert_array_equal(counted.negative, [[1, 1, 0]])


def test_pairs_of_the_same_height_come_from_two_patients_within_reach():
    heights = np.array([80, 82, 90, 81, 83])
    tumour = np.array([True, False, False, False, True])
    cases = np.array([0, 1, 1, 0, 1])
    scores = np.array([0.5, 0.4, 0.9, 0.9, 0.2])
    # (80, 82) wins; (83, 81) loses; 90 is too far, the rest are pairs of one patient
    found = ranking.same_height_auroc(scores, tumour, heights, cases, reach=2)
    assert found == pytest.approx(0.5)
    assert np.isnan(
        ranking.same_height_auroc(scores[:1], tumour[:1], heights[:1], cases[:1], reach=2)
    )


def test_a_score_that_only_knows_the_height_stays_near_one_half_at_the_same_height():
    rng = np.random.default_rng(0)
    heights = rng.integers(60, 130, 4000)
    tumour = rng.random(4000) < (130 - heights) / 70
    cases = rng.integers(0, 30, 4000)
    found = ranking.same_height_auroc(-heights.astype(float), tumour, heights, cases, reach=2)
    assert found == pytest.approx(0.5, abs=0.05)
