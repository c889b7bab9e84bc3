"""Which executed notebooks may be published, and what is said of the others."""

import copy
import json
import os
import shutil

import nbformat
import pytest

from paperlib.publish.commands import run_gate
from paperlib.publish.gate import STAMP, check_published, check_run


def refusals(folder):
    found = check_published(folder / "executed", (folder / "notebooks").glob("*.py"))
    return [str(refusal) for refusal in found]


def edit(folder, change):
    """Apply `change` to the published notebook as another tool would."""
    path = folder / "executed" / "01_data.ipynb"
    notebook = json.loads(path.read_text())
    change(notebook)
    path.write_text(json.dumps(notebook))


def test_a_success_is_publishable_and_leaves_nothing_beside_it(good_run):
    assert refusals(good_run) == []
    assert os.listdir(good_run / "executed") == ["01_data.ipynb"]


def test_a_source_that_changed_makes_its_notebook_stale(published):
    source = published / "notebooks" / "01_data.py"
    source.write_text(source.read_text() + "\n# more\n")
    (message,) = refusals(published)
    assert "01_data.ipynb is not publishable: its source 01_data.py changed after" in message
    assert "paperlib execute" in message


def test_a_source_that_is_gone_makes_its_notebook_an_orphan(published):
    (published / "notebooks" / "01_data.py").unlink()
    (message,) = refusals(published)
    assert "its source 01_data.py does not exist" in message


def test_a_number_changed_by_hand_is_found(published):
    def change(notebook):
        notebook["cells"][4]["outputs"][0]["data"]["text/plain"] = ["5"]

    edit(published, change)
    (message,) = refusals(published)
    assert "it was changed after the run" in message


def test_parameters_changed_in_the_stamp_are_found(published):
    edit(published, lambda notebook: notebook["metadata"][STAMP]["parameters"].update(seed=4))
    (message,) = refusals(published)
    assert "it was changed after the run" in message


def test_saving_without_a_change_is_no_change(published):
    edit(published, lambda notebook: None)
    assert refusals(published) == []


def test_a_notebook_without_our_stamp_is_refused(published):
    edit(published, lambda notebook: notebook["metadata"].pop(STAMP))
    (message,) = refusals(published)
    assert "it carries no stamp of ours" in message


def test_a_published_error_is_named_beside_the_change(published):
    def change(notebook):
        error = {"output_type": "error", "ename": "OSError", "evalue": "no", "traceback": []}
        notebook["cells"][4].update(outputs=[error], execution_count=None)

    edit(published, change)
    messages = " ".join(refusals(published))
    assert "cell 4 (`seed + 1`) raised OSError: no" in messages
    assert "cell 4 (`seed + 1`) was not run" in messages


def test_a_source_without_a_notebook_is_named_with_the_command(published, write_source):
    source = write_source("x = 1", name="02_more.py")
    shutil.copy(source, published / "notebooks")
    (message,) = refusals(published)
    assert "02_more.ipynb is not publishable: it is missing; run `python -m paperlib" in message


def test_a_broken_file_is_refused(published):
    (published / "executed" / "01_data.ipynb").write_text("{")
    (message,) = refusals(published)
    assert "it cannot be read as a notebook" in message


def test_a_half_written_hidden_folder_is_none_of_the_gates_business(published):
    hidden = published / "executed" / ".01_data-x"
    hidden.mkdir()
    (hidden / "executed.ipynb").write_text("{")
    assert refusals(published) == []


def test_the_command_prints_every_refusal_and_fails(published, capsys):
    sources = list((published / "notebooks").glob("*.py"))
    assert run_gate(published / "executed", sources) == 0
    edit(published, lambda notebook: notebook["metadata"].pop(STAMP))
    assert run_gate(published / "executed", sources) == 1
    assert "carries no stamp" in capsys.readouterr().err


def completed():
    """Return a notebook as papermill leaves it after a success."""
    cell = nbformat.v4.new_code_cell("x = 1", execution_count=1)
    cell.metadata["papermill"] = {"status": "completed", "exception": False}
    notebook = nbformat.v4.new_notebook(cells=[cell])
    notebook.metadata["papermill"] = {"exception": None, "end_time": "2019-01-01T00:00:00"}
    return notebook


def test_a_completed_run_has_no_reason_against_it():
    assert check_run(completed(), 0) == []


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda notebook: notebook.metadata.papermill.update(exception=True), "an exception"),
        (lambda notebook: notebook.metadata.papermill.update(end_time=None), "no end time"),
        (lambda notebook: notebook.metadata.pop("papermill"), "no end time"),
        (lambda notebook: notebook.cells[0].update(execution_count=None), "was not run"),
        (lambda notebook: notebook.cells[0].metadata.pop("papermill"), "status None"),
        (
            lambda notebook: notebook.cells[0].metadata.papermill.update(status="running"),
            "cell 1 (`x = 1`) did not complete (status 'running')",
        ),
        (
            lambda notebook: notebook.cells[0].outputs.append(
                nbformat.v4.new_output("error", ename="KeyboardInterrupt", evalue="")
            ),
            "cell 1 (`x = 1`) raised KeyboardInterrupt",
        ),
    ],
)
def test_each_sign_of_a_failure_is_a_reason_by_itself(spoil, reason):
    notebook = copy.deepcopy(completed())
    spoil(notebook)
    (found,) = check_run(notebook, 0)
    assert reason in found


def test_an_interrupt_in_the_last_cell_is_a_reason_even_without_an_error_in_the_file():
    notebook = completed()
    notebook.cells[0].metadata.papermill["start_time"] = "2019-01-01T00:00:00"
    assert check_run(notebook, 1) == [
        "cell 1 (`x = 1`) was running when papermill ended with exit code 1"
    ]


def test_a_run_that_ended_before_its_first_cell_is_a_reason():
    assert check_run(completed(), 1) == [
        "no cell was running when papermill ended with exit code 1"
    ]


@pytest.mark.parametrize("count", [None, 2])
def test_a_dead_kernel_is_blamed_on_the_last_cell_started_counted_or_not(count):
    notebook = completed()
    notebook.cells[0].metadata.papermill["start_time"] = "2019-01-01T00:00:00"
    notebook.cells.append(copy.deepcopy(notebook.cells[0]))
    notebook.cells.append(copy.deepcopy(notebook.cells[0]))
    notebook.cells[1].update(source="y = 2", execution_count=count)
    notebook.cells[2].metadata.papermill["start_time"] = None
    assert check_run(notebook, 138)[0] == (
        "cell 2 (`y = 2`) was running when papermill ended with exit code 138 because its kernel "
        "died, often for want of memory"
    )


def test_blank_cells_never_run_and_are_no_reason():
    notebook = completed()
    notebook.cells.append(nbformat.v4.new_code_cell("  \n"))
    assert check_run(notebook, 0) == []
