"""Long trainings: which, and that each finished one joins the table of the others."""

import dataclasses

import pandas as pd
import pytest

from paperlib import artifacts
from paperlib.evaluation import paper
from paperlib.models import training
from paperlib.pipeline.run import Run, open_run
from paperlib.pipeline.studies import length_rows, lengths

STEPS, FIRST_LOOK = 40, 32


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(training, "FIRST_MILESTONE", FIRST_LOOK)
    monkeypatch.setattr(length_rows, "SLICE_STEPS", STEPS)


def test_real_patients_get_all_models_and_three_seeds_of_two(tmp_path):
    networks = length_rows.length_networks(open_run("laptop", str(tmp_path), 4))
    names = [length_rows.name_of(network) for network in networks]
    assert len(names) == len(set(names)) == 20
    assert {(n.model, n.loss) for n in networks if n.seed == 0} == set(paper.OUTLINE)
    assert {n.model for n in networks if n.seed} == {"VAE", "dVAE"}
    assert all((n.fold, n.sequence, n.slice_steps) == (0, "flair", 32_000) for n in networks)
    assert names[0] == "VAE-SSIM-s0"


def test_phantoms_get_two_models():
    networks = length_rows.length_networks(open_run("phantom"))
    assert len(networks) == 12
    assert {network.model for network in networks} == {"VAE", "dVAE"}


def test_an_unknown_training_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"No training of 'VAE-SSIM'.*there are VAE-SSIM-s0"):
        length_rows.find_network(open_run("phantom"), "VAE-SSIM")


def test_a_finished_training_joins_the_table_once(own_run, short):
    folder = lengths.destination(own_run)
    assert lengths.run_length(own_run, "VAE-MSE-s1")
    assert lengths.run_length(own_run, "VAE-MSE-s0")
    table = pd.read_csv(folder / "milestones.csv")
    assert table["network"].tolist() == ["VAE-MSE-s0"] * 2 + ["VAE-MSE-s1"] * 2
    assert table["slice_steps"].tolist() == [FIRST_LOOK, STEPS] * 2
    assert table["seed"].tolist() == [0, 0, 1, 1]
    assert {"validation_loss", "pixel_ap", "dice", "auroc", "input_correlation"} <= set(table)
    first = (folder / "milestones.csv").read_bytes()
    assert not lengths.run_length(own_run, "VAE-MSE-s1")
    assert (folder / "milestones.csv").read_bytes() == first
    origin = artifacts.read_json(folder / "provenance.json")
    assert [one["network"] for one in origin["networks"]] == ["VAE-MSE-s0", "VAE-MSE-s1"]
    assert origin["networks"][0]["commit"] == "abc1234"
    assert (origin["patients"], origin["test_patients"]) == (7, 2)


def test_the_networks_of_the_run_stay_as_they_are(own_run, short):
    network = own_run.networks()[0]
    before = artifacts.read_manifest(own_run.network_folder(network))
    lengths.run_length(own_run, "VAE-MSE-s0")
    assert artifacts.read_manifest(own_run.network_folder(network)) == before


def test_real_patients_are_named_by_their_number(own_run, tmp_path):
    run = Run(own_run.profile, tmp_path, prepare=own_run.prepare)
    run.stage("prepare").mkdir(parents=True)
    artifacts.save_table(run.stage("prepare"), "cases", pd.DataFrame({"case": range(36)}))
    assert lengths.destination(run).name == "real36"
    phantom = dataclasses.replace(own_run.profile, name="phantom")
    assert lengths.destination(Run(phantom)).name == "phantom"
