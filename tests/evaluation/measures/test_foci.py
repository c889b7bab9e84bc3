"""Foci and volumes of tumours drawn by hand."""

import numpy as np
import pytest
from skimage import measure

from paperlib.evaluation.measures import foci


def _labels():
    labels = np.zeros((6, 20, 20), np.uint8)
    labels[0:2, 0:5, 0:5] = 2  # 50 voxels of edema
    labels[0, 1:3, 1:3] = 4
    labels[1, 1, 1] = 1
    return labels


def test_a_prepared_voxel_is_a_pixel_of_the_window_times_a_millimetre():
    assert foci.voxel_ml(180, 128) == pytest.approx(1.40625**2 / 1000)


def test_volumes_are_counted_per_region():
    found = foci.describe_tumour(_labels(), voxel_ml=0.5)
    volumes = [found[f"{region}_ml"] for region in ("WT", "TC", "ET", "NCR", "ED")]
    assert volumes == [25.0, 2.5, 2.0, 0.5, 22.5]


def test_pieces_that_touch_by_a_corner_are_one_focus_and_a_gap_makes_two():
    touching, apart = _labels(), _labels()
    touching[2, 5:10, 5:10] = 2
    apart[3, 5:10, 5:10] = 2
    assert foci.describe_tumour(touching, voxel_ml=0.01)["foci"] == 1
    found = foci.describe_tumour(apart, voxel_ml=0.01)
    assert found["foci"] == 2
    assert found["largest_share"] == pytest.approx(50 / 75)


def test_a_speck_is_no_focus_but_counts_as_tumour():
    labels = _labels()
    labels[5, 19, 15:19] = 2  # 4 voxels; a focus needs 5 at this size
    found = foci.describe_tumour(labels, voxel_ml=0.01)
    assert (found["foci"], found["largest_share"]) == (1, pytest.approx(50 / 54))
    labels[5, 18, 19] = 2
    assert foci.describe_tumour(labels, voxel_ml=0.01)["foci"] == 2


def test_edema_joins_what_are_two_cores():
    labels = _labels()
    labels[0:2, 4, 4] = 1
    found = foci.describe_tumour(labels, voxel_ml=0.03)
    assert (found["foci"], found["core_foci"]) == (1, 2)


def test_a_patient_without_tumour_has_no_focus_and_no_share():
    found = foci.describe_tumour(np.zeros((3, 8, 8), np.uint8), voxel_ml=0.01)
    assert (found["foci"], found["core_foci"], found["WT_ml"]) == (0, 0, 0)
    assert np.isnan(found["largest_share"])


def test_pieces_are_those_of_scikit_image():
    mask = np.random.default_rng(0).random((12, 20, 20)) < 0.05
    pieces = measure.label(mask, connectivity=3)
    expected = np.sort(np.bincount(pieces.ravel())[1:])[::-1]
    assert len(expected) > 20
    np.testing.assert_allclose(foci.measure_pieces(mask, voxel_ml=0.5), 0.5 * expected)
