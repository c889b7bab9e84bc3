"""A book killed at any of its steps, then the same command: the same book.

Two small pages stand in for the real ones; patients, networks and all between are those of the
smoke profile. `kill -9` hits the whole family: make's child, Snakemake, the step and its workers.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_book import HEADER, write_book

from paperlib import artifacts
from paperlib.pipeline.run import NOTEBOOKS

PROJECT = Path(__file__).parents[1]
RUN = Path("runs/phantom-smoke")
PAGES = NOTEBOOKS[:2]  # more of them would be more of the same
MOMENTS = {  # what the output says when the time has come
    "cohort": "start  cohort",
    "prepare": "prepare: runs because",
    "network": "VAE-MSE-f0-s0/flair: runs because",
    "segment": "segments/VAE-MSE-f0-s0: runs because",
    "gather": "evidence: runs because",
    "notebook": "01_data: runs because",
    "publish": "book: built because",
}
UNTIL_BUSY_S = 0.5  # into the step, so that it has begun to write
PATIENCE_S = 600
PAGE = """
# %% [markdown]
# # Page NAME

# %% tags=["parameters"]
profile: str = "smoke"  # of the run
data: str = ""  # folder of real patients
folds: int = 1  # from 1 to 9

# %% tags=["remove-cell"]
from paperlib.pipeline import run as runs
from paperlib.publish import parameters

parameters.validate(globals())
run = runs.open_run(profile, data, folds)

# %%
print("NAME", sorted(file.name for file in run.require("evidence").glob("counts-*")))
"""

pytestmark = pytest.mark.long


def _make_root(root):
    write_book(root, PAGES)
    for name in PAGES:
        (root / "notebooks" / f"{name}.py").write_text(HEADER + PAGE.replace("NAME", name))
    (root / "book" / "index.md").write_text("# A tiny book\n\n{result}`run.patients` patients.\n")
    shutil.rmtree(root / "book" / "executed")
    for name in ("paperlib", "workflow"):
        shutil.copytree(PROJECT / name, root / name)  # whose times no editor touches meanwhile
    listed = root / "paperlib" / "pipeline" / "run.py"
    code, count = re.subn(r"(?s)^NOTEBOOKS = \(.*?\n\)", f"NOTEBOOKS = {PAGES}", listed.read_text(),
                          flags=re.MULTILINE)  # fmt: skip
    assert count == 1
    listed.write_text(code)
    return root


def _start(root, command):
    return subprocess.Popen(
        [sys.executable, "-m", *command], cwd=root, text=True, start_new_session=True,
        env=os.environ | {"PAPERLIB_ROOT": str(root)}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


BOOK = ("paperlib", "book", "--profile", "smoke", "--cores", "2")


def _finish(root):
    process = _start(root, BOOK)
    output, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, output
    return output


def _kill_when(root, said, command=BOOK, how=signal.SIGKILL):
    """Start the command, end all of it when it says something; return what it said."""
    process, lines = _start(root, command), []
    for line in process.stdout:
        lines.append(line)
        if said in line:
            break
    else:
        raise AssertionError(f"never said {said!r}: {''.join(lines)}")
    time.sleep(UNTIL_BUSY_S)
    os.killpg(process.pid, how)
    rest, _ = process.communicate(timeout=PATIENCE_S)
    return "".join(lines) + rest


def _results(root):
    """Return the content of every stage and page, without what may differ: times."""
    stages = {
        str(file.parent.relative_to(root)): artifacts.read_json(file)["content"]
        for file in (root / RUN).rglob(artifacts.MANIFEST)
    }
    pages = {file.name: file.read_bytes() for file in (root / RUN / "notebooks").glob("*.ipynb")}
    return stages, pages


def _compare(root, whole):
    """Name what differs between the results of two roots."""
    for ours, expected in zip(_results(root), _results(whole), strict=True):
        assert sorted(ours) == sorted(expected)
        assert [name for name in expected if ours[name] != expected[name]] == []


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    root = _make_root(tmp_path_factory.mktemp("undisturbed") / "root")
    output = _finish(root)
    return root, output


def test_every_step_says_why_it_runs_and_the_second_time_none_does(undisturbed):
    root, output = undisturbed
    started = re.findall(r"start  (\w+)", output)  # the bar of a training may stand before it
    assert set(started) == {"cohort", "prepare", "network", "segment", "baselines", "attribution",
                            "gather", "notebook", "publish"}  # fmt: skip
    assert output.count(" because it was never finished") >= len(started)
    again = _finish(root)
    assert "start " not in again
    assert "Nothing to be done" in again


def test_a_book_killed_in_each_of_its_steps_ends_as_one_that_was_left_alone(undisturbed, tmp_path):
    root = _make_root(tmp_path / "root")
    for said in MOMENTS.values():
        _kill_when(root, said)
        assert not (root / "_build" / "html" / "index.html").exists()
    _finish(root)
    _compare(root, undisturbed[0])
    whole = undisturbed[0] / "_build" / "html"
    pages = sorted(str(page.relative_to(whole)) for page in whole.rglob("*.html"))
    html = root / "_build" / "html"
    assert sorted(str(page.relative_to(html)) for page in html.rglob("*.html")) == pages


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_page_changed_after_a_whole_book_and_stopped_midway_gets_into_the_next(
    undisturbed, tmp_path, how
):
    """The earlier book's first page is there, and nothing that it is made from is missing."""
    root = Path(shutil.copytree(undisturbed[0], tmp_path / "root", symlinks=True))
    source = root / "notebooks" / f"{PAGES[0]}.py"
    source.write_text(source.read_text().replace("# # Page", "# # Another page"))
    for _ in range(2):  # the second start looks at every step, and so must the third
        _kill_when(root, f"{PAGES[0]}: runs because", how=how)
    assert "every step is looked at again" in _finish(root)
    page = root / "_build" / "html" / "book" / "executed" / f"{PAGES[0]}.html"
    assert "Another page" in page.read_text()


def test_no_pixel_depends_on_how_many_cores_prepare_the_patients(undisturbed, tmp_path):
    root = Path(shutil.copytree(undisturbed[0], tmp_path / "root", symlinks=True))
    made = root / RUN / "prepare" / artifacts.MANIFEST
    content = artifacts.read_json(made)["content"]
    shutil.rmtree(made.parent)
    command = ("paperlib", "stage", "prepare", "--profile", "smoke", "--jobs", "1")
    output, _ = _start(root, command).communicate(timeout=PATIENCE_S)
    assert "prepare: runs because" in output
    assert artifacts.read_json(made)["content"] == content


def test_a_stage_by_hand_that_was_killed_is_made_again_by_the_book(undisturbed, tmp_path):
    """The workflow's own note of an earlier book says that the stage is done."""
    root = Path(shutil.copytree(undisturbed[0], tmp_path / "root", symlinks=True))
    shutil.rmtree(root / RUN / "segments")
    command = ("paperlib", "stage", "segment", "VAE-MSE-f0-s0", "--profile", "smoke")
    _kill_when(root, "runs because it was never finished", command)
    assert "segments/VAE-MSE-f0-s0: runs because it was never finished" in _finish(root)
    _compare(root, undisturbed[0])


def test_results_that_were_removed_are_made_again(undisturbed, tmp_path):
    root = Path(shutil.copytree(undisturbed[0], tmp_path / "root", symlinks=True))
    shutil.rmtree(root / RUN / "segments")
    output = _finish(root)
    assert "segments/VAE-MSE-f0-s0: its results are gone" in output
    assert "segments/VAE-MSE-f0-s0: runs because it was never finished" in output
    assert "models/VAE-MSE-f0-s0/flair: runs" not in output
    _compare(root, undisturbed[0])


def test_a_lock_that_a_killed_snakemake_left_stops_no_book(undisturbed, tmp_path):
    """Plain Snakemake locks the folder with files, which stay when it is killed."""
    root = Path(shutil.copytree(undisturbed[0], tmp_path / "root", symlinks=True))
    shutil.rmtree(root / RUN / "segments")
    shutil.rmtree(root / RUN / "done")
    (root / "_build" / "html" / "index.html").unlink()
    plain = ("snakemake", "--snakefile", "workflow/Snakefile", "--cores", "1", "--config",
             "profile=smoke")  # fmt: skip
    _kill_when(root, "segments/VAE-MSE-f0-s0: runs because", plain)
    assert list((root / ".snakemake" / "locks").iterdir())
    assert "Directory cannot be locked" in _start(root, plain).communicate()[0]
    _finish(root)
    _compare(root, undisturbed[0])
