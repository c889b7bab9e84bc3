"""One whole run in miniature, built once for all tests and all processes of pytest-xdist."""

import contextlib
import dataclasses
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from whole_run import run_every_stage

from paperlib import artifacts, cli
from paperlib.config import (
    PROFILES,
    CohortSettings,
    MixtureSettings,
    PrepareSettings,
    SplitSettings,
)
from paperlib.pipeline.run import Run
from paperlib.publish import provenance

for variable in cli.THREAD_VARIABLES:  # as every command does, before torch is imported
    os.environ.setdefault(variable, "1")

MINI = dataclasses.replace(
    PROFILES["smoke"],
    name="mini",
    cohort=CohortSettings(patients=7, step_mm=4),
    split=SplitSettings(test_hgg=1, test_lgg=1),
    slice_steps=64,
    mixture=MixtureSettings(max_iterations=20),
)
MINI_SLICES = PrepareSettings(z_low=88, z_high=118)


@pytest.fixture(scope="session")
def shared(tmp_path_factory) -> Path:
    """Return a folder that all processes of pytest-xdist share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def mini_root(shared) -> Path:
    """Return the root of a finished run that every test may read and none may write.

    Linked copies of its files share their bytes with it: write a file anew, as the stages do,
    never in place.
    """
    root = shared / "mini"
    with FileLock(shared / "mini.lock"):
        if not (root / "finished").exists():
            shutil.rmtree(root, ignore_errors=True)
            with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()):
                _live_in(root, patch)
                run_every_stage(Run(MINI, prepare=MINI_SLICES))
            (root / "finished").touch()
    return root


@pytest.fixture(scope="session")
def built_book(shared) -> Path:
    """Return the pages of this checkout's book; that of the smallest run, if there is none yet."""
    root = Path(__file__).resolve().parents[1]
    html = root / "_build" / "html"
    with FileLock(shared / "book.lock"):
        if not (html / "index.html").exists():
            make = ["make", "book", "PROFILE=smoke", f"PYTHON={sys.executable}"]
            subprocess.run(make, cwd=root, check=True)
    return html


def _live_in(root: Path, patch: pytest.MonkeyPatch) -> None:
    """Put runs and patients below `root`; a commit made while the tests run shall not matter."""
    patch.setattr(artifacts, "ROOT", root)
    patch.setattr(provenance, "commit", lambda: "abc1234")


@pytest.fixture(scope="session")
def every_stage() -> Callable[[Run], None]:
    return run_every_stage


@pytest.fixture
def mini_run(mini_root, monkeypatch) -> Run:
    """Return the finished run, to be read only."""
    _live_in(mini_root, monkeypatch)
    return Run(MINI, prepare=MINI_SLICES)


@pytest.fixture(scope="module")
def module_run(mini_root) -> Iterator[Run]:
    """Return the finished run to what all tests of a module share; to be read only."""
    with pytest.MonkeyPatch.context() as patch:
        _live_in(mini_root, patch)
        yield Run(MINI, prepare=MINI_SLICES)


@pytest.fixture
def own_run(mini_root, tmp_path, monkeypatch) -> Run:
    """Return a finished run of this test alone, whose stages it may run again."""
    shutil.copytree(mini_root, tmp_path / "root", copy_function=os.link)
    _live_in(tmp_path / "root", monkeypatch)
    return Run(MINI, prepare=MINI_SLICES)
