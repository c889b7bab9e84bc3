import copy
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest

from paperlib.publish.commands import run_execute, run_gate
from paperlib.publish.execute import NotebookError, execute_notebook
from paperlib.publish.gate import STAMP, check_published, check_run

GOOD = (
    "# %% [markdown]\n# # A title",
    '# %% tags=["parameters"]\nseed: int = 0',
    "import sys\nprint(seed)\nprint('in', '/some' + '/place', file=sys.stderr)",
    "seed + 1",
)
SLOW = (
    "x = 1",
    "import time\nimport os\nopen(os.environ.get('ASLEEP', os.devnull), 'w').close()\n"
    "time.sleep(60)",
    "y = 1",
)


@pytest.fixture(scope="session")
def good_run(tmp_path_factory):
    """Return the folder of one source that ran for real, its published notebook beside it."""
    folder = tmp_path_factory.mktemp("a folder with spaces")
    source = folder / "notebooks" / "01_data.py"
    source.parent.mkdir()
    cells = [cell if cell.startswith("# %%") else f"# %%\n{cell}" for cell in GOOD]
    source.write_text("\n\n".join(cells) + "\n")
    output = folder / "executed" / "01_data.ipynb"
    warnings = execute_notebook(source, output, {"seed": "3"})
    assert warnings == ["in /some/place\n"]
    return folder


@pytest.fixture
def published(good_run, tmp_path):
    """Return a copy of `good_run` to spoil."""
    return shutil.copytree(good_run, tmp_path / "a copy")


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


def test_a_published_notebook_holds_its_results_and_nothing_that_varies(good_run):
    text = (good_run / "executed" / "01_data.ipynb").read_text()
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert [cell.get("execution_count") for cell in notebook.cells] == [None, 1, 2, 3, 4]
    assert notebook.cells[3].outputs[0].text == "3\n"
    assert notebook.cells[4].outputs[0].data["text/plain"] == "4"
    for varying in (str(good_run), "/some/place", "_time", "duration", "papermill", sys.executable):
        assert varying not in text


def test_the_stamp_holds_source_and_all_parameters(good_run):
    text = (good_run / "executed" / "01_data.ipynb").read_text()
    stamp = nbformat.reads(text, as_version=4).metadata[STAMP]
    assert stamp.source == "01_data.py"
    assert stamp.parameters == {"seed": 3}
    assert set(stamp) == {"source", "source_hash", "parameters", "version", "digest"}


@pytest.mark.long
def test_the_same_run_twice_leaves_the_same_file(good_run, tmp_path):
    again = tmp_path / "again.ipynb"
    execute_notebook(good_run / "notebooks" / "01_data.py", again, {"seed": 3})
    assert again.read_bytes() == (good_run / "executed" / "01_data.ipynb").read_bytes()


def test_a_failing_notebook_is_named_with_its_cell_and_leaves_no_output(
    write_source, tmp_path, capsys
):
    source = write_source("# %% [markdown]\n# # A title", "x = 1", "raise OSError('no disk')", "y")
    output = tmp_path / "executed" / "01_data.ipynb"
    output.parent.mkdir()
    output.write_text("an earlier run")
    assert run_execute(source, output) == 1
    message = capsys.readouterr().err
    assert "01_data.py: cell 3 (`raise OSError('no disk')`) raised OSError: no disk" in message
    assert os.listdir(output.parent) == []


def test_a_refused_parameter_starts_no_kernel_and_removes_no_output(write_source, tmp_path, capsys):
    source = write_source('# %% tags=["parameters"]\nseed: int = 0')
    output = tmp_path / "01_data.ipynb"
    output.write_text("an earlier run")
    assert run_execute(source, output, [("sede", "1")]) == 1
    assert "Did you mean 'seed'?" in capsys.readouterr().err
    assert output.read_text() == "an earlier run"


@pytest.mark.long
def test_a_cell_that_takes_too_long_is_no_success(write_source, tmp_path):
    output = tmp_path / "executed" / "01_data.ipynb"
    with pytest.raises(NotebookError, match=r"cell 2 \(`import time`\) (raised Keyb|was runn)"):
        execute_notebook(write_source(*SLOW), output, {}, cell_timeout_s=2)
    assert os.listdir(output.parent) == []


@pytest.mark.long
def test_a_kernel_that_dies_in_the_last_cell_is_no_success(write_source, tmp_path):
    output = tmp_path / "executed" / "01_data.ipynb"
    source = write_source("x = 1", "import os\nos.kill(os.getpid(), 9)")
    with pytest.raises(NotebookError, match=r"cell 2 \(`import os`\) was running .* kernel died"):
        execute_notebook(source, output, {})
    assert os.listdir(output.parent) == []


def start_slow(write_source, tmp_path):
    """Start `run_execute` as a process of its own; return it once the slow cell runs."""
    code = (  # a runner in the background ignores Ctrl-C, and so would its children
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "import sys; from pathlib import Path; from paperlib.publish.commands import run_execute; "
        "sys.exit(run_execute(Path(sys.argv[1]), Path(sys.argv[2])))"
    )
    command = [sys.executable, "-c", code, str(write_source(*SLOW))]
    command.append(str(tmp_path / "executed" / "01_data.ipynb"))
    asleep = tmp_path / "asleep"
    environment = os.environ | {"ASLEEP": str(asleep)}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    for _ in range(600):
        if asleep.exists():
            return process
        time.sleep(0.1)
    raise AssertionError("the slow cell never started")


@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (signal.SIGINT, "(raised KeyboardInterrupt|was running when .* exit code 1)"),
        (signal.SIGTERM, "was running when papermill ended with exit code -15"),
        (signal.SIGKILL, "was running when papermill ended with exit code -9"),
    ],
)
def test_a_papermill_that_is_stopped_is_no_success(write_source, tmp_path, number, reason):
    process = start_slow(write_source, tmp_path)
    (papermill,) = psutil.Process(process.pid).children()
    papermill.send_signal(number)
    message = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    assert re.search(rf"cell 2 \(`import time`\) {reason}", message)
    assert os.listdir(tmp_path / "executed") == []


@pytest.mark.long
def test_a_cancelled_run_leaves_no_kernel_and_no_file(write_source, tmp_path):
    process = start_slow(write_source, tmp_path)
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 2  # papermill and its kernel
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert psutil.wait_procs(family, timeout=20)[1] == []
    assert os.listdir(tmp_path / "executed") == []


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
