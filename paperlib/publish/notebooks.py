"""Notebooks to play with: `make notebooks` turns the sources into plain .ipynb files in work/.

They are copies, paired with nothing: what a reader does there never reaches notebooks/, and what
a reader changed is never overwritten.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import jupytext
import nbformat
from nbformat import NotebookNode

from paperlib.publish.blanks import blank_solutions
from paperlib.publish.plain import write_plainly

KERNEL = "python3"
RECORD = ".written.json"  # in the folder: the hash of each notebook as it was written
ORIGINALS = ".original"  # in the folder: each notebook as it was written, to compare with
WORK_CONFIG = """\
# Written by `make notebooks`. No formats: these notebooks are copies, paired with nothing.
formats = ""
notebook_metadata_filter = "kernelspec,-all"
cell_metadata_filter = "tags,mystnb,-all"
"""


class Written(NamedTuple):
    """What `write_notebooks` did with one notebook; `status` is a key of `STATUSES`."""

    path: Path
    status: str

    def __str__(self) -> str:
        """Return one line for the terminal."""
        return f"{self.path}: {STATUSES[self.status]}"


def read_notebook(source: Path) -> NotebookNode:
    """Return the notebook of a py:percent source, the same at every call.

    jupytext draws cell ids at random; here they follow from the content. Kernel and language are
    set, so that plain papermill needs no options.

    Args:
        source: A jupytext py:percent file.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    if not source.is_file():
        raise FileNotFoundError(f"There is no notebook source {source}; expected NN_noun.py.")
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"name": KERNEL, "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    set_cell_ids(notebook)
    return notebook


def read_student_copy(source: Path) -> NotebookNode:
    """Return the notebook of a py:percent source with blanks in place of the solutions.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If a solution is not written as `blanks` expects it.
    """
    notebook = read_notebook(source)
    blank_solutions(notebook)
    write_plainly(notebook, source.parent)
    set_cell_ids(notebook)
    return notebook


def set_cell_ids(notebook: NotebookNode) -> None:
    """Give each cell an id that follows from its text, and from its rank among equal cells."""
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        text = f"{cell.cell_type}\n{cell.source}"
        seen[text] += 1
        cell.id = hashlib.sha256(f"{text}\n{seen[text]}".encode()).hexdigest()[:12]


def write_notebooks(sources: Iterable[Path], folder: Path) -> list[Written]:
    """Write each source as a plain notebook with blanks into `folder`; return what was done.

    Args:
        sources: The py:percent files.
        folder: Made where missing; also gets a jupytext.toml that pairs nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "jupytext.toml").write_text(WORK_CONFIG, encoding="utf-8")
    record_path = folder / RECORD
    record = json.loads(record_path.read_text("utf-8")) if record_path.is_file() else {}
    done = []
    for source in sources:
        path = folder / f"{source.stem}.ipynb"
        text = nbformat.writes(read_student_copy(source)) + "\n"
        status = _status(path, _hash(text), record.get(path.name))
        if status in ("new", "updated"):
            path.write_text(text, encoding="utf-8")
        if status not in ("kept", "behind"):
            record[path.name] = _hash(text)
            _keep_original(folder, path.name, text)
        done.append(Written(path, status))
    record_path.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return done


def _keep_original(folder: Path, name: str, text: str) -> None:
    (folder / ORIGINALS).mkdir(exist_ok=True)
    (folder / ORIGINALS / name).write_text(text, encoding="utf-8")


def _status(path: Path, new: str, written: str | None) -> str:
    """Return what to do with `path`, from the hashes of the new text and of the last one."""
    if not path.exists():
        return "new"
    found = _hash(path.read_text("utf-8"))
    if found == new:
        return "current"
    if found == written:
        return "updated"
    return "kept" if new == written else "behind"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


STATUSES = {
    "new": "written",
    "updated": "written anew, its source has changed",
    "current": "nothing to do",
    "kept": "kept, you changed it",
    "behind": (
        "kept, you changed it; its source has changed too: `make student-reset` keeps yours and "
        "brings the new one"
    ),
}
