"""The files of the slice viewer: one script a patient, with pictures and facts inside.

A page opened from file:// may not fetch data, but may load a script; pictures inside it are
data URLs. Only simulated patients come here: a book is copied around.
"""

import base64
import io
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Int
from numpy import ndarray
from PIL import Image

from paperlib import artifacts
from paperlib.evaluation.figures import sheets
from paperlib.publish.gate import EXECUTED

CASES = "book/static/viewer"  # all three relative to the book's root; generated, git-ignored
INDEX = f"{EXECUTED}/viewer.json"
PICTURE = f"{EXECUTED}/viewer.png"
MAX_BYTES = 3_000_000  # of a patient


class Case(NamedTuple):
    """One patient of the viewer.

    Attributes:
        number: In the run.
        title: Why it is shown.
        z: Index of each slice in its volume, without a gap.
        examined: Whether the networks were shown the slice.
        brain_px: Pixels of brain in each slice.
        layers: By name, a key of `viewer_page.LAYERS`.
        facts: By z of each examined slice, from `slice_facts.case_facts`.
        first: The z to open with.
    """

    number: int
    title: str
    z: Int[ndarray, " slice"]
    examined: Bool[ndarray, " slice"]
    brain_px: Int[ndarray, " slice"]
    layers: Mapping[str, sheets.Layer]
    facts: Mapping[int, Mapping[str, object]]
    first: int


def clear(root: Path) -> None:
    """Remove what an earlier book left."""
    shutil.rmtree(root / CASES, ignore_errors=True)
    for name in (INDEX, PICTURE):
        (root / name).unlink(missing_ok=True)


def write_case(root: Path, case: Case) -> Path:
    """Write the script of one patient; return it.

    Args:
        root: The folder of _config.yml.
        case: The patient.

    Raises:
        ValueError: If the script is larger than `MAX_BYTES`.
    """
    slices = [
        {"z": int(z), "examined": bool(seen), "brain": int(pixels)}
        | (dict(case.facts[int(z)]) if seen else {})
        for z, seen, pixels in zip(case.z, case.examined, case.brain_px, strict=True)
    ]
    content = {
        "columns": sheets.COLUMNS,
        "first": case.first,
        "size": int(next(iter(case.layers.values())).numbers.shape[1]),
        "slices": slices,
        "layers": {name: _data_url(layer) for name, layer in case.layers.items()},
    }
    name = file_name(case.number)
    text = json.dumps(content, sort_keys=True, allow_nan=False, separators=(",", ":"))
    script = f'window.sliceViewer.add("{name}",{text});\n'
    if len(script) > MAX_BYTES:
        raise ValueError(
            f"{name} of the slice viewer would take {len(script):,} bytes, at most {MAX_BYTES:,} "
            "are allowed; give the sheets fewer levels (evaluation/figures/sheets.py)."
        )
    folder = root / CASES
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{name}.partial"
    partial.write_text(script, encoding="ascii")
    os.replace(partial, folder / name)
    return folder / name


def write_index(root: Path, cases: Sequence[Case], *, note: str, depth: int) -> None:
    """Write what the page has to know before it loads a patient.

    Args:
        root: The folder of _config.yml.
        cases: Those written; none where the book is about real patients.
        note: Network, data, profile, seed and commit in one line.
        depth: Slices of a whole volume, examined or not.
    """
    listed = [
        {"file": file_name(case.number), "title": f"patient {case.number}: {case.title}"}
        for case in cases
    ]
    bounds = [int(case.z[place]) for case in cases[:1] for place in (0, -1)]
    content = {"cases": listed, "note": note, "depth": depth, "examined": bounds}
    artifacts.write_json(root / INDEX, content)


def file_name(number: int) -> str:
    """Return the name of a patient's script."""
    return f"case-{number}.js"


def _data_url(layer: sheets.Layer) -> str:
    picture = Image.fromarray(sheets.tile(layer.numbers))
    picture.putpalette(layer.palette[:, :3].tobytes(), "RGB")
    target = io.BytesIO()
    opacity = np.ascontiguousarray(layer.palette[:, 3]).tobytes()
    picture.save(target, format="PNG", transparency=opacity, optimize=True)
    return "data:image/png;base64," + base64.b64encode(target.getvalue()).decode("ascii")
