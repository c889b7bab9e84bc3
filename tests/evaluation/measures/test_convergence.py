"""What a residual shows at one moment of training, counted by hand."""

import numpy as np
import pytest

from paperlib.evaluation.measures.convergence import measure_residual

NAMES = {"pixel_ap", "input_pixel_ap", "dice", "auroc", "input_correlation"}


def _slices():
    """Two slices of one row: brain of four pixels and a background that must not count."""
    image = np.array([[[3.0, 1.0, 2.0, 0.0, 50.0]], [[1.0, 0.0, 2.0, 1.0, 50.0]]])
    residual = np.array([[[-4.0, -3.0, -1.0, 0.0, 9.0]], [[0.0, 1.0, -2.0, 1.0, -9.0]]])
    brain = np.array([[[1, 1, 1, 1, 0]], [[1, 1, 1, 1, 0]]], bool)
    truth = np.array([[[1, 0, 1, 0, 0]], [[0, 0, 0, 0, 0]]], bool)
    return image, residual, brain, truth


def test_measures_of_two_slices_by_hand():
    found = measure_residual(*_slices(), threshold=1.5)
    assert set(found) == NAMES
    # minus r in the brain, sorted: 4 tumour, 3, 2, 1 tumour, ...: precision 1/1 and 2/4.
    assert found["pixel_ap"] == pytest.approx((1 + 2 / 4) / 2)
    # image: 3 tumour, then 2 tumour and 2 together: precision 1/1 and 2/3.
    assert found["input_pixel_ap"] == pytest.approx((1 + 2 / 3) / 2)
    # above 1.5: two pixels, one right, of two; the healthy slice counts 0.
    assert found["dice"] == pytest.approx((2 * 1 / (2 + 2) + 0) / 2)
    # minus the mean residual is 2 against 0.
    assert found["auroc"] == 1
    x, r = [3, 1, 2, 0, 1, 0, 2, 1], [4, 3, 1, 0, 0, -1, 2, -1]
    assert found["input_correlation"] == pytest.approx(np.corrcoef(x, r)[0, 1])


def test_a_network_that_shows_nothing_gives_the_image_itself():
    image, _, brain, truth = _slices()
    found = measure_residual(image, -image, brain, truth, threshold=1.5)
    assert found["input_correlation"] == pytest.approx(1)
    assert found["pixel_ap"] == found["input_pixel_ap"]


def test_an_empty_mask_on_a_healthy_slice_counts_0():
    image, residual, brain, truth = _slices()
    found = measure_residual(image, residual, brain, truth, threshold=3.5)
    assert found["dice"] == pytest.approx((2 * 1 / (1 + 2) + 0) / 2)


def test_the_sign_of_the_residual_matters():
    image, residual, brain, truth = _slices()
    found = measure_residual(image, -residual, brain, truth, threshold=1.5)
    assert found["auroc"] == 0
    assert found["pixel_ap"] < 0.4


@pytest.mark.parametrize("full", [False, True])
def test_a_measure_without_both_kinds_is_nan(full):
    image, residual, brain, truth = _slices()
    found = measure_residual(
        image, residual, brain, brain if full else np.zeros_like(truth), threshold=1.5
    )
    assert all(np.isnan(found[name]) for name in ("pixel_ap", "input_pixel_ap", "auroc"))
    assert found["dice"] == (pytest.approx((2 * 2 / 6 + 2 * 1 / 5) / 2) if full else 0)
