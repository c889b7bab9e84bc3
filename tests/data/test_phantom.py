"""Simulated patients: small ones (4 mm), made once; a full one takes seconds."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from paperlib.data import phantom, phantom_contrast, phantom_space, phantom_tumour
from paperlib.data.phantom import Phantom, simulate, write_phantom

HGG, LGG = 1, 3  # of seed 0
SMALL = {"seed": 0, "step_mm": 4, "tumour_free_share": 0.0}


@pytest.fixture(scope="session")
def patient() -> Phantom:
    return simulate(HGG, step_mm=4)


@pytest.fixture(scope="session")
def healthy() -> Phantom:
    return simulate(HGG, step_mm=4, tumour_free_share=1.0)


@pytest.fixture(scope="session")
def case(tmp_path_factory) -> Path:
    return write_phantom(tmp_path_factory.mktemp("cohort"), HGG, **SMALL)


def assert_equal(one: Phantom, other: Phantom) -> None:
    for name in Phantom._fields:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def test_two_calls_give_the_same_patient_bit_for_bit(patient):
    assert_equal(patient, simulate(HGG, step_mm=4))


def test_patients_and_seeds_differ(patient):
    for other in (simulate(HGG + 1, step_mm=4), simulate(HGG, seed=1, step_mm=4)):
        assert (patient.flair != other.flair).mean() > 0.1
        assert (patient.labels != other.labels).any()


def test_tumour_free_patients_leave_the_others_as_they_are(patient):
    free = {
        share: [simulate(i, step_mm=4, tumour_free_share=share).tumour_free for i in (HGG, 2, 6)]
        for share in (0.0, 0.3, 0.5)
    }
    assert free == {0.0: [False] * 3, 0.3: [False, False, True], 0.5: [False, True, True]}
    assert_equal(patient, simulate(HGG, step_mm=4, tumour_free_share=0.5))


def test_several_foci_lie_apart_from_each_other(patient):
    several = simulate(HGG, step_mm=4, several_foci=True)
    assert len(patient.radii_mm) == 1
    assert len(several.radii_mm) in (2, 3)
    _, count = ndimage.label(several.labels, np.ones((3, 3, 3)))
    assert count > 1
    for number, centre in enumerate(several.centres_mm):
        for other, radius in zip(several.centres_mm[:number], several.radii_mm, strict=False):
            assert np.linalg.norm(centre - other) > 1.3 * radius + 14


def test_a_tumour_does_not_move_the_scanner_or_the_grade(patient, healthy):
    assert healthy.low_grade == patient.low_grade
    ratio = healthy.flair[healthy.flair > 0].mean() / patient.flair[patient.flair > 0].mean()
    assert 0.8 < ratio < 1.2  # the scale is drawn with sd 0.6


def test_labels_are_brats_codes_inside_the_brain(patient):
    assert set(np.unique(patient.labels)) == {0, 1, 2, 4}
    assert not patient.labels[patient.flair == 0].any()


def test_only_hgg_like_patients_have_an_enhancing_label(patient):
    low_grade = simulate(LGG, step_mm=4)
    assert (patient.low_grade, low_grade.low_grade) == (False, True)
    assert set(np.unique(low_grade.labels)) == {0, 1, 2}


def test_background_is_zero_and_every_brain_voxel_is_positive(patient):
    brain = patient.flair > 0
    for image in (patient.t1ce, patient.healthy_flair, patient.healthy_t1ce):
        np.testing.assert_array_equal(image > 0, brain)
    for image in (patient.flair, patient.t1ce):
        assert image[brain].min() >= 1
        assert not image[~brain].any()
    np.testing.assert_array_equal(patient.tissue.any(axis=0), brain)


def test_the_brain_is_one_piece_of_a_plausible_size_and_place(patient):
    brain = patient.flair > 0
    _, pieces = ndimage.label(brain)
    assert pieces == 1
    assert 1.0e6 < brain.sum() < 1.7e6
    x, y, z = ndimage.center_of_mass(brain)
    assert abs(x - 118) < 6
    assert abs(y - 128) < 8
    assert 60 < z < 86


def test_tissue_shares_sum_to_one(patient):
    total = patient.tissue.sum(axis=0, dtype=int)[patient.flair > 0]
    assert np.abs(total - 255).max() <= 1  # three rounded numbers


def test_fluid_is_dark_in_both_sequences(patient):
    pure = patient.tissue > 200
    for image in (patient.healthy_flair, patient.healthy_t1ce):
        csf, _, wm = (np.median(image[tissue]) for tissue in pure)
        assert csf < 0.85 * wm


def test_image_and_counterfactual_agree_outside_the_tumour(patient):
    brain = patient.flair > 0
    tumour = patient.labels > 0
    far = brain & (ndimage.distance_transform_edt(~tumour) > 40)
    for image, counterfactual in (
        (patient.flair, patient.healthy_flair),
        (patient.t1ce, patient.healthy_t1ce),
    ):
        same = image == counterfactual
        assert same[far].all()
        assert same[brain & ~tumour].mean() > 0.7
        assert same[tumour].mean() < 0.1


def test_the_tumour_is_brighter_than_its_counterfactual_on_flair(patient):
    whole, enhancing = patient.labels > 0, patient.labels == 4
    assert patient.flair[whole].mean() > 1.1 * patient.healthy_flair[whole].mean()
    assert patient.t1ce[enhancing].mean() > 1.1 * patient.healthy_t1ce[enhancing].mean()


def test_the_first_focus_lies_in_the_tumour(patient):
    assert patient.centres_mm.shape == (len(patient.radii_mm), 3)
    x, y, z = patient.centres_mm[0].astype(int)
    assert patient.labels[x - 4 : x + 5, y - 4 : y + 5, z - 4 : z + 5].any()


def test_a_tumour_free_patient_has_no_labels_and_equals_its_counterfactual(healthy):
    assert healthy.tumour_free
    assert not healthy.labels.any()
    assert healthy.radii_mm.size == 0
    assert healthy.centres_mm.shape == (0, 3)
    np.testing.assert_array_equal(healthy.flair, healthy.healthy_flair)
    np.testing.assert_array_equal(healthy.t1ce, healthy.healthy_t1ce)


@pytest.mark.parametrize("step_mm", [2, 3, 4])
def test_small_variants_fill_the_grid_of_the_full_one(step_mm):
    small = simulate(HGG, step_mm=step_mm)
    assert small.flair.shape == small.labels.shape == (240, 240, 155)
    x, y, z = phantom_space.BOX_START
    blocks = small.flair[x:, y:, z:][: 2 * step_mm * 25, : 2 * step_mm * 25, : 2 * step_mm * 15]
    coarse = blocks[::step_mm, ::step_mm, ::step_mm]
    assert coarse.any()
    np.testing.assert_array_equal(np.kron(coarse, np.ones((step_mm,) * 3, np.int16)), blocks)


@pytest.mark.long
def test_a_full_patient_is_not_made_of_blocks():
    full = simulate(HGG)
    assert 1.0e6 < (full.flair > 0).sum() < 1.7e6
    assert (np.diff(full.flair, axis=0)[full.flair[1:] > 0] == 0).mean() < 0.1
    outside = (full.flair > 0) & (full.labels == 0)
    assert (full.flair == full.healthy_flair)[outside].mean() > 0.7


def test_a_case_has_the_files_of_brats_2018_and_the_known_truth(case):
    assert case.parent.name == "HGG"
    assert case.name == "Phantom_0001"
    kinds = ["flair", "healthy_flair", "healthy_t1ce", "seg", "t1ce", "tissue"]
    names = [f"Phantom_0001_{kind}.nii.gz" for kind in kinds] + ["Phantom_0001_truth.json"]
    assert sorted(file.name for file in case.iterdir()) == sorted(names)
    assert [entry.name for entry in case.parent.parent.iterdir()] == ["HGG"]


def test_files_hold_the_simulated_voxels_in_lps_millimetres(case, patient):
    for kind in ("flair", "t1ce", "seg", "healthy_flair", "healthy_t1ce"):
        image = nib.load(case / f"Phantom_0001_{kind}.nii.gz")
        assert nib.aff2axcodes(image.affine) == ("L", "P", "S")
        assert image.header.get_zooms() == (1, 1, 1)
        assert image.affine[:3, 3].tolist() == [0, 239, 0]
        assert image.get_data_dtype() == (np.uint8 if kind == "seg" else np.int16)
        voxels = patient.labels if kind == "seg" else getattr(patient, kind)
        np.testing.assert_array_equal(np.asarray(image.dataobj), voxels)


def test_the_tissue_file_holds_the_largest_share(case, patient):
    tissue = np.asarray(nib.load(case / "Phantom_0001_tissue.nii.gz").dataobj)
    np.testing.assert_array_equal(tissue > 0, patient.flair > 0)
    for code, share in enumerate(patient.tissue, start=1):
        assert (share[tissue == code] >= 84).all()  # a third of 255, rounded


def test_the_truth_file_says_how_the_patient_was_made(case, patient):
    truth = json.loads((case / "Phantom_0001_truth.json").read_text())
    expected = {"index": HGG, **SMALL, "low_grade": False, "tumour_free": False}
    assert {key: truth[key] for key in expected} == expected
    np.testing.assert_allclose(truth["centres_mm"], patient.centres_mm, atol=0.01)
    np.testing.assert_allclose(truth["radii_mm"], patient.radii_mm, atol=0.01)


def test_an_lgg_like_patient_goes_to_its_folder(tmp_path):
    assert write_phantom(tmp_path, LGG, **SMALL) == tmp_path / "LGG" / "Phantom_0003"


def test_writing_again_keeps_the_files_and_other_settings_replace_them(tmp_path):
    place = write_phantom(tmp_path, HGG, **SMALL)
    flair = place / "Phantom_0001_flair.nii.gz"
    first, before = flair.read_bytes(), flair.stat().st_mtime_ns
    assert write_phantom(tmp_path, HGG, **SMALL) == place
    assert flair.stat().st_mtime_ns == before

    moved = write_phantom(tmp_path, HGG, **(SMALL | {"seed": 4}))
    assert len(list(tmp_path.glob("*/Phantom_0001"))) == 1
    assert (moved / flair.name).read_bytes() != first
    assert not [entry for entry in tmp_path.iterdir() if entry.name not in ("HGG", "LGG")]


def test_the_same_patient_gives_the_same_bytes(case, tmp_path):
    again = write_phantom(tmp_path, HGG, **SMALL)
    for file in case.iterdir():
        assert (again / file.name).read_bytes() == file.read_bytes(), file.name


def test_a_failed_writing_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(phantom, "write_volume", fail)
    with pytest.raises(OSError, match="disk full"):
        write_phantom(tmp_path, HGG, **SMALL)
    assert not [entry for entry in tmp_path.rglob("*") if entry.is_file()]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("index", "settings", "message"),
    [
        (-1, {}, r"Phantom -1 of seed 0.*from 0 up"),
        (0, {"seed": -3}, r"Phantom 0 of seed -3.*from 0 up"),
        (0, {"step_mm": 5}, r"step_mm is 5; use 1 .*2, 3 or 4"),
        (0, {"tumour_free_share": 1.5}, r"tumour_free_share is 1\.5; give a share from 0 to 1"),
    ],
)
def test_arguments_out_of_range_are_refused(index, settings, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        simulate(index, **settings)
    with pytest.raises(ValueError, match=message):
        write_phantom(tmp_path, index, **(SMALL | settings))


def test_smooth_noise_is_the_b_spline_of_its_knots():
    shape, spacing = (20, 15, 12), (4.0, 3.0, 2.5)
    field = phantom_space.smooth_noise(np.random.default_rng(7), shape, spacing)
    knots = np.random.default_rng(7).standard_normal((8, 8, 8), dtype=np.float32)
    places = np.indices(shape) / np.reshape(spacing, (3, 1, 1, 1)) + 1
    expected = ndimage.map_coordinates(knots, places, order=3, prefilter=False)
    np.testing.assert_allclose(field, expected / (151 / 315) ** 1.5, atol=1e-5)


def test_smooth_noise_has_variance_one():
    field = phantom_space.smooth_noise(np.random.default_rng(0), (120, 120, 120), 2.7)
    assert field.std() == pytest.approx(1, abs=0.02)
    assert field.mean() == pytest.approx(0, abs=0.02)


def test_refining_a_linear_field_is_exact():
    x, y, z = np.meshgrid(*phantom_space.grid_positions(8), indexing="ij")
    positions = phantom_space.voxel_positions(3)
    fine = phantom_space.refine((2 * x - y + 3 * z).astype(np.float32), 8, positions)
    x, y, z = np.meshgrid(*positions, indexing="ij")
    np.testing.assert_allclose(fine, 2 * x - y + 3 * z, atol=1e-2)


def test_thick_slices_average_over_the_brain_only():
    brain = np.zeros((1, 1, 6), bool)
    brain[..., 1:5] = True
    signal = np.array([2, 4, 9, 1], np.float32)
    (thick,) = phantom_contrast.thicken([signal], brain, 3)
    np.testing.assert_allclose(thick, [3, 5, 14 / 3, 5], rtol=1e-6)


def test_islands_under_two_percent_of_the_largest_piece_are_dropped():
    mask = np.zeros((12, 12, 12), bool)
    mask[:5, :5, :4] = True  # 100 voxels
    mask[8, 8, 8:10] = True  # 2: kept
    mask[11, 0, 0] = True  # 1: dropped
    brain = np.ones(mask.shape, bool)
    kept = phantom_tumour.drop_islands(mask.ravel(), brain).reshape(mask.shape)
    mask[11, 0, 0] = False
    np.testing.assert_array_equal(kept, mask)
