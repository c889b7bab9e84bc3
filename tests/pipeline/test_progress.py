"""What a person reads while a run goes on."""

import json
import re
from pathlib import Path

import pytest

from paperlib import artifacts
from paperlib.pipeline import progress
from paperlib.pipeline.run import open_run
from paperlib.pipeline.stages import STAGES


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    return open_run("phantom")


@pytest.fixture
def clock(monkeypatch):
    """Let time pass only when told to."""

    class Clock:
        now = 1000.0

    monkeypatch.setattr(progress.time, "time", lambda: Clock.now)
    return Clock


def test_every_stage_has_an_estimate(run):
    item = {"network": "VAE-MSE-f0-s0/flair"}
    for stage in STAGES:
        assert progress.estimate_seconds(run, stage, item.get(stage, "")) > 0, stage


def test_the_estimate_of_a_network_grows_with_its_cost_and_its_budget():
    smoke, phantom = open_run("smoke"), open_run("phantom")
    estimate = progress.estimate_seconds
    cheap = estimate(phantom, "network", "VAE-MSE-f0-s0/flair")
    assert cheap == pytest.approx(10_000 * 7 / 1000)
    assert estimate(phantom, "network", "dVAE-MSE-f0-s0/flair") > 2 * cheap
    assert estimate(smoke, "network", "VAE-MSE-f0-s0/flair") < 0.1 * cheap
    assert estimate(open_run("paper"), "network", "VAE-MSE-f0-s0/flair") > 10 * cheap


def test_the_start_names_steps_cores_and_time(run, capsys):
    progress.start(run, ["gather", "notebook 01_data", "publish"], 1)
    assert capsys.readouterr().out == "3 steps on 1 cores, about 1 min 03 s\n"
    progress.start(run, ["gather"], 2)
    assert capsys.readouterr().out == "1 steps on 2 cores, about 4 s\n"
    progress.start(run, [], 2)
    assert capsys.readouterr().out == ""


def test_each_step_says_its_number_its_time_and_the_time_left(run, clock, capsys):
    progress.start(run, ["gather", "notebook 01_data", "publish"], 1)  # 8 + 15 + 40 seconds
    capsys.readouterr()
    with progress.reported(run, "gather"):
        clock.now += 16  # twice the estimate: so will the others be
    assert capsys.readouterr().out.splitlines() == [
        "start  gather",
        "done   gather in 16 s; step 1 of 3, 16 s so far, about 1 min 50 s still",
    ]
    with progress.reported(run, "notebook", "01_data"):
        clock.now += 30
    with progress.reported(run, "publish"):
        clock.now += 80
    assert capsys.readouterr().out.splitlines()[-1] == (
        "done   publish in 1 min 20 s; step 3 of 3, 2 min 06 s so far, about 0 s still"
    )


def test_a_second_start_forgets_the_steps_of_the_first(run, clock, capsys):
    for _ in range(2):
        progress.start(run, ["gather", "publish"], 2)
        with progress.reported(run, "gather"):
            clock.now += 8
        assert "step 1 of 2, 8 s so far, about 20 s still" in capsys.readouterr().out


def test_a_step_done_twice_counts_once(run, clock, capsys):
    progress.start(run, ["gather", "publish"], 1)
    for _ in range(2):
        with progress.reported(run, "gather"):
            clock.now += 8
    assert capsys.readouterr().out.count("step 1 of 2") == 2


def test_a_step_by_hand_says_its_time_alone_with_and_without_a_plan(run, clock, capsys):
    for _ in range(2):
        with progress.reported(run, "segment", "VAE-MSE-f0-s0"):
            clock.now += 61
        found = capsys.readouterr().out.splitlines()
        assert found == [
            "start  segment VAE-MSE-f0-s0",
            "done   segment VAE-MSE-f0-s0 in 1 min 01 s",
        ]
        progress.start(run, ["gather"], 1)
        capsys.readouterr()
    assert not (run.folder / "finished.jsonl").exists()


def test_a_step_that_fails_is_not_reported_as_done(run, capsys):
    progress.start(run, ["gather"], 1)
    with pytest.raises(ValueError, match="broken"), progress.reported(run, "gather"):
        raise ValueError("broken")
    assert "done" not in capsys.readouterr().out
    assert not (run.folder / "finished.jsonl").exists()


def test_the_steps_of_the_workflow_are_named_as_the_stages_report_them(run):
    """Reads the Snakefile: its rule names and wildcards make the names in the plan."""
    snakefile = (Path(__file__).parents[2] / "workflow" / "Snakefile").read_text()
    rules = set(re.findall(r"^rule (\w+):", snakefile, re.MULTILINE)) - {"all", "patients"}
    assert rules | {"cohort", "check"} == set(STAGES)


def test_finished_steps_are_lines_of_json(run, clock):
    progress.start(run, ["gather"], 1)
    with progress.reported(run, "gather"):
        clock.now += 2.5
    (line,) = (run.folder / "finished.jsonl").read_text().splitlines()
    assert json.loads(line) == {"step": "gather", "seconds": 2.5}
