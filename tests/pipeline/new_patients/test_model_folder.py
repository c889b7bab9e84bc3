"""The folder of a pair: what a run writes into it, and what a stranger's copy is asked for."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from paperlib import artifacts, cli, scores
from paperlib.data import brats, label_maps
from paperlib.pipeline.method import patients
from paperlib.pipeline.new_patients import model_folder, one_patient, patient_files
from paperlib.postprocessing import mixture

PAIR = "VAE-MSE-f0-s0"


@pytest.fixture
def written(own_run):
    """Return a finished run whose pair is complete."""
    model_folder.write_pair(own_run, PAIR)
    return own_run


def _healthy(run):
    table = pd.read_csv(run.folder / "segments" / PAIR / "scores.csv")
    return table[table["role"] == "validation"]


def _case_files(run, case):
    (folder,) = run.patients.glob(f"*/Phantom_{case:04d}")
    return [folder / f"{folder.name}_{word}.nii.gz" for word in ("flair", "t1ce", "seg")]


def test_a_pair_keeps_thresholds_of_its_healthy_validation_slices(written):
    content = json.loads((written.folder / "models" / PAIR / "pair.json").read_text())
    healthy = _healthy(written)
    assert content["healthy_slices"]["z"] == healthy["z"].tolist()
    thresholds = content["thresholds"]["mean_residual"]
    assert thresholds["max_healthy"] == healthy["mean_residual"].max()
    assert thresholds["quantile_95"] == pytest.approx(healthy["mean_residual"].quantile(0.95))
    distance = healthy["latent_distance"]
    expected = {"mean": distance.mean(), "sd": distance.std(ddof=0)}
    assert content["latent_distance"] == pytest.approx(expected)
    assert content["thresholds"]["latent_distance"]["mean_2sd"] == pytest.approx(
        expected["mean"] + 2 * expected["sd"]
    )
    assert content["prepare"]["z_low"] == 88
    assert content["mixture"]["max_iterations"] == 20
    assert str(written.folder.parent) not in json.dumps(content)  # it may be given away


def test_a_pair_is_written_again_only_if_something_changed(written):
    file = written.folder / "models" / PAIR / "pair.json"
    before = file.stat().st_ino
    assert not model_folder.write_pair(written, PAIR)
    assert file.stat().st_ino == before
    artifacts.write_json(file, {})  # by rename: the file itself is shared with other tests
    assert model_folder.write_pair(written, PAIR)


def test_a_copy_of_the_folder_is_enough(written, tmp_path, monkeypatch):
    copy = shutil.copytree(written.folder / "models" / PAIR, tmp_path / "elsewhere")
    shutil.rmtree(written.folder)
    monkeypatch.setattr(artifacts, "ROOT", tmp_path / "nowhere")
    pair = model_folder.read_pair(copy)
    assert pair.name == PAIR
    assert pair.simulated
    assert pair.prepare.z_high == 118
    assert pair.architectures == {"flair": "VAE", "t1ce": "VAE"}


def test_a_test_patient_gets_the_same_result_as_in_the_run(written):
    """The command and the stages share their method, and so do their numbers."""
    case = patients.load_fold(written, 0).test[0]
    flair, t1ce, _ = _case_files(written, case)
    images = brats.read_volume(flair), brats.read_volume(t1ce)
    found = one_patient.segment(*images, written.folder / "models" / PAIR, gate=None)
    table = patients.load_slices(written)
    places = patients.usable_of(table, [case])
    heights = table["z"].to_numpy()[places]
    assert np.flatnonzero(found.slices["examined"]).tolist() == heights.tolist()
    prepared = written.stage("prepare")
    for name, image in found.prepared.patient.images.items():
        stack = artifacts.load_array(prepared, name)[places]
        np.testing.assert_allclose(image[heights], stack, atol=1e-5)
    folder = written.folder / "segments" / PAIR
    own = np.isin(artifacts.load_array(folder, "place"), places)
    segmentation = artifacts.load_array(folder, "segmentation")[own]
    assert segmentation.any()
    np.testing.assert_array_equal(found.prepared.segmentation[heights], segmentation)
    rows = pd.read_csv(folder / "scores.csv")
    rows = rows[(rows["role"] == "test") & (rows["case"] == case)]
    for score in ("mean_residual", "latent_distance"):
        mine = found.slices[score].dropna()
        np.testing.assert_allclose(mine, rows[score], rtol=1e-4, atol=1e-5)


def test_the_command_agrees_with_the_evidence_of_the_run(written, tmp_path, capsys):
    """Segment without a gate, then evaluate: the numbers of the run's own tables."""
    case = patients.load_fold(written, 0).test[0]
    flair, t1ce, truth = _case_files(written, case)
    out = tmp_path / "results"
    model = written.folder / "models" / PAIR
    words = ["--flair", flair, "--t1ce", t1ce, "--truth", truth, "--model", model, "--out", out]
    assert cli.main(["segment", *map(str, words), "--no-gate"]) == 0
    capsys.readouterr()
    counts = pd.read_csv(written.stage("evidence") / "counts-VAE-MSE-s0.csv")
    counts = counts[(counts["case"] == case) & (counts["reading"] == "neighbourhood")]
    counts = counts[counts["component"] == "all"]
    truths = pd.read_csv(written.stage("evidence") / "slices.csv")
    rows = counts.merge(truths, on=["case", "z"])
    size = rows["WT_predicted"] + rows["WT_truth"]
    dice = (2 * rows["WT_overlap"] / size.where(size > 0, 1)).mean()
    metrics = pd.read_csv(out / "metrics.csv")
    every = metrics[metrics["convention"] == "every slice, empty = 0"].set_index("region")["value"]
    assert every["WT"] == pytest.approx(dice, abs=1e-6)
    assert dice > 0


def test_the_gate_by_height_takes_the_healthy_slices_of_the_pair(make_model):
    healthy = {"z": list(range(80, 120)), "mean_residual": np.linspace(0, 1, 40).tolist()}
    pair = model_folder.read_pair(make_model(healthy_slices=healthy))
    limits = pair.gate(np.array([100, 40]), rule="height")
    around = np.quantile(healthy["mean_residual"], 0.95)
    assert limits[1] == pytest.approx(around)  # no healthy slice there: all heights
    assert limits[0] == pytest.approx(
        scores.height_gate(
            np.array(healthy["mean_residual"]), np.array(healthy["z"]), np.array([100])
        ).thresholds[0]
    )


def test_the_words_of_the_command_are_those_of_the_method():
    assert set(cli.patients.GATES) == set(model_folder.RULES)
    assert set(cli.patients.READINGS) == set(mixture.READINGS)
    assert set(cli.patients.CODES) == set(label_maps.CODES)
    assert cli.patients.GATES[0] == one_patient.DEFAULT_GATE
    assert set(cli.patients.METHODS) == set(patient_files.MAPS)
    assert cli.patients.METHODS[0] == model_folder.METHOD


def test_a_pair_without_its_file_names_the_command(make_model):
    model = make_model()
    (model / "pair.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no pair.json;.*paperlib stage segment model"):
        model_folder.read_pair(model)


def test_a_folder_of_pairs_names_them(make_model, tmp_path):
    make_model("VAE-MSE-f0-s0")
    with pytest.raises(FileNotFoundError, match=r"no finished network of flair and t1ce.*VAE-MSE"):
        model_folder.read_pair(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"No folder at .*; expected the folder of a train"):
        model_folder.read_pair(tmp_path / "none")


def test_a_network_that_was_trained_again_is_refused(make_model):
    model = make_model(networks={"flair": "aa", "t1ce": "older"})
    with pytest.raises(ValueError, match="belongs to another t1ce network than the one in"):
        model_folder.read_pair(model)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"format": 2}, "has format 2, this version of paperlib reads 1"),
        ({"prepare": {"z_lowest": 3}}, "does not know: z_lowest; use the version that wrote it"),
    ],
)
def test_a_pair_of_another_version_is_refused(make_model, changed, message):
    with pytest.raises(ValueError, match=message):
        model_folder.read_pair(make_model(**changed))


def test_a_pair_that_is_not_segmented_has_no_thresholds(own_run):
    shutil.rmtree(own_run.folder / "segments")
    with pytest.raises(FileNotFoundError, match=r"segments.VAE-MSE-f0-s0 is missing.*`make book"):
        model_folder.write_pair(own_run, PAIR)
