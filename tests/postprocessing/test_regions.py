"""Tissue labels from two masks, drawn by hand."""

import numpy as np
import pytest
from scipy.spatial import Delaunay

from paperlib.postprocessing.regions import HULLS, label_tissues


def drawn(*rows):
    return np.array([[[int(c) for c in row.replace(".", "0")] for row in rows]])


def masks(truth):
    return truth > 0, truth == 4


def test_a_ring_of_enhancing_tumour_gets_its_core_filled():
    expected = drawn(
        "..........",
        ".22222222.",
        ".22444222.",
        ".22414222.",
        ".22444222.",
        ".22222222.",
    )
    segmentation = label_tissues(*masks(expected))
    np.testing.assert_array_equal(segmentation, expected)
    assert segmentation.dtype == np.uint8


def test_hull_and_enhancing_tumour_stay_inside_the_outline():
    whole, enhancing = masks(
        drawn(
            "22222..",
            "2444.44",
            "2444.44",
            "2444.44",
            "22222..",
        )
    )
    whole[:, 1:4, 5:] = False
    found = label_tissues(whole, enhancing)
    assert (found[~whole] == 0).all()
    assert (found == 1).sum() == 0
    assert (found == 4).sum() == 9


def test_without_enhancing_tumour_all_is_edema():
    whole = np.ones((2, 5, 5), bool)
    found = label_tissues(whole, np.zeros_like(whole))
    assert (found == 2).all()


def test_without_tumour_nothing_is_labelled():
    nothing = np.zeros((2, 5, 5), bool)
    assert not label_tissues(nothing, ~nothing).any()


@pytest.mark.parametrize("hull", list(HULLS))
@pytest.mark.parametrize(
    "points", [[(3, 3)], [(1, 1), (7, 8)], [(1, 1), (4, 4), (8, 8)], [(2, 1), (2, 5), (2, 9)]]
)
def test_up_to_two_pixels_or_pixels_on_one_line_are_their_own_hull(hull, points):
    enhancing = np.zeros((1, 10, 10), bool)
    enhancing[(0, *zip(*points, strict=True))] = True
    found = label_tissues(np.ones_like(enhancing), enhancing, hull=hull)
    np.testing.assert_array_equal(found == 4, enhancing)
    assert (found == 1).sum() == 0


def test_three_pixels_off_a_line_have_a_hull():
    enhancing = np.zeros((1, 10, 10), bool)
    enhancing[0, [1, 1, 8], [1, 8, 1]] = True
    assert (label_tissues(np.ones_like(enhancing), enhancing) == 1).sum() > 20


def test_the_hull_holds_what_lies_between_the_pixels_squares():
    rng = np.random.default_rng(0)
    enhancing = np.zeros((1, 30, 30), bool)
    enhancing[0, rng.integers(5, 25, 8), rng.integers(5, 25, 8)] = True
    steps = np.array([(0.5, 0), (-0.5, 0), (0, 0.5), (0, -0.5)])
    corners = (np.argwhere(enhancing[0])[:, None] + steps).reshape(-1, 2)
    grid = np.argwhere(np.ones((30, 30), bool))
    inside = Delaunay(corners).find_simplex(grid, tol=1e-9).reshape(30, 30) >= 0
    found = label_tissues(np.ones_like(enhancing), enhancing)
    np.testing.assert_array_equal(found[0] != 2, inside)


def two_rings():
    enhancing = np.zeros((2, 9, 20), bool)
    for start in (1, 13):
        enhancing[0, 2:7, start : start + 5] = True
        enhancing[0, 3:6, start + 1 : start + 4] = False
    return enhancing


@pytest.mark.parametrize(("hull", "core_px"), [("none", 0), ("component", 18), ("slice", 53)])
def test_one_hull_per_slice_also_fills_between_two_rings(hull, core_px):
    enhancing = two_rings()
    found = label_tissues(np.ones_like(enhancing), enhancing, hull=hull)
    assert (found == 1).sum() == core_px
    assert not (found[1] != 2).any()


def test_one_hull_for_the_volume_fills_between_slices():
    enhancing = np.zeros((5, 9, 9), bool)
    enhancing[0, 2:7, 2:7] = enhancing[4, 2:7, 2:7] = True
    found = label_tissues(np.ones_like(enhancing), enhancing, hull="volume")
    np.testing.assert_array_equal((found == 1).sum(axis=(1, 2)), [0, 25, 25, 25, 0])


def test_an_unknown_hull_is_refused():
    with pytest.raises(KeyError, match="sphere"):
        label_tissues(*masks(drawn("244")), hull="sphere")
