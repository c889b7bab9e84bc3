"""Which run is meant, where it lies, and what is refused before anything is computed."""

import pytest

from paperlib import artifacts
from paperlib.config import PROFILES
from paperlib.labels import SEQUENCES
from paperlib.pipeline import run as runs
from paperlib.pipeline.run import MissingStageError, Run, check_choices, open_run, run_stage


@pytest.mark.parametrize("profile", list(PROFILES))
def test_every_profile_opens_on_simulated_patients(profile):
    run = open_run(profile)
    assert run.data is None
    assert run.name == f"phantom-{profile}"
    assert run.command == f"make book PROFILE={profile}"
    expected = {f"{model}-{loss}" for model in run.profile.models for loss in run.profile.losses}
    assert {pair.rsplit("-", 2)[0] for pair in run.pairs()} == expected
    assert len(run.networks()) == len(SEQUENCES) * len(run.pairs())


def test_an_unknown_profile_is_refused_with_those_there_are():
    with pytest.raises(
        ValueError, match=r"Unknown profile 'tiny'; there are smoke, phantom, .*laptop"
    ):
        open_run("tiny")


@pytest.mark.parametrize("folds", [0, -2])
def test_less_than_one_fold_is_refused(folds):
    with pytest.raises(ValueError, match=f"FOLDS={folds}: give 1 or more"):
        open_run("smoke", folds=folds)


def test_simulated_and_real_patients_exclude_each_other(tmp_path):
    with pytest.raises(ValueError, match=r"PROFILE=phantom .* cannot read DATA.*PROFILE=laptop"):
        open_run("phantom", str(tmp_path))


def test_data_that_is_no_folder_is_refused_as_it_was_typed(tmp_path):
    (tmp_path / "file").touch()
    for place in ("nowhere", "file"):
        with pytest.raises(NotADirectoryError, match=f"DATA={tmp_path}/{place}: no such folder"):
            open_run("laptop", f"{tmp_path}/{place}")


def test_the_name_of_a_run_on_real_patients_holds_no_odd_character_and_tells_folders_apart(
    tmp_path, monkeypatch
):
    folders = [tmp_path / name / "b é (2)" for name in ("one", "two")]
    for folder in folders:
        folder.mkdir(parents=True)
    first, second = (open_run("laptop", str(folder), folds=4) for folder in folders)
    assert first.name != second.name
    assert first.name.startswith("b_2_-")
    assert first.name.endswith("-laptop-4folds")
    assert first.patients == folders[0]
    monkeypatch.chdir(tmp_path)
    assert open_run("laptop", "one/b é (2)/", folds=4) == first
    assert first.command == f"make book DATA='{folders[0]}' PROFILE=laptop FOLDS=4"


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    (tmp_path / "brats").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_run("laptop", "~/brats").data == tmp_path / "brats"


def test_folds_multiply_networks_and_have_their_own_folder():
    run = open_run("smoke", folds=3)
    assert run.name == "phantom-smoke-3folds"
    assert run.pairs() == ["VAE-MSE-f0-s0", "VAE-MSE-f1-s0", "VAE-MSE-f2-s0"]
    assert len({run.network_folder(network) for network in run.networks()}) == 6


def test_runs_with_the_same_simulated_patients_share_them():
    assert open_run("phantom").patients == open_run("laptop").patients
    assert open_run("smoke").patients != open_run("phantom").patients


def test_a_stage_that_needs_an_unfinished_one_names_it_and_does_not_start(tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    with pytest.raises(MissingStageError, match=r"runs/a is missing or incomplete"):
        run_stage(
            tmp_path / "runs" / "b",
            settings={},
            upstream={"a": tmp_path / "runs" / "a"},
            code=(),
            make=lambda _folder, _key: pytest.fail("started"),
        )
    assert not (tmp_path / "runs").exists()


def test_what_a_stage_returns_joins_its_manifest(tmp_path):
    ran = run_stage(
        tmp_path / "b", settings={"x": 1}, upstream={}, code=(), make=lambda *_: {"found": 7}
    )
    manifest = artifacts.read_manifest(tmp_path / "b")
    assert ran
    assert manifest["found"] == 7
    assert manifest["settings"] == {"x": 1}
    assert manifest["seconds"] >= 0
    assert manifest["versions"]["torch"]


def test_a_run_without_a_stage_names_the_command_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    run = Run(PROFILES["smoke"], folds=2)
    with pytest.raises(FileNotFoundError, match=r"run `make book PROFILE=smoke FOLDS=2`"):
        run.require("evidence")


CHOSEN = {"profile": "smoke", "data": "", "folds": 1}


def refusal(chosen):
    """Return why choices are refused; nothing where they are let pass."""
    try:
        check_choices(chosen)
    except (ValueError, NotADirectoryError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"folds": 2},
        {"profile": "phantom", "folds": 14},
        {"model": None, "loss": None},
        {"model": "VAE", "loss": None},
        {"profile": "phantom", "model": "BiAAE", "loss": "SSIM"},
        {"profile": "laptop", "model": None, "loss": "SSIM"},
        {"model": "dVAE"},
        {"network": None, "case": None, "z": 129},
        {"network": "VAE-MSE-s0", "case": 99},
    ],
)
def test_choices_that_go_together_are_let_pass(chosen, tmp_path, monkeypatch):
    """A model alone chooses no network; who is tested is not known before a run has slices."""
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    assert refusal(CHOSEN | chosen) == ""
    assert "too few for 99 folds" in refusal(CHOSEN | chosen | {"folds": 99})


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"folds": 3}, "8 patients are too few for 3 folds; folds may be from 1 to 2"),
        ({"model": "dVAE", "loss": None}, "model=dVAE is not trained by profile smoke; .* VAE-MSE"),
        ({"model": None, "loss": "SSIM"}, "loss=SSIM is not trained by profile smoke"),
        (
            {"profile": "phantom", "model": "VAE", "loss": "L1"},
            "model=VAE with loss=L1 is not .* phantom; it trains VAE-MSE, VAE-SSIM, dVAE-MSE",
        ),
        ({"network": "dVAE-SSIM-s0"}, "network=dVAE-SSIM-s0 is not trained .* VAE-MSE-s0"),
        ({"profile": "phantom", "data": "."}, "cannot read DATA"),
        ({"profile": "laptop", "data": "nowhere"}, "DATA=nowhere: no such folder"),
    ],
)
def test_choices_that_are_allowed_and_do_not_go_together_are_refused(chosen, message):
    with pytest.raises((ValueError, NotADirectoryError), match=message):
        check_choices(CHOSEN | chosen)


def test_the_folds_of_real_patients_are_limited_by_how_many_there_are(tmp_path):
    for number in range(7):
        home = tmp_path / f"P{number}"
        home.mkdir()
        for word in ("flair", "t1ce", "seg"):
            (home / f"P{number}_{word}.nii.gz").touch()
    chosen = {"profile": "laptop", "data": str(tmp_path)}
    check_choices(CHOSEN | chosen | {"folds": 2})
    with pytest.raises(ValueError, match=r"7 patients .* 3 folds; .* from 1 to 2 here"):
        check_choices(CHOSEN | chosen | {"folds": 3})


def test_a_patient_or_slice_that_is_not_tested_is_refused_with_those_that_are(
    mini_run, monkeypatch
):
    monkeypatch.setattr(runs, "open_run", lambda *_: mini_run)
    slices = artifacts.load_table(mini_run.stage("evidence"), "slices")
    tested = sorted(slices["case"].unique().tolist())
    check_choices(CHOSEN | {"case": tested[0], "z": 100})
    check_choices(CHOSEN | {"case": None, "z": None})
    (other, *_) = set(range(7)) - set(tested)
    known = ", ".join(map(str, tested))
    with pytest.raises(ValueError, match=f"case={other} is no test patient of .*there are {known}"):
        check_choices(CHOSEN | {"case": other})
    with pytest.raises(ValueError, match=f"z=60 is no tested slice of patient {tested[0]}; .* 88"):
        check_choices(CHOSEN | {"case": tested[0], "z": 60})


def test_a_notebook_that_belongs_to_no_run_has_no_such_choices():
    foreign = {"profile": "mine", "seed": 3}
    assert refusal(foreign) == ""
    assert refusal(CHOSEN | foreign).startswith("Unknown profile 'mine'")
