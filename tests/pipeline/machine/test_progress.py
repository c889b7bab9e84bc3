"""What a person reads while a run goes on."""

import json
import re
from pathlib import Path

import pytest

from paperlib import artifacts
from paperlib.pipeline.machine import progress
from paperlib.pipeline.run import open_run
from paperlib.pipeline.stages import STAGES
from paperlib.pipeline.studies import ablation_plan, length_rows


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
    items = {row.stage: row.item for row in ablation_plan.choose_stages()}
    items |= {"network": "VAE-MSE-f0-s0/flair", "ablation": ablation_plan.choose_rows()[0]}
    items["length"] = length_rows.name_of(length_rows.length_networks(run)[0])
    for stage in STAGES:
        assert progress.estimate_seconds(run, stage, items.get(stage, ""), patients=44) > 0, stage


def _network(profile, model):
    run = open_run(profile)
    return progress.estimate_seconds(run, "network", f"{model}-SSIM-f0-s0/flair", patients=44)


def test_the_estimate_of_a_network_grows_with_its_cost_and_its_budget(run):
    cheap = _network("phantom", "VAE")
    assert cheap == pytest.approx(10 + 10_000 * 6.5 / 1000)
    assert cheap < _network("phantom", "dVAE") < 2.2 * cheap
    assert _network("phantom", "AAE") == _network("phantom", "VAE-CE")
    assert _network("phantom", "VAE-CE") < _network("phantom", "BiAAE")
    assert _network("phantom", "my own model") > cheap
    assert _network("smoke", "VAE") < 0.3 * cheap
    assert _network("paper", "VAE") > 10 * cheap


def _trained(run, pair, sequence, *, seconds, slice_steps):
    folder = run.folder / "models" / pair / sequence
    record = {"settings": {"slice_steps": slice_steps}, "seconds": seconds}
    with artifacts.writing(folder, key="x", record=record):
        pass


def test_a_network_is_expected_to_take_what_its_like_took_in_this_run(run):
    for fold, seconds in enumerate((40.0, 50.0, 900.0)):
        _trained(run, f"VAE-SSIM-f{fold}-s0", "t1ce", seconds=seconds, slice_steps=10_000)
        (run.folder / "models" / f"VAE-SSIM-f{fold}-s0" / "pair.json").write_text("{}")
    _trained(run, "VAE-MSE-f0-s0", "flair", seconds=1.0, slice_steps=10_000)
    _trained(run, "VAE-CE-SSIM-f0-s0", "flair", seconds=2.0, slice_steps=10_000)
    for number in range(4):
        _trained(run, f"VAE-SSIM-f0-s{number + 1}", "flair", seconds=3.0, slice_steps=800)
    (run.folder / "models" / "VAE-SSIM-f0-s0" / "pair.json").touch()  # beside a segmented pair
    estimate = progress.estimate_seconds
    assert estimate(run, "network", "VAE-SSIM-f3-s0/flair", patients=44) == 50
    changed = "VAE-SSIM-f0-s0,learning_rate=1e-05/flair"
    assert estimate(run, "network", changed, patients=44) == 50
    assert estimate(run, "network", "VAE-CE-SSIM-f3-s0/flair", patients=44) == 2
    assert estimate(run, "network", "VAE-L1-f0-s0/flair", patients=44) == 10 + 65


def _real_patients(folder, count):
    for number in range(count):
        home = folder / "HGG" / f"P_{number}"
        home.mkdir(parents=True)
        for word in ("flair", "t1ce", "seg"):
            (home / f"P_{number}_{word}.nii.gz").touch()


def test_real_patients_are_counted_in_their_folder_and_simulated_ones_in_the_profile(tmp_path):
    _real_patients(tmp_path, 12)
    assert progress.count_patients(open_run("laptop", str(tmp_path))) == 12
    assert progress.count_patients(open_run("smoke", str(tmp_path))) == 8  # the first of them
    assert progress.count_patients(open_run("laptop")) == 44
    assert progress.count_patients(open_run("paper")) == 285


@pytest.mark.parametrize(
    ("profile", "folds", "tested"),
    [("phantom", 1, 14 + 6), ("phantom", 4, 11), ("laptop", 1, 11), ("laptop", 4, 11)],
)
def test_segmenting_is_expected_to_take_as_long_as_there_are_patients_tested(
    run, profile, folds, tested
):
    own = open_run(profile, folds=folds)
    seconds = progress.estimate_seconds(own, "segment", "VAE-MSE-f0-s0", patients=44)
    assert seconds == 2 * tested


def test_the_estimate_at_the_start_follows_the_number_of_real_patients(tmp_path, run, capsys):
    (tmp_path / "data").mkdir()
    _real_patients(tmp_path / "data", 40)
    real = open_run("laptop", str(tmp_path / "data"), folds=4)
    progress.start(real, ["prepare", "baselines 0"], 1)
    assert (
        capsys.readouterr().out == "2 steps on 1 cores, about 1 min 58 s if nothing else runs\n"
    )  # 40 * 1.7 + 10 * 5


def test_the_start_names_steps_cores_and_time(run, capsys):
    progress.start(run, ["gather", "notebook 01_data", "publish"], 1)
    assert capsys.readouterr().out == "3 steps on 1 cores, about 1 min 35 s if nothing else runs\n"
    progress.start(run, ["gather"], 2)
    assert capsys.readouterr().out == "1 steps on 2 cores, about 1 s if nothing else runs\n"
    progress.start(run, [], 2)
    assert capsys.readouterr().out == ""


def test_each_step_says_its_number_its_time_and_the_time_left(run, clock, capsys):
    steps = ["notebook 01_data", "notebook 02_architectures", "publish"]  # 18 + 18 + 75 seconds
    progress.start(run, steps, 1)
    capsys.readouterr()
    with progress.reported(run, "notebook", "01_data"):
        clock.now += 36  # twice the estimate: so will the others be
    assert capsys.readouterr().out.splitlines() == [
        "start  notebook 01_data",
        "done   notebook 01_data in 36 s; step 1 of 3, 36 s so far, about 3 min 06 s still",
    ]
    with progress.reported(run, "notebook", "02_architectures"):
        clock.now += 36
    with progress.reported(run, "publish"):
        clock.now += 150
    assert capsys.readouterr().out.splitlines()[-1] == (
        "done   publish in 2 min 30 s; step 3 of 3, 3 min 42 s so far, about 0 s still"
    )


def test_a_second_start_forgets_the_steps_of_the_first(run, clock, capsys):
    for _ in range(2):
        progress.start(run, ["notebook 01_data", "publish"], 2)
        with progress.reported(run, "notebook", "01_data"):
            clock.now += 18
        assert "step 1 of 2, 18 s so far, about 38 s still" in capsys.readouterr().out


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
    snakefile = (Path(__file__).parents[3] / "workflow" / "Snakefile").read_text()
    rules = set(re.findall(r"^rule (\w+):", snakefile, re.MULTILINE))
    several = {"patients": {"cohort", "check"},
               "ablation_stage": {row.stage for row in ablation_plan.choose_stages()}}  # fmt: skip
    rules = {rule.removeprefix("sweep_") for rule in rules}  # the same stages, for a sweep
    nothing_to_do = {"all", "tables", "ablations", "lengths", "beyond_paper", "curves", "sweep"}
    assert rules - set(several) - nothing_to_do | set().union(*several.values()) == set(STAGES)


def test_finished_steps_are_lines_of_json(run, clock):
    progress.start(run, ["gather"], 1)
    with progress.reported(run, "gather"):
        clock.now += 2.5
    (line,) = (run.folder / "finished.jsonl").read_text().splitlines()
    assert json.loads(line) == {"step": "gather", "seconds": 2.5}
