"""The publishing commands: each prints what a person needs and returns the exit status."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from paperlib.publish.execute import NotebookError, execute_notebook
from paperlib.publish.gate import check_published
from paperlib.publish.notebooks import write_notebooks


def run_execute(source: Path, output: Path, given: Iterable[Sequence[str]] = ()) -> int:
    """Execute one notebook: `paperlib execute SOURCE OUTPUT -p NAME VALUE`.

    Args:
        source: The py:percent file.
        output: The executed .ipynb.
        given: Pairs of name and text.

    Returns:
        0, or 1 if a parameter was refused or the run was no success; then there is no output.
    """
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
