"""The stage beyond the paper on the small run, recomputed from what it read."""

import dataclasses
import os
import shutil

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage
from skimage.filters import threshold_otsu

from paperlib import artifacts
from paperlib.config import BeyondSettings
from paperlib.data import brats
from paperlib.evaluation.measures import metrics
from paperlib.labels import REGIONS, region_mask
from paperlib.pipeline.comparisons import beyond, beyond_export
from paperlib.pipeline.method import patients, segments
from paperlib.pipeline.new_patients import beyond_patient
from paperlib.pipeline.run import Run, open_run
from paperlib.pipeline.stages import STAGES, Request
from paperlib.postprocessing import morphology, regions, volume
from paperlib.postprocessing.outline import clearest_outline

PAIR, NETWORK = "VAE-MSE-f0-s0", "VAE-MSE-s0"
RULES = ["all", "ball", "largest_3d"]
SINGLE = ["ball", "largest_3d"]
OWN = ["clean-up", "synthetic", "synthetic s0", "synthetic s1"]


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
    counts = artifacts.load_table(folder, "counts").fillna({"reading": ""})
    manifest = artifacts.read_manifest(folder)
    _every_method_has_every_slice_under_every_rule(beyond_run, counts)
    _limits_are_quantiles_of_healthy_training_slices(beyond_run, manifest["thresholds"]["images"])
    _the_clean_up_is_the_smoothed_flair(beyond_run, counts, manifest["thresholds"]["images"])
    _seeds_are_averaged_and_added_to_flair(beyond_run, counts, manifest["thresholds"]["images"])
    _residuals_are_cleaned_the_same_way(beyond_run, counts)
    _other_rows_name_each_method(beyond_run, folder)
    assert manifest["patient_cpu_s"] > 0
    assert not beyond.segment_beyond(beyond_run, 0)  # nothing changed


def _every_method_has_every_slice_under_every_rule(run, counts):
    slices = patients.load_slices(run)
    places = patients.usable_of(slices, patients.load_fold(run, 0).test)
    groups = counts.groupby(["method", "reading", "component"])
    assert set(groups.size()) == {len(places)}
    expected = [(method, "") for method in OWN]
    expected += [("B3", "neighbourhood"), ("B3", "volume")]
    expected += [(NETWORK, reading) for reading in ("neighbourhood", "smoothed", "volume")]
    every = {(*one, rule) for one in expected for rule in RULES}
    every |= {(method, "clearest", rule) for method in OWN for rule in SINGLE}
    assert set(groups.groups) == every


def _limits_are_quantiles_of_healthy_training_slices(run, limits):
    values = {"flair": [], "t1ce": []}
    for patient in segments.load_patients(run, patients.load_fold(run, 0).training):
        healthy = patient.slices["healthy"].to_numpy()
        for (name, found), sigma in zip(values.items(), (1.0, 0.5), strict=True):
            smooth = volume.smooth(patient.images[name], patient.brain, sigma_px=sigma)
            found.append(smooth[healthy][patient.brain[healthy]])
    flair, t1ce = (np.concatenate(found) for found in values.values())
    assert limits["clean-up"] == pytest.approx(np.quantile(flair, 0.99))
    assert limits["synthetic"] == pytest.approx(np.quantile(flair, 0.98))
    assert limits["t1ce"] == pytest.approx(np.quantile(t1ce, 0.99))


def _same_counts(counts, method, patient, outline, enhancing, *, component="ball", reading=""):
    """Compare the rows of one patient with those of masks made here."""
    rows = counts.query("method == @method and component == @component and reading == @reading")
    rows = rows[rows["case"] == patient.slices["case"].iloc[0]].sort_values("z")
    truth = metrics.region_counts(
        regions.label_tissues(outline, enhancing & outline), patient.labels
    )
    for part in ("overlap", "predicted"):
        columns = [f"{region}_{part}" for region in REGIONS]
        np.testing.assert_array_equal(rows[columns].to_numpy(), getattr(truth, part))
    return int(rows["WT_predicted"].sum())


def _enhancing(patient, limits):
    smooth = volume.smooth(patient.images["t1ce"], patient.brain, sigma_px=0.5)
    return (smooth > limits["t1ce"]) & patient.brain


def _the_clean_up_is_the_smoothed_flair(run, counts, limits):
    found = 0
    for patient in segments.load_patients(run, patients.load_fold(run, 0).test):
        outline = volume.segment_smoothed(
            patient.images["flair"],
            patient.brain,
            threshold=limits["clean-up"],
            spacing_mm=morphology.SPACING_MM,
        )
        enhancing = _enhancing(patient, limits)
        found += _same_counts(counts, "clean-up", patient, outline, enhancing)
        score = volume.smooth(patient.images["flair"], patient.brain, sigma_px=1.0)
        clearest = clearest_outline(score, patient.brain, outline)
        if clearest.any():
            smooth = volume.smooth(patient.images["t1ce"], patient.brain, sigma_px=0.5)
            enhancing = clearest & (smooth > max(0.8, threshold_otsu(smooth[clearest])))
        found += _same_counts(counts, "clean-up", patient, clearest, enhancing, reading="clearest")
    assert found > 100


def _logit(run, seed, patient):
    folder = beyond.network_folder(run, 0, seed)
    places = artifacts.load_array(folder, "place")
    chosen = [places.tolist().index(place) for place in patient.slices.index]
    return artifacts.load_array(folder, "logit")[chosen].astype(float)


def _seeds_are_averaged_and_added_to_flair(run, counts, limits):
    found = 0
    for patient in segments.load_patients(run, patients.load_fold(run, 0).test):
        brain = patient.brain
        flair = volume.smooth(patient.images["flair"], brain, sigma_px=1.0)
        logits = {f"synthetic s{seed}": _logit(run, seed, patient) for seed in (0, 1)}
        logits["synthetic"] = (logits["synthetic s0"] + logits["synthetic s1"]) / 2
        for method, logit in logits.items():
            extra = volume.smooth(logit.clip(-8, 8), brain, sigma_px=1.0) / 8
            positive = (flair + extra - limits["synthetic"] > 0) & brain
            cleaned = morphology.open_close(positive, brain)
            filled = np.stack([ndimage.binary_fill_holes(image) for image in cleaned]) & brain
            enhancing = _enhancing(patient, limits)
            found += _same_counts(counts, method, patient, filled, enhancing, component="all")
    assert found > 100


def _residuals_are_cleaned_the_same_way(run, counts):
    stored = artifacts.load_array(run.folder / "segments" / PAIR, "segmentation")
    places = artifacts.load_array(run.folder / "segments" / PAIR, "place").tolist()
    known = artifacts.load_table(run.folder / "baselines" / "f0", "counts")
    known = known.query("method == 'B3' and reading == 'neighbourhood'")
    plain = counts.query("method == 'B3' and reading == 'neighbourhood' and component == 'all'")
    joined = plain.merge(known[known["component"] == "all"], on=["case", "z"])
    assert (joined["WT_predicted_x"] >= joined["WT_predicted_y"]).all()  # holes are filled
    assert joined["WT_predicted_y"].sum() > 100
    for patient in segments.load_patients(run, patients.load_fold(run, 0).test):
        codes = stored[[places.index(place) for place in patient.slices.index]]
        for rule in RULES:
            kept = morphology.keep_component(codes > 0, rule=rule)
            filled = np.stack([ndimage.binary_fill_holes(image) for image in kept])
            _same_counts(counts, NETWORK, patient, filled & patient.brain, codes == 4,
                         component=rule, reading="neighbourhood")  # fmt: skip


def _other_rows_name_each_method(run, folder):
    pixels, scores = (artifacts.load_table(folder, name) for name in ("pixels", "scores"))
    assert set(pixels["method"]) == set(scores["method"]) == set(OWN)
    for patient in segments.load_patients(run, patients.load_fold(run, 0).test):
        case = int(patient.slices["case"].iloc[0])
        row = pixels[(pixels["method"] == "clean-up") & (pixels["case"] == case)].iloc[0]
        truth = region_mask(patient.labels, "WT")
        if truth.any():
            smooth = volume.smooth(patient.images["flair"], patient.brain, sigma_px=1.0)
            mine = metrics.pixel_average_precision(smooth, truth, patient.brain)
            assert row["ap"] == pytest.approx(mine, rel=1e-4)


@pytest.mark.parametrize("method", ["clean-up", "synthetic"])
def test_a_new_patient_gets_what_the_stage_counted(beyond_run, method):
    """The command and the stage share their method, and so do their numbers."""
    counts = artifacts.load_table(beyond.beyond_folder(beyond_run, 0), "counts")
    counts = counts[counts["reading"].isna()]  # the healthy threshold, as the command
    counts = counts[(counts["method"] == method) & (counts["component"] == "ball")]
    model = beyond_run.folder / "models" / "beyond-f0"
    found = 0
    for patient in segments.load_patients(beyond_run, patients.load_fold(beyond_run, 0).test):
        case = int(patient.slices["case"].iloc[0])
        (folder,) = beyond_run.patients.glob(f"*/Phantom_{case:04d}")
        images = [
            brats.read_volume(folder / f"{folder.name}_{word}.nii.gz") for word in ("flair", "t1ce")
        ]
        mine = beyond_patient.segment(*images, model, method=method)
        heights = patient.slices["z"].to_numpy()
        assert np.flatnonzero(mine.slices["examined"]).tolist() == heights.tolist()
        segmentation = mine.prepared.segmentation[heights]
        expected = metrics.region_counts(segmentation, patient.labels)
        rows = counts[counts["case"] == case].sort_values("z")
        for part in ("overlap", "predicted"):
            columns = [f"{region}_{part}" for region in REGIONS]
            np.testing.assert_array_equal(rows[columns].to_numpy(), getattr(expected, part))
        assert rows["WT_predicted"].tolist() == mine.slices["tumour_px"].dropna().tolist()
        found += int(rows["WT_predicted"].sum())
    assert found > 100


def test_the_model_says_what_its_training_patients_were_like(beyond_run):
    folder = beyond_run.folder / "models" / "beyond-f0"
    content = artifacts.read_json(folder / "model.json")
    assert (
        content["thresholds"]
        == artifacts.read_manifest(beyond.beyond_folder(beyond_run, 0))["thresholds"]["images"]
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
    folders = [beyond.network_folder(beyond_run, 0, seed) for seed in (0, 1)]
    rows = beyond.beyond_folder(beyond_run, 0)
    before = [artifacts.read_manifest(folder)["content"] for folder in (*folders, rows)]
    kept, ended = folders[0] / artifacts.MANIFEST, rows / artifacts.MANIFEST
    times = kept.stat().st_mtime_ns, ended.stat().st_mtime_ns
    (folders[1] / artifacts.MANIFEST).unlink()
    assert not beyond.segment_beyond(beyond_run, 0)  # the same weights, hence the same rows
    after = [artifacts.read_manifest(folder)["content"] for folder in (*folders, rows)]
    assert before == after
    assert (kept.stat().st_mtime_ns, ended.stat().st_mtime_ns) == times
    more = dataclasses.replace(beyond_run.profile.beyond, seeds=(0, 1, 2))
    profile = dataclasses.replace(beyond_run.profile, beyond=more)
    assert beyond.segment_beyond(dataclasses.replace(beyond_run, profile=profile), 0)
    assert kept.stat().st_mtime_ns == times[0]
    methods = set(artifacts.load_table(rows, "counts")["method"])
    assert "synthetic s2" in methods


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
    (folder / "counts-of_another_run.csv").write_text("method\n")
    names = beyond_export.write_rows(beyond_run)
    assert {file.name for file in folder.iterdir()} == set(names)
    assert {"slices.csv", "cases.csv", "counts-clean-up.csv", "counts-synthetic_s1.csv"} <= set(
        names
    )
    slices = pd.read_csv(folder / "slices.csv")
    rows = pd.read_csv(folder / "counts-synthetic.csv")
    assert len(rows) == (len(RULES) + len(SINGLE)) * len(slices)  # two readings
    assert (rows.merge(slices, on=["case", "z"])["WT_overlap"] <= rows["WT_predicted"]).all()
    origin = artifacts.read_json(folder / "provenance.json")
    assert origin["finished_folds"] == [0]
    assert [one["seed"] for one in origin["networks"]] == [0, 1]
    assert set(origin["segmented"][0]["thresholds"]["residuals"]) == {PAIR}
    text = "".join(file.read_text() for file in folder.iterdir())
    ids = artifacts.load_table(beyond_run.stage("prepare"), "cases")["id"]
    assert not [name for name in ids if name in text]
    assert str(beyond_run.folder.parents[1]) not in text


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
