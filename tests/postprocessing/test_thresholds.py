"""Masks by one threshold."""

import numpy as np
import pytest
from scipy.stats import rankdata

from paperlib.postprocessing.thresholds import (
    above,
    false_positive_threshold,
    otsu,
    rank_in_brain,
)


@pytest.mark.parametrize("share", [0.05, 0.01, 0.5])
def test_the_threshold_is_exceeded_by_the_share_asked_for(share):
    values = np.random.default_rng(0).permutation(1000).astype(float)
    threshold = false_positive_threshold(values, share=share)
    assert (values > threshold).mean() == share


def test_the_default_is_five_percent():
    values = np.arange(101.0)
    assert false_positive_threshold(values) == pytest.approx(95)


def test_a_threshold_without_healthy_values_is_refused():
    with pytest.raises(ValueError, match="Found 0 healthy values"):
        false_positive_threshold(np.array([]))
    with pytest.raises(ValueError, match="Found 3 healthy values, 2 of them finite"):
        false_positive_threshold(np.array([1.0, np.nan, 2.0]))
    with pytest.raises(ValueError, match="share is 1"):
        false_positive_threshold(np.arange(3.0), share=1.0)


def test_above_is_strict_and_stays_inside_the_brain():
    values = np.array([[0.9, 1.0, 1.1], [2.0, 2.0, 2.0]])
    brain = np.array([[True, True, True], [True, False, True]])
    expected = [[False, False, True], [True, False, True]]
    np.testing.assert_array_equal(above(values, brain, threshold=1.0), expected)


def test_otsu_separates_two_groups_inside_the_brain():
    rng = np.random.default_rng(0)
    values = rng.normal(0, 0.5, (20, 20))
    values[5:9, 5:9] += 6
    brain = np.ones(values.shape, bool)
    brain[:3] = False
    values[~brain] = 1000.0
    found = otsu(values, brain)
    assert found.sum() == 16
    assert found[5:9, 5:9].all()


@pytest.mark.parametrize("inside", [0, 30])
def test_otsu_of_a_flat_or_empty_brain_is_empty(inside):
    brain = np.zeros((6, 6), bool)
    brain.ravel()[:inside] = True
    assert not otsu(np.ones((6, 6)), brain).any()


def test_the_rank_is_the_share_of_the_brain_that_is_not_brighter():
    rng = np.random.default_rng(0)
    volume = rng.gamma(2.0, 100.0, (5, 20, 20))
    brain = rng.random(volume.shape) > 0.3
    volume[~brain] = -1e6
    found = rank_in_brain(volume, brain)
    expected = rankdata(volume[brain]) / brain.sum()
    np.testing.assert_allclose(found[brain], expected, atol=0.02)
    assert (found[~brain] == 0).all()
    assert found.max() == pytest.approx(1)


def test_the_rank_does_not_depend_on_the_unit_of_brightness():
    rng = np.random.default_rng(0)
    volume = rng.gamma(2.0, 100.0, (3, 20, 20))
    brain = rng.random(volume.shape) > 0.3
    np.testing.assert_allclose(
        rank_in_brain(volume, brain), rank_in_brain(5 * volume + 3, brain), atol=1e-9
    )


def test_fewer_bins_make_coarser_ranks():
    volume = np.random.default_rng(0).random((2, 30, 30))
    brain = np.ones(volume.shape, bool)
    coarse, fine = (rank_in_brain(volume, brain, bins=bins) for bins in (2, 256))
    uniform = rankdata(volume).reshape(volume.shape) / volume.size
    assert np.abs(fine - uniform).max() < 0.01 < np.abs(coarse - uniform).max()


def test_an_empty_brain_has_no_ranks():
    with pytest.raises(ValueError, match="brain mask is empty"):
        rank_in_brain(np.ones((1, 2, 2)), np.zeros((1, 2, 2), bool))
