"""What a combination's name means, where it lies, and what no combination can be."""

import dataclasses

import pytest

from paperlib import artifacts
from paperlib.config import MixtureSettings, TrainingSettings
from paperlib.labels import SEQUENCES
from paperlib.pipeline import combinations
from paperlib.pipeline.combinations import (
    MIXTURE,
    SETTINGS,
    TRAINING,
    WORDS,
    Combination,
    combine,
    open_combination,
    open_pair,
    read_name,
    refuse_impossible,
)
from paperlib.pipeline.run import open_run
from paperlib.pipeline.stages import STAGES, Request


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    return open_run("smoke")


def test_every_plain_setting_can_be_changed_and_has_its_declared_type():
    assert SETTINGS["learning_rate"] == "float"
    assert SETTINGS["slice_steps"] == "int | None"
    assert SETTINGS["beta"] == "float"
    assert SETTINGS["reading"] == "str"
    known = {field.name for kind in (TrainingSettings, MixtureSettings)
             for field in dataclasses.fields(kind)}  # fmt: skip
    left_out = {"model", "loss", "sequence", "fold", "seed", "autocast", "augment", "readings"}
    assert set(SETTINGS) == known - left_out
    assert not set(TRAINING) & set(MIXTURE)
    assert set(WORDS) == {name for name, kind in SETTINGS.items() if kind == "str"}


@pytest.mark.parametrize("name", list(WORDS))
def test_the_usual_word_of_a_setting_is_among_those_allowed(name):
    usual = {**vars(TrainingSettings("VAE", "MSE")), **vars(MixtureSettings())}[name]
    assert usual in (*combinations._words(name), "")


@pytest.mark.parametrize(
    ("model", "loss", "seed", "values", "name"),
    [
        ("VAE", "MSE", 0, {}, "VAE-MSE-s0"),
        ("VAE-CE", "SSIM", 12, {}, "VAE-CE-SSIM-s12"),
        ("VAE", "MSE", 0, {"learning_rate": 0.001}, "VAE-MSE-s0"),
        ("VAE", "MSE", 0, {"learning_rate": "1e-2"}, "VAE-MSE-s0,learning_rate=0.01"),
        ("VAE", "MSE", 0, {"learning_rate": 1e30}, "VAE-MSE-s0,learning_rate=1e%2B30"),
        (
            "dVAE",
            "MSE",
            1,
            {"reading": "both", "architecture": "dVAE latent 4"},
            "dVAE-MSE-s1,architecture=dVAE%20latent%204,reading=both",
        ),
        ("VAE", "SSIM", 0, {"beta": 0.1}, "VAE-SSIM-s0"),
        ("VAE", "SSIM", 0, {"beta": 1}, "VAE-SSIM-s0,beta=1.0"),
        ("VAE", "MSE", 0, {"slice_steps": None}, "VAE-MSE-s0,slice_steps=None"),
    ],
)
def test_a_name_says_what_differs_from_the_profile_and_is_read_back(
    run, model, loss, seed, values, name
):
    combination = combine(run, model, loss, seed, values)
    assert combination.name == name
    assert read_name(run, name) == (combination, None)
    assert read_name(run, combination.pair(3)) == (combination, 3)


@pytest.mark.parametrize("name", ["", "x", "VAE-MSE", "VAE-s0", "VAE-MSE-f0", "VAE/MSE-s0"])
def test_other_names_are_no_combination(run, name):
    assert read_name(run, name) is None


def test_a_model_or_seed_more_lies_in_the_run_and_changed_settings_in_folders_of_their_own(run):
    plain = open_combination(run, combine(run, "dVAE", "L1", 7, {}))
    assert {(n.model, n.loss, n.seed, n.slice_steps) for n in plain.networks()} == {
        ("dVAE", "L1", 7, 800)
    }
    assert [n.sequence for n in plain.networks()] == list(SEQUENCES)
    assert plain.folder == run.folder
    assert plain.network_folder(plain.networks()[0]) == (
        run.folder / "models" / "dVAE-L1-f0-s7" / "flair"
    )
    changed = open_combination(
        run, combine(run, "VAE", "MSE", 0, {"learning_rate": 0.01, "reading": "both"})
    )
    (flair, _) = changed.networks()
    assert flair == dataclasses.replace(run.networks()[0], learning_rate=0.01)
    assert changed.profile.mixture.reading == "both"
    assert changed.folder == run.folder / "changed" / "learning_rate=0.01,reading=both"
    trained = run.folder / "changed" / "learning_rate=0.01"
    assert changed.network_folder(flair) == trained / "models" / "VAE-MSE-f0-s0" / "flair"
    assert changed.reconstruction_folder(flair).is_relative_to(trained)
    assert changed.stage("prepare") == run.stage("prepare")
    assert not combinations.has_networks(changed)
    assert combinations.has_networks(run)


def test_what_changes_the_mixture_only_takes_the_networks_of_the_run(run):
    own = open_combination(run, combine(run, "VAE", "MSE", 0, {"reading": "both"}))
    assert own.networks() == run.networks()
    assert [own.network_folder(n) for n in own.networks()] == [
        run.network_folder(n) for n in run.networks()
    ]
    assert own.folder != run.folder
    assert combinations.trained_pair(run, "VAE-MSE-f0-s0,reading=both") == "VAE-MSE-f0-s0"


def test_the_weight_of_the_kl_term_is_that_of_the_loss(run):
    own = open_combination(run, combine(run, "VAE", "SSIM", 0, {"beta": 0.5}))
    assert own.networks()[0].beta == {"MSE": 1.0, "L1": 1.0, "SSIM": 0.5}


def test_every_fold_has_its_pair(run):
    folds = dataclasses.replace(run, folds=2)
    assert combinations.pairs(folds, "VAE-MSE-s1") == ["VAE-MSE-f0-s1", "VAE-MSE-f1-s1"]
    assert open_pair(folds, "VAE-MSE-f1-s1")[1] == "VAE-MSE-f1-s1"
    assert open_pair(folds, "VAE-MSE-f2-s1") is None


@pytest.mark.parametrize(
    ("model", "loss", "values", "message"),
    [
        ("GAN", "MSE", {}, "Unknown model 'GAN'; there are VAE, dVAE"),
        ("VAE", "SIM", {}, "Unknown loss 'SIM'; there are MSE, L1, SSIM"),
        ("BiAAE", "MSE", {"architecture": "dVAE"}, "BiAAE cannot be built on 'dVAE'"),
        ("dVAE", "MSE", {"architecture": "dVAE latent 5"}, "architecture='dVAE latent 5' .* dVAE"),
        ("VAE", "MSE", {"pairing": "none"}, "Unknown pairing 'none'"),
        ("VAE", "MSE", {"train_slices": "odd"}, "train_slices='odd' .* healthy, all, random"),
        ("VAE", "MSE", {"reading": "neither"}, "reading='neither' .* both, neighbourhood, weights"),
        ("VAE", "MSE", {"batch_size": 0}, "batch_size=0 is not allowed; it is at least 1"),
        ("VAE", "MSE", {"learning_rate": -1}, "learning_rate=-1.0 .* at least 0"),
        ("VAE", "MSE", {"slice_steps": None}, "such a training never ends"),
    ],
)
def test_a_combination_that_is_no_network_is_refused_with_what_is_allowed(
    run, model, loss, values, message
):
    with pytest.raises(ValueError, match=message):
        refuse_impossible(run, combine(run, model, loss, 0, values))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"learning_rat": 1}, "no setting 'learning_rat'; there are slice_steps, .*learning_rate"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast', declared as float"),
        ({"batch_size": 2.5}, "batch_size is 2.5, declared as int"),
        ({"reading": 3}, "reading is 3, declared as str"),
    ],
)
def test_an_unknown_setting_or_another_type_is_refused(run, values, message):
    with pytest.raises(ValueError, match=message):
        combine(run, "VAE", "MSE", 0, values)


def test_a_stage_refuses_an_impossible_name_before_it_reads_anything(run):
    with pytest.raises(ValueError, match="Unknown model 'GAN'"):
        STAGES["network"](run, Request("GAN-MSE-f0-s0/flair"))
    with pytest.raises(ValueError, match="no network 'VAE-MSE-f3-s0/flair'"):
        STAGES["network"](run, Request("VAE-MSE-f3-s0/flair"))
    with pytest.raises(ValueError, match="'VAE-MSE-f0-s0' is no combination"):
        STAGES["row"](run, Request("VAE-MSE-f0-s0"))
    assert not run.folder.exists()


def test_a_combination_without_a_change_trains_what_it_is(run):
    same = Combination("VAE", "MSE", 0)
    assert same.trained() == same
    changed = same._replace(changes=(("learning_rate", 0.1), ("reading", "both")))
    assert changed.trained().changes == (("learning_rate", 0.1),)
