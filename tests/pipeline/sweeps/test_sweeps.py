"""The line of each combination, and the table of what became of a sweep."""

import json

import numpy as np
import pandas as pd
import pytest

from paperlib import artifacts, cli
from paperlib.evaluation import tables
from paperlib.evaluation.evidence import load_evidence
from paperlib.pipeline.combinations import Combination, combine, open_combination
from paperlib.pipeline.machine import progress
from paperlib.pipeline.run import open_run
from paperlib.pipeline.stages import STAGES, Request
from paperlib.pipeline.sweeps import command
from paperlib.pipeline.sweeps import plan as sweep_plan
from paperlib.pipeline.sweeps.rows import ROW, row_folder

LINE = {"outline": 0.25, "outline_low": 0.125, "outline_high": 0.5, "semantic": 0.1,
        "semantic_low": 0.0, "semantic_high": 0.2, "auroc": 0.75, "auroc_low": 0.5,
        "auroc_high": 1.0, "epochs": 2.5, "seconds": 12.3}  # fmt: skip


def test_the_line_of_the_run_s_own_networks_is_that_of_tables_2_and_3(own_run):
    STAGES["row"](own_run, Request("VAE-MSE-s0"))
    line = artifacts.read_json(row_folder(own_run, Combination("VAE", "MSE", 0)) / ROW)
    found = load_evidence(own_run.stage("evidence"), command="")
    draws, reading = tables.Draws(), own_run.profile.mixture.reading
    for target in (tables.OUTLINE, tables.SEMANTIC):
        row = tables.table_2(found, target, draws=draws).loc["VAE-MSE"]
        for end, column in (("", "value"), ("_low", "low"), ("_high", "high")):
            assert line[f"{target}{end}"] == pytest.approx(row[f"{reading}_{column}"], abs=1e-12)
    row = tables.table_3(found, "VAE-MSE-s0", draws=draws).loc["mean_residual"]
    np.testing.assert_allclose(
        [line[f"auroc{end}"] for end in ("", "_low", "_high")],
        row[["value", "low", "high"]].to_numpy(float), atol=1e-9,
    )  # fmt: skip
    assert line["epochs"] == found.epochs.groupby("sequence").size().mean()


def test_a_combination_that_changes_the_mixture_segments_anew_and_trains_nothing(own_run):
    combination = combine(own_run, "VAE", "MSE", 0, {"cluster": "lower_mean"})
    own = open_combination(own_run, combination)
    models = {file: file.stat().st_mtime_ns for file in own_run.folder.glob("models/**/*")}
    name = combination.pair(0)
    STAGES["network"](own_run, Request("VAE-MSE-f0-s0/flair"))
    STAGES["segment"](own_run, Request(name))
    STAGES["row"](own_run, Request(combination.name))
    counts = [
        artifacts.load_table(run.folder / "segments" / "VAE-MSE-f0-s0", "counts")
        for run in (own_run, own)
    ]
    assert not counts[0].equals(counts[1])
    assert {f: f.stat().st_mtime_ns for f in own_run.folder.glob("models/**/*")} == models
    assert not (own.folder / "models").exists()
    assert (row_folder(own_run, combination) / ROW).exists()


def test_networks_with_changed_settings_lie_beside_those_of_the_run(own_run):
    combination = combine(own_run, "VAE", "MSE", 0, {"learning_rate": 0.01})
    STAGES["network"](own_run, Request(f"{combination.pair(0)}/flair"))
    own = open_combination(own_run, combination)
    folders = [one.network_folder(one.networks()[0]) for one in (own_run, own)]
    manifests = [artifacts.read_manifest(folder) for folder in folders]
    assert [one["settings"]["learning_rate"] for one in manifests] == [0.001, 0.01]
    assert manifests[0]["content"] != manifests[1]["content"]
    assert folders[1].is_relative_to(own_run.folder / "changed" / "learning_rate=0.01")


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    """Return a sweep of three combinations and two notebooks in an empty project, and its run."""
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    file = tmp_path / "tiny.yml"
    file.write_text(
        "profile: smoke\nseeds: [0]\nsettings: {learning_rate: [1.0e-3, 1.0e+30, 0.5]}\n"
        "notebook: 05_postprocessing\nparameters: {reading: [both, weights]}\n"
    )
    return sweep_plan.read_sweep(file), open_run("smoke")


@pytest.fixture
def ended(sweep):
    """Let the first combination and notebook be done and the second ones have failed."""
    plan, run = sweep
    first, second, _ = sweep_plan.combinations(plan, run)
    row_folder(run, first).mkdir(parents=True)
    artifacts.write_json(row_folder(run, first) / ROW, LINE)
    (run.folder / "sweeps" / "tiny").mkdir(parents=True)
    for name in (f"row/{first.name}", "sweep/tiny/05_postprocessing,reading=both"):
        done = run.folder / "done" / name
        done.parent.mkdir(parents=True)
        done.touch()
    failures = {
        f"network {second.pair(0)}/t1ce": "Loss is nan.",
        "notebook tiny/05_postprocessing,reading=weights": "cell 3 (`1/0`) raised",
    }
    text = "".join(json.dumps({"step": k, "error": v}) + "\n" for k, v in failures.items())
    (run.folder / progress.FAILED).write_text(text)
    return plan, run


def test_the_table_has_a_row_for_each_combination_whatever_became_of_it(ended):
    plan, run = ended
    found = command.report(plan, run, failed=True)
    assert not found.complete
    saved = pd.read_csv(run.folder / "sweeps" / "tiny" / "networks.csv")
    assert saved["status"].tolist() == ["done", "failed", "not finished"]
    assert saved[list(LINE)].iloc[0].to_dict() == LINE
    assert saved[list(LINE)].iloc[1:].isna().all(axis=None)
    assert saved["learning_rate"].tolist() == [0.001, 1e30, 0.5]
    notebooks = pd.read_csv(run.folder / "sweeps" / "tiny" / "notebooks.csv")
    assert notebooks["reading"].tolist() == ["both", "weights"]
    assert notebooks["status"].tolist() == ["done", "failed"]


def test_a_person_reads_intervals_and_each_failure_with_its_job(ended):
    plan, run = ended
    found = command.report(plan, run, failed=True)
    text = "\n".join(command.describe(plan, run, found))
    assert "0.250 [0.125, 0.500]" in text
    assert "Failed: network VAE-MSE-f0-s0,learning_rate=1e+30/t1ce\n  Loss is nan." in text
    assert "reading=weights\n  cell 3 (`1/0`) raised" in text
    assert " 1e+30 " in text
    assert "nan [" not in text
    assert text.endswith("The table: runs/phantom-smoke/sweeps/tiny/table.md")
    page = (run.folder / "sweeps" / "tiny" / "table.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| VAE |")]
    assert [row.split(" | ")[-1] for row in rows] == ["done |", "failed |", "not finished |"]
    assert len({row.count("|") for row in rows}) == 1
    assert "Loss is nan." in page


@pytest.mark.parametrize("status", [0, 1])
def test_a_sweep_that_is_not_complete_ends_with_1(ended, monkeypatch, capsys, status):
    """What is noted of failures is shown only where this time some job failed."""
    _, run = ended
    monkeypatch.setattr(command, "open_sweep", lambda *_, **__: run)
    monkeypatch.setattr(cli.workflow, "_workflow", lambda *_, **__: status)
    assert cli.main(["sweep", str(artifacts.ROOT / "tiny.yml")]) == 1
    assert ("Failed: network" in capsys.readouterr().out) == bool(status)


@pytest.mark.usefixtures("ended")
def test_a_complete_sweep_ends_with_0_and_hands_its_file_to_snakemake(tmp_path, monkeypatch):
    file = tmp_path / "sweeps here" / "tiny.yml"
    file.parent.mkdir()
    file.write_text("profile: smoke\nseeds: [0]\n")
    handed = {}
    monkeypatch.setattr(cli.workflow, "_workflow", lambda options, target, **more: handed.update(
        more, target=target, profile=options.profile, folds=options.folds) or 0)  # fmt: skip
    assert cli.main(["sweep", str(file)]) == 0
    assert handed == {"sweep": str(file), "target": "sweep", "profile": "smoke", "folds": 1}


def test_what_a_failing_step_said_is_kept_until_the_next_start(sweep):
    _, run = sweep
    run.folder.mkdir(parents=True)
    with pytest.raises(FloatingPointError), progress.reported(run, "network", "a/flair"):
        raise FloatingPointError("Loss is nan.")
    with pytest.raises(KeyError), progress.reported(run, "gather"):
        raise KeyError
    assert progress.read_failures(run) == {
        "network a/flair": "Loss is nan.",
        "gather": "KeyError()",
    }
    progress.start(run, [], 1)
    assert progress.read_failures(run) == {}


def test_a_step_that_fails_where_nothing_can_be_noted_fails_with_its_own_error(sweep):
    _, run = sweep
    with pytest.raises(ValueError, match="its own"), progress.reported(run, "prepare"):
        raise ValueError("its own")
    assert not run.folder.exists()
