"""Whose file is whose; the numbers are in tests/pipeline/new_patients/test_scoring.py."""

import pytest

from paperlib.data import label_maps, layouts, rules


@pytest.fixture
def predictions(tmp_path):
    folder = tmp_path / "predictions"
    folder.mkdir()
    return folder


def _touch(*files):
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


@pytest.mark.parametrize(
    "name", ["P_1.nii.gz", "P_1.nii", "deep/P_1_seg.nii.gz", "P_1-seg.nii", "P_1/segmentation.nii"]
)
def test_a_prediction_is_found_by_its_name(tmp_path, predictions, name):
    _touch(tmp_path / "truths/HGG/P_1/P_1_seg.nii.gz", tmp_path / "truths/HGG/P_1/P_1_flair.nii")
    _touch(predictions / name, predictions / "other.nii.gz", predictions / "._P_1.nii.gz")
    (pair,), strange = label_maps.find_pairs(predictions, tmp_path / "truths", codes="brats2018")
    assert pair.patient == "P_1"
    assert pair.prediction == predictions / name
    assert pair.flair == tmp_path / "truths/HGG/P_1/P_1_flair.nii"
    assert (pair.truth_layout, pair.prediction_layout) == ("brats2018", "brats2021")
    assert strange == ["other"]


def test_truths_keep_the_codes_of_their_own_layout(tmp_path, predictions):
    _touch(tmp_path / "truths/P_2/P_2-seg.nii.gz", predictions / "P_2.nii.gz")
    (pair,), _ = label_maps.find_pairs(predictions, tmp_path / "truths", codes="brats2018")
    assert (pair.truth_layout, pair.prediction_layout) == ("brats2023", "brats2021")
    assert pair.flair is None


def test_every_missing_and_every_double_file_is_named(tmp_path, predictions):
    for name in ("A", "B", "C"):
        _touch(tmp_path / f"truths/{name}/{name}_seg.nii.gz")
    _touch(predictions / "B.nii", predictions / "B.nii.gz")
    with pytest.raises(rules.UnusableError) as caught:
        label_maps.find_pairs(predictions, tmp_path / "truths", codes="brats2018")
    assert [problem.found for problem in caught.value.problems] == [
        "no prediction for patient A",
        "another file for patient B",
        "no prediction for patient C",
    ]


def test_a_missing_folder_is_refused(tmp_path, predictions):
    _touch(tmp_path / "truths/A/A_seg.nii.gz")
    with pytest.raises(FileNotFoundError, match=r"expected one with files <patient>.nii.gz"):
        label_maps.find_pairs(tmp_path / "none", tmp_path / "truths", codes="brats2018")


def test_every_code_has_a_layout():
    assert set(label_maps.CODES.values()) <= set(layouts.LAYOUTS)
