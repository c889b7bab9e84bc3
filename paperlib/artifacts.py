"""Named arrays, tables and a manifest on disk: the only writer under `runs/`.

A stage is a folder. Its manifest is removed before anything is written and put back last, by
rename, so a manifest means that everything beside it is complete.
"""

import ast
import hashlib
import importlib.util
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy import ndarray

MANIFEST = "manifest.json"
PROVENANCE = "provenance.json"  # where the results of a folder come from
ROOT = Path(os.environ.get("PAPERLIB_ROOT", Path(__file__).resolve().parents[1]))


def stage_key(
    settings: Mapping[str, object], upstream: Mapping[str, str], code: Mapping[str, str]
) -> str:
    """Return a hash of all that decides a stage's result.

    Args:
        settings: Plain values, written to the manifest too.
        upstream: Content hashes of the stages read, by name: a stage that was made again with
            the same result makes nothing after it run again.
        code: Hashes of the modules that compute the result by dotted name, see `code_hash`.
    """
    parts = [settings, upstream, code]
    return _digest(json.dumps(parts, sort_keys=True, default=list))


def code_hash(module: str) -> str:
    """Return a hash of a module's source without comments, docstrings and layout.

    Raises:
        ModuleNotFoundError: If there is no such module.
    """
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(f"Module {module} of a stage is not there.")
    tree = ast.parse(Path(found.origin).read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            node.body[0] = ast.Pass()
    return _digest(ast.dump(tree))


def read_manifest(folder: Path) -> dict | None:
    """Return the manifest of a complete stage, or None."""
    try:
        return json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def require(folder: Path, *, command: str) -> dict:
    """Return the manifest of a stage that must be there.

    Raises:
        FileNotFoundError: If the stage is missing or incomplete; names the command to make it.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        raise FileNotFoundError(f"{_shown(folder)} is missing or incomplete; run `{command}`.")
    return manifest


@contextmanager
def writing(
    folder: Path, *, key: str, record: Mapping[str, object], keep: Sequence[str] = ()
) -> Iterator[Path]:
    """Write a stage: old content goes first, the manifest comes last.

    Args:
        folder: Folder of the stage.
        key: See `stage_key`.
        record: What the manifest keeps beside the key: settings, upstream keys, versions.
        keep: Names of files that survive, such as the checkpoint of the same training.
    """
    (folder / MANIFEST).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    for child in folder.iterdir():
        if child.is_dir():
            shutil.rmtree(child)
        elif child.name not in keep:
            child.unlink()
    yield folder
    manifest = {**record, "key": key, "content": _content_hash(folder, keep)}
    write_json(folder / MANIFEST, {**manifest, "arrays": _describe_arrays(folder)})


def create_array(
    folder: Path, name: str, shape: tuple[int, ...], dtype: str, *, axes: str
) -> np.memmap:
    """Return a new memory-mapped array; `axes` names its dimensions, separated by spaces.

    Its place on the disk is taken at once: a disk that fills up later would kill the process
    without a word, since a mapped array is written behind Python's back.

    Raises:
        ValueError: If the number of names does not match the shape.
        OSError: If the disk has no room for it.
    """
    if len(axes.split()) != len(shape):
        raise ValueError(f"Array {name} of shape {shape} needs {len(shape)} axis names: {axes!r}.")
    write_json(folder / f"{name}.axes.json", axes.split())
    file = folder / f"{name}.npy"
    array = np.lib.format.open_memmap(file, mode="w+", dtype=dtype, shape=shape)
    if hasattr(os, "posix_fallocate"):
        with file.open("r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, file.stat().st_size)
    return array


def save_array(folder: Path, name: str, array: ndarray, *, axes: str) -> None:
    """Write an array; `axes` names its dimensions, separated by spaces."""
    target = create_array(folder, name, array.shape, array.dtype.str, axes=axes)
    target[...] = array
    target.flush()


def load_array(folder: Path, name: str) -> np.memmap:
    """Return an array memory-mapped, read only."""
    return np.load(folder / f"{name}.npy", mmap_mode="r")


def save_table(folder: Path, name: str, table: pd.DataFrame) -> None:
    """Write a table as CSV with enough digits to recompute from it."""
    table.to_csv(folder / f"{name}.csv", index=False, float_format="%.7g")


def load_table(folder: Path, name: str) -> pd.DataFrame:
    """Return a table written by `save_table`."""
    return pd.read_csv(folder / f"{name}.csv")


def write_json(file: Path, content: object) -> None:
    """Write JSON by rename: readers see the old file or the new one, never half of it."""
    partial = file.with_name(file.name + ".partial")
    partial.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(partial, file)


def read_json(file: Path) -> Any:
    """Return the content of a JSON file."""
    return json.loads(file.read_text(encoding="utf-8"))


def _content_hash(folder: Path, keep: Sequence[str]) -> str:
    total = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.name == PROVENANCE:
            total.update(f"{file.name} {_digest(_without_times(file))} ".encode())
        elif file.name not in keep:
            with file.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            total.update(f"{file.name} {digest} ".encode())
    return total.hexdigest()[:16]


def _without_times(file: Path) -> str:
    """Return a JSON file without how long things took: the same results are the same content."""

    def timeless(part: dict[str, object]) -> dict[str, object]:
        return {name: value for name, value in part.items() if name != "seconds"}

    return json.dumps(json.loads(file.read_text(encoding="utf-8"), object_hook=timeless))


def _describe_arrays(folder: Path) -> dict[str, dict[str, object]]:
    found = {}
    for file in sorted(folder.glob("*.npy")):
        array = np.load(file, mmap_mode="r")
        axes = read_json(folder / f"{file.stem}.axes.json")
        found[file.stem] = {"axes": axes, "shape": list(array.shape), "dtype": array.dtype.name}
    return found


def _shown(folder: Path) -> str:
    return str(folder.relative_to(ROOT)) if folder.is_relative_to(ROOT) else str(folder)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
