"""What the file of a sweep may say, and what is refused before anything starts."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from paperlib import artifacts, cli
from paperlib.pipeline.run import open_run
from paperlib.pipeline.sweeps import plan as sweep_plan
from paperlib.pipeline.sweeps.command import open_sweep

PROJECT = Path(__file__).parents[3]
NOTEBOOK = {"notebook": "05_postprocessing"}


@pytest.fixture
def write_sweep(tmp_path):
    def write(content, name="sweep.yml"):
        file = tmp_path / name
        file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return file

    return write


@pytest.fixture
def plan(write_sweep):
    """Return a sweep and its run, on the smoke profile."""

    def read(**content):
        sweep = sweep_plan.read_sweep(write_sweep({"profile": "smoke", **content}))
        return sweep, open_sweep(sweep)

    return read


def names(sweep, run):
    return [combination.name for combination in sweep_plan.combinations(sweep, run)]


def test_every_model_meets_every_loss_seed_and_setting_once(plan):
    settings = {"learning_rate": [0.01, "1e-4"]}
    found = names(*plan(models=["VAE", "dVAE"], losses=["MSE"], seeds=[0, 1], settings=settings))
    assert found == [
        f"{model}-MSE-s{seed},learning_rate={rate}"
        for model in ("VAE", "dVAE")
        for seed in (0, 1)
        for rate in ("0.01", "0.0001")
    ]


def test_what_is_left_out_is_as_in_the_profile_and_one_value_needs_no_list(plan):
    assert names(*plan(seeds=3)) == ["VAE-MSE-s3"]
    assert names(*plan(settings={"reading": "both"})) == ["VAE-MSE-s0,reading=both"]
    assert names(*plan(**NOTEBOOK)) == []


def test_a_notebook_runs_once_for_every_combination_of_its_parameters(plan):
    parameters = {"reading": ["both", "weights"], "z": [None, 80]}
    sweep, _ = plan(**NOTEBOOK, parameters=parameters)
    runs = sweep_plan.notebook_runs(sweep)
    assert runs == {
        f"05_postprocessing,reading={reading},z={z}": {"reading": reading, "z": z}
        for reading in ("both", "weights")
        for z in (None, 80)
    }
    assert sweep_plan.split_name("05_postprocessing,x=%5B1%2C%202%5D,z=None") == (
        "05_postprocessing",
        {"x": "[1, 2]", "z": "None"},
    )


def test_a_command_line_says_otherwise_than_the_file(write_sweep):
    sweep = sweep_plan.read_sweep(write_sweep({"profile": "smoke", "seeds": [0]}))
    assert open_sweep(sweep, profile="", data="", folds=0) == open_run("smoke")
    assert open_sweep(sweep, profile="phantom", folds=2) == open_run("phantom", folds=2)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(sweep_plan.UsageError, match=r"no sweep file .*mine\.yml; sweep\.yml shows"):
        sweep_plan.read_sweep(tmp_path / "mine.yml")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("models: [VAE", "cannot be read as YAML"),
        ("- VAE", "holds no keys; expected some of profile"),
        ("", "holds no keys"),
        ({"model": ["VAE"]}, "has the key 'model'. Did you mean 'models'"),
        ({"models": []}, "models is empty"),
        ({"seeds": None}, "seeds is empty"),
        ({"settings": {"learning_rate": []}}, "settings: learning_rate is empty"),
        ({"settings": ["learning_rate"]}, "settings is .*expected names, each with a list"),
        ({"parameters": {"reading": ["both"]}}, "parameters and no notebook"),
        ({}, "asks for nothing"),
        ({"folds": "4", "seeds": [0]}, "folds is '4'; expected a whole number"),
        ({"models": ["GAN"]}, "Unknown model 'GAN'; there are VAE"),
        ({"models": [3]}, "models has 3; expected words"),
        ({"losses": ["SIM"]}, "Unknown loss 'SIM'"),
        ({"seeds": [0, -1]}, "seeds has -1; expected whole numbers from 0"),
        ({"seeds": [True]}, "seeds has True"),
        ({"seeds": [0, 0]}, "VAE-MSE-s0 comes twice"),
        ({"settings": {"learning_rate": [1e-2, "0.01"]}}, "learning_rate=0.01 comes twice"),
        ({"settings": {"learning_rat": [1]}}, "no setting 'learning_rat'"),
        ({"models": ["BiAAE"], "settings": {"architecture": ["dVAE"]}}, "BiAAE cannot be built"),
        ({"profile": "tiny", "seeds": [0]}, "Unknown profile 'tiny'"),
        ({"profile": "phantom", "data": ".", "seeds": [0]}, "cannot read DATA"),
        ({"folds": 5, "seeds": [0]}, "8 patients are too few for 5 folds"),
        ({"notebook": "55_nothing"}, "no notebook source 55_nothing; notebooks/ has 01_data"),
        ({**NOTEBOOK, "parameters": {"redding": ["both"]}}, "Did you mean 'reading'"),
        ({**NOTEBOOK, "parameters": {"reading": ["neither"]}}, "'reading' is 'neither'"),
        ({**NOTEBOOK, "parameters": {"model": ["dVAE"]}}, "model=dVAE is not trained by profile"),
        ({**NOTEBOOK, "parameters": {"profile": ["smoke"]}}, "profile is no parameter of a sweep"),
        ({**NOTEBOOK, "parameters": {"z": [80, 80]}}, "z=80 comes twice"),
    ],
)
def test_an_impossible_sweep_ends_with_2_before_anything_starts(
    write_sweep, monkeypatch, capsys, content, message
):
    monkeypatch.setattr(cli.workflow, "_workflow", lambda *_, **__: pytest.fail("started"))
    if isinstance(content, dict):
        content = {"profile": "smoke", **content}
    assert cli.main(["sweep", str(write_sweep(content))]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 or "YAML" in error
    assert message.split(".*")[0] in error
    assert message.split(".*")[-1] in error


def test_a_sweep_without_a_file_or_a_profile_ends_with_2(write_sweep, capsys):
    assert cli.main(["sweep", "nowhere.yml"]) == 2
    assert "nowhere.yml" in capsys.readouterr().err
    assert cli.main(["sweep", str(write_sweep({"seeds": [0]}))]) == 2
    assert "names no profile; add `profile: smoke`" in capsys.readouterr().err


def test_the_example_in_the_repository_is_possible_and_all_that_it_offers_too(tmp_path):
    text = (PROJECT / "sweep.yml").read_text()
    sweep = sweep_plan.read_sweep(PROJECT / "sweep.yml")
    run = open_sweep(sweep)
    assert len(names(sweep, run)) == 4
    offered = text.replace("# settings:", "settings:").replace("\n#   ", "\n  ")
    offered = offered.replace("models: [VAE, VAE1px]", "models: [dVAE]").replace(
        "\n  make", "\n# make"
    )
    (tmp_path / "offered.yml").write_text(offered)
    sweep = sweep_plan.read_sweep(tmp_path / "offered.yml")
    assert set(sweep.settings) == {"learning_rate", "architecture", "reading"}
    assert len(names(sweep, open_sweep(sweep))) == 2 * 2 * 2 * 2


def test_jobs_are_counted_without_torch_and_numba():
    assert importlib.util.find_spec("torch")
    code = (
        "import sys; from pathlib import Path; from paperlib.pipeline import run;"
        "from paperlib.pipeline.sweeps import plan as s;"
        "x = s.read_sweep(Path(sys.argv[1])); print(len(s.combinations(x, run.open_run('smoke'))));"
        "print({'torch', 'numba'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, str(PROJECT / "sweep.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT)
    assert done.stdout.split("\n")[:2] == ["4", "set()"]


def test_a_sweep_s_name_is_fit_for_a_folder_whatever_its_file_is_called(write_sweep):
    sweep = sweep_plan.read_sweep(write_sweep({"seeds": [0]}, "my sweep, é.yml"))
    assert sweep.name == "my%20sweep%2C%20%C3%A9"
    assert artifacts.ROOT.name not in sweep.name
