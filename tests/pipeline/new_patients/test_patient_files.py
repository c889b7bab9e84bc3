"""`paperlib segment` as a person calls it: files in, files out, refusals, exit codes."""

import json
import logging
import shutil
import subprocess
import sys

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from paperlib import cli

RESULTS = {
    "segmentation.nii.gz",
    "examined.nii.gz",
    "residual_flair.nii.gz",
    "residual_t1ce.nii.gz",
    "slices.csv",
    "summary.json",
    "contact_sheet.png",
}


@pytest.fixture(autouse=True)
def quiet_logging(monkeypatch):
    """Put the logging back as it was: the command sets it up for itself."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    for variable in cli.THREAD_VARIABLES:
        monkeypatch.setenv(variable, "1")
    yield
    root.handlers, root.level = before, level


@pytest.fixture
def patient(simulated, tmp_path):
    """Return the folder of a patient whose files may be replaced."""
    return shutil.copytree(simulated, tmp_path / simulated.name)


def _file(patient, word):
    return patient / f"{patient.name}_{word}.nii.gz"


def _segment(patient, model, out, *more):
    words = ["segment", "--flair", _file(patient, "flair"), "--t1ce", _file(patient, "t1ce")]
    return cli.main([*map(str, [*words, "--model", model, "--out", out]), *map(str, more)])


def _dice(first, second):
    return 2 * (first & second).sum() / (first.sum() + second.sum())


def test_everything_that_was_found_is_in_the_folder(patient, make_model, tmp_path, capsys):
    out = tmp_path / "deep" / "results"
    truth = _file(patient, "seg")
    assert _segment(patient, make_model(), out, "--no-gate", "--truth", truth) == 0
    said = capsys.readouterr().out
    assert {file.name for file in out.iterdir()} == {*RESULTS, "metrics.csv"}

    flair = nib.load(_file(patient, "flair"))
    volumes = {name: nib.load(out / name) for name in RESULTS if name.endswith(".nii.gz")}
    for image in volumes.values():
        np.testing.assert_array_equal(image.affine, flair.affine)
        assert image.shape == flair.shape
        assert b"research use only" in image.header["descrip"].tobytes()
    labels = np.asarray(volumes["segmentation.nii.gz"].dataobj)
    examined = np.asarray(volumes["examined.nii.gz"].dataobj)
    assert (labels.dtype, set(np.unique(labels))) == (np.uint8, {0, 1, 2, 4})
    assert set(np.unique(examined)) == {0, 1}
    assert not labels[examined == 0].any()
    assert volumes["residual_flair.nii.gz"].get_data_dtype() == np.float32

    slices = pd.read_csv(out / "slices.csv")
    assert len(slices) == 155
    assert slices["reason"].eq("outside z = 84 to 95").sum() == 143
    assert slices["WT_ml"].notna().sum() == 12

    summary = json.loads((out / "summary.json").read_text())
    ml = summary["volumes_ml_in_examined_slices"]
    assert ml["WT"] == pytest.approx((labels > 0).sum() / 1000)
    assert slices["WT_ml"].sum() == pytest.approx(ml["WT"], abs=1e-3)
    assert summary["use"] == "research use only"
    assert (summary["gate"], summary["reading"]) == (None, "neighbourhood")
    assert summary["files"]["flair"] == _file(patient, "flair").name
    assert str(tmp_path) not in json.dumps(summary)

    assert f"whole tumour: {ml['WT']:.1f} ml in the examined slices" in said
    assert "research use only" in said
    assert "neither found nor excluded" in said
    sheet = imread(out / "contact_sheet.png")
    assert sheet.shape[1] == 1536
    assert len(np.unique(sheet[..., :3].reshape(-1, 3), axis=0)) > 500


def test_metrics_are_those_counted_by_hand(patient, make_model, tmp_path, capsys):
    out = tmp_path / "out"
    truth_file = _file(patient, "seg")
    assert _segment(patient, make_model(), out, "--no-gate", "--truth", truth_file) == 0
    labels = np.asarray(nib.load(out / "segmentation.nii.gz").dataobj)
    truth = np.asarray(nib.load(truth_file).dataobj)
    metrics = pd.read_csv(out / "metrics.csv").set_index(["grid", "convention", "region"])["value"]
    own = metrics["own"]["volume, empty = 1"]
    assert own["WT"] == pytest.approx(_dice(labels > 0, truth > 0))
    assert own["ET"] == pytest.approx(_dice(labels == 4, truth == 4))
    places = np.floor((np.arange(128) + 0.5) * 180 / 128).astype(int)
    grid = np.ix_(30 + places, 38 + places, np.arange(84, 96))
    tissues = [
        np.mean([_dice(a == c, b == c) if (a == c).any() or (b == c).any() else 0
                 for a, b in zip(labels[grid].T, truth[grid].T, strict=True)])
        for c in (1, 2, 4)
    ]  # fmt: skip
    every = metrics["prepared"]["every slice, empty = 0"]
    assert every[["NCR", "ED", "ET"]].tolist() == pytest.approx(tissues)
    assert every["semantic"] == pytest.approx(np.mean(tissues))
    missed = (truth[:, :, :84] > 0).sum() + (truth[:, :, 96:] > 0).sum()
    said = capsys.readouterr().out
    assert f"{missed / 1000:.1f} ml lie where nothing was examined" in said
    assert f"Dice of the WT, own grid, volume, empty = 1: {own['WT']:.3f}" in said


@pytest.mark.parametrize("method", ["clean-up", "synthetic"])
def test_methods_beyond_the_paper_write_scores_instead_of_residuals(
    patient, make_model, beyond_model, tmp_path, capsys, method
):
    out, truth = tmp_path / "out", _file(patient, "seg")
    assert _segment(patient, make_model(), out) == 0
    words = ("--method", method, "--truth", truth)
    assert _segment(patient, beyond_model, out, *words) == 1
    assert "holds segmentation.nii.gz" in capsys.readouterr().err
    assert _segment(patient, beyond_model, out, *words, "--overwrite") == 0
    scores = {"score_tumour.nii.gz", "score_enhancing.nii.gz"}
    kept = {name for name in RESULTS if not name.startswith("residual")}
    assert {file.name for file in out.iterdir()} == {*kept, *scores, "metrics.csv"}
    labels, score = (
        np.asarray(nib.load(out / name).dataobj)
        for name in ("segmentation.nii.gz", "score_tumour.nii.gz")
    )
    assert score[labels > 0].mean() > 0 > score[(labels == 0) & (score != 0)].mean()
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["method"], summary["model"]) == (method, "beyond-f0")
    assert summary["component"] == {"clean-up": "ball", "synthetic": "foci"}[method]
    assert "gate" not in summary
    assert pd.read_csv(out / "slices.csv")["tumour_px"].sum() > 100
    metrics = pd.read_csv(out / "metrics.csv").set_index(["grid", "convention", "region"])["value"]
    truth = np.asarray(nib.load(_file(patient, "seg")).dataobj)
    own = metrics["own"]["volume, empty = 1"]["WT"]
    assert own == pytest.approx(_dice(labels > 0, truth > 0))
    assert imread(out / "contact_sheet.png").shape[1] == 1536


def test_the_clean_up_waits_for_no_torch(patient, beyond_model, tmp_path):
    words = ["segment", "--flair", _file(patient, "flair"), "--t1ce", _file(patient, "t1ce")]
    words += ["--truth", _file(patient, "seg"), "--method", "clean-up", "--model", beyond_model]
    words = [str(word) for word in [*words, "--out", tmp_path / "out"]]
    code = f"import sys; from paperlib import cli; print(cli.main({words}), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 False"


@pytest.mark.parametrize(
    ("more", "given"),
    [
        (("--gate", "height"), "--gate: the method clean-up has no gate to choose"),
        (("--no-gate", "--reading", "both"), "--no-gate and --reading: the method clean-up"),
    ],
)
def test_options_of_the_papers_method_are_refused_with_the_others(
    beyond_model, tmp_path, capsys, more, given
):
    with pytest.raises(SystemExit) as caught:
        _segment(tmp_path, beyond_model, tmp_path / "out", "--method", "clean-up", *more)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert given in said
    assert "take --method paper, where --gate may be max_healthy, mean_2sd" in said
    assert "and --reading both, neighbourhood, weights." in said


@pytest.mark.parametrize("axes", ["RAS", "SPL", "PIR"])
def test_the_same_patient_in_another_orientation_gets_the_same_map_in_the_world(
    patient, make_model, tmp_path, axes
):
    model = make_model()
    assert _segment(patient, model, tmp_path / "first", "--no-gate") == 0
    for word in ("flair", "t1ce"):
        image = nib.load(_file(patient, word))
        turn = nib.orientations.ornt_transform(
            nib.io_orientation(image.affine), nib.orientations.axcodes2ornt(axes)
        )
        turned = image.as_reoriented(turn)
        assert "".join(nib.aff2axcodes(turned.affine)) == axes
        nib.save(turned, _file(patient, word))
    assert _segment(patient, model, tmp_path / "second", "--no-gate") == 0
    stored = nib.load(tmp_path / "second" / "segmentation.nii.gz")
    flair = nib.load(_file(patient, "flair"))
    np.testing.assert_array_equal(stored.affine, flair.affine)
    for name in ("segmentation.nii.gz", "examined.nii.gz", "residual_flair.nii.gz"):
        first, second = (
            nib.as_closest_canonical(nib.load(tmp_path / folder / name))
            for folder in ("first", "second")
        )
        np.testing.assert_array_equal(first.affine, second.affine)
        np.testing.assert_array_equal(first.dataobj, second.dataobj)
        assert np.asarray(first.dataobj).any()


def test_results_are_never_replaced_unasked(patient, make_model, tmp_path, capsys):
    model, out = make_model(), tmp_path / "out"
    out.mkdir()
    (out / "slices.csv").write_text("mine")
    assert _segment(patient, model, out) == 1
    assert [file.name for file in out.iterdir()] == ["slices.csv"]
    assert (out / "slices.csv").read_text() == "mine"
    assert "holds slices.csv already" in capsys.readouterr().err
    assert _segment(patient, model, out, "--overwrite") == 0
    assert {file.name for file in out.iterdir()} == RESULTS


def test_a_file_of_the_patient_is_not_replaced_even_when_asked(
    patient, make_model, tmp_path, capsys
):
    truth = patient / "segmentation.nii.gz"
    _file(patient, "seg").rename(truth)
    before = truth.read_bytes()
    words = ("--truth", truth, "--overwrite")
    assert _segment(patient, make_model(), patient, *words) == 1
    assert "is one of the patient's own files" in capsys.readouterr().err
    assert truth.read_bytes() == before


def _cut(patient):
    image = nib.load(_file(patient, "t1ce"))
    nib.save(image.slicer[:, :, :150], _file(patient, "t1ce"))


def _negative(patient):
    image = nib.load(_file(patient, "flair"))
    voxels = np.asarray(image.dataobj).astype(np.float32) - 1
    nib.save(nib.Nifti1Image(voxels, image.affine), _file(patient, "flair"))


def _lost(patient):
    _file(patient, "t1ce").unlink()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (_cut, "_t1ce.nii.gz: found shape 240x240x150; expected 240x240x155"),
        (_negative, "_flair.nii.gz: found negative intensities down to -1"),
        (_lost, "_t1ce.nii.gz: found a file that cannot be read"),
    ],
)
def test_files_that_check_refuses_are_refused(patient, make_model, tmp_path, capsys, harm, message):
    harm(patient)
    assert _segment(patient, make_model(), tmp_path / "out") == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_sequences_that_were_exchanged_are_noticed_by_their_names(
    patient, make_model, tmp_path, capsys
):
    words = ["segment", "--flair", _file(patient, "t1ce"), "--t1ce", _file(patient, "flair")]
    words += ["--model", make_model(), "--out", tmp_path / "out"]
    assert cli.main([str(word) for word in words]) == 1
    said = capsys.readouterr().err
    assert "found a name that BraTS gives to T1CE; expected the file of FLAIR" in said
    assert "found a name that BraTS gives to FLAIR; expected the file of T1CE" in said


def test_the_codes_of_a_truth_are_those_of_its_release(patient, make_model, tmp_path, capsys):
    image = nib.load(_file(patient, "seg"))
    newer = np.asarray(image.dataobj).copy()
    newer[newer == 4] = 3
    model = make_model()
    for name, code in (("P-seg.nii.gz", 0), ("P_seg.nii.gz", 1)):
        nib.save(nib.Nifti1Image(newer, image.affine), tmp_path / name)
        out = tmp_path / f"out{code}"
        assert _segment(patient, model, out, "--truth", tmp_path / name) == code
    assert "unknown label code 3; expected codes out of 0, 1, 2, 4" in capsys.readouterr().err


def test_one_file_for_both_sequences_is_said(patient, make_model, tmp_path, capsys):
    shutil.copyfile(_file(patient, "flair"), _file(patient, "t1ce"))
    assert _segment(patient, make_model(), tmp_path / "out") == 0
    assert "have the same voxels; one may be a wrong copy" in capsys.readouterr().out


def test_a_missing_model_is_refused_before_anything_is_written(patient, tmp_path, capsys):
    assert _segment(patient, tmp_path / "no", tmp_path / "out") == 1
    assert "No folder at" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--out", "z", "--gate", "lowest"),
        ("--out", "z", "--reading", "alpha"),
        ("--out", "z", "--method", "best"),
    ],
)
def test_wrong_usage_ends_with_2(words):
    with pytest.raises(SystemExit) as caught:
        cli.main(["segment", "--flair", "x", "--t1ce", "y", "--model", "m", *words])
    assert caught.value.code == 2
