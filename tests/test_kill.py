"""A training that is killed and started again ends as one that was left alone."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from paperlib import artifacts

PROJECT = Path(__file__).parents[1]
TRAIN = ("network", "VAE-MSE-f0-s0/flair")
TRAINED = Path("runs/phantom-smoke/models/VAE-MSE-f0-s0/flair")
PATIENCE_S = 300  # for one moment of a training; the machine may be busy


def _start(root, *stage):
    return subprocess.Popen(
        [sys.executable, "-m", "paperlib", "stage", *stage, "--profile", "smoke"],
        cwd=PROJECT,
        env=os.environ | {"PAPERLIB_ROOT": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _finish(root, *stage):
    process = _start(root, *stage)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    return output


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """Return a root with prepared patients."""
    root = tmp_path_factory.mktemp("prepared")
    _finish(root, "cohort", "--jobs", "2")
    _finish(root, "prepare", "--jobs", "2")
    return root


def _copy(prepared, root):
    return Path(shutil.copytree(prepared, root, copy_function=os.link))


@pytest.fixture(scope="module")
def undisturbed(prepared, tmp_path_factory):
    """Return a root after a training without interruption."""
    root = _copy(prepared, tmp_path_factory.mktemp("undisturbed") / "root")
    _finish(root, *TRAIN)
    return root


def _at_its_start(folder):
    """The old content is gone, nothing is written."""
    return folder.exists()


def _after_epochs(number):
    """The checkpoint was written for the `number`-th time."""
    seen = set()

    def reached(folder):
        for file in folder.glob("checkpoint-*.pt"):
            seen.add(file.stat().st_mtime_ns)
        return len(seen) >= number

    return reached


def _while_writing(folder):
    return any(folder.glob("checkpoint-*.partial")) or any(folder.glob("weights*"))


MOMENTS = {
    "at its start": [lambda: _at_its_start],
    "after one epoch": [lambda: _after_epochs(1)],
    "while it writes a checkpoint": [lambda: _while_writing],
    "three times": [lambda: _at_its_start, lambda: _after_epochs(2), lambda: _after_epochs(3)],
}


def _kill_at(root, reached):
    """Start the training, kill it without warning at a moment, return its output."""
    folder = root / TRAINED
    process = _start(root, *TRAIN)
    try:
        limit = time.monotonic() + PATIENCE_S
        while not reached(folder):
            assert process.poll() is None, f"ended before its moment: {process.stdout.read()}"
            assert time.monotonic() < limit, "the moment never came"
            time.sleep(0.001)
    finally:
        process.send_signal(signal.SIGKILL)
    output, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL
    return output


@pytest.mark.long
@pytest.mark.parametrize("moment", list(MOMENTS))
def test_a_training_killed_and_started_again_ends_with_the_same_bytes(
    prepared, undisturbed, tmp_path, moment
):
    root = _copy(prepared, tmp_path / "root")
    folder = root / TRAINED
    for reached in MOMENTS[moment]:
        _kill_at(root, reached())
        assert artifacts.read_manifest(folder) is None
        refused = _start(root, "segment", "VAE-MSE-f0-s0")
        assert "missing or incomplete" in refused.communicate()[0]
        assert refused.returncode == 1
    output = _finish(root, *TRAIN)
    if moment not in ("at its start", "while it writes a checkpoint"):
        assert "resuming VAE-MSE-f0-s0 at epoch" in output
    whole = undisturbed / TRAINED
    expected = sorted(file.name for file in whole.iterdir())
    assert sorted(file.name for file in folder.iterdir()) == expected
    for name in set(expected) - {artifacts.MANIFEST}:
        assert (folder / name).read_bytes() == (whole / name).read_bytes(), name
    manifests = [artifacts.read_manifest(one) for one in (folder, whole)]
    assert manifests[0]["content"] == manifests[1]["content"]


@pytest.mark.long
def test_the_same_command_after_the_end_does_nothing(undisturbed):
    folder = undisturbed / TRAINED
    before = {file: file.stat().st_mtime_ns for file in folder.iterdir()}
    output = _finish(undisturbed, *TRAIN)
    assert output.count("nothing changed") == 2
    assert {file: file.stat().st_mtime_ns for file in folder.iterdir()} == before
