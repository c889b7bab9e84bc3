"""Plain papermill, from any folder: the first cell after the parameters checks and converts."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from paperlib.publish.notebooks import read_notebook

PROJECT = Path(__file__).parents[2]
SOURCE = (
    '# %% tags=["parameters"]\nids: list[int] = [0]\nflag: bool = True\nrate: float = 1.0',
    "from paperlib.publish import parameters\n\nparameters.validate(globals())",
    "print(ids, flag, rate)",
)

pytestmark = pytest.mark.long


def papermill(notebook, folder, *arguments, **environment):
    """Run papermill in `folder` as a person does; return exit code, what it said and the output."""
    nbformat.write(notebook, folder / "in.ipynb")
    done = subprocess.run(
        [sys.executable, "-m", "papermill", "in.ipynb", "out.ipynb", *arguments],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(PROJECT)} | environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr, nbformat.read(folder / "out.ipynb", as_version=4)


def test_texts_become_what_they_mean(write_source, tmp_path):
    given = ["-p", "ids", "[1,2]", "-p", "flag", "false", "-p", "rate", "1e-3"]
    code, said, notebook = papermill(read_notebook(write_source(*SOURCE)), tmp_path, *given)
    assert code == 0, said
    assert notebook.cells[-1].outputs[0].text == "[1, 2] False 0.001\n"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["-p", "ids", "[1,2"], "'ids' is '[1,2' (str), declared as ids: list[int]"),
        (["-p", "ratio", "2"], "Unknown parameter 'ratio'. Did you mean 'rate'?"),
    ],
)
def test_a_wrong_value_or_name_stops_the_notebook_in_its_first_cell(
    write_source, tmp_path, given, message
):
    code, said, notebook = papermill(read_notebook(write_source(*SOURCE)), tmp_path, *given)
    assert code == 1
    assert message in said
    assert [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"][-1] is None


def test_a_page_started_before_its_run_says_what_is_missing_and_which_command_makes_it(tmp_path):
    page = read_notebook(PROJECT / "notebooks" / "05_postprocessing.py")
    given = ["-p", "profile", "phantom", "-p", "folds", "2"]
    code, said, _ = papermill(page, tmp_path, *given, PAPERLIB_ROOT=str(tmp_path))
    assert code == 1
    assert "evidence is missing or incomplete; run `make book PROFILE=phantom FOLDS=2`" in said
