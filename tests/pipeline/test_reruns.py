"""A stage runs again when its settings, its code or the content of its input changed, only then."""

import dataclasses
import os
import shutil

import pytest

from paperlib import artifacts
from paperlib.pipeline import run
from paperlib.pipeline.comparisons import baselines
from paperlib.pipeline.method import network_stages, networks, patients, results, segments
from paperlib.pipeline.stages import STAGES, Request


def _run_all(own):
    """Run every stage and return which of them had to work."""
    ran = {
        "cohort": patients.make_cohort(own),
        "prepare": patients.prepare_slices(own),
        "split": patients.split_patients(own),
    }
    for network in own.networks():
        ran[f"train {network.sequence}"] = network_stages.train_network(own, network)
        ran[f"show {network.sequence}"] = network_stages.reconstruct_slices(own, network)
    ran["segment"] = segments.segment_pair(own, own.pairs()[0])
    ran["baselines"] = baselines.segment_baselines(own, 0)
    ran["gather"] = results.gather(own)
    return [name for name, worked in ran.items() if worked]


def _with(own, **changed):
    """Return the same run with other settings; its folder stays the same."""
    return dataclasses.replace(own, profile=dataclasses.replace(own.profile, **changed))


def _touch_patients(own):
    for file in own.patients.rglob("*.nii.gz"):
        os.utime(file, (1, 1))


def _files(own):
    found = {file: file.stat() for file in own.folder.rglob("*") if file.is_file()}
    return {file: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for file, stat in found.items()}


def _contents(own):
    manifests = own.folder.rglob(artifacts.MANIFEST)
    return {str(file.parent): artifacts.read_json(file)["content"] for file in manifests}


def test_a_second_call_of_every_stage_does_nothing(own_run, every_stage, caplog):
    before = _files(own_run)
    assert len(before) > 40
    with caplog.at_level("INFO"):
        every_stage(own_run)
    assert {m for m in caplog.messages if "nothing changed" not in m} == set()
    assert _files(own_run) == before


def test_patients_that_were_only_touched_are_prepared_again_and_nothing_after_it(own_run):
    before = _contents(own_run)
    linked = own_run.patients
    shutil.copytree(linked, linked.with_name("copy"))  # other inodes: their times are their own
    shutil.rmtree(linked)
    linked.with_name("copy").rename(linked)
    _touch_patients(own_run)
    assert _run_all(own_run) == ["prepare"]
    assert _contents(own_run) == before


def test_a_setting_that_changes_no_content_stops_at_its_stage(own_run):
    split = dataclasses.replace(own_run.profile.split, validation_share=0.11)
    assert _run_all(_with(own_run, split=split)) == ["split"]


def test_a_setting_of_the_mixture_leaves_the_networks_alone(own_run):
    mixture = dataclasses.replace(own_run.profile.mixture, max_iterations=2)
    assert _run_all(_with(own_run, mixture=mixture)) == ["segment", "baselines", "gather"]


@pytest.mark.long
def test_a_setting_of_the_split_trains_again_and_ends_with_other_evidence(own_run):
    before = _contents(own_run)
    split = dataclasses.replace(own_run.profile.split, seed=5)
    ran = _run_all(_with(own_run, split=split))
    assert ran == ["split", "train flair", "show flair", "train t1ce", "show t1ce", "segment",
                   "baselines", "gather"]  # fmt: skip
    changed = {
        folder for folder, content in _contents(own_run).items() if content != before[folder]
    }
    assert str(own_run.stage("evidence")) in changed
    assert str(own_run.stage("prepare")) not in changed


def test_one_network_trained_anew_with_the_same_result_changes_nothing_after_it(own_run):
    before = _contents(own_run)
    shutil.rmtree(own_run.network_folder(own_run.networks()[1]))
    assert _run_all(own_run) == ["train t1ce"]
    assert _contents(own_run) == before


def test_other_training_settings_retrain_that_network(own_run, monkeypatch):
    monkeypatch.setattr(networks.training, "fit", _refuse_to_train)
    slower = dataclasses.replace(own_run.networks()[0], learning_rate=1e-4)
    with pytest.raises(_StoppedError):
        network_stages.train_network(own_run, slower)
    assert not network_stages.train_network(own_run, own_run.networks()[1])


@pytest.mark.long
def test_changed_code_runs_the_stages_that_use_it(own_run, monkeypatch):
    real = artifacts.code_hash
    changed = {"paperlib.postprocessing.morphology"}
    monkeypatch.setattr(
        artifacts, "code_hash", lambda name: real(name) + ("x" if name in changed else "")
    )
    assert _run_all(own_run) == ["segment", "baselines"]  # the same rows: nothing to gather


class _StoppedError(Exception):
    pass


def _refuse_to_train(*_arguments, **_named):
    raise _StoppedError


def _stop_at_the_second_call(function):
    calls = []

    def stopping(*arguments, **named):
        calls.append(1)
        if len(calls) == 2:
            raise _StoppedError
        return function(*arguments, **named)

    return stopping


PAIR = "VAE-MSE-f0-s0"


@pytest.mark.long
@pytest.mark.parametrize(
    ("stage", "item", "module", "name", "folder"),
    [
        ("prepare", "", patients.brats, "read_case", "prepare"),
        ("network", f"{PAIR}/flair", networks.training, "_epoch", f"models/{PAIR}/flair"),
        ("network", f"{PAIR}/flair", networks.artifacts, "save_table", f"models/{PAIR}/flair"),
        ("segment", PAIR, segments, "cluster_rows", f"segments/{PAIR}"),
        ("baselines", "0", segments, "score_patient", "baselines/f0"),
        ("gather", "", results.artifacts, "save_table", "evidence"),
    ],
)
def test_a_stage_interrupted_in_the_middle_has_no_manifest_and_ends_alike_when_run_again(
    own_run, monkeypatch, stage, item, module, name, folder
):
    target = own_run.folder / folder
    before = _contents(own_run)
    (target / artifacts.MANIFEST).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(module, name, _stop_at_the_second_call(getattr(module, name)))
        with pytest.raises(_StoppedError):
            STAGES[stage](own_run, Request(item))
    assert not (target / artifacts.MANIFEST).exists()
    with pytest.raises(FileNotFoundError, match=rf"{folder} is missing or incomplete; run `make"):
        own_run.require(folder)
    STAGES[stage](own_run, Request(item))
    assert _contents(own_run) == before


def test_a_stage_does_not_start_on_an_interrupted_one(own_run):
    (own_run.stage("prepare") / artifacts.MANIFEST).unlink()
    with pytest.raises(FileNotFoundError, match=r"prepare is missing or incomplete"):
        segments.segment_pair(own_run, own_run.pairs()[0])
    assert artifacts.read_manifest(own_run.folder / "segments" / own_run.pairs()[0])


def test_gathering_before_anything_is_segmented_names_the_command(own_run):
    shutil.rmtree(own_run.folder / "segments")
    with pytest.raises(FileNotFoundError, match=r"No pair of phantom-mini is segmented; run"):
        results.gather(own_run)


def test_simulated_patients_never_go_into_a_folder_of_real_ones(tmp_path):
    real = run.open_run("laptop", str(tmp_path))
    with pytest.raises(ValueError, match=r"those in DATA, none is simulated"):
        STAGES["cohort"](real, Request())
    assert list(tmp_path.iterdir()) == []
