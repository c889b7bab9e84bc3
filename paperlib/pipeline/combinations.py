"""Networks beside a run's own: another model, loss or seed, or settings changed.

A name says all of it, so that a job needs nothing else: "dVAE-SSIM-f0-s1" is a pair of one fold,
"VAE-MSE-s0,learning_rate=0.01,reading=both" a combination of all folds. Another model, loss or
seed lies in the run's own folders; what has changed settings under `changed/<settings>` of the
run, networks under those that change the training, so that others share them.
"""

import dataclasses
import importlib
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from paperlib.config import MixtureSettings, TrainingSettings
from paperlib.pipeline.run import Run
from paperlib.pipeline.study_run import StudyRun
from paperlib.publish.values import read_value

_NOT_CHANGED = ("model", "loss", "sequence", "fold", "seed", "autocast", "augment", "readings")
_NAME = re.compile(r"([^,/]+)-(?!f\d+-)([^-,/]+)(?:-f(\d+))?-s(\d+)((?:,[^,=]+=[^,=]*)*)")


def _declared(settings: type) -> dict[str, str]:
    fields = [field for field in dataclasses.fields(settings) if field.name not in _NOT_CHANGED]
    kinds = {field.name: inspect.formatannotation(field.type) for field in fields}
    return kinds | ({"beta": "float"} if "beta" in kinds else {})  # of the combination's loss


TRAINING: Mapping[str, str] = _declared(TrainingSettings)  # name to type
MIXTURE: Mapping[str, str] = _declared(MixtureSettings)
SETTINGS: Mapping[str, str] = {**TRAINING, **MIXTURE}


class Combination(NamedTuple):
    """One model, loss and seed, and what differs from the profile, in the order of `SETTINGS`."""

    model: str
    loss: str
    seed: int
    changes: tuple[tuple[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """Name of its jobs: "VAE-MSE-s0,learning_rate=0.01"."""
        return _join(f"{self.model}-{self.loss}-s{self.seed}", self.changes)

    def pair(self, fold: int) -> str:
        """Return the name of its pair of networks in one fold."""
        return _join(f"{self.model}-{self.loss}-f{fold}-s{self.seed}", self.changes)

    def trained(self) -> "Combination":
        """Return the combination that trains the same networks and changes nothing after it."""
        return self._replace(changes=_only(self.changes, TRAINING))


@dataclass(frozen=True, kw_only=True)
class CombinationRun(StudyRun):
    """The run of one combination, on the patients and slices of the run it belongs to.

    Attributes:
        training: Changed fields of `TrainingSettings`.
        trained_in: Folder of its networks, which other combinations may share.
    """

    training: Mapping[str, Any]
    trained_in: Path

    @property
    def command(self) -> str:
        """The command that makes what is missing."""
        return "make sweep SWEEP=FILE"

    def networks(self) -> list[TrainingSettings]:
        """Return the settings of its networks."""
        return [dataclasses.replace(one, **self._changed(one)) for one in super().networks()]

    def network_folder(self, network: TrainingSettings) -> Path:
        """Return the folder of a trained network."""
        return self.trained_in / "models" / network.pair / network.sequence

    def reconstruction_folder(self, network: TrainingSettings) -> Path:
        """Return where the reconstructions of a network lie."""
        return self.trained_in / "reconstructions" / network.pair / network.sequence

    def _changed(self, network: TrainingSettings) -> dict[str, Any]:
        changed = dict(self.training)
        if "beta" in changed:
            changed["beta"] = {**network.beta, network.loss: changed["beta"]}
        return changed


def combine(
    run: Run, model: str, loss: str, seed: int, values: Mapping[str, object]
) -> Combination:
    """Return a combination; settings as the profile has them count as unchanged.

    Args:
        run: The run it belongs to.
        model: Name of the model.
        loss: Name of the loss.
        seed: Of the networks.
        values: Settings by name, texts as typed: "1e-3".

    Raises:
        ValueError: If there is no such setting, or a value has another type.
    """
    usual = _usual(run, loss)
    read = {name: _read(name, value) for name, value in values.items()}
    differing = tuple((n, read[n]) for n in SETTINGS if n in read and read[n] != usual[n])
    return Combination(model, loss, seed, differing)


def setting_of(run: Run, combination: Combination, name: str) -> object:
    """Return the value of a setting, changed or not."""
    return (_usual(run, combination.loss) | dict(combination.changes))[name]


def read_name(run: Run, name: str) -> tuple[Combination, int | None] | None:
    """Return the combination and the fold that a name means, None where it is no such name.

    Raises:
        ValueError: If it names an unknown setting, or a value of another type.
    """
    found = _NAME.fullmatch(name)
    if not found:
        return None
    model, loss, fold, seed, changes = found.groups()
    values = dict(change.split("=") for change in changes.split(",")[1:])
    texts = {setting: unquote(text) for setting, text in values.items()}
    combination = combine(run, model, loss, int(seed), texts)
    return combination, None if fold is None else int(fold)


def open_combination(run: Run, combination: Combination) -> CombinationRun:
    """Return the run of a combination."""
    mixture = dataclasses.replace(run.profile.mixture, **dict(_only(combination.changes, MIXTURE)))
    profile = dataclasses.replace(
        run.profile,
        models=(combination.model,),
        losses=(combination.loss,),
        seeds=(combination.seed,),
        mixture=mixture,
    )
    trained = combination.trained().changes
    return CombinationRun(
        profile,
        run.data,
        run.folds,
        run.prepare,
        parent=run,
        place=_place(run, combination.changes),
        training=dict(trained),
        trained_in=_place(run, trained),
    )


def read_combination(run: Run, name: str) -> Combination:
    """Return the combination of a name that says no fold.

    Raises:
        ValueError: If it is no such name.
    """
    found = read_name(run, name)
    if found is None or found[1] is not None:
        raise ValueError(f"{name!r} is no combination; expected one such as VAE-MSE-s0.")
    return found[0]


def pairs(run: Run, name: str) -> list[str]:
    """Return the names of a combination's pairs, one a fold."""
    return [read_combination(run, name).pair(fold) for fold in range(run.folds)]


def trained_pair(run: Run, name: str) -> str:
    """Return the name under which the networks of a pair are trained; other names as they are."""
    found = read_name(run, name)
    return found[0].trained().pair(found[1]) if found and found[1] is not None else name


def open_pair(run: Run, name: str) -> tuple[Run, str] | None:
    """Return the run of a pair and the pair's own name, None where there is no such pair.

    Raises:
        ValueError: If the name says a combination that cannot be trained.
    """
    if name in run.pairs():
        return run, name
    found = read_name(run, name)
    combination, fold = found or (None, None)
    if combination is None or fold is None or fold >= run.folds:
        return None
    refuse_impossible(run, combination)
    return open_combination(run, combination), combination._replace(changes=()).pair(fold)


def has_networks(run: Run) -> bool:
    """Return whether the networks that a run segments with lie in its own folder."""
    return not isinstance(run, CombinationRun) or run.trained_in == run.folder


def refuse_impossible(run: Run, combination: Combination) -> None:
    """Refuse a combination that names no network, or no way from its residual to an outline.

    Raises:
        ValueError: If a word is unknown, a number out of range, or model and architecture do not
            go together; names what is allowed.
    """
    own = open_combination(run, combination)
    network = own.networks()[0]
    _module("models.objectives").refuse_impossible(network)
    losses = list(_module("models.losses").RECONSTRUCTION_LOSSES)
    if combination.loss not in losses:
        raise ValueError(f"Unknown loss {combination.loss!r}; there are {', '.join(losses)}.")
    for name, value in combination.changes:
        _refuse_value(name, value)
    if network.slice_steps is None and network.max_epochs is None:
        raise ValueError("slice_steps and max_epochs are both None: such a training never ends.")


def _refuse_value(name: str, value: object) -> None:
    if isinstance(value, str) and value not in (allowed := _words(name)):
        raise ValueError(f"{name}={value!r} is not allowed; there are {', '.join(allowed)}.")
    least = 0 if "float" in SETTINGS[name] else 1  # a share or a weight, or a count
    if isinstance(value, int | float) and value < least:
        raise ValueError(f"{name}={value} is not allowed; it is at least {least}.")


def _words(name: str) -> list[str]:
    """Return the words that a setting of text takes."""
    module, table = WORDS[name]
    return list(getattr(_module(module), table)) if table else module.split()


def _module(name: str):
    """Import what takes seconds (torch, numba) only where a combination is judged."""
    return importlib.import_module(f"paperlib.{name}")


def _usual(run: Run, loss: str) -> dict[str, Any]:
    """Return the settings of a run's networks as its profile has them."""
    network = run.profile.networks(1)[0]
    return {**vars(network), **vars(run.profile.mixture), "beta": network.beta.get(loss)}


def _read(name: str, value: object) -> object:
    if name not in SETTINGS:
        raise ValueError(f"There is no setting {name!r}; there are {', '.join(SETTINGS)}.")
    try:
        return read_value(SETTINGS[name], value, from_text=True)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} is {value!r}, declared as {SETTINGS[name]}: {error}.") from error


def _only(changes: tuple[tuple[str, Any], ...], names: Mapping[str, str]) -> tuple:
    return tuple((name, value) for name, value in changes if name in names)


def _join(name: str, changes: tuple[tuple[str, Any], ...]) -> str:
    """Return a name fit for files and the shell."""
    return ",".join([name, *(f"{setting}={quote(str(v), safe='')}" for setting, v in changes)])


def _place(run: Run, changes: tuple[tuple[str, Any], ...]) -> Path:
    return run.folder / "changed" / _join("", changes)[1:] if changes else run.folder


WORDS: Mapping[str, tuple[str, str]] = {  # of each setting of text: the module and its table
    "architecture": ("models.architectures", "ARCHITECTURES"),
    "pairing": ("models.objectives", "PAIRINGS"),
    "ssim_domain": ("models.losses", "SSIM_DOMAINS"),
    "train_slices": ("healthy all random", ""),
    "reading": ("postprocessing.mixture", "READINGS"),
    "start": ("postprocessing.mixture", "STARTS"),
    "cluster": ("postprocessing.mixture", "CLUSTERS"),
    "tail": ("postprocessing.mixture", "TAILS"),
    "component": ("postprocessing.morphology", "COMPONENTS"),
    "hull": ("postprocessing.regions", "HULLS"),
}
