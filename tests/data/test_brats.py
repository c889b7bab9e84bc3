import gzip
import pickle

import nibabel as nib
import numpy as np
import pytest

from paperlib.data import brats, layouts, rules
from paperlib.data.layouts import LAYOUTS, Case

ORIENTATIONS = ["LPS", "RAS", "RPI", "SPL", "PIR", "ASL", "IRA", "LSA"]


def only_case(folder):
    (case,) = layouts.find_cases(folder)
    return case


def rewrite(patient, write, voxels, **changes):
    for name, word in (("flair", "flair"), ("t1ce", "t1ce"), ("labels", "seg")):
        write(patient / f"P_1_{word}.nii.gz", voxels[name], **changes)


def test_a_patient_is_read_with_images_labels_and_voxel_size(patient, voxels):
    found = brats.read_case(only_case(patient))
    for name in ("flair", "t1ce"):
        assert found.images[name].dtype == np.float32
        np.testing.assert_array_equal(found.images[name], voxels[name])
    assert found.labels.dtype == np.uint8
    np.testing.assert_array_equal(found.labels, voxels["labels"])
    assert found.spacing_mm == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("axes", ORIENTATIONS)
def test_any_orientation_gives_the_same_arrays(patient, voxels, write, axes):
    rewrite(patient, write, voxels, axes=axes)
    stored = nib.load(patient / "P_1_flair.nii.gz")
    assert "".join(nib.aff2axcodes(stored.affine)) == axes
    found = brats.read_case(only_case(patient))
    np.testing.assert_array_equal(found.images["flair"], voxels["flair"])
    np.testing.assert_array_equal(found.labels, voxels["labels"])


def test_x_runs_to_the_left_y_to_the_back_and_z_to_the_head(tmp_path):
    ras = np.zeros((240, 240, 155), np.uint8)
    ras[0, 239, 154] = 1  # indices run to the right, the front and the head: left, front, head
    nib.save(nib.Nifti1Image(ras, np.eye(4)), tmp_path / "x.nii.gz")
    assert np.argwhere(brats.read_volume(tmp_path / "x.nii.gz")).tolist() == [[239, 0, 154]]


def test_minus_zero_in_an_affine_changes_nothing(patient, voxels, write):
    affine = np.array([[-1, -0.0, -0.0, -0.0], [-0.0, -1, -0.0, 239], [0, -0.0, 1, -0.0]])
    image = nib.Nifti1Image(voxels["flair"], np.vstack([affine, [0, 0, 0, 1]]))
    nib.save(image, patient / "P_1_flair.nii.gz")
    case = only_case(patient)
    np.testing.assert_array_equal(brats.read_case(case).images["flair"], voxels["flair"])
    assert brats.examine_case(case).notes == []


def test_a_qform_alone_gives_the_orientation(patient, voxels, write):
    rewrite(patient, write, voxels, axes="RAS", sform_code=0, qform_code=1)
    found = brats.read_case(only_case(patient))
    np.testing.assert_array_equal(found.images["flair"], voxels["flair"])


def test_voxel_sizes_follow_their_axes(tmp_path):
    affine = np.array([[0, 0, -1.5, 0], [2, 0, 0, 0], [0, -3, 0, 0], [0, 0, 0, 1.0]])  # AIL
    case = Case("P", "brats2021", "unknown", {})
    for name in ("flair", "t1ce"):
        stored = np.zeros((240, 155, 240), np.uint8)
        stored[1, 1, 1 + len(name)] = 1
        nib.save(nib.Nifti1Image(stored, affine), tmp_path / f"{name}.nii.gz")
        case.files[name] = tmp_path / f"{name}.nii.gz"
    found = brats.read_case(case)
    assert found.spacing_mm == (1.5, 2.0, 3.0)
    assert found.labels is None


@pytest.mark.parametrize(
    ("dtype", "ending"),
    [("<u2", ".nii.gz"), (">i2", ".nii"), ("<i4", ".nii"), ("<f4", ".nii.gz"), (">f8", ".nii")],
)
def test_file_types_do_not_change_the_values(tmp_path, voxels, ending, dtype):
    big = voxels["flair"].astype(dtype) * 164  # up to 32,636: some releases are scaled so
    image = nib.Nifti1Image(big, np.diag([-1, -1, 1, 1]))
    image.header.set_data_dtype(dtype)
    nib.save(image, tmp_path / f"x{ending}")
    found = brats.read_volume(tmp_path / f"x{ending}")
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, big)


def test_slope_and_intercept_of_the_header_are_applied(tmp_path, voxels):
    image = nib.Nifti1Image(voxels["flair"].astype(np.int16), np.diag([-1, -1, 1, 1]))
    image.header.set_slope_inter(0.25, -3)
    raw = bytearray(image.to_bytes())  # nibabel divides on writing: put the plain numbers back
    raw[352:] = voxels["flair"].astype("<i2").tobytes(order="F")
    (tmp_path / "x.nii").write_bytes(raw)
    expected = voxels["flair"] * 0.25 - 3
    np.testing.assert_array_equal(brats.read_volume(tmp_path / "x.nii"), expected)


def test_labels_stored_as_floats_become_codes(patient, voxels, write):
    write(patient / "P_1_seg.nii.gz", voxels["labels"].astype(np.float32))
    np.testing.assert_array_equal(brats.read_case(only_case(patient)).labels, voxels["labels"])


@pytest.mark.parametrize(
    ("layout", "codes"),
    [
        ("brats2018", [0, 1, 2, 4]),
        ("brats2020", [0, 1, 2, 4]),
        ("brats2021", [0, 1, 2, 4]),
        ("brats2023", [0, 1, 2, 3]),
        ("msd", [0, 2, 1, 3]),  # edema and non-enhancing core change places
    ],
)
def test_labels_of_every_layout_are_those_of_2018(tmp_path, voxels, write, layout, codes):
    assert set(LAYOUTS) >= {layout}
    meanings = np.zeros(5, np.int16)
    meanings[[0, 1, 2, 4]] = codes
    write(tmp_path / "labels.nii.gz", meanings[voxels["labels"]])
    files = {"labels": tmp_path / "labels.nii.gz"}
    for name in ("flair", "t1ce"):
        files[name] = tmp_path / f"{name}.nii.gz"
        write(files[name], voxels[name])
    if layout == "msd":
        stack = np.stack([voxels["flair"], voxels["t1ce"] + 1, voxels["t1ce"], voxels["flair"]], -1)
        image = nib.Nifti1Image(stack, nib.load(files["flair"]).affine)
        nib.save(image, tmp_path / "four.nii.gz")
        files |= dict.fromkeys(("flair", "t1ce"), tmp_path / "four.nii.gz")
    found = brats.read_case(Case("P", layout, "unknown", files))
    np.testing.assert_array_equal(found.labels, voxels["labels"])
    np.testing.assert_array_equal(found.images["flair"], voxels["flair"])
    np.testing.assert_array_equal(found.images["t1ce"], voxels["t1ce"])


def test_the_layouts_tested_above_are_all():
    tested = {"brats2018", "brats2020", "brats2021", "brats2023", "msd"}
    assert set(LAYOUTS) == tested


def test_reading_refuses_with_every_reason_and_the_patient(patient):
    (patient / "P_1_flair.nii.gz").write_bytes(b"")
    (patient / "P_1_t1ce.nii.gz").unlink()
    with pytest.raises(
        rules.UnusableError, match=r"(?s)Patient P_1: .*P_1_t1ce.*P_1_flair"
    ) as caught:
        brats.read_case(only_case(patient))
    assert isinstance(caught.value, ValueError)
    assert len(caught.value.problems) == 2
    again = pickle.loads(pickle.dumps(caught.value))  # errors cross from one process to another
    assert str(again) == str(caught.value)


@pytest.mark.parametrize("place", [-8, -4])
def test_gzip_checksum_and_length_are_checked(patient, place):
    file = patient / "P_1_flair.nii.gz"
    packed = bytearray(file.read_bytes())
    packed[place] ^= 1
    file.write_bytes(packed)
    with pytest.raises(rules.UnusableError, match="truncated or damaged gzip file"):
        brats.read_volume(file)


def test_a_volume_on_its_own_must_have_the_shape_of_brats(tmp_path):
    nib.save(nib.Nifti1Image(np.zeros((9, 9, 9), np.uint8), np.eye(4)), tmp_path / "x.nii")
    with pytest.raises(rules.UnusableError, match=r"x\.nii: found shape 9x9x9; expected 240x240x1"):
        brats.read_volume(tmp_path / "x.nii")


@pytest.mark.parametrize(
    ("axes", "ending"),
    [("LPS", ".nii.gz"), ("RAS", ".nii"), ("SPL", ".nii"), ("PIR", ".nii"), ("IRA", ".nii.gz")],
)
def test_a_segmentation_lies_on_the_grid_of_its_image(tmp_path, voxels, write, axes, ending):
    write(tmp_path / "A_flair.nii.gz", voxels["flair"], axes=axes)
    file = tmp_path / f"A_seg{ending}"
    brats.write_segmentation(voxels["labels"].astype(np.int64), tmp_path / "A_flair.nii.gz", file)
    image, written = nib.load(tmp_path / "A_flair.nii.gz"), nib.load(file)
    np.testing.assert_array_equal(written.affine, image.affine)
    assert written.shape == image.shape
    assert written.get_data_dtype() == np.uint8
    for code in ("sform_code", "qform_code"):
        assert written.header[code] == image.header[code]
    np.testing.assert_array_equal(brats.read_volume(file), voxels["labels"])


def test_a_segmentation_of_unknown_codes_is_not_written(tmp_path, voxels, patient):
    like = patient / "P_1_flair.nii.gz"
    wrong = np.where(voxels["labels"] == 4, 3, voxels["labels"])
    with pytest.raises(ValueError, match=r"has codes \[0, 1, 2, 3\]; expected 0, 1, 2, 4 only"):
        brats.write_segmentation(wrong, like, tmp_path / "x.nii")


def test_a_segmentation_of_another_shape_is_not_written(tmp_path, voxels, patient):
    like = patient / "P_1_flair.nii.gz"
    with pytest.raises(ValueError, match=r"shape \(240, 240, 70\).*P_1_flair.*pass the volume unc"):
        brats.write_segmentation(voxels["labels"][:, :, :70], like, tmp_path / "x.nii")


def test_a_segmentation_never_replaces_the_image_it_belongs_to(voxels, patient):
    like = patient / "P_1_flair.nii.gz"
    with pytest.raises(ValueError, match="is the image itself; expected another name"):
        brats.write_segmentation(voxels["labels"], like, patient / ".." / "P_1" / like.name)
    assert gzip.decompress(like.read_bytes())
