"""The folder of a model beyond the paper, complete enough to be copied away and used.

`runs/<run>/models/beyond-f<fold>` holds the weights of the networks, one file a seed, and
`model.json` with everything else: settings, thresholds of healthy training slices, and what the
training patients were like. Statistics are sorted, so that no column is a patient.
"""

import dataclasses
import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from paperlib import artifacts
from paperlib.config import BeyondSettings, PrepareSettings
from paperlib.labels import SEQUENCES
from paperlib.pipeline.new_patients import beyond_method, model_folder
from paperlib.pipeline.new_patients.beyond_method import Limits
from paperlib.pipeline.new_patients.model_folder import BEYOND, PAIR

FORMAT = 1  # of the file: raise it with every change that older code cannot read
WEIGHTS = "weights.safetensors"  # of a trained network, where its stage left it


class Model(NamedTuple):
    """What is known of a model before torch is imported.

    Attributes:
        name: Such as "beyond-f0".
        simulated: Whether it learned from simulated patients.
        prepare: How slices were prepared.
        settings: Of both methods.
        limits: Thresholds, see `beyond_method.Limits`.
        training: Values of the training patients by statistic, see `likeness.measure`.
        weights: Files of the networks' weights, one a seed.
    """

    name: str
    simulated: bool
    prepare: PrepareSettings
    settings: BeyondSettings
    limits: Limits
    training: Mapping[str, Sequence[float]]
    weights: tuple[Path, ...]


def write_model(folder: Path, model: Model, networks: Mapping[int, Path], *, profile: str) -> None:
    """Write a model; its weights are copied from the folders of the networks.

    Args:
        folder: Of the model.
        model: What it knows; its own `weights` are not looked at.
        networks: Folder of the trained network of each seed.
        profile: Of the run.
    """
    weights = {}
    for seed, home in networks.items():
        name = f"weights-s{seed}.safetensors"
        shutil.copyfile(home / WEIGHTS, folder / name)
        weights[name] = _digest(folder / name)
    content = {
        "format": FORMAT,
        "model": model.name,
        "methods": beyond_method.METHODS,
        "profile": profile,
        "simulated_patients": model.simulated,
        "prepare": dataclasses.asdict(model.prepare),
        "beyond": dataclasses.asdict(model.settings),
        "thresholds": dict(model.limits),
        "training_patients": {name: sorted(found) for name, found in model.training.items()},
        "weights_sha256": weights,
    }
    artifacts.write_json(folder / BEYOND, content)


def read_model(folder: Path) -> Model:
    """Read a model's folder.

    Raises:
        FileNotFoundError: If the folder or a part of it is missing; says how to make it.
        ValueError: If its parts do not belong together, or another version wrote it.
    """
    _refuse_other_folders(folder)
    file = folder / BEYOND
    found = artifacts.read_json(file)
    if found.get("format") != FORMAT:
        raise ValueError(
            f"{file} has format {found.get('format')}, this version of paperlib reads {FORMAT}; "
            f"{_cure(folder)}"
        )
    for name, digest in found["weights_sha256"].items():
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} has no {name}; copy it too, or {_cure(folder)}")
        if _digest(folder / name) != digest:
            raise ValueError(f"{folder / name} is not the file that {file} names; {_cure(folder)}")
    read, cure = model_folder.read_settings, _cure(folder)
    return Model(
        found["model"],
        found["simulated_patients"],
        read(PrepareSettings, found["prepare"], file, cure=cure),
        read(BeyondSettings, found["beyond"], file, cure=cure),
        found["thresholds"],
        found["training_patients"],
        tuple(folder / name for name in sorted(found["weights_sha256"])),
    )


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _refuse_other_folders(folder: Path) -> None:
    if not folder.is_dir():
        raise FileNotFoundError(
            f"No folder at {folder}; expected the folder of a model, such as "
            "runs/phantom-phantom/models/beyond-f0 after `make beyond`."
        )
    if (folder / BEYOND).is_file():
        return
    if (folder / PAIR).exists() or all((folder / name).is_dir() for name in SEQUENCES):
        raise FileNotFoundError(
            f"{folder} holds a pair of the paper's networks, which only --method paper reads; "
            f"expected the folder of a model beyond the paper, with {BEYOND} in it, such as "
            f"{folder.parent / 'beyond-f0'} after `make beyond`."
        )
    inside = sorted(file.parent.name for file in folder.glob(f"*/{BEYOND}"))
    hint = f"name one of the models in it: {', '.join(inside)}" if inside else _cure(folder)
    raise FileNotFoundError(f"{folder} has no {BEYOND}; {hint}")


def _cure(folder: Path) -> str:
    return (
        f"make {folder.name} where the networks were trained, with the profile and the data of "
        "that run: `paperlib stage beyond FOLD --profile PROFILE [--data DATA] [--folds FOLDS]`."
    )
