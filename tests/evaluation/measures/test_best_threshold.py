"""Thresholds chosen with labels, against trying each of them."""

import numpy as np
import pytest
from scipy import ndimage

from paperlib.evaluation.measures import best_threshold, metrics

THRESHOLDS = np.array([-1.0, 0.0, 0.5, 2.0])


def test_a_curve_holds_the_dice_of_every_threshold():
    rng = np.random.default_rng(0)
    anomaly = 3 * ndimage.gaussian_filter(rng.normal(0.1, 1, (3, 18, 19)), (0, 1, 1)).round(
        1
    )  # some values lie on a threshold
    brain = rng.random(anomaly.shape) < 0.97
    truth = rng.random(anomaly.shape) < 0.3  # partly outside the brain
    truth[2] = False
    found = best_threshold.dice_curves(anomaly, truth, brain, thresholds=THRESHOLDS)
    seen: list[float] = []
    for number in range(3):
        for place, threshold in enumerate(THRESHOLDS):
            mask = (anomaly[number] > threshold) & brain[number]
            mask = (
                ndimage.binary_closing(
                    np.pad(ndimage.binary_opening(mask, np.ones((3, 3))), 1), np.ones((3, 3))
                )[1:-1, 1:-1]
                & brain[number]
            )
            seen.append(found[number, place])
            assert found[number, place] == metrics.dice(mask, truth[number], empty=0)
    assert len(set(seen)) > 4


def test_the_oracle_is_the_threshold_with_the_best_mean():
    curves = np.array([[0.1, 0.5, 0.2, 0.0], [0.6, 0.4, 0.3, 0.0]])
    assert best_threshold.oracle_threshold(curves, THRESHOLDS) == 0.0


def test_a_patients_own_labels_take_no_part_in_its_threshold():
    curves = np.array(
        [[0.9, 0.0, 0.0, 0.0], [0.9, 0.0, 0.0, 0.0], [0.0, 0.3, 0.0, 0.0], [0.0, 0.0, 0.4, 0.0]]
    )
    cases = np.array([4, 4, 7, 9])
    found = best_threshold.thresholds_of_others(curves, cases, THRESHOLDS)
    assert found == {4: 0.5, 7: -1.0, 9: -1.0}


def test_one_patient_has_no_others():
    with pytest.raises(ValueError, match="Found 1 patient; a threshold from the others needs two"):
        best_threshold.thresholds_of_others(np.ones((2, 4)), np.array([3, 3]), THRESHOLDS)
