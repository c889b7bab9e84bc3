"""`paperlib evaluate`: the label maps of a method beside the truth, numbers counted by hand."""

import json
import logging

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from paperlib import cli
from paperlib.data import rules
from paperlib.evaluation.tables import Draws
from paperlib.pipeline.new_patients import scoring

AFFINE = np.array([[-1, 0, 0, 0], [0, -1, 0, 239], [0, 0, 1, 0], [0, 0, 0, 1.0]])
SHAPE = (240, 240, 155)
DRAWS = Draws(number=20)


@pytest.fixture(autouse=True)
def quiet_logging(monkeypatch):
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    for variable in cli.THREAD_VARIABLES:
        monkeypatch.setenv(variable, "1")
    yield
    root.handlers, root.level = before, level


def _save(file, voxels, affine=AFFINE):
    file.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(voxels.astype(np.uint8), affine), file)


def _map(**boxes):
    """Return a label map with a box of 20 x 10 voxels in some slices for each code."""
    voxels = np.zeros(SHAPE, np.uint8)
    for name, (x, z) in boxes.items():
        voxels[x : x + 20, 100:110, z] = int(name[1:])
    return voxels


@pytest.fixture
def cohort(tmp_path):
    """Return folders of predictions and truths of two patients; only A has a FLAIR."""
    both = slice(80, 90)
    _save(tmp_path / "truths/HGG/A/A_seg.nii.gz", _map(_2=(100, both), _4=(100, slice(80, 84))))
    _save(tmp_path / "truths/LGG/B/B_seg.nii.gz", _map(_2=(100, both)))
    brain = np.zeros(SHAPE)
    brain[80:160, 80:160, 70:95] = 100
    _save(tmp_path / "truths/HGG/A/A_flair.nii.gz", brain)
    _save(tmp_path / "predictions/A.nii.gz", _map(_2=(110, both)))
    _save(tmp_path / "predictions/B/segmentation.nii.gz", _map(_2=(100, slice(80, 85))))
    return tmp_path / "predictions", tmp_path / "truths"


def _values(found, grid, convention):
    rows = found.summary
    rows = rows[(rows["grid"] == grid) & (rows["convention"] == convention)]
    return rows.set_index("region")


def test_volume_dice_is_that_of_the_own_grid(cohort):
    found = scoring.evaluate(*cohort, draws=DRAWS)
    first, second = 0.5, 2 * 5 / (10 + 5)  # half of each slice; half of the slices
    assert found.patients.loc[["A", "B"], "WT_volume"].tolist() == pytest.approx([first, second])
    assert found.patients["ET_volume"].tolist() == [0, 1]  # missed; rightly nothing
    row = _values(found, "own", "volume, empty = 1").loc["WT"]
    assert row["value"] == pytest.approx((first + second) / 2)
    assert (row["low"], row["high"]) == pytest.approx((first, second))
    assert row["patients"] == 2
    assert found.patients.loc["A", "WT_truth_ml"] == pytest.approx(2.0)
    assert found.patients.loc["B", "WT_predicted_ml"] == pytest.approx(1.0)


def test_slice_dice_needs_the_brain_and_counts_the_slices_of_the_tables(cohort):
    found = scoring.evaluate(*cohort, draws=DRAWS)
    rows = _values(found, "prepared", "every slice, empty = 0")
    places = 30 + np.floor((np.arange(128) + 0.5) * 180 / 128).astype(int)
    truth, mine = ((places >= x) & (places < x + 20) for x in (100, 110))
    per_slice = 2 * (truth & mine).sum() / (truth.sum() + mine.sum())
    assert rows.loc["WT", "value"] == pytest.approx(per_slice * 10 / 25)  # 25 slices hold brain
    assert rows.loc["semantic", "value"] == pytest.approx(
        found.patients.loc["A", ["NCR_every_slice", "ED_every_slice", "ET_every_slice"]].mean()
    )
    assert rows.loc["WT", "patients"] == 1
    assert np.isnan(rows.loc["WT", "low"])  # one patient: no interval
    assert np.isnan(found.patients.loc["B", "WT_every_slice"])
    assert any("1 of 2 truths have no FLAIR" in note for note in found.notes)


def test_a_method_that_equals_the_truth_scores_1(cohort, tmp_path):
    _, truths = cohort
    found = scoring.evaluate(truths, truths, draws=DRAWS)
    assert (found.patients.filter(regex="_volume$") == 1).all(axis=None)
    assert any("left out: 1, such as A_flair" in note for note in found.notes)


def test_folders_in_the_wrong_order_and_masks_without_classes_are_noticed(cohort, tmp_path):
    predictions, truths = cohort
    _save(predictions / "A.nii.gz", _map(_1=(110, slice(80, 90))))
    _save(predictions / "B/segmentation.nii.gz", _map(_1=(100, 80)))
    right = " ".join(scoring.evaluate(predictions, truths, draws=DRAWS).notes)
    assert "label 1 alone" in right
    assert "2 patients: an interval over so few" in right
    assert "swapped" not in right
    wrong = " ".join(scoring.evaluate(truths, predictions, draws=DRAWS).notes)
    assert "are the two folders swapped?" in wrong
    assert "label 1 alone" not in wrong


def test_predictions_may_lie_in_linked_folders(cohort, tmp_path):
    predictions, truths = cohort
    links = tmp_path / "links"
    links.mkdir()
    for name in ("A.nii.gz", "B"):
        (links / name).symlink_to(predictions / name)
    found = scoring.evaluate(links, truths, draws=DRAWS)
    assert found.patients["WT_volume"].to_dict() == {"A": 0.5, "B": pytest.approx(2 / 3)}


def test_a_patient_without_a_prediction_is_refused_by_name(cohort):
    predictions, truths = cohort
    (predictions / "A.nii.gz").unlink()
    with pytest.raises(
        rules.UnusableError, match=r"no prediction for patient A; expected a file <"
    ):
        scoring.evaluate(predictions, truths)


def test_two_predictions_for_a_patient_are_refused(cohort):
    predictions, truths = cohort
    _save(predictions / "A_seg.nii.gz", _map())
    with pytest.raises(
        rules.UnusableError, match=r"A_seg.nii.gz: found another file for patient A"
    ):
        scoring.evaluate(predictions, truths)


@pytest.mark.parametrize(
    ("voxels", "affine", "message"),
    [
        (
            np.zeros((240, 240, 150)),
            AFFINE,
            r"shape 240x240x150; expected 240x240x155.*Cure: resample it to the grid",
        ),
        (_map(_3=(100, 80)), AFFINE, r"unknown label code 3; expected codes out of 0, 1, 2, 4"),
        (_map(), np.eye(4), r"axis codes RAS; expected LPS as in B_seg.nii.gz"),
        (_map(), AFFINE @ np.diag([1, 1, 2, 1]), r"voxels of 1x1x2 mm; expected 1x1x1 mm as in B_"),
    ],
)
def test_a_prediction_off_the_grid_or_the_codes_is_refused(cohort, voxels, affine, message):
    predictions, truths = cohort
    _save(predictions / "B/segmentation.nii.gz", voxels, affine)
    with pytest.raises(rules.UnusableError, match=message):
        scoring.evaluate(predictions, truths)


def test_a_prediction_that_was_moved_is_refused(cohort):
    predictions, truths = cohort
    moved = AFFINE.copy()
    moved[0, 3] = 5
    _save(predictions / "B/segmentation.nii.gz", _map(), moved)
    with pytest.raises(rules.UnusableError, match=r"origin \(5.0, 239.0, 0.0\) mm in its affine"):
        scoring.evaluate(predictions, truths)


def test_all_that_is_wrong_with_several_patients_is_said_at_once(cohort):
    predictions, truths = cohort
    _save(predictions / "A.nii.gz", _map(_3=(100, 80)))
    (predictions / "B/segmentation.nii.gz").write_bytes(b"")
    with pytest.raises(
        rules.UnusableError, match=r"(?s)A.nii.gz.*code 3.*\n.*B/segm.*empty file"
    ) as caught:
        scoring.evaluate(predictions, truths)
    assert len(caught.value.problems) == 2


def test_codes_of_another_release_can_be_named(cohort):
    predictions, truths = cohort
    _save(predictions / "A.nii.gz", _map(_2=(100, slice(80, 90)), _3=(100, slice(80, 84))))
    found = scoring.evaluate(predictions, truths, codes="brats2023", draws=DRAWS)
    assert found.patients.loc["A", "ET_volume"] == 1
    with pytest.raises(ValueError, match="Unknown codes 'brats'; there are brats2018"):
        scoring.evaluate(predictions, truths, codes="brats")


def test_truths_may_be_plain_files_named_by_patient(tmp_path):
    for name in ("X", "Y"):
        _save(tmp_path / f"truths/{name}.nii.gz", _map(_4=(100, 80)))
        _save(tmp_path / f"predictions/{name}-seg.nii.gz", _map(_4=(100, 80)))
    found = scoring.evaluate(tmp_path / "predictions", tmp_path / "truths", draws=DRAWS)
    assert found.patients["ET_volume"].to_dict() == {"X": 1, "Y": 1}
    assert set(found.summary["grid"]) == {"own"}


def test_a_folder_without_truths_is_refused(cohort, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="No segmentation in"):
        scoring.evaluate(cohort[0], tmp_path / "empty")


def test_the_command_prints_and_writes_tables(cohort, tmp_path, capsys):
    words = ["evaluate", *map(str, cohort), "--out", str(tmp_path / "out")]
    assert cli.main(words) == 0
    said = capsys.readouterr().out
    assert "own grid, volume, empty = 1\n  WT        0.583  [0.500, 0.667]  n 2" in said
    patients = pd.read_csv(tmp_path / "out/patients.csv").set_index("patient")
    assert patients.loc["A", "WT_volume"] == pytest.approx(0.5)
    assert set(pd.read_csv(tmp_path / "out/summary.csv")["grid"]) == {"own", "prepared"}
    assert cli.main(words) == 1
    assert "holds patients.csv, summary.csv already" in capsys.readouterr().err
    assert cli.main([*words, "--overwrite", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert [row["patient"] for row in content["patients"]] == ["A", "B"]
    assert content["patients"][1]["WT_every_slice"] is None
    (cohort[0] / "A.nii.gz").unlink()
    assert cli.main(["evaluate", *map(str, cohort)]) == 1
