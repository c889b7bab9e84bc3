"""The student's copies: what changed is shown as source, and nothing of theirs is ever lost."""

import datetime
import json

import nbformat
import pytest

from paperlib import artifacts
from paperlib.publish import commands, student
from paperlib.publish.notebooks import write_notebooks

TODAY = datetime.date(2026, 3, 4)


@pytest.fixture
def work(write_source, tmp_path):
    """Return work/ with one notebook of two cells."""
    write_notebooks(
        [write_source("# %% [markdown]\n# # Title", "x = 1", "y = 2")], tmp_path / "work"
    )
    return tmp_path / "work"


def sources(work):
    return sorted((work.parent / "notebooks").glob("*.py"))


def change(path, before="x = 1", after="x = 99"):
    path.write_text(path.read_text().replace(before, after))


def reset(work, name):
    return student.reset_notebooks(sources(work), work, name, today=TODAY)


def test_a_change_is_shown_as_one_line_of_source(work):
    change(work / "01_data.ipynb")
    lines = student.diff_notebooks(work).splitlines()
    assert lines[:2] == ["--- original/01_data.py", "+++ work/01_data.py"]
    assert [line for line in lines[2:] if line[0] in "+-"] == ["-x = 1", "+x = 99"]


def test_outputs_and_what_jupyterlab_notes_are_no_change(work, capsys):
    path = work / "01_data.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.language_info = {"name": "python", "version": "3.11.2"}
    notebook.cells[1].execution_count = 7
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="1")]
    notebook.cells[1].metadata.update(collapsed=False, trusted=True)
    nbformat.write(notebook, path)
    assert commands.run_student_diff(work, "all") == 0
    assert capsys.readouterr().out == "Nothing is changed.\n"


def test_a_new_source_is_not_shown_as_a_change_of_the_students(work, write_source):
    change(work / "01_data.ipynb")
    before = student.diff_notebooks(work)
    write_notebooks([write_source("# %% [markdown]\n# # Other", "x = 1", "z = 5")], work)
    assert student.diff_notebooks(work) == before


def test_only_the_named_notebook_is_shown(work, write_source):
    write_notebooks([write_source("a = 1", name="02_models.py")], work)
    change(work / "01_data.ipynb")
    change(work / "02_models.ipynb", "a = 1", "a = 5")
    assert student.diff_notebooks(work, "02_models").count("+++") == 1
    assert student.diff_notebooks(work, "work/02_models.ipynb").count("+a = 5") == 1
    assert student.diff_notebooks(work).count("+++") == 2


def test_a_diff_without_originals_names_the_command_that_writes_them(work):
    with pytest.raises(FileNotFoundError, match=r"no original of '07_x', there is 01_data; run"):
        student.diff_notebooks(work, "07_x")
    with pytest.raises(FileNotFoundError, match="there is none; run `make notebooks`"):
        student.diff_notebooks(work / "elsewhere")


def test_a_removed_notebook_is_said_to_be_missing(work):
    (work / "01_data.ipynb").unlink()
    assert "`make notebooks` brings it back" in student.diff_notebooks(work)


def test_a_broken_notebook_is_named_with_the_cure(work):
    (work / "01_data.ipynb").write_text('{"cells": [')
    with pytest.raises(ValueError, match=r"01_data\.ipynb cannot be read.*NOTEBOOK=01_data"):
        student.diff_notebooks(work)
    reset(work, "01_data")
    assert student.diff_notebooks(work) == ""


def test_a_reset_keeps_the_students_copy_and_brings_the_source_of_today(work, write_source):
    change(work / "01_data.ipynb")
    write_source("x = 3")
    (line,) = reset(work, "01_data")
    copy = work / "saved" / "01_data-2026-03-04.ipynb"
    assert line == f"{work / '01_data.ipynb'}: the original; yours is {copy}"
    assert "x = 99" in copy.read_text()
    assert "x = 3" in (work / "01_data.ipynb").read_text()
    assert student.diff_notebooks(work) == ""


def test_copies_of_one_day_never_replace_each_other(work):
    for number in (97, 98, 99):
        change(work / "01_data.ipynb", "x = 1", f"x = {number}")
        reset(work, "01_data.ipynb")
    copies = sorted((work / "saved").iterdir())
    names = ["01_data-2026-03-04-2.ipynb", "01_data-2026-03-04-3.ipynb", "01_data-2026-03-04.ipynb"]
    assert [copy.name for copy in copies] == names
    held = [json.loads(copy.read_text())["cells"][1]["source"] for copy in copies]
    assert held == [["x = 98"], ["x = 99"], ["x = 97"]]


def test_resetting_all_saves_only_what_differs(work, write_source):
    write_notebooks([write_source("a = 1", name="02_models.py")], work)
    change(work / "02_models.ipynb", "a = 1", "a = 5")
    first, second = reset(work, "all")
    assert first.endswith("nothing to do")
    assert "yours is" in second
    assert [copy.name for copy in (work / "saved").iterdir()] == ["02_models-2026-03-04.ipynb"]


def test_an_unknown_notebook_is_refused_with_those_there_are(work):
    with pytest.raises(ValueError, match="no notebook '05_x'; give all or one of 01_data"):
        reset(work, "05_x")


def test_what_a_student_wrote_beside_the_notebooks_stays(work):
    (work / "mine.ipynb").write_text("mine")
    reset(work, "all")
    assert (work / "mine.ipynb").read_text() == "mine"


def test_a_missing_run_is_named_with_its_command(tmp_path):
    said = student.say_missing_run(tmp_path / "evidence", "make book PROFILE=smoke")
    assert "`make book PROFILE=smoke` makes it, in about 3 minutes" in said
    (tmp_path / "evidence").mkdir()
    artifacts.write_json(tmp_path / "evidence" / artifacts.MANIFEST, {"key": ""})
    assert student.say_missing_run(tmp_path / "evidence", "make book PROFILE=smoke") == ""


def test_options_of_a_student_cannot_open_the_server_to_others(tmp_path):
    command = student.lab_command(tmp_path, ["--ServerApp.ip=0.0.0.0", "--no-browser"])
    chosen = dict(option.split("=", 1) for option in command if "=" in option)
    assert chosen["--ServerApp.ip"] == "127.0.0.1"  # the last one counts
    assert chosen["--ServerApp.root_dir"] == str(tmp_path.resolve())
