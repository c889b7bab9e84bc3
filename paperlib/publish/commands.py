"""The publishing commands: each prints what a person needs and returns the exit status."""

import datetime
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from paperlib import artifacts
from paperlib.publish import student
from paperlib.publish.book.links import check_links
from paperlib.publish.execute import NotebookError, execute_notebook
from paperlib.publish.gate import BOOK, EXECUTED, SOURCES, Origin, check_published, read_origins
from paperlib.publish.notebooks import write_notebooks
from paperlib.publish.parameters import Check, UsageError

UNPUBLISHED = "work/executed"  # for notebooks that a person executes; git ignores work/

HTML = "_build/html"  # relative to the book's root


def run_execute(
    source: Path,
    output: Path | None = None,
    given: Iterable[Sequence[str]] = (),
    check: Check | None = None,
) -> int:
    """Execute one notebook: `paperlib execute NOTEBOOK [OUTPUT] -p NAME VALUE`.

    Args:
        source: The py:percent file, or the name of one in notebooks/.
        output: The executed .ipynb; None for one in work/executed.
        given: Pairs of name and text.
        check: Judges all values, and raises where they do not go together.

    Returns:
        0; 1 if the run was no success, then there is no output; 2 if a parameter was refused,
        then nothing was started.
    """
    try:
        source = find_source(source)
        output = output or artifacts.ROOT / UNPUBLISHED / f"{source.stem}.ipynb"
        started = f"{source.stem}: parameters first, then all cells, mostly in a minute"
        print(started, file=sys.stderr, flush=True)  # standard output holds the path alone
        execute(source, output, _by_name(given), check)
    except (FileNotFoundError, NotebookError, ValueError) as error:
        print(f"paperlib execute: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 1)
    return 0


def execute(
    source: Path,
    output: Path,
    given: Mapping[str, str],
    check: Check | None,
    origin: Origin | None = None,
) -> None:
    """Execute one notebook for a command that may be cancelled, and say where it is.

    Args:
        source: The py:percent file.
        output: The executed .ipynb.
        given: Parameters by name, as texts.
        check: Judges all values, and raises where they do not go together.
        origin: For a page of a book: what it is made from.

    Raises:
        UsageError: If a parameter was refused; nothing was started.
        NotebookError: If the run was no success.
    """
    signal.signal(signal.SIGTERM, _exit)
    warnings = execute_notebook(source, output, given, check=check, origin=origin)
    note = f" ({len(warnings)} texts on standard error left out)" if warnings else ""
    print(f"{output}{note}")


def find_source(wanted: Path) -> Path:
    """Return the source of a notebook that is named by its path, or as in notebooks/.

    Raises:
        UsageError: If there is none; names those there are.
    """
    folder = artifacts.ROOT / SOURCES
    for source in (wanted, folder / f"{wanted.name.removesuffix('.py')}.py"):
        if source.is_file() and source.suffix == ".py":
            return source
    known = ", ".join(sorted(file.stem for file in folder.glob("*.py"))) or "none"
    raise UsageError(f"There is no notebook source {wanted}; {SOURCES}/ has {known}.")


def _by_name(given: Iterable[Sequence[str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, text in given:
        if name in values:
            raise UsageError(f"Parameter {name!r} is given twice: {values[name]!r} and {text!r}.")
        values[name] = text
    return values


def run_notebooks(sources: Iterable[Path], folder: Path) -> int:
    """Write the notebooks to play with: `paperlib notebooks`.

    Args:
        sources: The py:percent files.
        folder: work/.

    Returns:
        Always 0: keeping what a reader changed is no failure.
    """
    for written in write_notebooks(sources, folder):
        print(written)
    return 0


def run_student(sources: Iterable[Path], folder: Path, missing: str, options: Sequence[str]) -> int:
    """Open JupyterLab in the folder of the student's notebooks: `paperlib student`.

    This process becomes JupyterLab, so that nothing is left behind when it is stopped.

    Args:
        sources: The py:percent files.
        folder: work/.
        missing: What to say about a run that is not there; empty if it is.
        options: Of JupyterLab.
    """
    run_notebooks(sources, folder)
    print("JupyterLab prints its address below; Ctrl-C twice stops it.")
    if missing:
        print(missing)
    sys.stdout.flush()
    command = student.lab_command(folder, options)
    settings = student.write_lab_settings(folder)
    os.execve(command[0], command, student.lab_environment(settings))


def run_student_diff(folder: Path, name: str) -> int:
    """Show what the student changed, as source: `paperlib student-diff`.

    Args:
        folder: work/.
        name: Of one notebook, or "all".

    Returns:
        Always 0: a change is no failure.
    """
    print(student.diff_notebooks(folder, name) or "Nothing is changed.", end="\n")
    return 0


def run_student_reset(sources: Iterable[Path], folder: Path, name: str) -> int:
    """Bring an original back and keep the student's copy: `paperlib student-reset`.

    Args:
        sources: The py:percent files.
        folder: work/.
        name: Of one notebook, or "all".

    Returns:
        Always 0.
    """
    for line in student.reset_notebooks(sources, folder, name, today=datetime.date.today()):
        print(line)
    return 0


def run_gate(
    folder: Path, sources: Iterable[Path], origins: Mapping[str, Origin] | None = None
) -> int:
    """Say which executed notebooks may not be published: `paperlib gate`.

    Args:
        folder: book/executed.
        sources: The py:percent files.
        origins: What each page of a book must be made from, by its name.

    Returns:
        0 if all may be published, else 1.
    """
    refusals = check_published(folder, sources, origins)
    for refusal in refusals:
        print(refusal, file=sys.stderr)
    return 1 if refusals else 0


def run_book(root: Path) -> int:
    """Build the book's pages in `root`/_build/html: `paperlib book`.

    Any warning is an error, and so is a link that leads nowhere; then the last book stays.

    Jupyter Book runs as `python -c`: its console script breaks in a path with spaces.

    Args:
        root: The folder of _config.yml and _toc.yml.

    Returns:
        0 if the book was built without a warning and its links are whole.
    """
    sources = sorted((root / SOURCES).glob("*.py"))
    refused = run_gate(root / EXECUTED, sources, read_origins(root / BOOK))
    if refused:
        return refused
    print("Jupyter Book builds the pages and says nothing for a minute or more", flush=True)
    call = "from jupyter_book.cli.main import main; main()"
    place = root / "_build" / "next"
    shutil.rmtree(place, ignore_errors=True)
    options = ["build", str(root), "--path-output", str(place), "-W", "-n", "--keep-going", "-q"]
    built = subprocess.run(
        [sys.executable, "-c", call, *options], stdout=subprocess.PIPE, text=True, check=False
    )  # what it prints names the place beside
    if built.returncode:
        print(built.stdout, file=sys.stderr)
        return built.returncode
    broken = check_links(place / HTML)
    for link in broken:
        print(link, file=sys.stderr)
    if broken:
        return 1
    shutil.rmtree(root / HTML, ignore_errors=True)
    (place / HTML).replace(root / HTML)
    shutil.rmtree(place)
    return 0


def _exit(_signal: int, _frame: object) -> None:
    """Let a scheduler's cancel unwind like an exception, so that no kernel stays behind."""
    sys.exit(128 + signal.SIGTERM)
