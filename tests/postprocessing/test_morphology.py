"""Opening, closing and components, drawn by hand and against scikit-image."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.measure import label
from skimage.morphology import closing, opening

from paperlib.postprocessing.morphology import (
    COMPONENTS,
    fill_holes,
    keep_component,
    open_close,
    open_close_score,
)


def drawn(*rows):
    return np.array([[c == "#" for c in row] for row in rows])


def test_opening_removes_small_groups_and_closing_fills_small_holes():
    mask = drawn(
        "..........",
        ".##..#####",
        ".##..#####",
        ".....#####",
        "#........#",
        ".....#####",
        ".....#####",
        ".....#####",
    )
    brain = np.ones_like(mask)
    brain[:, 9] = False
    expected = drawn(
        "..........",
        ".....####.",
        ".....####.",
        ".....####.",
        ".....####.",
        ".....####.",
        ".....####.",
        ".....####.",
    )
    np.testing.assert_array_equal(open_close(mask, brain), expected)


def test_it_is_scikit_images_opening_and_closing_also_at_the_edge():
    rng = np.random.default_rng(1)
    square = np.ones((3, 3))
    for share in (0.6, 0.8, 0.9):
        mask = rng.random((30, 25)) < share
        expected = closing(opening(np.pad(mask, 5), square), square)[5:-5, 5:-5]
        np.testing.assert_array_equal(open_close(mask, np.ones_like(mask)), expected)


def test_slices_of_a_stack_do_not_touch_each_other():
    stack = np.random.default_rng(2).random((4, 20, 20)) < 0.8
    brain = np.ones_like(stack)
    expected = [open_close(mask, inside) for mask, inside in zip(stack, brain, strict=True)]
    np.testing.assert_array_equal(open_close(stack, brain), expected)


def test_one_pass_over_a_score_serves_every_level():
    rng = np.random.default_rng(3)
    score = ndimage.gaussian_filter(rng.standard_normal((6, 30, 25)), 1.0) * 4
    brain = rng.random(score.shape) < 0.9
    cleaned = open_close_score(score, brain)
    found = 0
    for level in (-1.0, -0.2, 0.0, 0.4, float(score.max())):
        expected = open_close((score > level) & brain, brain)
        np.testing.assert_array_equal(cleaned > level, expected)
        found += 0 < expected.sum() < brain.sum()
    assert found >= 3


def test_holes_are_filled_within_each_slice_as_scipy_does():
    mask = np.random.default_rng(4).random((5, 40, 30)) < 0.6
    mask[1] = False
    mask[2] = True
    expected = np.stack([ndimage.binary_fill_holes(image) for image in mask])
    np.testing.assert_array_equal(fill_holes(mask), expected)
    assert expected.sum() > mask.sum()


def two_tumours():
    """A flat sheet of 5 x 5 x 1 pixels, a ball of 3 x 3 x 3 = 27 and in slice 4 a lone pixel."""
    mask = np.zeros((6, 14, 14), bool)
    mask[0, 0:6, 0:6] = True  # 36
    mask[1:4, 9:12, 9:12] = True  # 27
    mask[4, 0, 0] = mask[1, 0, 8] = True
    return mask


def test_all_keeps_everything():
    mask = two_tumours()
    np.testing.assert_array_equal(keep_component(mask, rule="all"), mask)


def test_largest_3d_keeps_the_component_with_most_voxels():
    mask = two_tumours()
    kept = keep_component(mask, rule="largest_3d")
    assert kept.sum() == 36
    assert kept[0].sum() == 36


def test_largest_2d_keeps_one_component_in_each_slice():
    kept = keep_component(two_tumours(), rule="largest_2d")
    np.testing.assert_array_equal(kept.sum(axis=(1, 2)), [36, 9, 9, 9, 1, 0])
    assert not kept[1, 0, 8]


def test_the_ball_rule_keeps_the_thickest_component():
    kept = keep_component(two_tumours(), rule="ball")
    assert kept.sum() == 27


def test_the_ball_rule_measures_in_millimetres():
    mask = np.zeros((11, 30, 30), bool)
    mask[5, 3:14, 3:14] = True  # 11 x 11 in one slice
    mask[2:9, 20:25, 20:25] = True  # 7 x 5 x 5
    assert keep_component(mask, rule="ball", spacing_mm=(1.0, 1.0, 1.0)).sum() == 175
    assert keep_component(mask, rule="ball", spacing_mm=(50.0, 1.0, 1.0)).sum() == 121


@pytest.mark.parametrize("rule", ["largest_3d", "ball"])
def test_voxels_that_share_only_an_edge_are_two_components(rule):
    mask = np.zeros((2, 8, 8), bool)
    mask[0, :3, :3] = True
    mask[1, :3, 3:5] = True
    kept = keep_component(mask, rule=rule)
    assert kept.sum() == 9


def test_largest_3d_agrees_with_scikit_image():
    mask = np.random.default_rng(3).random((6, 20, 20)) < 0.35
    components = label(mask, connectivity=1)
    sizes = np.bincount(components[mask])
    assert keep_component(mask, rule="largest_3d").sum() == sizes.max()


@pytest.mark.parametrize("rule", list(COMPONENTS))
def test_an_empty_mask_stays_empty_and_a_full_one_full(rule):
    empty = np.zeros((3, 5, 5), bool)
    assert not keep_component(empty, rule=rule).any()
    assert keep_component(~empty, rule=rule).all()


@pytest.mark.parametrize("rule", list(COMPONENTS))
def test_the_mask_passed_in_is_not_changed(rule):
    mask = two_tumours()
    kept = keep_component(mask, rule=rule)
    kept[:] = True
    np.testing.assert_array_equal(mask, two_tumours())


def test_an_unknown_rule_is_refused():
    with pytest.raises(KeyError, match="biggest"):
        keep_component(two_tumours(), rule="biggest")
