"""The gate: which executed notebooks may be published, and why the others may not.

papermill's own report is not enough: after a timeout, an interrupt or the death of its kernel it
says "no exception, all cells completed", and the error may come too late to be in the file. A
published notebook carries our stamp, where it came from and a digest of what it holds, so that a
stale or hand-edited one is found without running anything.
"""

import hashlib
import json
import shlex
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
from nbformat import NotebookNode

from paperlib import reasons

EXECUTED = "book/executed"  # both relative to the book's root
SOURCES = "notebooks"
STAMP = "paperlib"  # the key in the notebook's metadata
DEAD_KERNEL = 138  # papermill's exit code; it calls every cell completed then, too
BOOK = f"{EXECUTED}/book.json"  # what each page of the book must be made from
ADDED_TAGS = {"injected-parameters", "papermill-error-cell-tag"}  # cells that papermill adds


class Refusal(NamedTuple):
    """One reason why the notebook at `path` may not be published."""

    path: Path
    reason: str

    def __str__(self) -> str:
        """Return the line that the reader of a log needs."""
        return f"{self.path} is not publishable: {self.reason}"


def check_run(notebook: NotebookNode, exit_code: int) -> list[str]:
    """Return why the run that left `notebook` was no success; nothing if it was one.

    Args:
        notebook: As papermill left it, with its metadata.
        exit_code: Of the papermill process.
    """
    run = notebook.metadata.get("papermill", {})
    reasons = list(_errors(notebook))
    if exit_code and not reasons:
        reasons.append(_cut_off(notebook, exit_code))
    for name, cell in _code_cells(notebook):
        status = _report(cell).get("status")
        if status != "completed":
            reasons.append(f"{name} did not complete (status {status!r})")
    reasons += _uncounted(notebook)
    if run.get("exception"):
        reasons.append("papermill recorded an exception")
    if not run.get("end_time"):
        reasons.append("the run has no end time: it was cut off")
    return reasons


class Origin(NamedTuple):
    """What a page must have been made from, beside its source."""

    settings: Mapping[str, object]  # all parameters, defaults included
    upstream: Mapping[str, str]  # content hashes of the results that it reads
    code: Mapping[str, str]  # hashes of the modules that it uses
    command: str  # makes the page


def stamp(
    notebook: NotebookNode,
    source: Path,
    parameters: Mapping[str, object],
    origin: Origin | None = None,
) -> None:
    """Put our stamp on a notebook whose run was checked.

    Args:
        notebook: Changed in place; must not change afterwards.
        source: The py:percent file that it came from.
        parameters: All of them, defaults included.
        origin: For a page of a book: what it was made from.
    """
    made_from = {"upstream": origin.upstream, "code": origin.code} if origin else {}
    notebook.metadata[STAMP] = nbformat.from_dict(
        {
            "source": source.name,
            "source_hash": source_hash(source),
            "parameters": dict(parameters),
            "version": metadata.version("paperlib"),
            **made_from,
        }
    )
    notebook.metadata[STAMP]["digest"] = _digest(notebook)


def source_hash(source: Path) -> str:
    """Return the SHA-256 of a source's text, whatever its line ends."""
    return hashlib.sha256(source.read_text("utf-8").encode()).hexdigest()


def check_published(
    folder: Path, sources: Iterable[Path], origins: Mapping[str, Origin] | None = None
) -> list[Refusal]:
    """Return why what lies in `folder` may not be published; nothing if all of it may.

    Args:
        folder: The executed notebooks, in subfolders too; hidden ones are skipped.
        sources: The py:percent files; each must have its executed notebook here.
        origins: By name of the page, see `check_notebook`.
    """
    by_name = {source.name: source for source in sources}
    found = sorted(
        path
        for path in folder.rglob("*.ipynb")
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    missing = {folder / f"{source.stem}.ipynb" for source in by_name.values()} - set(found)
    return [
        refusal
        for path in [*found, *sorted(missing)]
        for refusal in check_notebook(path, by_name, (origins or {}).get(path.stem))
    ]


def check_notebook(
    path: Path, sources: Mapping[str, Path], origin: Origin | None = None
) -> list[Refusal]:
    """Return why the executed notebook at `path` may not be published.

    Args:
        path: An .ipynb file.
        sources: The sources by file name.
        origin: What it must be made from; None if it belongs to no book.
    """
    source = sources.get(f"{path.stem}.py", Path("NOTEBOOK.py"))
    if not path.is_file():
        return [Refusal(path, f"it is missing; {_cure(source, path, origin)}")]
    try:
        notebook = nbformat.reads(path.read_text("utf-8"), as_version=4)
    except (OSError, ValueError) as error:
        return [Refusal(path, f"it cannot be read as a notebook ({error})")]
    ours = notebook.metadata.get(STAMP)
    if not ours or "source" not in ours:
        against = [f"it carries no stamp of ours; {_cure(source, path, origin)}"]
    else:
        against = [*_stale(path, ours, sources, origin), *_edited(notebook, origin)]
        against += _made_otherwise(ours, origin)
    return [
        Refusal(path, reason) for reason in [*against, *_errors(notebook), *_uncounted(notebook)]
    ]


def read_origins(book: Path) -> dict[str, Origin]:
    """Return what each page must be made from, as publishing noted it; nothing without a note."""
    if not book.is_file():
        return {}
    return {name: Origin(**found) for name, found in json.loads(book.read_text("utf-8")).items()}


def _stale(
    path: Path, ours: Mapping, sources: Mapping[str, Path], origin: Origin | None
) -> Iterator[str]:
    source = sources.get(ours["source"])
    if source is None:
        yield f"its source {ours['source']} does not exist; delete it"
    elif source_hash(source) != ours.get("source_hash"):
        yield f"its source {source.name} changed after the run; {_cure(source, path, origin)}"


def _made_otherwise(ours: Mapping, origin: Origin | None) -> Iterator[str]:
    if origin is None:
        return
    if "upstream" not in ours:
        yield f"it was not executed for a book; run `{origin.command}`"
        return
    record = {"settings": ours["parameters"], "upstream": ours["upstream"], "code": ours["code"]}
    if change := reasons.explain(record, origin._asdict()):
        yield f"it was made from something else: {change}; run `{origin.command}`"


def _cure(source: Path, path: Path, origin: Origin | None = None) -> str:
    if origin is not None:
        return f"run `{origin.command}`"
    return f"run `{shlex.join(['python', '-m', 'paperlib', 'execute', str(source), str(path)])}`"


def _edited(notebook: NotebookNode, origin: Origin | None) -> Iterator[str]:
    if notebook.metadata[STAMP].get("digest") != _digest(notebook):
        again = f"run `{origin.command}`" if origin else "run it again"
        yield f"it was changed after the run, by hand or by another tool; {again}"


def _errors(notebook: NotebookNode) -> Iterator[str]:
    for name, cell in _code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{name} raised {output.ename}: {output.evalue}"


def _cut_off(notebook: NotebookNode, exit_code: int) -> str:
    """Say where a run ended that left no error: a kill, or an interrupt whose error came late."""
    started = [name for name, cell in _code_cells(notebook) if _report(cell).get("start_time")]
    where = f"{started[-1]} was running" if started else "no cell was running"
    cause = " because its kernel died, often for want of memory" if exit_code == DEAD_KERNEL else ""
    return f"{where} when papermill ended with exit code {exit_code}{cause}"


def _report(cell: NotebookNode) -> Mapping[str, Any]:
    """Return what papermill noted about one cell."""
    return cell.metadata.get("papermill", {})


def _uncounted(notebook: NotebookNode) -> Iterator[str]:
    for name, cell in _code_cells(notebook):
        if cell.execution_count is None:
            yield f"{name} was not run (it has no execution count)"


def _code_cells(notebook: NotebookNode) -> Iterator[tuple[str, NotebookNode]]:
    """Yield the code cells under the names that a reader of the source can find them by.

    Numbers count from 1, without the cells that papermill added; blank cells never run.
    """
    number = 0
    for cell in notebook.cells:
        number += not ADDED_TAGS & set(cell.metadata.get("tags", []))
        if cell.cell_type == "code" and cell.source.strip():
            yield f"cell {number} (`{cell.source.strip().splitlines()[0]}`)", cell


def _digest(notebook: NotebookNode) -> str:
    """Return the SHA-256 of the whole notebook except the digest itself."""
    plain = json.loads(nbformat.writes(notebook))
    plain["metadata"][STAMP].pop("digest", None)
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
