"""A sweep for real, in a copy of the project: one network and one notebook fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from paperlib.evaluation import tables

PROJECT = Path(__file__).parents[1]
SMOKE = Path("runs/phantom-smoke")
NOTEBOOK = """\
# %% tags=["parameters"]
profile: str = "smoke"
data: str = ""
folds: int = 1
share: float = 1.0  # from 0 to 1

# %%
from paperlib.pipeline import run as runs
from paperlib.publish import parameters

parameters.validate(globals(), runs.check_choices)

# %%
print(1 / share)
"""
SWEEP = """\
profile: smoke
settings: {slice_steps: 64, learning_rate: [%s]}
notebook: 99_tiny
parameters: {share: [%s]}
"""
BROKEN = "VAE-MSE-f0-s0,slice_steps=64,learning_rate=1e+30"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Return a copy of the project; a finished smoke run is taken over where there is one."""
    tree = tmp_path_factory.mktemp("a project") / "in (here)"
    for name in ("paperlib", "workflow"):
        shutil.copytree(PROJECT / name, tree / name)
    (tree / "notebooks").mkdir()
    (tree / "notebooks" / "99_tiny.py").write_text(NOTEBOOK)
    if (PROJECT / SMOKE / "evidence" / "manifest.json").exists():
        shutil.copytree(PROJECT / "data", tree / "data", copy_function=os.link)
        shutil.copytree(PROJECT / SMOKE, tree / SMOKE)
        for file in sorted((tree / SMOKE / "done").rglob("*"), key=lambda one: one.stat().st_mtime):
            file.touch()
    return tree


def sweep(tree, rates, shares):
    (tree / "tiny.yml").write_text(SWEEP % (rates, shares))
    done = subprocess.run(
        [sys.executable, "-m", "paperlib", "sweep", "tiny.yml", "--cores", "2"],
        cwd=tree, env=os.environ | {"PYTHONPATH": str(tree)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


@pytest.mark.long
def test_one_that_fails_stops_no_other_and_the_same_sweep_again_does_only_what_is_left(tree):
    code, said = sweep(tree, "1.0e-3, 1.0e+30", "1, 0")
    assert code == 1, said
    place = tree / SMOKE / "sweeps" / "tiny"
    networks = pd.read_csv(place / "networks.csv")
    assert networks["status"].tolist() == ["done", "failed"]
    assert networks["learning_rate"].tolist() == [0.001, 1e30]
    cells = networks[[tables.OUTLINE, tables.SEMANTIC, "auroc"]]
    assert cells.iloc[0].between(0, 1).all()
    assert cells.iloc[1].isna().all()
    assert networks["slice_steps"].tolist()[0] == 64
    notebooks = pd.read_csv(place / "notebooks.csv")
    assert notebooks["status"].tolist() == ["done", "failed"]
    assert [file.name for file in place.glob("*.ipynb")] == ["99_tiny,share=1.ipynb"]
    end = said[said.rindex("The table:") - 3000 :]
    for text in (end, (place / "table.md").read_text()):
        assert f"network {BROKEN}/flair" in text
        assert "Loss is " in text
        assert "notebook tiny/99_tiny,share=0" in text
        assert "cell 3 (`print(1 / share)`) raised ZeroDivisionError: " in text

    results = [*(tree / SMOKE).rglob("manifest.json"), *place.glob("*.ipynb")]
    kept = {file: file.stat().st_mtime_ns for file in results}
    code, said = sweep(tree, "1.0e-3", "1")
    assert code == 0, said
    assert "every step is looked at again" in said
    assert "runs because" not in said
    assert "Failed" not in said
    assert {file: file.stat().st_mtime_ns for file in kept} == kept
    assert pd.read_csv(place / "networks.csv")["status"].tolist() == ["done"]
