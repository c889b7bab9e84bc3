"""A sweep as its file says it: models x losses x seeds x settings, and a notebook's parameters.

Imports neither torch nor numba: Snakemake asks which jobs there are. Nothing is trained here and
nothing scheduled; `command` judges a plan before it starts and makes its table afterwards.
"""

import difflib
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

import yaml

from paperlib.pipeline.combinations import Combination, combine
from paperlib.pipeline.run import Run
from paperlib.publish.parameters import UsageError

RUN_KEYS = {"profile": "", "data": "", "folds": 1}
AXES = ("models", "losses", "seeds")
KEYS = (*RUN_KEYS, *AXES, "settings", "notebook", "parameters")


class Sweep(NamedTuple):
    """What the file of a sweep says.

    Attributes:
        name: Of the file, fit for a folder.
        run: profile, data and folds; a command line may say otherwise.
        axes: Lists of `models`, `losses`, `seeds`; what is not there is as in the profile.
        settings: Values by name of `combinations.SETTINGS`.
        notebook: Name of one in notebooks/; empty for none.
        parameters: Values by name of its parameters.
    """

    name: str
    run: Mapping[str, Any]
    axes: Mapping[str, list[Any]]
    settings: Mapping[str, list[Any]]
    notebook: str
    parameters: Mapping[str, list[Any]]

    @property
    def trains(self) -> bool:
        """Whether it asks for networks."""
        return bool(self.axes or self.settings)


def read_sweep(file: Path) -> Sweep:
    """Return the sweep of a file.

    Raises:
        UsageError: If there is none, it is no YAML, has an unknown key, an empty list, or asks for
            nothing.
    """
    if not file.is_file():
        raise UsageError(f"There is no sweep file {file}; sweep.yml shows how one is written.")
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{file} cannot be read as YAML: {error}") from error
    if not isinstance(content, dict):
        raise UsageError(f"{file} holds no keys; expected some of {', '.join(KEYS)}.")
    _refuse_unknown(file, content)
    for key, usual in RUN_KEYS.items():
        if key in content and type(content[key]) is not type(usual):
            kind = "a word" if isinstance(usual, str) else "a whole number"
            raise UsageError(f"{file}: {key} is {content[key]!r}; expected {kind}.")
    found = Sweep(
        name=quote(file.stem, safe=""),
        run={key: content.get(key, usual) for key, usual in RUN_KEYS.items()},
        axes={key: _listed(file, key, content[key]) for key in AXES if key in content},
        settings=_table(file, "settings", content),
        notebook=str(content.get("notebook") or ""),
        parameters=_table(file, "parameters", content),
    )
    if found.parameters and not found.notebook:
        raise UsageError(f"{file} has parameters and no notebook; name one: `notebook: 01_data`.")
    if not (found.trains or found.notebook):
        raise UsageError(f"{file} asks for nothing; give {', '.join(AXES)}, settings or notebook.")
    return found


def combinations(sweep: Sweep, run: Run) -> list[Combination]:
    """Return every network-and-setting combination of a sweep, in the order of its file.

    Raises:
        UsageError: If a value has another type, a setting is unknown or a combination comes twice.
    """
    if not sweep.trains:
        return []
    usual = {"models": run.profile.models, "losses": run.profile.losses, "seeds": run.profile.seeds}
    axes: dict[str, Sequence[Any]] = {**usual, **sweep.axes}
    for key, kind in (("models", str), ("losses", str), ("seeds", int)):
        wrong = [one for one in axes[key] if type(one) is not kind]
        wrong += [one for one in axes[key] if isinstance(one, int) and one < 0]
        if wrong:
            expected = "words" if kind is str else "whole numbers from 0"
            raise UsageError(f"{key} has {wrong[0]!r}; expected {expected}.")
    try:
        found = [
            combine(run, model, loss, seed, dict(zip(sweep.settings, values, strict=True)))
            for model, loss, seed in itertools.product(*(axes[key] for key in AXES))
            for values in itertools.product(*sweep.settings.values())
        ]
    except ValueError as error:
        raise UsageError(str(error)) from error
    _refuse_twice([combination.name for combination in found])
    return found


def notebook_runs(sweep: Sweep) -> dict[str, dict[str, Any]]:
    """Return the parameters of every execution of the sweep's notebook, by the name of its job.

    Raises:
        UsageError: If one comes twice.
    """
    if not sweep.notebook:
        return {}
    given = [
        dict(zip(sweep.parameters, values, strict=True))
        for values in itertools.product(*sweep.parameters.values())
    ]
    names = [_name(sweep.notebook, values) for values in given]
    _refuse_twice(names)
    return dict(zip(names, given, strict=True))


def split_name(name: str) -> tuple[str, dict[str, str]]:
    """Return notebook and parameters, as texts, of "05_postprocessing,reading=both"."""
    notebook, *changes = name.split(",")
    return notebook, {key: unquote(text) for key, text in (one.split("=") for one in changes)}


def sweep_folder(run: Run, name: str) -> Path:
    """Return where tables and notebooks of a sweep lie."""
    return run.folder / "sweeps" / name


def _name(notebook: str, values: Mapping[str, Any]) -> str:
    return ",".join([notebook, *(f"{key}={quote(str(v), safe='')}" for key, v in values.items())])


def _table(file: Path, key: str, content: Mapping[str, Any]) -> dict[str, list[Any]]:
    table = content.get(key) or {}
    if not isinstance(table, dict):
        raise UsageError(f"{file}: {key} is {table!r}; expected names, each with a list.")
    return {str(name): _listed(file, f"{key}: {name}", values) for name, values in table.items()}


def _listed(file: Path, key: str, values: Any) -> list[Any]:
    """Return a list; a single value stands for a list of one."""
    if values in (None, [], {}, ""):
        raise UsageError(f"{file}: {key} is empty; give at least one value or leave it out.")
    return values if isinstance(values, list) else [values]


def _refuse_unknown(file: Path, content: Mapping[str, Any]) -> None:
    unknown = [str(key) for key in content if key not in KEYS]
    if unknown:
        near = difflib.get_close_matches(unknown[0], KEYS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"{file} has the key {unknown[0]!r}.{hint} Known are {', '.join(KEYS)}.")


def _refuse_twice(names: list[str]) -> None:
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise UsageError(f"The combination {unquote(twice[0])} comes twice; give each value once.")
