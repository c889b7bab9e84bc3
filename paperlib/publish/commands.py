"""The publishing commands: each prints what a person needs and returns the exit status."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from paperlib.publish.execute import NotebookError, execute_notebook
from paperlib.publish.gate import EXECUTED, SOURCES, check_published
from paperlib.publish.links import check_links
from paperlib.publish.notebooks import write_notebooks

HTML = "_build/html"  # relative to the book's root


def run_execute(source: Path, output: Path, given: Iterable[Sequence[str]] = ()) -> int:
    """Execute one notebook: `paperlib execute SOURCE OUTPUT -p NAME VALUE`.

    Args:
        source: The py:percent file.
        output: The executed .ipynb.
        given: Pairs of name and text.

    Returns:
        0, or 1 if a parameter was refused or the run was no success; then there is no output.
    """
    signal.signal(signal.SIGTERM, _exit)
    try:
        warnings = execute_notebook(source, output, {name: text for name, text in given})
    except (FileNotFoundError, NotebookError, ValueError) as error:
        print(f"paperlib execute: {error}", file=sys.stderr)
        return 1
    note = f" ({len(warnings)} texts on standard error left out)" if warnings else ""
    print(f"{output}{note}")
    return 0


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


def run_gate(folder: Path, sources: Iterable[Path]) -> int:
    """Say which executed notebooks may not be published: `paperlib gate`.

    Args:
        folder: book/executed.
        sources: The py:percent files.

    Returns:
        0 if all may be published, else 1.
    """
    refusals = check_published(folder, sources)
    for refusal in refusals:
        print(refusal, file=sys.stderr)
    return 1 if refusals else 0


def run_book(root: Path) -> int:
    """Build the book's pages in `root`/_build/html: `paperlib book`.

    Any warning is an error, and so is a link that leads nowhere.

    Jupyter Book runs as `python -c`: its console script breaks in a path with spaces.

    Args:
        root: The folder of _config.yml and _toc.yml.

    Returns:
        0 if the book was built without a warning and its links are whole.
    """
    refused = run_gate(root / EXECUTED, sorted((root / SOURCES).glob("*.py")))
    if refused:
        return refused
    call = "from jupyter_book.cli.main import main; main()"
    options = ["build", str(root), "-W", "-n", "--keep-going", "-q"]
    status = subprocess.run([sys.executable, "-c", call, *options], check=False).returncode
    if status:  # Sphinx forgets its warnings: without this, the next build would succeed
        shutil.rmtree(root / "_build" / ".doctrees", ignore_errors=True)
        return status
    broken = check_links(root / HTML)
    for link in broken:
        print(link, file=sys.stderr)
    return 1 if broken else 0


def _exit(_signal: int, _frame: object) -> None:
    """Let a scheduler's cancel unwind like an exception, so that no kernel stays behind."""
    sys.exit(128 + signal.SIGTERM)
