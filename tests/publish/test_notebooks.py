import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest

from paperlib.publish.notebooks import WORK_CONFIG, read_notebook, write_notebooks

ROOT = Path(__file__).parents[2]


def statuses(source, folder):
    return [written.status for written in write_notebooks([source], folder)]


def change(path):
    path.write_text(path.read_text().replace("x = 1", "x = 99"))


def test_cell_ids_follow_from_the_content_and_differ_between_equal_cells(write_source):
    source = write_source("x = 1", "x = 1", "y = 2")
    ids = [cell.id for cell in read_notebook(source).cells]
    assert ids == [cell.id for cell in read_notebook(source).cells]
    assert len(set(ids)) == 3
    shorter = write_source("x = 1", "y = 2")
    assert [cell.id for cell in read_notebook(shorter).cells] == [ids[0], ids[2]]


def test_tags_and_figure_settings_survive(write_source):
    source = write_source('# %% tags=["hide-input"] mystnb={"figure": {"name": "fig-x"}}\nx = 1')
    metadata = read_notebook(source).cells[0].metadata
    assert metadata == {"tags": ["hide-input"], "mystnb": {"figure": {"name": "fig-x"}}}


def test_a_missing_source_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no notebook source .*02_x\.py"):
        read_notebook(tmp_path / "02_x.py")


def test_a_written_notebook_is_valid_and_paired_with_nothing(write_source, tmp_path):
    write_notebooks([write_source("x = 1")], tmp_path / "work")
    notebook = nbformat.read(tmp_path / "work" / "01_data.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "jupytext" not in notebook.metadata
    assert tomllib.loads((tmp_path / "work" / "jupytext.toml").read_text())["formats"] == ""


def test_an_untouched_notebook_follows_its_source(write_source, tmp_path):
    source, work = write_source("x = 1"), tmp_path / "work"
    assert statuses(source, work) == ["new"]
    assert statuses(source, work) == ["current"]
    assert statuses(write_source("x = 2"), work) == ["updated"]
    assert "x = 2" in (work / "01_data.ipynb").read_text()


def test_a_changed_notebook_is_kept_and_said_so(write_source, tmp_path):
    source, work = write_source("x = 1"), tmp_path / "work"
    write_notebooks([source], work)
    change(work / "01_data.ipynb")
    (kept,) = write_notebooks([source], work)
    assert str(kept).endswith("kept, you changed it")
    (behind,) = write_notebooks([write_source("x = 3")], work)
    assert "its source has changed too" in str(behind)
    assert "x = 99" in (work / "01_data.ipynb").read_text()


def test_a_notebook_of_unknown_origin_is_kept(write_source, tmp_path):
    source, work = write_source("x = 1"), tmp_path / "work"
    work.mkdir()
    (work / "01_data.ipynb").write_text("mine")
    assert statuses(source, work) == ["behind"]
    assert (work / "01_data.ipynb").read_text() == "mine"


def test_both_jupytext_files_keep_the_same_metadata_and_pair_nothing():
    work = tomllib.loads(WORK_CONFIG)
    root = tomllib.loads((ROOT / "jupytext.toml").read_text())
    assert work.pop("formats") == ""
    assert work == root


def test_a_change_brought_back_with_jupytext_is_exactly_the_changed_line(tmp_path, write_source):
    source = write_source("# %% [markdown]\n# # Title", "x = 1", "y = 2")
    before = source.read_text().splitlines()
    write_notebooks([source], tmp_path / "work")
    change(tmp_path / "work" / "01_data.ipynb")
    command = [sys.executable, "-m", "jupytext", "--to", "py:percent", "--output", str(source)]
    subprocess.run([*command, str(tmp_path / "work" / "01_data.ipynb")], check=True)
    after = source.read_text().splitlines()
    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [
        ("x = 1", "x = 99")
    ]


@pytest.mark.long
def test_plain_papermill_runs_a_written_notebook_from_any_folder(write_source, tmp_path):
    source = write_source(
        '# %% tags=["parameters"]\nprofile: str = "smoke"  # one of: smoke, local',
        "from paperlib.publish import parameters\nparameters.validate(globals())\nprint(profile)",
    )
    write_notebooks([source], tmp_path / "my work")
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()

    def papermill(*options):
        notebook = str(tmp_path / "my work" / "01_data.ipynb")
        command = [sys.executable, "-m", "papermill", notebook, "out.ipynb", *options]
        return subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)

    assert papermill("-p", "profile", "local").returncode == 0
    executed = nbformat.read(elsewhere / "out.ipynb", as_version=4)
    assert executed.cells[-1].outputs[0].text == "local\n"
    unknown = papermill("-p", "profle", "local")
    assert unknown.returncode == 1
    assert "Did you mean 'profile'?" in unknown.stderr
