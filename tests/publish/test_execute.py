"""What a notebook's run leaves: a result without what varies, or nothing at all."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from paperlib import artifacts
from paperlib.publish.commands import UNPUBLISHED, run_execute
from paperlib.publish.execute import NotebookError, execute_notebook, fold_set_up, strip
from paperlib.publish.gate import STAMP

SLOW = (
    "x = 1",
    "import time\nimport os\nopen(os.environ.get('ASLEEP', os.devnull), 'w').close()\n"
    "time.sleep(60)",
    "y = 1",
)


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
    assert run_execute(source, output, [("sede", "1")]) == 2
    assert "Did you mean 'seed'?" in capsys.readouterr().err
    assert output.read_text() == "an earlier run"


def refuse_odd(values):
    if values["seed"] % 2:
        raise ValueError(f"seed={values['seed']} is odd.")


@pytest.mark.parametrize("given", [[], [("seed", "3")]])
def test_values_that_do_not_go_together_are_refused_before_a_kernel_starts(
    write_source, tmp_path, capsys, given
):
    """Defaults are judged, too."""
    source = write_source('# %% tags=["parameters"]\nseed: int = 1', "raise OSError('started')")
    assert run_execute(source, tmp_path / "01_data.ipynb", given, refuse_odd) == 2
    assert "is odd." in capsys.readouterr().err


def test_a_parameter_given_twice_is_refused(write_source, tmp_path, capsys):
    source = write_source('# %% tags=["parameters"]\nseed: int = 0')
    given = [("seed", "1"), ("seed", "2")]
    assert run_execute(source, tmp_path / "01_data.ipynb", given) == 2
    assert "'seed' is given twice: '1' and '2'" in capsys.readouterr().err


def test_an_output_that_is_no_notebook_is_refused_and_stays(write_source, capsys):
    source = write_source("x = 1")
    before = source.read_text()
    assert run_execute(source, source) == 2
    assert "is no .ipynb file" in capsys.readouterr().err
    assert source.read_text() == before


def test_an_unknown_notebook_is_refused_with_those_there_are(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(artifacts, "ROOT", tmp_path)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01_data.py").touch()
    assert run_execute(Path("02_dta")) == 2
    assert "no notebook source 02_dta; notebooks/ has 01_data." in capsys.readouterr().err


def test_a_notebook_may_be_named_and_its_output_left_out(write_source, monkeypatch, capsys):
    source = write_source("x = 1")
    root = source.parents[1]
    monkeypatch.setattr(artifacts, "ROOT", root)
    assert run_execute(Path(source.stem)) == 0
    output = root / "work" / "executed" / f"{source.stem}.ipynb"
    assert capsys.readouterr().out.startswith(str(output))
    assert nbformat.read(output, as_version=4).metadata[STAMP].source == source.name


def test_the_output_that_was_left_out_goes_where_git_tracks_nothing():
    root = Path(__file__).parents[2]
    command = ["git", "-C", str(root), "check-ignore", "-q", f"{UNPUBLISHED}/01_data.ipynb"]
    assert subprocess.run(command, check=False).returncode == 0


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


def printing(*pieces):
    """Return a notebook of one cell that printed these pieces of (stream, text)."""
    outputs = [nbformat.v4.new_output("stream", name=name, text=text) for name, text in pieces]
    cell = nbformat.v4.new_code_cell("print()", outputs=outputs)
    return nbformat.v4.new_notebook(cells=[cell])


@pytest.mark.parametrize(
    "pieces",
    [
        [("stdout", "a\nb\nc\n")],
        [("stdout", "a\n"), ("stdout", "b\nc\n")],
        [("stdout", "a"), ("stdout", "\n"), ("stdout", "b\n"), ("stdout", "c\n")],
        [("stdout", "a\n"), ("stderr", "odd\n"), ("stdout", "b\nc\n")],
        [("stderr", "odd\n"), ("stdout", "a\nb\n"), ("stdout", "c\n"), ("stderr", "odd\n")],
    ],
)
def test_in_how_many_pieces_a_kernel_sent_its_prints_does_not_show(pieces):
    notebook = printing(*pieces)
    removed = strip(notebook)
    assert notebook.cells[0].outputs == printing(("stdout", "a\nb\nc\n")).cells[0].outputs
    assert removed == [text for name, text in pieces if name == "stderr"]


def test_prints_before_and_after_a_figure_stay_where_they_were():
    notebook = printing(("stdout", "a\n"), ("stdout", "b\n"), ("stdout", "c\n"))
    figure = nbformat.v4.new_output("display_data", data={"text/plain": "figure"})
    notebook.cells[0].outputs.insert(2, figure)
    strip(notebook)
    first, second, third = notebook.cells[0].outputs
    assert (first.text, second, third.text) == ("a\nb\n", figure, "c\n")


def test_the_code_between_introduction_and_first_result_is_folded():
    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    figure = nbformat.v4.new_output("display_data", data={"text/plain": "figure"})
    cells = [
        text("# Title"),
        code("x: int = 1", metadata={"tags": ["parameters"]}),
        code("x = 2", metadata={"tags": ["injected-parameters"]}),
        code("import os\nfrom os import path"),
        code("import os\ny = os"),
        code("print(x)", outputs=[nbformat.v4.new_output("stream", text="2")]),
        code("plot()", metadata={"mystnb": {"figure": {"name": "fig"}}}, outputs=[figure]),
        code("z = 1"),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    fold_set_up(notebook)
    folded = {
        cell.metadata.mystnb.code_prompt_show: cell.source
        for cell in notebook.cells
        if "hide-input" in cell.metadata.get("tags", ())
    }
    assert folded == {
        "Parameters": "x: int = 1",
        "Parameters of this run": "x = 2",
        "Imports": "import os\nfrom os import path",
        "Set-up": "import os\ny = os\n\nprint(x)",
    }
    assert [len(cell.get("outputs", ())) for cell in notebook.cells] == [0, 0, 0, 0, 1, 1, 0]
    assert notebook.cells[1].metadata.tags == ["hide-input", "parameters"]
