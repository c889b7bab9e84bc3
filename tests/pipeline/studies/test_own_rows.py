"""A row that a person names on the command line changes one setting, and says what it cannot."""

import dataclasses
import json

import pytest
import torch

from paperlib.config import TrainingSettings
from paperlib.labels import FLAIR
from paperlib.models import losses
from paperlib.pipeline.run import open_run
from paperlib.pipeline.studies import ablation_plan, ablations, own_rows
from paperlib.pipeline.studies.ablation_rows import BASE, base_network, find_study, networks_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("reading=neither", ({}, {"reading": "neither"})),
        ("max_iterations=7", ({}, {"max_iterations": 7})),
        ("learning_rate=3e-4", ({"learning_rate": 3e-4}, {})),
        ("slice_steps=800", ({"slice_steps": 800}, {})),
        ("loss=L1", ({"loss": "L1"}, {})),
    ],
)
def test_a_name_is_read_as_one_setting_of_its_type(name, expected):
    assert own_rows.read_change(name) == expected


def test_a_new_loss_gets_the_kl_weight_of_mse_in_its_own_row_only():
    network = networks_of(open_run("smoke"), find_study("loss=Huber"))[0]
    assert network.beta["Huber"] == network.beta["MSE"]
    assert "Huber" not in base_network(open_run("smoke")).beta
    assert dataclasses.replace(network, loss="MSE", beta=TrainingSettings("", "").beta) == (
        base_network(open_run("smoke"))
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lose=Huber", "changes no setting; give SETTING=VALUE.*There are model, loss, seed"),
        ("fold=1", "changes no setting"),  # of the run
        ("readings=both", "changes no setting"),  # not one value
        ("loss=../x", "changes no setting"),  # no name of a file
        ("max_iterations=many", "wrong value"),
        ("learning_rate=nan", "expected a finite number"),
    ],
)
def test_a_name_that_means_nothing_is_refused_before_anything_starts(name, message):
    with pytest.raises(ValueError, match=message):
        ablation_plan.choose_rows(name)


def test_every_registry_that_is_looked_into_exists_and_holds_its_default():
    base = base_network(open_run("smoke"))
    settings = dataclasses.asdict(base) | dataclasses.asdict(open_run("smoke").profile.mixture)
    for setting in own_rows.REGISTRIES:
        own_rows.refuse_unknown(f"{setting}={settings[setting]}")
        with pytest.raises(ValueError, match=f"no {setting} 'none'; there are ") as refused:
            own_rows.refuse_unknown(f"{setting}=none")
        choices = str(refused.value).partition("there are ")[2].partition(". Add")[0]
        assert settings[setting] in choices.split(", ")


def test_a_choice_that_is_in_no_registry_is_refused_with_the_file_to_add_it_to(own_run):
    with pytest.raises(
        ValueError, match=r"no loss 'Hubert'; there are MSE.*paperlib/models/losses"
    ):
        ablations.run_row(own_run, "loss=Hubert")
    assert not (own_run.folder / "ablations").exists()


def test_an_own_row_needs_the_base_and_the_network_that_it_segments():
    run = open_run("smoke")
    assert ablation_plan.choose_rows("reading=weights") == [BASE, "reading=weights"]
    assert ablation_plan.networks_needed(run, "reading=weights") == [f"VAE-MSE-f0-s0/{FLAIR}"]
    assert ablation_plan.networks_needed(run, "loss=L1") == []  # trains its own


def test_an_own_row_counts_what_the_named_row_counts(own_run):
    for name in (BASE, "weights", "reading=weights"):
        ablations.run_row(own_run, name)
    tables = own_run.folder / "ablations" / "tables"
    assert (tables / "reading=weights.csv").read_text() == (tables / "weights.csv").read_text()
    said = ablations.describe_rows(own_run)
    lines = {line.split("  ")[0]: line for line in said.splitlines()}
    same = [lines[name].split()[-8:] for name in ("plain mixture, no W", "reading weights")]
    assert same[0] == same[1]


def test_a_loss_that_was_just_added_is_trained_and_compared(own_run, monkeypatch):
    huber = torch.nn.functional.huber_loss
    added = losses.RECONSTRUCTION_LOSSES | {"Huber": lambda out, target, _: huber(out, target)}
    monkeypatch.setattr(losses, "RECONSTRUCTION_LOSSES", added)
    for name in (BASE, "loss=Huber"):
        ablations.run_row(own_run, name)
    record = json.loads((own_run.folder / "ablations/tables/loss=Huber.json").read_text())
    assert record["network"]["loss"] == "Huber"
    assert record["group"] == own_rows.GROUP
    assert "loss Huber" in ablations.describe_rows(own_run)


def test_an_own_row_of_the_default_phantom_never_reaches_the_committed_ones():
    run = open_run("phantom")
    assert ablations.destination(run, "reading=weights") == run.folder / "ablations" / "tables"
    assert ablations.destination(run, "weights").parts[-3:] == ("results", "reference", "ablations")
