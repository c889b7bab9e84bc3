"""Rows of `make ablations` that a person names on the command line: `ROWS=reading=mine`.

Such a row changes one setting of the base. A choice that was added to its registry is tried
without its name being written anywhere else.
"""

import dataclasses
import importlib
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from paperlib.config import MixtureSettings, TrainingSettings
from paperlib.publish.values import read_value

GROUP = "your own"
KL_WEIGHT = 1.0  # of a loss that has none: as of every mean per pixel in z units; decided
FIXED = ("sequence", "fold", "hull")  # of the run, or without an effect on the outline
# Where the choices of a setting stand. Looked up when a row runs: the modules import torch.
REGISTRIES: Mapping[str, tuple[str, str]] = {
    "loss": ("paperlib.models.losses", "RECONSTRUCTION_LOSSES"),
    "model": ("paperlib.models.objectives", "OBJECTIVES"),
    "reading": ("paperlib.postprocessing.mixture", "READINGS"),
    "start": ("paperlib.postprocessing.mixture", "STARTS"),
    "cluster": ("paperlib.postprocessing.mixture", "CLUSTERS"),
    "component": ("paperlib.postprocessing.morphology", "COMPONENTS"),
}
_NAME = re.compile(r"([a-z_]+)=([\w.+-]+)")  # a file and a job are called so, too


class Change(NamedTuple):
    """The changed fields of `TrainingSettings` and of `MixtureSettings`; one of them is empty."""

    training: Mapping[str, Any]
    mixture: Mapping[str, Any]


def is_own(name: str) -> bool:
    """Return whether a row is named by a person, as SETTING=VALUE."""
    return "=" in name


def read_change(name: str) -> Change:
    """Return the setting that a row changes.

    Args:
        name: Such as "loss=L1" or "learning_rate=3e-4".

    Raises:
        ValueError: If it names no setting of one value, or a value of another type.
    """
    found = _NAME.fullmatch(name)
    training, mixture = _simple(TrainingSettings), _simple(MixtureSettings)
    known = training | mixture
    if found is None or found[1] not in known:
        raise ValueError(
            f"The row {name!r} changes no setting; give SETTING=VALUE without spaces, such as "
            f"loss=L1. There are {', '.join(known)}."
        )
    setting, text = found.groups()
    try:
        value = read_value(known[setting], text, from_text=True)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The row {name!r} has a wrong value: {error}.") from error
    if setting in mixture:
        return Change({}, {setting: value})
    weights = TrainingSettings("", "").beta
    if setting == "loss" and value not in weights:
        return Change({setting: value, "beta": {**weights, str(value): KL_WEIGHT}}, {})
    return Change({setting: value}, {})


def refuse_unknown(name: str) -> None:
    """Refuse a row whose value is in no registry.

    Raises:
        ValueError: Names the choices there are, and the file to add one to.
    """
    setting, _, value = name.partition("=")
    if setting not in REGISTRIES:
        return
    module, registry = REGISTRIES[setting]
    choices = getattr(importlib.import_module(module), registry)
    if value not in choices:
        raise ValueError(
            f"There is no {setting} {value!r}; there are {', '.join(choices)}. Add yours to "
            f"{registry} in {module.replace('.', '/')}.py."
        )


def _simple(settings: type) -> dict[str, str]:
    """Return the fields that hold one value, with their types as texts."""
    types = {
        field.name: getattr(field.type, "__name__", str(field.type))
        for field in dataclasses.fields(settings)
        if field.name not in FIXED
    }
    simple = {"str", "int", "float", "bool", "int | None", "float | None"}
    return {name: kind for name, kind in types.items() if kind in simple}
