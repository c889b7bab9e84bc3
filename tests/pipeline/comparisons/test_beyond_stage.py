"""The stage beyond the paper on the small run, recomputed from what it read."""

import dataclasses
import os
import shutil

import numpy as np
import pandas as pd
import pytest
from beyond_recomputed import (
    NETWORK,
    PAIR,
    RULES,
    a_residual_is_drawn_as_flair_is,
    drawn,
    every_way_has_every_patient,
    limits_are_quantiles_of_healthy_training_slices,
    logits_are_averaged_weighted_and_added_to_flair,
    masks_of_the_mixture_are_cleaned_up,
    pixels_name_each_method,
    slices_add_up_to_volumes,
    the_clean_up_is_the_smoothed_flair,
)

from paperlib import artifacts
from paperlib.config import BeyondSettings
from paperlib.data import brats
from paperlib.evaluation.measures import metrics
from paperlib.labels import REGIONS
from paperlib.pipeline.comparisons import beyond, beyond_export, beyond_residuals
from paperlib.pipeline.comparisons.beyond_rows import WAY
from paperlib.pipeline.method import patients, segments
from paperlib.pipeline.new_patients import beyond_patient
from paperlib.pipeline.run import Run, open_run
from paperlib.pipeline.stages import STAGES, Request

pytestmark = pytest.mark.long


def small(run: Run) -> Run:
    """Return the run with trainings of seconds."""
    profile = dataclasses.replace(run.profile, beyond=BeyondSettings(slice_steps=32))
    return dataclasses.replace(run, profile=profile)


@pytest.fixture(scope="module")
def finished(module_run, tmp_path_factory):
    """Return a root in which the stage has run, to be read only."""
    root = tmp_path_factory.mktemp("beyond") / "root"
    shutil.copytree(artifacts.ROOT, root, copy_function=os.link)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(artifacts, "ROOT", root)
        STAGES["beyond"](small(module_run), Request("0"))
    return root


@pytest.fixture
def beyond_run(mini_run, finished, tmp_path, monkeypatch) -> Run:
    """Return a run of this test alone with the stage finished."""
    shutil.copytree(finished, tmp_path / "root", copy_function=os.link)
    monkeypatch.setattr(artifacts, "ROOT", tmp_path / "root")
    return small(mini_run)


def test_the_rows_are_what_the_stage_says_they_are(beyond_run):
    folder = beyond.beyond_folder(beyond_run, 0)
    volumes = artifacts.load_table(folder, "volumes")
    manifest = artifacts.read_manifest(folder)
    limits = manifest["thresholds"]
    every_way_has_every_patient(beyond_run, volumes)
    counts = artifacts.load_table(folder, "counts")
    assert set(counts["method"]) == {"clean-up", "synthetic"}
    slices_add_up_to_volumes(beyond_run, counts, volumes)
    limits_are_quantiles_of_healthy_training_slices(beyond_run, limits)
    the_clean_up_is_the_smoothed_flair(beyond_run, volumes, limits)
    logits_are_averaged_weighted_and_added_to_flair(beyond_run, volumes, limits)
    pixels_name_each_method(beyond_run, folder)
    assert all(manifest["patient_cpu_s"][method] > 0 for method in ("clean-up", "synthetic"))
    assert not beyond.segment_beyond(beyond_run, 0)  # nothing changed


def test_the_papers_residuals_are_cleaned_the_same_way(beyond_run):
    folder = beyond_residuals.residuals_folder(beyond_run, 0)
    volumes, counts = (artifacts.load_table(folder, name) for name in ("volumes", "counts"))
    expected = drawn([NETWORK], ["threshold", "clearest", "near"], RULES, "smoothed ")
    expected |= {
        (method, reading, rule, "mixture")
        for method in ("B3", NETWORK)
        for reading in ("neighbourhood", "volume")
        for rule in RULES
    }
    assert set(volumes.groupby(WAY).groups) == expected
    assert set(counts["method"]) == {NETWORK}
    slices_add_up_to_volumes(beyond_run, counts, volumes)
    masks_of_the_mixture_are_cleaned_up(beyond_run, volumes)
    limits = artifacts.read_manifest(folder)["thresholds"][PAIR]
    a_residual_is_drawn_as_flair_is(beyond_run, volumes, limits)
    assert not beyond_residuals.segment_residuals(beyond_run, 0)  # nothing changed


def test_a_new_patient_gets_what_the_stage_counted_and_the_same_doubts(beyond_run):
    """The command and the stage share their method, and so do their numbers."""
    stage = beyond.beyond_folder(beyond_run, 0)
    counts = artifacts.load_table(stage, "counts")
    doubts = artifacts.load_table(stage, "doubts").set_index("case")
    model = beyond_run.folder / "models" / "beyond-f0"
    found = 0
    for patient in segments.load_patients(beyond_run, patients.load_fold(beyond_run, 0).test):
        case, row, masks = int(patient.slices["case"].iloc[0]), {}, []
        (folder,) = beyond_run.patients.glob(f"*/Phantom_{case:04d}")
        images = [
            brats.read_volume(folder / f"{folder.name}_{word}.nii.gz") for word in ("flair", "t1ce")
        ]
        for method, reading in (("clean-up", "near"), ("synthetic", "agreed")):
            mine = beyond_patient.segment(*images, model, method=method)
            heights = patient.slices["z"].to_numpy()
            assert np.flatnonzero(mine.slices["examined"]).tolist() == heights.tolist()
            segmentation = mine.prepared.segmentation[heights]
            expected = metrics.region_counts(segmentation, patient.labels)
            rows = counts[(counts["method"] == method) & (counts["reading"] == reading)]
            rows = rows[rows["case"] == case].sort_values("z")
            for part in ("overlap", "predicted"):
                columns = [f"{region}_{part}" for region in ("WT", "TC", "ET")]
                wanted = getattr(expected, part)[:, [list(REGIONS).index(c[:2]) for c in columns]]
                np.testing.assert_array_equal(rows[columns].to_numpy(), wanted)
            assert rows["WT_predicted"].tolist() == mine.slices["tumour_px"].dropna().tolist()
            found += int(rows["WT_predicted"].sum())
            masks.append(segmentation > 0)
            row[method] = mine.used
        agreement = 2 * (masks[0] & masks[1]).sum() / max(sum(mask.sum() for mask in masks), 1)
        assert doubts.loc[case, "methods"] == pytest.approx(agreement)
        said = row["synthetic"]["agreement_of_networks"]
        assert doubts.loc[case, "networks"] == pytest.approx(said, abs=1e-3)
        assert row["clean-up"]["agreement_of_networks"] is None
        assert doubts.loc[case, "unlike"] == len(row["synthetic"]["unlike_training"])
    assert found > 100


def test_the_model_says_what_its_training_patients_were_like(beyond_run):
    folder = beyond_run.folder / "models" / "beyond-f0"
    content = artifacts.read_json(folder / "model.json")
    assert (
        content["thresholds"]
        == artifacts.read_manifest(beyond.beyond_folder(beyond_run, 0))["thresholds"]
    )
    training = patients.load_fold(beyond_run, 0).training
    medians, areas = [], []
    for patient in segments.load_patients(beyond_run, training):
        medians.append(float(np.median(patient.images["flair"][patient.brain])))
        areas.append(patient.brain.sum() / patient.brain.size)
    found = content["training_patients"]
    assert found["FLAIR, 50 % quantile"] == pytest.approx(sorted(medians))
    assert found["share of brain in an examined slice"] == pytest.approx(sorted(areas))
    assert len(medians) == len(training)
    for seed in (0, 1):
        trained = beyond.network_folder(beyond_run, 0, seed) / "weights.safetensors"
        assert (folder / f"weights-s{seed}.safetensors").read_bytes() == trained.read_bytes()
    text = "".join(file.read_text() for file in folder.glob("*.json"))
    ids = artifacts.load_table(beyond_run.stage("prepare"), "cases")["id"]
    assert not [name for name in ids if name in text]  # it may be given away
    assert str(beyond_run.folder.parents[1]) not in text


def test_a_lost_network_is_trained_again_and_nothing_else(beyond_run):
    folders = [beyond.network_folder(beyond_run, 0, seed) for seed in (0, 1, 2)]
    rows = beyond.beyond_folder(beyond_run, 0)
    before = [artifacts.read_manifest(folder)["content"] for folder in (*folders, rows)]
    kept, ended = folders[0] / artifacts.MANIFEST, rows / artifacts.MANIFEST
    times = kept.stat().st_mtime_ns, ended.stat().st_mtime_ns
    (folders[1] / artifacts.MANIFEST).unlink()
    assert not beyond.segment_beyond(beyond_run, 0)  # the same weights, hence the same rows
    after = [artifacts.read_manifest(folder)["content"] for folder in (*folders, rows)]
    assert before == after
    assert (kept.stat().st_mtime_ns, ended.stat().st_mtime_ns) == times


def test_networks_differ_in_seed_and_brightness_only(beyond_run):
    manifests = [
        artifacts.read_manifest(beyond.network_folder(beyond_run, 0, seed)) for seed in (0, 1)
    ]
    settings = [found["settings"] for found in manifests]
    assert [one.pop("gamma") for one in settings] == [False, True]
    assert [one.pop("seed") for one in settings] == [0, 1]
    assert settings[0] == settings[1]
    assert all(found["parameters"] == 228_036 for found in manifests)
    assert all(found["training_cpu_s"] > 0 for found in manifests)
    healthy = patients.healthy_of(
        patients.load_slices(beyond_run), patients.load_fold(beyond_run, 0).training
    )
    assert {found["training_slices"] for found in manifests} == {len(healthy)}


def test_the_tables_hold_counts_and_no_name(beyond_run):
    folder = beyond_export.destination(beyond_run)
    assert folder.is_relative_to(beyond_run.folder)
    names = beyond_export.write_rows(beyond_run)
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert {str(file.relative_to(folder)) for file in files} == set(names)
    expected = {"slices", "cases", "volumes", "doubts", "pixels", "epochs"}
    expected |= {"counts", "residuals/volumes", "residuals/counts", "supervised/counts"}
    origins = {f"{folder}provenance.json" for folder in ("", "residuals/", "supervised/")}
    assert {f"{name}.csv" for name in expected} | origins == set(names)
    slices = pd.read_csv(folder / "slices.csv")
    rows = pd.read_csv(folder / "counts.csv")
    assert len(rows) == (3 + 4) * len(slices)  # readings
    assert (rows.merge(slices, on=["case", "z"])["WT_overlap"] <= rows["WT_predicted"]).all()
    origin = artifacts.read_json(folder / "provenance.json")
    assert origin["finished_folds"] == [0]
    assert [one["seed"] for one in origin["networks"]] == [0, 1, 2]
    other = artifacts.read_json(folder / "residuals" / "provenance.json")
    assert set(other["segmented"][0]["thresholds"]) == {PAIR}
    supervised = pd.read_csv(folder / "supervised" / "counts.csv")
    assert len(supervised) == len(slices)
    usable = patients.usable_of(
        patients.load_slices(beyond_run), patients.load_fold(beyond_run, 0).training
    )
    (trained,) = artifacts.read_json(folder / "supervised" / "provenance.json")["trained"]
    assert trained["training_slices"] == len(usable)
    text = "".join(file.read_text() for file in files)
    ids = artifacts.load_table(beyond_run.stage("prepare"), "cases")["id"]
    assert not [name for name in ids if name in text]
    assert str(beyond_run.folder.parents[1]) not in text


def test_without_a_finished_pair_there_is_nothing_to_clean_up(beyond_run):
    shutil.rmtree(beyond_run.folder / "segments" / PAIR)
    assert not beyond_residuals.segment_residuals(beyond_run, 0)


def test_earlier_rows_of_the_papers_networks_stay_while_a_run_has_none(beyond_run):
    shutil.rmtree(beyond_residuals.residuals_folder(beyond_run, 0))
    kept = beyond_export.destination(beyond_run) / "residuals"
    kept.mkdir(parents=True, exist_ok=True)
    (kept / "volumes.csv").write_text("of an earlier run")
    names = beyond_export.write_rows(beyond_run)
    assert not [name for name in names if "residuals" in name]
    assert (kept / "volumes.csv").read_text() == "of an earlier run"


def test_only_real_and_default_patients_are_written_for_the_book(tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    reference = tmp_path / "results" / "reference" / "beyond"
    assert beyond_export.destination(open_run("phantom")) == reference / "phantom"
    assert beyond_export.destination(open_run("phantom-free")) == reference / "phantom-free"
    run = open_run("laptop", str(tmp_path), 4)
    run.stage("prepare").mkdir(parents=True)
    artifacts.save_table(run.stage("prepare"), "cases", pd.DataFrame({"case": range(36)}))
    assert beyond_export.destination(run) == reference / "real36"


def test_an_unknown_fold_is_refused(mini_run):
    with pytest.raises(ValueError, match="This run has no fold '7'; it has 0"):
        STAGES["beyond"](mini_run, Request("7"))
