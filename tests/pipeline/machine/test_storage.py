"""A full disk, a read-only folder: one clear sentence, and nothing half-written taken for whole."""

import os
import resource
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from paperlib import artifacts
from paperlib.pipeline.machine import storage

PROJECT = Path(__file__).parents[3]
STAGE = [sys.executable, "-m", "paperlib", "stage"]
LIMIT_BYTES = 300_000  # of one file: less than any stack of slices


def _fails(command):
    return subprocess.run(command, capture_output=True, check=False).returncode != 0


@contextmanager
def _small_disk(place, size):
    """Mount a disk of so many bytes, or skip."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    if shutil.which("mount") is None or _fails(command):
        pytest.skip("no disk may be mounted here (needs root)")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def _call(root, *arguments, **more):
    return subprocess.run(
        [*STAGE, *arguments, "--profile", "smoke"], cwd=PROJECT, capture_output=True, text=True,
        env=os.environ | {"PAPERLIB_ROOT": str(root)}, check=False, **more,
    )  # fmt: skip


def _assert_clear(done, *words):
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("paperlib: ")
    for word in (*words, "give the same command again"):
        assert word in last


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Return a root with the smoke profile's patients."""
    root = tmp_path_factory.mktemp("simulated")
    done = _call(root, "cohort")
    assert done.returncode == 0, done.stderr
    return root


@pytest.mark.long
def test_a_disk_that_fills_up_stops_a_stage_with_its_name_and_the_cure(simulated, tmp_path):
    """Mapped arrays are written behind Python's back: without care the process dies unheard."""
    with _small_disk(tmp_path / "disk", "40m") as root:
        shutil.copytree(simulated, root, dirs_exist_ok=True)
        done = _call(root, "prepare")
        _assert_clear(done, f"The disk of {root}", "is full", "Make room")
        assert artifacts.read_manifest(root / "runs" / "phantom-smoke" / "prepare") is None
        next_one = _call(root, "network", "VAE-MSE-f0-s0/flair")
        assert "missing or incomplete" in next_one.stderr
        subprocess.run(["mount", "-o", "remount,size=400m", str(root)], check=True)
        assert _call(root, "prepare").returncode == 0


@pytest.mark.long
def test_a_file_that_may_not_grow_so_long_stops_a_stage_with_the_cure(simulated, tmp_path):
    root = Path(shutil.copytree(simulated, tmp_path / "root", copy_function=os.link))

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT_BYTES, LIMIT_BYTES))

    _assert_clear(_call(root, "prepare", preexec_fn=limit), "ulimit -f")
    assert artifacts.read_manifest(root / "runs" / "phantom-smoke" / "prepare") is None
    assert _call(root, "prepare").returncode == 0


def _held_to_permissions():
    """Return what makes a command obey the permissions of files, which root need not."""
    if os.geteuid():
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and setpriv is not here to take that away")
    return ["setpriv", "--bounding-set=-dac_override"]


@pytest.mark.parametrize("command", [["stage", "cohort"], ["book"]])
def test_a_folder_that_may_not_be_written_is_named_before_anything_starts(tmp_path, command):
    root = tmp_path / "root"
    root.mkdir(mode=0o555)
    done = subprocess.run(
        [*_held_to_permissions(), sys.executable, "-m", "paperlib", *command, "--profile", "smoke"],
        cwd=PROJECT, capture_output=True, text=True, check=False,
        env=os.environ | {"PAPERLIB_ROOT": str(root)},
    )  # fmt: skip
    _assert_clear(done, str(root), "may not be written", "Make it writable for you")
    assert list(root.iterdir()) == []


def test_a_disk_that_is_read_only_is_named(tmp_path):
    with _small_disk(tmp_path / "disk", "4m") as root:
        subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
        _assert_clear(_call(root, "cohort"), str(root), "may not be written (Read-only")


@pytest.mark.parametrize("write", [
    torch.save,
    lambda tensor, file: save_file({"x": tensor}, file),
    lambda tensor, file: file.write_bytes(bytes(4 * tensor.numel())),
    lambda tensor, file: artifacts.save_array(file.parent, "x", tensor.numpy(), axes="n"),
])  # fmt: skip
def test_whoever_writes_when_the_disk_is_full_it_is_said_in_the_same_words(tmp_path, write):
    with _small_disk(tmp_path / "disk", "1m") as root:
        with pytest.raises(Exception, match=r".") as failed:
            write(torch.zeros(1_000_000), root / "file")
        said = storage.explain(failed.value, root)
    assert said is not None
    assert said.startswith(f"The disk of {root} is full")


def test_an_error_of_something_else_is_left_alone(tmp_path):
    for error in (ValueError("odd"), RuntimeError("shape"), FileNotFoundError(2, "no", "x")):
        assert storage.explain(error, tmp_path) is None
    assert storage.note_full(tmp_path) is None


def test_a_full_disk_is_told_beside_an_error_that_does_not_say_so(tmp_path):
    with _small_disk(tmp_path / "disk", "900k") as root:
        assert f"The disk of {root} is full" in storage.note_full(root / "not" / "there")
