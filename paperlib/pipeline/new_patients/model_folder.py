"""The folder of a model-loss pair, complete enough to be copied away and used (section 4).

`runs/<run>/models/<pair>` holds one network a sequence; `pair.json` adds what both need to
segment a new patient: how slices were prepared, how residuals are clustered, and the scores of
healthy validation slices with the thresholds taken from them.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from paperlib import artifacts, scores
from paperlib.config import BeyondSettings, MixtureSettings, PrepareSettings
from paperlib.labels import FLAIR, SEQUENCES
from paperlib.pipeline.run import Run

PAIR = "pair.json"
BEYOND = "model.json"  # of another kind of folder, see `beyond_model_folder`
FORMAT = 1  # of the file: raise it with every change that older code cannot read
SCORES = ("mean_residual", "latent_distance")
HEIGHT = "height"  # the gate that compares a slice with healthy ones of about its height
RULES = (*scores.GATES, HEIGHT)
METHOD = "paper"  # that reads such a folder
DEFAULT_GATE = "max_healthy"
Settings = TypeVar("Settings", PrepareSettings, MixtureSettings, BeyondSettings)


class Pair(NamedTuple):
    """What is known of a trained pair before torch is imported.

    Attributes:
        folder: Where it lies.
        name: Such as "dVAE-SSIM-f0-s0".
        architectures: Key of `models.architectures.ARCHITECTURES` per sequence.
        simulated: Whether it learned from simulated patients.
        prepare: How slices were prepared.
        mixture: How residuals are clustered.
        healthy: Healthy validation slices: z and the scores of `SCORES`.
        thresholds: For each score and rule of `scores.GATES`, from those slices.
    """

    folder: Path
    name: str
    architectures: Mapping[str, str]
    simulated: bool
    prepare: PrepareSettings
    mixture: MixtureSettings
    healthy: pd.DataFrame
    thresholds: Mapping[str, Mapping[str, float]]

    def gate(self, heights: ndarray, *, rule: str) -> Float[ndarray, " slice"]:
        """Return the mean residual above which each slice is flagged.

        Args:
            heights: Index of each slice in its volume.
            rule: One of `RULES`.

        Raises:
            ValueError: If the rule is unknown.
        """
        if rule not in RULES:
            raise ValueError(f"Unknown gate {rule!r}; there are {', '.join(RULES)}.")
        if rule == HEIGHT:
            known = self.healthy["mean_residual"].to_numpy(), self.healthy["z"].to_numpy()
            return scores.height_gate(*known, heights).thresholds
        return np.full(len(heights), self.thresholds["mean_residual"][rule])

    def latent_statistics(self) -> scores.LatentStatistics:
        """Return where healthy slices lie in the latent space of the FLAIR network."""
        mean, variance = (
            np.asarray(artifacts.load_array(self.folder / FLAIR, f"latent_{name}"))
            for name in scores.LatentStatistics._fields
        )
        return scores.LatentStatistics(mean, variance)


def write_pair(run: Run, pair: str) -> bool:
    """Write `pair.json` beside the two networks of a segmented pair, unless it says this already.

    Returns:
        Whether it was written.

    Raises:
        FileNotFoundError: If the pair is not trained or not segmented; names the command.
    """
    chosen = [network for network in run.networks() if network.pair == pair]
    folder = run.network_folder(chosen[0]).parent
    manifests = {
        network.sequence: artifacts.require(run.network_folder(network), command=run.command)
        for network in chosen
    }
    table = artifacts.load_table(run.require(f"segments/{pair}"), "scores")
    healthy = table[table["role"] == "validation"]
    latent = healthy["latent_distance"].to_numpy()
    content = {
        "format": FORMAT,
        "pair": pair,
        "profile": run.profile.name,
        "simulated_patients": run.data is None,
        "networks": {sequence: found["content"] for sequence, found in manifests.items()},
        "prepare": dataclasses.asdict(run.prepare),
        "mixture": dataclasses.asdict(run.profile.mixture),
        "healthy_slices": {name: healthy[name].tolist() for name in ("z", *SCORES)},
        "thresholds": {score: _thresholds(healthy[score].to_numpy()) for score in SCORES},
        "latent_distance": {"mean": float(latent.mean()), "sd": float(latent.std())},
        "commit": manifests[FLAIR]["commit"],
        "versions": manifests[FLAIR]["versions"],
    }
    text = json.dumps(content, sort_keys=True)  # as text NaN equals NaN
    if (folder / PAIR).exists() and _as_text(folder / PAIR) == text:
        return False
    artifacts.write_json(folder / PAIR, content)
    return True


def _as_text(file: Path) -> str:
    return json.dumps(artifacts.read_json(file), sort_keys=True)


def read_pair(folder: Path) -> Pair:
    """Read what a pair's folder says of itself.

    Raises:
        FileNotFoundError: If the folder or a part of it is missing; says how to make it.
        ValueError: If its parts do not belong together, or another version wrote it.
    """
    _refuse_incomplete(folder)
    found = artifacts.read_json(folder / PAIR)
    manifests = {name: artifacts.read_manifest(folder / name) or {} for name in SEQUENCES}
    if found.get("format") != FORMAT:
        raise ValueError(
            f"{folder / PAIR} has format {found.get('format')}, this version of paperlib reads "
            f"{FORMAT}; {_cure(folder)}"
        )
    for sequence, manifest in manifests.items():
        if manifest["content"] != found["networks"][sequence]:
            raise ValueError(
                f"{folder / PAIR} belongs to another {sequence} network than the one in "
                f"{folder / sequence}; {_cure(folder)}"
            )
    return Pair(
        folder,
        found["pair"],
        {name: _architecture(manifest["settings"]) for name, manifest in manifests.items()},
        found["simulated_patients"],
        read_settings(PrepareSettings, found["prepare"], folder / PAIR, cure=_cure(folder)),
        read_settings(MixtureSettings, found["mixture"], folder / PAIR, cure=_cure(folder)),
        pd.DataFrame(found["healthy_slices"]),
        found["thresholds"],
    )


def _thresholds(healthy: Float[ndarray, " slice"]) -> dict[str, float]:
    return {rule: scores.gate_threshold(healthy, rule=rule) for rule in scores.GATES}


def read_settings(
    kind: type[Settings], values: Mapping[str, Any], file: Path, *, cure: str
) -> Settings:
    """Return settings as they were when the networks were trained.

    Args:
        kind: What they are.
        values: As they were read.
        file: Where from.
        cure: How the file is made again.

    Raises:
        ValueError: If another version of paperlib wrote them.
    """
    unknown = set(values) - {field.name for field in dataclasses.fields(kind)}
    if unknown:
        raise ValueError(
            f"{file} has settings that this version of paperlib does not know: "
            f"{', '.join(sorted(unknown))}; use the version that wrote it, or {cure}"
        )
    tupled: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in values.items()
    }
    return kind(**tupled)  # JSON has no tuples


def _architecture(settings: Mapping[str, Any]) -> str:
    return settings.get("architecture") or settings["model"]


def _refuse_incomplete(folder: Path) -> None:
    if not folder.is_dir():
        raise FileNotFoundError(
            f"No folder at {folder}; expected the folder of a trained pair, such as "
            "runs/phantom-phantom/models/dVAE-SSIM-f0-s0 after `make book`."
        )
    if (folder / BEYOND).exists():
        raise FileNotFoundError(
            f"{folder} holds a model of the methods clean-up and synthetic, not a pair of the "
            "paper's networks; name one of these with --method, or the folder of a pair."
        )
    missing = [name for name in SEQUENCES if artifacts.read_manifest(folder / name) is None]
    if missing:
        inside = sorted(file.parent.name for file in folder.glob(f"*/{PAIR}"))
        hint = f"; name one of the pairs in it: {', '.join(inside)}" if inside else ""
        raise FileNotFoundError(
            f"{folder} has no finished network of {' and '.join(missing)}; expected the folder of "
            f"a pair, with {' and '.join(SEQUENCES)} in it{hint or ', as `make book` makes it'}."
        )
    if not (folder / PAIR).exists():
        raise FileNotFoundError(f"{folder} has no {PAIR}; {_cure(folder)}")


def _cure(folder: Path) -> str:
    return (
        f"make it where the networks were trained, with the profile and the data of that run: "
        f"`paperlib stage segment {folder.name} --profile PROFILE [--data DATA] [--folds FOLDS]`."
    )
