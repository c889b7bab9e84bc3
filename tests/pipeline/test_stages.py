"""What each stage leaves behind, recomputed from what it read."""

import shutil

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from skimage.transform import resize

from paperlib import artifacts
from paperlib.labels import SEQUENCES
from paperlib.models import architectures
from paperlib.pipeline import stages
from paperlib.pipeline.method import patients
from paperlib.pipeline.stages import STAGES, Request

STACK = ["slice", "height", "width"]
PIXEL_TYPES = {"flair": "float32", "t1ce": "float32", "labels": "uint8", "brain": "bool"}
CASE = 3  # a test patient with a tumour


def _stages(run):
    found = {name: run.stage(name) for name in ("cohort", "prepare", "split", "evidence")}
    found |= {f"network {n.sequence}": run.network_folder(n) for n in run.networks()}
    found |= {f"shown {n.sequence}": run.reconstruction_folder(n) for n in run.networks()}
    found["segments"] = run.folder / "segments" / run.pairs()[0]
    found["baselines"] = run.folder / "baselines" / "f0"
    return found


def test_every_stage_has_a_manifest_that_describes_its_arrays(mini_run):
    for name, folder in _stages(mini_run).items():
        manifest = artifacts.read_manifest(folder)
        assert manifest is not None, name
        assert {"key", "content", "settings", "upstream", "versions", "seconds"} <= set(manifest)
        assert set(manifest["arrays"]) == {file.stem for file in folder.glob("*.npy")}, name
        for array, described in manifest["arrays"].items():
            found = artifacts.load_array(folder, array)
            assert list(found.shape) == described["shape"], array
            assert found.dtype.name == described["dtype"], array


def test_a_manifest_records_the_content_of_what_was_read(mini_run):
    found = _stages(mini_run)
    contents = {name: artifacts.read_manifest(folder)["content"] for name, folder in found.items()}
    assert artifacts.read_manifest(found["split"])["upstream"] == {"prepare": contents["prepare"]}
    assert artifacts.read_manifest(found["segments"])["upstream"] == {
        "prepare": contents["prepare"],
        **{f"network_{sequence}": contents[f"network {sequence}"] for sequence in SEQUENCES},
        **{f"reconstruction_{sequence}": contents[f"shown {sequence}"] for sequence in SEQUENCES},
    }


def test_prepared_stacks_hold_every_patient_one_after_the_other(mini_run):
    folder = mini_run.stage("prepare")
    described = artifacts.read_manifest(folder)["arrays"]
    for name, kind in PIXEL_TYPES.items():
        assert described[name] == {"axes": STACK, "shape": [7 * 30, 128, 128], "dtype": kind}
    assert set(described) == {*PIXEL_TYPES, "healthy_flair", "healthy_t1ce"}
    slices = patients.load_slices(mini_run)
    assert slices["case"].tolist() == np.repeat(np.arange(7), 30).tolist()
    assert slices["z"].tolist() == 7 * list(range(88, 118))


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_prepared_slice_is_the_z_score_of_the_resized_window_of_its_file(mini_run, sequence):
    (file,) = mini_run.patients.glob(f"*/Phantom_{CASE:04d}/*{CASE:04d}_{sequence}.nii.gz")
    volume = np.asarray(nib.load(file).dataobj)[30:210, 38:218, 88:118].astype(float)
    mine = np.stack([resize(volume[:, :, k].T, (128, 128), order=1, anti_aliasing=True)
                     for k in range(30)])  # fmt: skip
    places = np.floor((np.arange(128) + 0.5) * 180 / 128).astype(int)
    brain = (volume > 0)[places][:, places].transpose(2, 1, 0)
    mine = np.where(brain, (mine - mine[brain].mean()) / mine[brain].std(), 0)
    found = artifacts.load_array(mini_run.stage("prepare"), sequence)[CASE * 30 : CASE * 30 + 30]
    np.testing.assert_allclose(found, mine.clip(-5, 10), atol=2e-3)
    assert found.std() > 0.3


@pytest.mark.parametrize(("case", "codes"), [(1, {0, 2, 4}), (3, {0, 1, 2})])
def test_prepared_labels_are_the_nearest_voxels_of_the_file(mini_run, case, codes):
    (file,) = mini_run.patients.glob(f"*/Phantom_{case:04d}/*_seg.nii.gz")
    window = np.asarray(nib.load(file).dataobj)[30:210, 38:218, 88:118].astype(int)
    own = artifacts.load_array(mini_run.stage("prepare"), "labels")[case * 30 : case * 30 + 30]
    nearest = np.floor((np.arange(128) + 0.5) * 180 / 128).astype(int)
    np.testing.assert_array_equal(own, window[nearest][:, nearest].transpose(2, 1, 0))
    assert set(np.unique(own)) == codes


def test_the_slice_table_counts_the_pixels_of_the_stacks(mini_run):
    folder = mini_run.stage("prepare")
    labels = artifacts.load_array(folder, "labels")
    slices = patients.load_slices(mini_run)
    for code in (1, 2, 4):
        np.testing.assert_array_equal(slices[f"label{code}_px"], (labels == code).sum(axis=(1, 2)))
    brain_px = artifacts.load_array(folder, "brain").sum(axis=(1, 2))
    np.testing.assert_array_equal(slices["brain_px"], brain_px)
    np.testing.assert_array_equal(slices["usable"], brain_px >= 0.05 * 128 * 128)
    np.testing.assert_array_equal(slices["healthy"], ~labels.any(axis=(1, 2)))


def test_the_case_table_counts_the_slices_of_each_patient(mini_run):
    cases = artifacts.load_table(mini_run.stage("prepare"), "cases")
    slices = patients.load_slices(mini_run)
    usable = slices[slices["usable"]].groupby("case")
    assert cases["id"].tolist() == [f"Phantom_{number:04d}" for number in range(7)]
    assert cases["usable_slices"].tolist() == usable.size().tolist()
    assert cases["healthy_slices"].tolist() == usable["healthy"].sum().tolist()
    assert set(cases["grade"]) == {"HGG", "LGG"}


def test_a_trained_network_says_how_it_was_trained(mini_run):
    slices = patients.load_slices(mini_run)
    fold = patients.load_fold(mini_run, 0)
    for network in mini_run.networks():
        folder = mini_run.network_folder(network)
        manifest = artifacts.read_manifest(folder)
        assert manifest["settings"]["sequence"] == network.sequence
        assert 64 <= manifest["slice_steps"] < 64 + network.batch_size
        assert (manifest["stopped_by"], manifest["converged"]) == ("budget", False)
        healthy = slices[slices["healthy"] & slices["usable"]]
        assert manifest["training_slices"] == healthy["case"].isin(fold.training).sum()
        assert manifest["validation_slices"] == healthy["case"].isin(fold.validation).sum()
        assert manifest["intensities"]["low"] < -1 < 1 < manifest["intensities"]["high"]
        names = {file.name for file in folder.iterdir()}
        assert {"weights.safetensors", "epochs.csv", "milestones.csv"} <= names
        assert not [name for name in names if "checkpoint" in name or "partial" in name]


def _rebuilt(run, network):
    model = architectures.build(network.model)
    model.load_state_dict(load_file(run.network_folder(network) / "weights.safetensors"))
    return model.eval()


def test_reconstructions_are_what_each_network_makes_of_its_own_sequence(mini_run):
    slices = patients.load_slices(mini_run)
    fold = patients.load_fold(mini_run, 0)
    kept = slices["usable"] & (
        slices["case"].isin(fold.test) | (slices["case"].isin(fold.validation) & slices["healthy"])
    )
    for network in mini_run.networks():
        folder = mini_run.reconstruction_folder(network)
        place = np.asarray(artifacts.load_array(folder, "place"))
        assert sorted(place) == np.flatnonzero(kept).tolist()
        chosen = np.r_[0, 17, len(place) - 1]
        images = artifacts.load_array(mini_run.stage("prepare"), network.sequence)
        shown = torch.from_numpy(np.array(images[place[chosen]]))[:, None]
        with torch.no_grad():
            output, encoding = _rebuilt(mini_run, network)(shown)
        stored = artifacts.load_array(folder, "reconstruction")
        assert stored.dtype == np.float16
        np.testing.assert_allclose(stored[chosen], output[:, 0], atol=2e-3)
        latent = artifacts.load_array(folder, "latent")[chosen]
        np.testing.assert_allclose(latent, encoding.mean.flatten(1), atol=1e-4)


def test_latent_statistics_come_from_the_healthy_training_slices(mini_run):
    network = mini_run.networks()[0]
    slices = patients.load_slices(mini_run)
    fold = patients.load_fold(mini_run, 0)
    training = slices["healthy"] & slices["usable"] & slices["case"].isin(fold.training)
    images = artifacts.load_array(mini_run.stage("prepare"), network.sequence)
    with torch.no_grad():
        shown = torch.from_numpy(np.array(images[np.flatnonzero(training)]))[:, None]
        latent = _rebuilt(mini_run, network).encode(shown).mean.flatten(1).numpy()
    folder = mini_run.network_folder(network)
    np.testing.assert_allclose(
        artifacts.load_array(folder, "latent_mean"), latent.mean(axis=0), atol=1e-4
    )
    np.testing.assert_allclose(
        artifacts.load_array(folder, "latent_variance"), latent.var(axis=0), rtol=1e-3, atol=1e-6
    )


def test_segments_hold_the_usable_slices_of_the_test_patients(mini_run):
    folder = _stages(mini_run)["segments"]
    slices = patients.load_slices(mini_run)
    test = patients.load_fold(mini_run, 0).test
    expected = np.flatnonzero(slices["usable"] & slices["case"].isin(test))
    np.testing.assert_array_equal(artifacts.load_array(folder, "place"), expected)
    described = artifacts.read_manifest(folder)["arrays"]["segmentation"]
    assert described == {"axes": STACK, "shape": [len(expected), 128, 128], "dtype": "uint8"}
    segmentation = artifacts.load_array(folder, "segmentation")
    brain = artifacts.load_array(mini_run.stage("prepare"), "brain")[expected]
    assert set(np.unique(segmentation)) <= {0, 1, 2, 4}
    assert segmentation.any()
    assert not (segmentation.astype(bool) & ~brain).any()


def test_every_method_has_a_row_for_each_test_slice(mini_run):
    evidence = mini_run.stage("evidence")
    slices = pd.read_csv(evidence / "slices.csv")
    places = set(zip(slices["case"], slices["z"], strict=True))
    assert set(slices["case"]) == set(patients.load_fold(mini_run, 0).test)
    files = sorted(evidence.glob("counts-*.csv"))
    assert {file.stem.removeprefix("counts-") for file in files} >= {"VAE-MSE-s0", "B1", "B2", "B3"}
    for file in files:
        rows = pd.read_csv(file, keep_default_na=False)
        by = [column for column in ("reading", "component") if column in rows]
        groups = [part for _, part in rows.groupby(by)] if by else [rows]
        for part in groups:
            assert len(part) == len(slices), file.name
            assert set(zip(part["case"], part["z"], strict=True)) == places, file.name


@pytest.mark.parametrize(
    ("stage", "item", "message"),
    [
        ("network", "VAE-MSE-f0-s0", r"no network 'VAE-MSE-f0-s0'.*as in VAE-MSE-f0-s0/flair"),
        ("network", "VAE-MSE-f7-s0/flair", "no network 'VAE-MSE-f7-s0/flair'"),
        ("segment", "", "no pair ''; its pairs are VAE-MSE-f0-s0"),
        ("segment", "VAE-MSE-f1-s0", "no pair 'VAE-MSE-f1-s0'"),
        ("baselines", "", "no fold ''; it has 0"),
        ("baselines", "1", "no fold '1'; it has 0"),
        ("baselines", "first", "no fold 'first'"),
    ],
)
def test_a_stage_refuses_an_item_that_the_run_does_not_have(own_run, stage, item, message):
    before = sorted(own_run.folder.rglob("*"))
    with pytest.raises(ValueError, match=message):
        STAGES[stage](own_run, Request(item))
    assert sorted(own_run.folder.rglob("*")) == before


def test_results_that_are_gone_make_the_workflow_look_again(own_run):
    note = own_run.folder / stages.BY_HAND
    note.unlink(missing_ok=True)
    assert stages.start_workflow(own_run) == []  # the first one
    stages.note_finished(own_run)
    (own_run.folder / stages.DONE).mkdir()
    assert stages.start_workflow(own_run) == []
    assert not note.exists()
    stages.note_finished(own_run)
    (own_run.stage("split") / artifacts.MANIFEST).unlink()
    shutil.rmtree(own_run.folder / "segments")
    segments = [f"segments/{pair}" for pair in own_run.pairs()]
    gone = [f"{name}: its results are gone" for name in (*segments, "split")]
    assert stages.start_workflow(own_run) == gone
    assert note.exists()


def test_a_workflow_that_did_not_end_makes_the_next_one_look_again(own_run):
    stages.note_finished(own_run)
    (own_run.folder / stages.DONE).mkdir()
    assert stages.start_workflow(own_run) == []  # and is killed
    (doubt,) = stages.start_workflow(own_run)
    assert "did not finish everything" in doubt
    assert (own_run.folder / stages.BY_HAND).exists()


def test_no_two_notes_of_a_stage_by_hand_are_the_same(own_run):
    """Snakemake takes a newer file with the same content for the same."""
    notes = set()
    for _ in range(2):
        stages.note_by_hand(own_run)
        notes.add((own_run.folder / stages.BY_HAND).read_text())
    assert len(notes) == 2
