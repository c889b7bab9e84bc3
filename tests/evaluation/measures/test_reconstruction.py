"""Sharpness and tissue means of images small enough to count."""

import numpy as np
import pytest
from scipy import ndimage

from paperlib.evaluation.measures import reconstruction

SHAPE = (2, 8, 8)
EVERYWHERE = np.ones(SHAPE, bool)


def ramp(across=1.0, down=0.0):
    y, x = np.mgrid[:8, :8].astype(float)
    return np.stack([across * x + down * y] * 2)


def test_a_ramp_has_the_square_of_its_slopes():
    assert reconstruction.gradient_energy(ramp(2.0, 3.0), EVERYWHERE) == pytest.approx(4 + 9)


def test_a_flat_image_has_none():
    assert reconstruction.gradient_energy(np.full(SHAPE, 3.0), EVERYWHERE) == 0


def test_the_rim_of_the_mask_is_no_gradient():
    mask = np.zeros(SHAPE, bool)
    mask[:, 2:6, 2:6] = True
    assert reconstruction.gradient_energy(np.where(mask, 5.0, 0.0), mask) == 0


def test_slices_are_no_neighbours():
    image = np.stack([np.zeros((8, 8)), np.ones((8, 8))])
    assert reconstruction.gradient_energy(image, EVERYWHERE) == 0


def test_no_neighbours_no_energy():
    lonely = np.zeros(SHAPE, bool)
    lonely[0, 4, 4] = True
    assert np.isnan(reconstruction.gradient_energy(ramp(), lonely))


def test_a_blurred_image_has_less():
    image = np.random.default_rng(0).normal(size=SHAPE)
    blurred = ndimage.gaussian_filter(image, (0, 1, 1))
    energies = [reconstruction.gradient_energy(one, EVERYWHERE) for one in (image, blurred)]
    assert energies[1] < 0.5 * energies[0]


def test_tissues_are_described_on_their_own():
    tumour, healthy = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    tumour[:, :4], healthy[:, 4:] = True, True
    image = np.where(tumour, 2.0, ramp())
    residual = np.where(tumour, -1.5, 0.25)
    found = reconstruction.compare_tissue(image, residual, healthy, tumour)
    assert found.tumour_mean_image == 2
    assert found.tumour_mean_residual == -1.5
    assert found.healthy_mean_image == pytest.approx(3.5)
    assert found.healthy_mean_residual == 0.25
    assert found.input_correlation == pytest.approx(1)
    assert found.gradient_energy == pytest.approx(found.image_gradient_energy) == pytest.approx(1)


def test_an_inverted_copy_correlates_negatively():
    image = ramp(1.0, 2.0)
    found = reconstruction.compare_tissue(image, -2 * image, EVERYWHERE, ~EVERYWHERE)
    assert found.input_correlation == pytest.approx(-1)
    assert found.gradient_energy == pytest.approx(found.image_gradient_energy)


def test_what_is_not_there_is_missing_not_zero():
    found = reconstruction.compare_tissue(ramp(), -ramp(), EVERYWHERE, ~EVERYWHERE)
    assert np.isnan(found.tumour_mean_image)
    assert np.isnan(found.tumour_mean_residual)
    assert np.isnan(found.input_correlation)  # a network that returns nothing
    assert found.gradient_energy == 0
