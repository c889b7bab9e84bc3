"""Rows of `make ablations` on the miniature run: the same patients, one thing changed."""

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from paperlib import artifacts
from paperlib.config import MixtureSettings, PrepareSettings, TrainingSettings
from paperlib.labels import FLAIR, T1CE
from paperlib.models import architectures
from paperlib.pipeline.method import patients
from paperlib.pipeline.run import open_run
from paperlib.pipeline.studies import ablation_plan, ablations
from paperlib.pipeline.studies.ablation_measure import outline
from paperlib.pipeline.studies.ablation_rows import (
    BASE,
    STUDIES,
    OutlineSettings,
    base_network,
    find_study,
    networks_of,
)
from paperlib.postprocessing import mixture, morphology, neighbours

TABLES = "ablations/tables"


@pytest.fixture(scope="module")
def names():
    return [study.name for study in STUDIES]


def written(run, name):
    folder = run.folder / TABLES
    return pd.read_csv(folder / f"{name}.csv"), json.loads((folder / f"{name}.json").read_text())


def stored(run, reading, region):
    """Counts of the run's own segmentation, by another way through the code."""
    counts = artifacts.load_table(run.folder / "segments" / run.pairs()[0], "counts")
    chosen = counts[(counts["reading"] == reading) & (counts["component"] == "all")]
    return chosen[["case", "z", f"{region}_overlap", f"{region}_predicted"]].to_numpy()


def test_every_row_has_a_name_of_its_own_that_a_file_can_have(names):
    assert len({name.lower() for name in names}) == len(names)
    assert all(name.replace("-", "").isalnum() for name in names)


def test_every_row_names_settings_that_exist_and_a_row_that_it_changes(names):
    run = open_run("phantom")
    fields = {
        "training": {field.name for field in dataclasses.fields(TrainingSettings)},
        "mixture": {field.name for field in dataclasses.fields(MixtureSettings)},
        "outline": {field.name for field in dataclasses.fields(OutlineSettings)},
        "prepare": {field.name for field in dataclasses.fields(PrepareSettings)},
    }
    for study in STUDIES:
        for kind, known in fields.items():
            assert set(getattr(study, kind)) <= known, study.name
        assert study.against in names
        architecture = networks_of(run, study)[0].architecture
        assert architecture == "" or architecture in architectures.VARIANTS


def test_a_row_changes_one_thing_of_the_row_it_is_compared_with():
    for study in STUDIES:
        against = find_study(study.against)
        changed = [
            (kind, name)
            for kind in ("training", "mixture", "outline", "prepare")
            for name, value in getattr(study, kind).items()
            if getattr(against, kind).get(name) != value
        ]
        assert changed or study.name in (BASE, "core"), study.name
        named = {name for _, name in changed} - {"model", "loss"}
        assert len(named) <= 1 or named == {"z_low", "z_high"}, study.name
        assert study.against == BASE or study.region == against.region


def test_the_base_is_the_papers_choice_and_the_first_network_elsewhere(mini_run):
    base = base_network(open_run("phantom"))
    assert (base.model, base.loss, base.sequence) == ("dVAE", "SSIM", FLAIR)
    assert base_network(mini_run) == mini_run.networks()[0]


def test_an_unknown_row_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"no ablation 'sead-1'; the rows are base, both"):
        find_study("sead-1")


def test_the_base_counts_what_the_run_counts(own_run):
    assert ablations.run_row(own_run, BASE)
    counts, record = written(own_run, BASE)
    expected = stored(own_run, own_run.profile.mixture.reading, "WT")
    np.testing.assert_array_equal(counts[["case", "z", "overlap", "predicted"]], expected)
    table = patients.load_slices(own_run).set_index(["case", "z"])
    truth = table.loc[list(zip(counts["case"], counts["z"], strict=True)), "tumour_px"]
    np.testing.assert_array_equal(counts["truth"], truth)
    pixels = artifacts.load_table(own_run.folder / "segments" / own_run.pairs()[0], "pixels")
    flair = pixels[pixels["sequence"] == FLAIR]
    np.testing.assert_allclose(record["pixels"]["ap"], flair["ap"], rtol=1e-6)
    assert record["provenance"]["commit"] == "abc1234"
    assert record["facts"]["kept_by_gate"] == 1
    assert not (own_run.folder / "ablations" / BASE / "models").exists()


def test_a_reading_is_that_of_the_run(own_run):
    ablations.run_row(own_run, "both")
    counts, record = written(own_run, "both")
    expected = stored(own_run, "both", "WT")
    np.testing.assert_array_equal(counts[["case", "z", "overlap", "predicted"]], expected)
    assert record["settings"]["mixture"]["reading"] == "both"


def test_the_core_is_counted_with_both_networks(own_run):
    ablations.run_row(own_run, "core")
    counts, record = written(own_run, "core")
    expected = stored(own_run, own_run.profile.mixture.reading, "TC")
    np.testing.assert_array_equal(counts[["case", "z", "overlap", "predicted"]], expected)
    assert record["region"] == "TC"


def test_a_finished_row_does_not_run_again_and_is_written_again_if_lost(own_run):
    ablations.run_row(own_run, BASE)
    table = own_run.folder / TABLES / f"{BASE}.csv"
    first = table.read_bytes()
    table.unlink()
    assert not ablations.run_row(own_run, BASE)
    assert table.read_bytes() == first


def test_a_gate_empties_the_slices_that_it_does_not_flag(own_run):
    ablations.run_row(own_run, BASE)
    ablations.run_row(own_run, "quantile-95")
    (plain, _), (gated, record) = written(own_run, BASE), written(own_run, "quantile-95")
    kept = gated["predicted"] > 0
    assert (gated["predicted"][kept] == plain["predicted"][kept]).all()
    assert gated["predicted"].sum() < plain["predicted"].sum()
    scored = artifacts.load_table(own_run.folder / "segments" / own_run.pairs()[0], "scores")
    healthy = scored.loc[scored["role"] == "validation", "mean_residual"]
    test = scored[scored["role"] == "test"].merge(gated, on=["case", "z"])
    flagged = test["mean_residual"] > np.quantile(healthy, 0.95)
    assert not test.loc[~flagged, "predicted"].any()
    assert record["facts"]["kept_by_gate"] == pytest.approx(flagged.mean())
    assert record["empty"] == 1


def test_a_changed_training_trains_a_network_of_its_own_on_the_same_patients(own_run):
    ablations.run_row(own_run, "seed-1")
    network = networks_of(own_run, find_study("seed-1"))[0]
    own = own_run.folder / "ablations" / "seed-1"
    manifest = artifacts.read_manifest(own / "models" / network.pair / FLAIR)
    assert manifest["settings"]["seed"] == 1
    assert not (own / "prepare").exists()
    counts, record = written(own_run, "seed-1")
    assert sorted(set(counts["case"])) == sorted(patients.load_fold(own_run, 0).test)
    assert record["facts"]["slice_steps"] == manifest["slice_steps"]
    assert record["seconds"] >= manifest["seconds"]
    assert record["provenance"]["seeds"] == [1]


def test_another_z_score_prepares_slices_of_its_own_and_leaves_the_runs_alone(own_run):
    before = artifacts.read_manifest(own_run.stage("prepare"))
    ablations.run_row(own_run, "zscore-slice")
    assert artifacts.read_manifest(own_run.stage("prepare")) == before
    own = own_run.folder / "ablations" / "zscore-slice" / "prepare"
    assert {file.stem for file in own.glob("*.npy")} == {FLAIR, "brain", "labels"}
    images, brain = artifacts.load_array(own, FLAIR), artifacts.load_array(own, "brain")
    usable = np.flatnonzero(patients.load_slices(own_run)["usable"])
    for place in usable[::20]:
        inside = images[place][brain[place]]
        assert inside.mean() == pytest.approx(0, abs=0.02)
        assert inside.std() == pytest.approx(1, abs=0.05)


def test_another_range_of_slices_is_tested_on_the_same_patients(own_run):
    ablations.run_row(own_run, "z-narrow")
    counts, record = written(own_run, "z-narrow")
    assert (counts["z"].min(), counts["z"].max()) == (75, 114)
    assert set(counts["case"]) == set(patients.load_fold(own_run, 0).test)
    assert (record["prepare"]["z_low"], record["prepare"]["z_high"]) == (75, 115)


def test_a_joint_network_reads_both_sequences_and_is_judged_on_flair(own_run):
    ablations.run_row(own_run, "joint")
    own = own_run.folder / "ablations" / "joint"
    joint = artifacts.load_array(own / "prepare", "joint")
    for channel, sequence in enumerate((FLAIR, T1CE)):
        images = artifacts.load_array(own_run.stage("prepare"), sequence)
        np.testing.assert_array_equal(joint[:, channel], images)
    network = networks_of(own_run, find_study("joint"))[0]
    shown = own / "reconstructions" / network.pair / "joint"
    places = np.asarray(artifacts.load_array(shown, "place"))
    reconstruction = artifacts.load_array(shown, "reconstruction")
    counts, _ = written(own_run, "joint")
    table = patients.load_slices(own_run).iloc[places]
    row = int(np.flatnonzero(table["case"] == counts["case"][0])[12])
    case, z = table.iloc[row][["case", "z"]]
    image = artifacts.load_array(own_run.stage("prepare"), FLAIR)[places[row]]
    brain = artifacts.load_array(own_run.stage("prepare"), "brain")[places[row]]
    residual = reconstruction[row, 0].astype(np.float32) - image
    masks, _ = outline(
        residual[None], brain[None], own_run.profile.mixture, OutlineSettings()
    )  # fmt: skip
    found = counts[(counts["case"] == case) & (counts["z"] == z)]
    assert found["predicted"].tolist() == [masks.sum()]


@pytest.fixture
def slice_of_noise():
    rng = np.random.default_rng(0)
    brain = np.zeros((1, 40, 40), bool)
    brain[:, 8:32, 8:32] = True
    residual = np.where(brain, rng.normal(0, 0.3, brain.shape), 0.1 * rng.normal(size=brain.shape))
    residual[:, 12:20, 12:20] -= 2
    return residual, brain


def test_each_step_of_the_outline_can_be_changed(slice_of_noise):
    residual, brain = slice_of_noise
    settings = MixtureSettings(max_iterations=20)
    table = neighbours.neighbour_table(brain[0], neighbours=4)
    fit = mixture.fit_mixture(
        residual[0], brain[0], reading="neighbourhood", max_iterations=20, table=table
    )
    raw = mixture.tumour_mask(fit, residual[0], brain[0], cluster="smallest", tail="both")
    options = OutlineSettings(neighbours=4, morphology=False)
    found, fits = outline(residual, brain, settings, options)
    np.testing.assert_array_equal(found[0], raw)
    assert fits[0].iterations == fit.iterations
    cleaned, _ = outline(residual, brain, settings, OutlineSettings(neighbours=4))
    np.testing.assert_array_equal(cleaned[0], morphology.open_close(raw, brain[0]))
    _, (eight,) = outline(residual, brain, settings, OutlineSettings(morphology=False))
    assert not np.array_equal(eight.posterior, fit.posterior)
    whole, fits = outline(residual, brain, settings, OutlineSettings(mask="image"))
    assert fits[0].posterior[~brain[0]].any()
    assert whole.shape == brain.shape


def test_an_unknown_place_to_cluster_is_refused(slice_of_noise):
    with pytest.raises(ValueError, match="the brain or the image, not 'skull'"):
        outline(*slice_of_noise, MixtureSettings(), OutlineSettings(mask="skull"))


def test_chosen_rows_bring_those_that_they_are_compared_with():
    assert ablation_plan.choose_rows("AAE-weak hull-none") == [
        BASE, "AAE", "AAE-weak", "core", "hull-none",
    ]  # fmt: skip
    assert ablation_plan.choose_rows() == [study.name for study in STUDIES]
    with pytest.raises(ValueError, match="no ablation 'nothing'"):
        ablation_plan.choose_rows("base nothing")


def test_a_row_needs_the_networks_that_the_run_trains_anyway(mini_run):
    run = open_run("phantom")
    assert ablation_plan.networks_needed(run, "core") == [
        "dVAE-SSIM-f0-s0/flair", "dVAE-SSIM-f0-s0/t1ce",
    ]  # fmt: skip
    assert ablation_plan.networks_needed(run, "AAE-MSE") == ["AAE-MSE-f0-s0/flair"]
    for name in ("seed-1", "zscore-image", "joint", "L1"):
        assert ablation_plan.networks_needed(run, name) == [], name
    assert ablation_plan.networks_needed(mini_run, BASE) == ["VAE-MSE-f0-s0/flair"]


def test_the_whole_list_costs_at_most_two_hours_of_two_cores():
    run = open_run("phantom")
    costs = {"VAE": 6.5, "dVAE": 15.0, "AAE": 14.0, "BiAAE": 17.0}
    rows = {
        study.name: ablation_plan.estimate_seconds(
            run, "ablation", study.name, ms_per_slice=costs
        )
        for study in STUDIES
    }  # fmt: skip
    assert rows["iterations-5"] == pytest.approx(ablation_plan.SEGMENT_S)
    assert rows["seed-1"] == pytest.approx(150 + 15 + 20)
    networks = {
        name for study in STUDIES for name in ablation_plan.networks_needed(run, study.name)
    }
    assert sum(rows.values()) + 165 * len(networks) < 2 * 2 * 3600
    assert ablation_plan.estimate_seconds(run, "prepare", "", ms_per_slice=costs) is None


def test_the_default_phantom_alone_is_written_for_the_book(mini_run, monkeypatch, tmp_path):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    assert ablations.destination(open_run("phantom")) == tmp_path / ablations.REFERENCE
    assert ablations.destination(mini_run) == mini_run.folder / "ablations" / "tables"
