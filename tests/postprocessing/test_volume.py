"""The 3-D clean-up without a network."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from paperlib.postprocessing.volume import segment_smoothed, smooth


def test_a_constant_brain_stays_constant_up_to_its_rim():
    brain = np.zeros((8, 12, 12), bool)
    brain[1:7, 2:9, 3:11] = True
    smoothed = smooth(np.full(brain.shape, 2.5), brain, sigma_px=1.5)
    np.testing.assert_allclose(smoothed[brain], 2.5)
    assert (smoothed[~brain] == 0).all()


def test_far_from_the_rim_it_is_scipys_gaussian():
    volume = np.random.default_rng(0).normal(size=(20, 20, 20))
    smoothed = smooth(volume, np.ones(volume.shape, bool), sigma_px=1.0)
    centre = (slice(6, 14),) * 3
    np.testing.assert_allclose(smoothed[centre], gaussian_filter(volume, 1.0)[centre])


def test_values_outside_the_brain_are_ignored():
    volume = np.random.default_rng(0).normal(size=(6, 9, 9))
    brain = np.zeros(volume.shape, bool)
    brain[:, 2:7, 2:7] = True
    other = np.where(brain, volume, np.nan)
    kept, changed = (smooth(v, brain, sigma_px=1.0) for v in (volume, other))
    np.testing.assert_array_equal(kept, changed)


def test_a_width_of_zero_is_refused():
    with pytest.raises(ValueError, match="sigma_px is 0"):
        smooth(np.zeros((2, 2, 2)), np.ones((2, 2, 2), bool), sigma_px=0.0)


def brain_with_tumour():
    """A ball with a dark centre, a larger bright sheet below it and bright specks."""
    rows = np.mgrid[:30, :60, :60]
    brain = np.ones((30, 60, 60), bool)
    brain[:, :5] = brain[:, 55:] = False
    away = np.sqrt(sum((axis - at) ** 2 for axis, at in zip(rows, (14, 30, 30), strict=True)))
    ball = away <= 8
    flair = np.where(ball & (away > 3), 3.0, 0.0)
    flair[27:29, 6:54, 2:58] = 3.0
    flair[10, 8, 8] = 9.0
    return flair, brain, ball


def test_the_thick_component_is_kept_with_its_holes_filled():
    flair, brain, ball = brain_with_tumour()
    found = segment_smoothed(flair, brain, threshold=1.0, spacing_mm=(1.0, 1.4, 1.4))
    assert 2 * (found & ball).sum() / (found.sum() + ball.sum()) > 0.9
    assert found[14, 30, 30]
    assert not found[24:].any()


def test_nothing_above_the_threshold_is_nothing_found():
    flair, brain, _ = brain_with_tumour()
    assert not segment_smoothed(flair, brain, threshold=99.0, spacing_mm=(1.0, 1.4, 1.4)).any()


def test_a_threshold_below_zero_still_leaves_the_background_out():
    flair, brain, _ = brain_with_tumour()
    found = segment_smoothed(flair, brain, threshold=-1.0, spacing_mm=(1.0, 1.4, 1.4))
    np.testing.assert_array_equal(found, brain)
