"""Run one notebook source and leave an executed notebook only if the run was a success.

papermill runs as a process of its own, writes into a hidden folder beside the target, and only
what passes the gate is renamed into place. The same run twice leaves the same file: times, paths
and warnings are taken out.
"""

import ast
import itertools
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode

from paperlib.publish.gate import Origin, check_run, stamp
from paperlib.publish.notebooks import KERNEL, read_notebook, set_cell_ids
from paperlib.publish.parameters import (
    Check,
    UsageError,
    check_parameters,
    check_together,
    read_parameters,
)


class NotebookError(RuntimeError):
    """A notebook did not run to its end; the message names it, the cell and the reason."""


def execute_notebook(
    source: Path,
    output: Path,
    parameters: Mapping[str, object],
    *,
    cell_timeout_s: int | None = None,
    check: Check | None = None,
    origin: Origin | None = None,
) -> list[str]:
    """Run the notebook `source` in the current folder and write it, executed, to `output`.

    An earlier `output` is removed first: afterwards it is there only if this run was a success.
    What the notebook prints goes to the log as it comes.

    Args:
        source: A jupytext py:percent file.
        output: The .ipynb to write.
        parameters: Values by name; texts are read as the declared types.
        cell_timeout_s: Longest time for one cell, in seconds; None for any.
        check: Judges all values, defaults included, and raises where they do not go together.
        origin: For a page of a book: what it is made from.

    Returns:
        What the notebook wrote to standard error, usually warnings: not published, so show it.

    Raises:
        UsageError: If a parameter is unknown, has another type or is not allowed, parameters do
            not go together, or `output` is no .ipynb file. Nothing was started or removed.
        NotebookError: If the run was no success.
    """
    declared = read_parameters(source)
    given = check_parameters(parameters, declared)
    values = {name: parameter.default for name, parameter in declared.items()} | given
    check_together(values, check)
    if output.suffix != ".ipynb":
        raise UsageError(f"The output {output} is no .ipynb file; an executed notebook is one.")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.unlink(missing_ok=True)
    prefix = f".{output.stem}-"
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=prefix) as temporary:
        folder = Path(temporary)
        exit_code = _papermill(source, given, folder, cell_timeout_s)
        notebook = _read_result(folder / "executed.ipynb", source, exit_code)
        reasons = check_run(notebook, exit_code)
        if reasons:
            raise NotebookError(f"{source}: {reasons[0].rstrip('.')}. Nothing was published.")
        warnings = strip(notebook)
        fold_set_up(notebook)
        stamp(notebook, source, values, origin)
        finished = folder / "finished.ipynb"
        finished.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
        finished.replace(output)
    return warnings


def strip(notebook: NotebookNode) -> list[str]:
    """Take out of an executed notebook, in place, what differs from run to run.

    These are papermill's metadata (times, paths, machine), the Python patch version, random cell
    ids, and standard error: warnings quote paths of this machine. What a cell printed comes in
    as many pieces as its kernel happened to send; neighbours are joined.

    Returns:
        The texts of standard error.
    """
    notebook.metadata.pop("papermill", None)
    notebook.metadata.get("language_info", {}).pop("version", None)
    removed = []
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if not cell.metadata.get("tags"):
            cell.metadata.pop("tags", None)
        if cell.cell_type == "code":
            removed += [output.text for output in cell.outputs if _is_stream(output, "stderr")]
            cell.outputs = _join_printed(cell.outputs)
    set_cell_ids(notebook)
    return removed


def fold_set_up(notebook: NotebookNode) -> None:
    """Fold, in place, the code between a page's introduction and its first text or result.

    The code stays on the page; a click on what it is ("Imports") shows it. What it printed stays
    in sight. Neighbours of one kind become one cell.
    """
    first = next((n for n, cell in enumerate(notebook.cells) if cell.cell_type == "code"), 0)
    leading = list(itertools.takewhile(_shows_nothing, notebook.cells[first:]))
    folded: list[NotebookNode] = []
    for cell in leading:
        tags = set(cell.metadata.get("tags", ()))
        kind = _kind_of_set_up(cell.source, tags)
        if folded and folded[-1].metadata.mystnb.code_prompt_show == kind:
            folded[-1].source += f"\n\n{cell.source}"
            folded[-1].outputs += cell.outputs
            continue
        cell.metadata.tags = sorted(tags | {"hide-input"})
        cell.metadata.mystnb = nbformat.from_dict(
            {"code_prompt_show": kind, "code_prompt_hide": kind}
        )
        folded.append(cell)
    notebook.cells[first : first + len(leading)] = folded


def _shows_nothing(cell: NotebookNode) -> bool:
    printed_only = all(_is_stream(output, "stdout") for output in cell.get("outputs", ()))
    return cell.cell_type == "code" and printed_only


def _kind_of_set_up(code: str, tags: set[str]) -> str:
    if "parameters" in tags:
        return "Parameters"
    if "injected-parameters" in tags:
        return "Parameters of this run"
    imports = (ast.Import, ast.ImportFrom)
    only_imports = all(isinstance(statement, imports) for statement in ast.parse(code).body)
    return "Imports" if only_imports else "Set-up"


def _join_printed(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Return the outputs without standard error, neighbouring pieces of standard output as one."""
    joined: list[NotebookNode] = []
    for output in outputs:
        if _is_stream(output, "stderr"):
            continue
        if joined and _is_stream(output, "stdout") and _is_stream(joined[-1], "stdout"):
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _is_stream(output: NotebookNode, name: str) -> bool:
    return output.output_type == "stream" and output.name == name


def _papermill(
    source: Path, given: Mapping[str, object], folder: Path, cell_timeout_s: int | None
) -> int:
    """Run papermill on `source` inside `folder`; return its exit code."""
    nbformat.write(read_notebook(source), folder / "notebook.ipynb")
    (folder / "parameters.yml").write_text(yaml.safe_dump(dict(given)), encoding="utf-8")
    command = [sys.executable, "-m", "papermill"]
    command += [str(folder / "notebook.ipynb"), str(folder / "executed.ipynb")]
    command += ["--kernel", KERNEL, "--language", "python", "--no-progress-bar"]
    command += ["--log-level", "WARNING"]
    command += ["--parameters_file", str(folder / "parameters.yml")] if given else []
    command += ["--execution-timeout", str(cell_timeout_s)] if cell_timeout_s else []
    environment = os.environ | {
        "IPYTHONDIR": str(folder / "ipython"),  # a reader's start-up files change no result
        "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel of this environment
    }
    log = folder / "stderr.txt"  # kernels warn at every start; shown only when something failed
    with (
        log.open("w") as errors,
        subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stderr=errors) as run,
    ):
        try:
            exit_code = run.wait()
        except BaseException:
            run.terminate()  # papermill then stops its kernel
            raise
    if exit_code:
        sys.stderr.write(log.read_text("utf-8"))
    return exit_code


def _read_result(path: Path, source: Path, exit_code: int) -> NotebookNode:
    try:
        return nbformat.reads(path.read_text("utf-8"), as_version=4)
    except (OSError, ValueError) as error:
        raise NotebookError(
            f"{source}: papermill ended with exit code {exit_code} and left no notebook; "
            "its message stands above. Is ipykernel installed?"
        ) from error
