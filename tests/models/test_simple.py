"""Reconstructions without a network, against the definition or another library."""

import numpy as np
import pytest

from paperlib.models import simple

RNG = np.random.default_rng(0)
IMAGES = RNG.normal(0, 1, (2, 17, 19)).astype(np.float32)
BRAIN = RNG.random((2, 17, 19)) < 0.7


def window(array, y, x, reach):
    return array[max(y - reach, 0) : y + reach + 1, max(x - reach, 0) : x + reach + 1]


def test_the_median_is_that_of_the_brain_pixels_in_the_square():
    found = simple.masked_median(IMAGES, BRAIN, side_px=5)
    for image, mask, medians in zip(IMAGES, BRAIN, found, strict=True):
        half_a_step = (image[mask].max() - image[mask].min()) / 1023 / 2
        for y, x in np.argwhere(mask):
            near = np.sort(window(image, y, x, 2)[window(mask, y, x, 2)])
            assert abs(medians[y, x] - near[near.size // 2]) <= half_a_step + 1e-5
        assert (medians[~mask] == 0).all()


def test_a_bright_spot_smaller_than_half_the_square_is_gone_from_the_median():
    image = np.zeros((1, 21, 21), np.float32)
    image[0, 8:13, 8:13] = 3
    assert (simple.masked_median(image, np.ones(image.shape, bool), side_px=15) == 0).all()


def test_the_median_of_a_flat_or_empty_slice_is_the_slice():
    flat = np.full((1, 9, 9), 2.5, np.float32)
    whole = np.ones(flat.shape, bool)
    assert (simple.masked_median(flat, whole, side_px=3) == 2.5).all()
    assert (simple.masked_median(flat, ~whole, side_px=3) == 0).all()


def test_a_square_with_an_even_side_is_refused():
    with pytest.raises(ValueError, match=r"side_px is 14; a square around a pixel has an odd"):
        simple.masked_median(IMAGES, BRAIN, side_px=14)


def test_the_gaussian_is_the_weighted_mean_of_the_brain_pixels_of_the_slice():
    found = simple.masked_gaussian(IMAGES, BRAIN, sigma_px=1.0)
    for image, mask, smooth in zip(IMAGES, BRAIN, found, strict=True):
        places = np.argwhere(mask)
        distances = ((places[:, None] - places[None]) ** 2).sum(axis=2)
        weights = np.where(np.abs(places[:, None] - places[None]).max(axis=2) <= 4, 1, 0) * np.exp(
            -distances / 2
        )
        mine = weights @ image[mask] / weights.sum(axis=1)
        np.testing.assert_allclose(smooth[mask], mine, atol=1e-5)
        assert (smooth[~mask] == 0).all()


def test_a_gaussian_without_width_is_refused():
    with pytest.raises(ValueError, match=r"sigma_px is 0.0; .* positive width"):
        simple.masked_gaussian(IMAGES, BRAIN, sigma_px=0.0)


def test_left_and_right_are_exchanged_about_the_middle_of_the_brain():
    image = np.array([[[9, 1, 2, 3, 4, 9, 9]]], np.float32)
    brain = np.array([[[0, 1, 1, 1, 1, 0, 0]]], bool)
    assert simple.mirror(image, brain).tolist() == [[[0, 4, 3, 2, 1, 0, 0]]]


def test_an_odd_number_of_columns_keeps_the_one_on_the_midline():
    image = np.array([[[1, 2, 3, 9, 9]]], np.float32)
    brain = np.array([[[1, 1, 1, 0, 0]]], bool)
    assert simple.mirror(image, brain).tolist() == [[[3, 2, 1, 0, 0]]]


def test_a_pixel_without_a_partner_keeps_its_value():
    image = np.array([[[1, 2, 3, 4], [5, 6, 7, 8]]], np.float32)
    brain = np.array([[[1, 1, 1, 1], [0, 1, 1, 1]]], bool)  # centre at 12 / 7, midline at 1.5
    assert simple.mirror(image, brain).tolist() == [[[4, 3, 2, 1], [0, 7, 6, 8]]]


def test_the_norm_is_mean_and_deviation_of_the_slices_nearest_in_height():
    heights = np.array([70, 71, 73, 80])
    images = np.array([1, 3, 8, 100], np.float32)[:, None, None] * np.ones((4, 1, 2), np.float32)
    brain = np.ones(images.shape, bool)
    found = simple.norm_at(images, brain, heights, height=70, minimum=3)
    assert (found.reach, found.slices) == (3, 3)
    np.testing.assert_allclose(found.mean, 4.0)
    np.testing.assert_allclose(found.sd, np.sqrt(26 / 3))


def test_the_norm_widens_no_further_than_it_must():
    heights = np.array([69, 71, 72])
    images, brain = np.zeros((3, 1, 1), np.float32), np.ones((3, 1, 1), bool)
    found = simple.norm_at(images, brain, heights, height=70, minimum=2)
    assert (found.reach, found.slices) == (1, 2)


def test_a_pixel_that_one_brain_covers_gets_the_norm_of_the_whole_brain():
    images = np.array([[[2, 4]], [[4, 9]]], np.float32)
    brain = np.array([[[1, 1]], [[1, 0]]], bool)
    found = simple.norm_at(images, brain, np.array([70, 70]), height=70, minimum=2)
    np.testing.assert_allclose(found.mean, [[3.0, 10 / 3]])
    np.testing.assert_allclose(found.sd, [[1.0, np.std([2, 4, 4])]])


def test_slices_that_agree_by_chance_have_the_deviation_of_the_floor():
    images, brain = np.ones((2, 1, 1), np.float32), np.ones((2, 1, 1), bool)
    found = simple.norm_at(images, brain, np.array([70, 70]), height=70, minimum=2)
    assert found.sd == simple.SD_FLOOR


def test_a_norm_of_too_few_slices_is_refused():
    with pytest.raises(ValueError, match="There are 2 healthy slices; a norm needs 10"):
        simple.norm_at(IMAGES, BRAIN, np.array([70, 71]), height=70)


def test_components_and_what_they_explain_are_those_of_the_singular_values():
    images = RNG.normal(0, 1, (12, 4, 5)).astype(np.float32)
    flat = images.reshape(12, -1) - images.reshape(12, -1).mean(axis=0)
    _, sizes, directions = np.linalg.svd(flat, full_matrices=False)
    found = simple.fit_subspace(images, components=4)
    np.testing.assert_allclose(
        found.explained, (sizes**2).cumsum()[:4] / (sizes**2).sum(), rtol=1e-4
    )
    shown = simple.project(found, images, components=2)
    mine = flat @ directions[:2].T @ directions[:2] + images.reshape(12, -1).mean(axis=0)
    np.testing.assert_allclose(shown.reshape(12, -1), mine, atol=1e-4)


def test_there_are_never_more_components_than_half_the_slices():
    found = simple.fit_subspace(IMAGES.repeat(4, axis=0) + RNG.normal(0, 1, (8, 17, 19)),
                                components=1024)  # fmt: skip
    assert found.directions.shape == (4, 17 * 19)


def test_components_of_one_slice_are_refused():
    with pytest.raises(ValueError, match="16 components of 1 slices: give at least 1 and 2"):
        simple.fit_subspace(IMAGES[:1], components=16)
