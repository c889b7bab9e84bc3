"""The project lives in whatever folder a person unpacks it into."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from paperlib import artifacts

PROJECT = Path(__file__).parents[1]


@pytest.mark.long
def test_stages_run_in_a_path_with_spaces_and_accents(tmp_path):
    tree = tmp_path / "a b" / "c d é {x} 'y'"
    shutil.copytree(PROJECT / "paperlib", tree / "paperlib")
    environment = {name: value for name, value in os.environ.items() if name != "PAPERLIB_ROOT"}
    for stage in ("cohort", "prepare"):
        done = subprocess.run(
            [sys.executable, "-m", "paperlib", "stage", stage, "--profile", "smoke", "--jobs", "2"],
            cwd=tree,
            env=environment | {"PYTHONPATH": str(tree)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert f"done   {stage} in" in done.stdout
    prepared = tree / "runs" / "phantom-smoke" / "prepare"
    assert artifacts.read_manifest(prepared)["arrays"]["flair"]["shape"] == [8 * 70, 128, 128]
    flair = artifacts.load_array(prepared, "flair")
    assert all(np.abs(flair[70 * case : 70 * case + 70]).max() > 1 for case in range(8))
    assert len(list((tree / "data").glob("*/*/Phantom_*"))) == 8
