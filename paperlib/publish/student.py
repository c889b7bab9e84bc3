"""The student's copies in work/: open them, show what was changed, bring the original back.

What a student writes is never lost: a reset keeps the copy under `SAVED` before the original
returns, under a name that no earlier copy has.
"""

import datetime
import difflib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import jupytext
import nbformat

from paperlib import artifacts
from paperlib.publish.notebooks import ORIGINALS, write_notebooks

SAVED = "saved"  # in the folder: copies that a reset has put aside
ALL = "all"
_CELLS_ONLY = {"notebook_metadata_filter": "-all", "cell_metadata_filter": "tags,mystnb,-all"}
# On this machine only, and nothing is asked of any other: no update, no news, no shop.
_LAB_OPTIONS = (
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.allow_remote_access=False",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.news_url=None",
    "--LabApp.extension_manager=readonly",
)
_SILENT = {"@jupyterlab/apputils-extension:announcements": True}


def lab_command(folder: Path, options: Sequence[str] = ()) -> list[str]:
    """Return the command that opens JupyterLab in `folder`, on this machine only.

    Args:
        folder: work/.
        options: Further ones of JupyterLab; they cannot open it to other machines.
    """
    command = [sys.executable, "-m", "jupyterlab", *options]
    return [*command, f"--ServerApp.root_dir={folder.resolve()}", *_LAB_OPTIONS]


def write_lab_settings(folder: Path) -> Path:
    """Write, below work/, settings in which JupyterLab does not offer its news; return where."""
    settings = folder.resolve() / ".jupyter"
    (settings / "labconfig").mkdir(parents=True, exist_ok=True)
    artifacts.write_json(settings / "labconfig/page_config.json", {"disabledExtensions": _SILENT})
    return settings


def lab_environment(settings: Path) -> Mapping[str, str]:
    """Return the environment in which a notebook of work/ finds the runs of this repository.

    Args:
        settings: From `write_lab_settings`; the reader's own come after them.
    """
    found = os.environ.get("JUPYTER_CONFIG_PATH")
    return os.environ | {
        "JUPYTER_CONFIG_PATH": os.pathsep.join([str(settings), *([found] if found else [])]),
        "PAPERLIB_ROOT": str(artifacts.ROOT),
        "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel of this environment
    }


def diff_notebooks(folder: Path, name: str = ALL) -> str:
    """Return what the student changed, as a unified diff of py:percent sources.

    Outputs and what JupyterLab notes about itself are no change.

    Args:
        folder: work/.
        name: Of one notebook, such as "05_postprocessing", or "all".

    Raises:
        FileNotFoundError: If the folder holds no original of that name.
        ValueError: If a copy is no notebook.
    """
    lines: list[str] = []
    for original in _originals(folder, name):
        yours = folder / original.name
        if not yours.exists():
            lines.append(f"{yours} is not there; `make notebooks` brings it back\n")
            continue
        before, after = (_as_source(path).splitlines(keepends=True) for path in (original, yours))
        names = f"original/{original.stem}.py", f"{folder.name}/{original.stem}.py"
        lines += difflib.unified_diff(before, after, *names)
    return "".join(lines)


def reset_notebooks(
    sources: Iterable[Path], folder: Path, name: str, *, today: datetime.date
) -> list[str]:
    """Bring originals back; what the student had is kept under `SAVED`.

    Args:
        sources: The py:percent files.
        folder: work/.
        name: Of one notebook, such as "05_postprocessing", or "all".
        today: Goes into the names of the copies.

    Returns:
        One line per notebook: what was done.

    Raises:
        ValueError: If there is no such notebook.
    """
    by_name = {source.stem: source for source in sources}
    stem = _stem(name)
    if stem != ALL and stem not in by_name:
        raise ValueError(
            f"There is no notebook {name!r}; give {ALL} or one of {', '.join(by_name)}."
        )
    lines = []
    for chosen in by_name if stem == ALL else [stem]:
        path = folder / f"{chosen}.ipynb"
        copy = _put_aside(path, today) if _differs(path) else None
        (written,) = write_notebooks([by_name[chosen]], folder)
        lines.append(f"{path}: the original; yours is {copy}" if copy else str(written))
    return lines


def say_missing_run(folder: Path, command: str) -> str:
    """Return what to tell a student when the run that the notebooks read is not there.

    Args:
        folder: Of the run's last stage.
        command: That makes the run.
    """
    if artifacts.read_manifest(folder) is not None:
        return ""
    return (
        f"The notebooks read a run that is not there yet. `{command}` makes it, in about 3 minutes "
        "on two cores; it may work in another terminal while you read."
    )


def _originals(folder: Path, name: str) -> list[Path]:
    found = sorted((folder / ORIGINALS).glob("*.ipynb"))
    stem = _stem(name)
    chosen = [path for path in found if stem in (ALL, path.stem)]
    if not chosen:
        known = ", ".join(path.stem for path in found) or "none"
        raise FileNotFoundError(
            f"{folder} holds no original of {name!r}, there is {known}; run `make notebooks`."
        )
    return chosen


def _stem(name: str) -> str:
    """Return the bare name of a notebook that may be given as a file."""
    return Path(name).name.removesuffix(".ipynb").removesuffix(".py")


def _as_source(path: Path) -> str:
    try:
        notebook = nbformat.reads(path.read_text("utf-8"), as_version=4)
    except (ValueError, nbformat.ValidationError) as error:
        raise ValueError(
            f"{path} cannot be read as a notebook ({error}); `make student-reset "
            f"NOTEBOOK={path.stem}` puts it aside and brings the original back."
        ) from error
    notebook.metadata = nbformat.from_dict({"jupytext": _CELLS_ONLY})
    return jupytext.writes(notebook, fmt="py:percent")


def _differs(path: Path) -> bool:
    original = path.parent / ORIGINALS / path.name
    return path.exists() and not (original.exists() and path.read_bytes() == original.read_bytes())


def _put_aside(path: Path, today: datetime.date) -> Path:
    """Move a file to `SAVED` under a name that nothing has yet; return that name."""
    folder, number = path.parent / SAVED, 1
    folder.mkdir(exist_ok=True)
    while True:
        rank = f"-{number}" if number > 1 else ""
        copy = folder / f"{path.stem}-{today.isoformat()}{rank}{path.suffix}"
        try:
            with copy.open("xb") as stream:  # never the name of an earlier copy
                stream.write(path.read_bytes())
        except FileExistsError:
            number += 1
            continue
        path.unlink()
        return copy
