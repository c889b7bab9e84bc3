"""A run: which patients, which profile, how many folds, and where its stages lie."""

import dataclasses
import hashlib
import logging
import re
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paperlib import artifacts, reasons
from paperlib.config import PROFILES, PrepareSettings, Profile, TrainingSettings
from paperlib.data import layouts
from paperlib.publish import provenance

log = logging.getLogger(__name__)

NOTEBOOKS = (
    "01_data",
    "02_architectures",
    "03_training",
    "03b_training_length",
    "04_anomaly_scores",
    "05_postprocessing",
    "06_results",
    "07_limits",
    "08_error_sources",
    "09_baselines",
    "10_ablations",
    "11_claims",
    "12_deviations",
    "13_beyond",
    "14_doubt",
)


PATIENTS_A_FOLD = 3  # at least: one to test, and some to validate and to train; see data.split


class MissingStageError(FileNotFoundError):
    """A stage was to run before one that it reads.

    Attributes:
        folder: Of the stage that is not there.
    """

    def __init__(self, folder: Path):
        super().__init__(f"{folder} is missing or incomplete.")
        self.folder = folder


@dataclass(frozen=True)
class Run:
    """One execution of the whole way.

    Attributes:
        profile: Counts, see `config.PROFILES`.
        data: Folder of real patients; None simulates them.
        folds: 1 or the number of folds of a cross-validation.
    """

    profile: Profile
    data: Path | None = None
    folds: int = 1
    prepare: PrepareSettings = dataclasses.field(default_factory=PrepareSettings)

    @property
    def cohort(self) -> str:
        """`phantom` or the folder's name with a short hash of its place."""
        if self.data is None:
            return "phantom"
        place = hashlib.sha256(str(self.data).encode()).hexdigest()[:6]
        return f"{re.sub(r'[^A-Za-z0-9]+', '_', self.data.name)}-{place}"

    @property
    def name(self) -> str:
        """Name of the run's folder."""
        suffix = f"-{self.folds}folds" if self.folds > 1 else ""
        return f"{self.cohort}-{self.profile.name}{suffix}"

    @property
    def folder(self) -> Path:
        """Where everything of the run lies."""
        return artifacts.ROOT / "runs" / self.name

    @property
    def patients(self) -> Path:
        """Folder of the patients, real or simulated."""
        if self.data is not None:
            return self.data
        cohort = self.profile.cohort
        kind = f"-free{round(100 * cohort.tumour_free_share)}" if cohort.tumour_free_share else ""
        kind += "-foci" if cohort.several_foci else ""
        return artifacts.ROOT / "data" / f"phantom-seed{cohort.seed}-{cohort.step_mm}mm{kind}"

    @property
    def command(self) -> str:
        """The command that makes the run's book."""
        parts = ["make book"]
        if self.data is not None:
            parts.append(f"DATA={str(self.data)!r}")
        parts.append(f"PROFILE={self.profile.name}")
        return " ".join(parts + ([f"FOLDS={self.folds}"] if self.folds > 1 else []))

    @property
    def stage_command(self) -> str:
        """The command that makes one stage of the run; its name and item follow."""
        options = ["--profile", self.profile.name]
        options += ["--data", str(self.data)] if self.data is not None else []
        options += ["--folds", str(self.folds)] if self.folds > 1 else []
        return shlex.join([".venv/bin/paperlib", "stage", *options])

    def stage(self, name: str) -> Path:
        """Return the folder of a stage."""
        return self.folder / name

    def networks(self) -> list[TrainingSettings]:
        """Return the settings of all networks."""
        return self.profile.networks(self.folds)

    def pairs(self) -> list[str]:
        """Return the names of all model-loss-fold-seed pairs, each of two networks."""
        return list(dict.fromkeys(network.pair for network in self.networks()))

    def network_folder(self, network: TrainingSettings) -> Path:
        """Return the folder of a trained network."""
        return self.folder / "models" / network.pair / network.sequence

    def reconstruction_folder(self, network: TrainingSettings) -> Path:
        """Return where the reconstructions of a network lie."""
        return self.folder / "reconstructions" / network.pair / network.sequence

    def require(self, stage: str) -> Path:
        """Return the folder of a finished stage; the error names the command that makes it."""
        artifacts.require(self.stage(stage), command=self.command)
        return self.stage(stage)


def open_run(profile: str, data: str = "", folds: int = 1) -> Run:
    """Return the run that these three choices name.

    Args:
        profile: A key of `config.PROFILES`.
        data: Folder of real patients; empty simulates them.
        folds: 1 or the number of folds.

    Raises:
        ValueError: If the profile is unknown or does not go with the data.
        NotADirectoryError: If the folder does not exist.
    """
    if profile not in PROFILES:
        raise ValueError(f"Unknown profile {profile!r}; there are {', '.join(PROFILES)}.")
    if folds < 1:
        raise ValueError(f"FOLDS={folds}: give 1 or more.")
    if not data:
        return Run(PROFILES[profile], None, folds)
    if profile.startswith("phantom"):
        raise ValueError(
            f"PROFILE={profile} is made of simulated patients and cannot read DATA; "
            "use PROFILE=laptop, or leave DATA out."
        )
    folder = Path(data).expanduser().resolve()
    if not folder.is_dir():
        raise NotADirectoryError(f"DATA={data}: no such folder.")
    return Run(PROFILES[profile], folder, folds)


def count_patients(run: Run) -> int:
    """Return how many patients a run has, as far as their folder tells before it is checked."""
    if run.data is None:
        return run.profile.cohort.patients
    found = len(layouts.find_cases(run.data))
    return min(found, run.profile.max_patients or found)


def check_choices(values: Mapping[str, Any]) -> None:
    """Refuse parameters of a notebook that are each allowed and do not go together.

    Judged are profile, data and folds; `model` and `loss` where a notebook has both, since they
    then choose a trained network; `network`; `case` and `z`, as soon as the run has test slices.

    Args:
        values: All parameters by name; others than these, and notebooks of no run, are let pass.

    Raises:
        ValueError: If they do not go together; names what does.
        NotADirectoryError: If the folder of patients does not exist.
    """
    if not {"profile", "data", "folds"} <= set(values):
        return
    run = open_run(values["profile"], values["data"], values["folds"])
    most = max(1, count_patients(run) // PATIENTS_A_FOLD)
    if run.folds > most:
        raise ValueError(
            f"{count_patients(run)} patients are too few for {run.folds} folds; folds may be "
            f"from 1 to {most} here."
        )
    if {"model", "loss"} <= set(values):
        _refuse_untrained(run, values["model"], values["loss"])
    methods = list(dict.fromkeys(f"{n.model}-{n.loss}-s{n.seed}" for n in run.networks()))
    if values.get("network") not in (None, *methods):
        raise ValueError(
            f"network={values['network']} is not trained by profile {run.profile.name}; it trains "
            f"{', '.join(methods)}."
        )
    _refuse_untested(run, values.get("case"), values.get("z"))


def check_ready(values: Mapping[str, Any]) -> None:
    """Refuse what `check_choices` refuses, and a run that has not been made.

    For a command that looks before it starts a kernel.

    Args:
        values: As for `check_choices`.

    Raises:
        FileNotFoundError: If the run is missing; names the command that makes it.
        ValueError: If parameters do not go together.
        NotADirectoryError: If the folder of patients does not exist.
    """
    check_choices(values)
    if {"profile", "data", "folds"} <= set(values):
        open_run(values["profile"], values["data"], values["folds"]).require("evidence")


def _refuse_untrained(run: Run, model: str | None, loss: str | None) -> None:
    trained = list(dict.fromkeys((network.model, network.loss) for network in run.networks()))
    if not any(model in (None, one) and loss in (None, other) for one, other in trained):
        asked = {name: word for name, word in (("model", model), ("loss", loss)) if word}
        raise ValueError(
            f"{' with '.join(f'{name}={word}' for name, word in asked.items())} is not trained by "
            f"profile {run.profile.name}; it trains {', '.join('-'.join(one) for one in trained)}."
        )


def _refuse_untested(run: Run, case: int | None, z: int | None) -> None:
    evidence = run.stage("evidence")
    if case is None or artifacts.read_manifest(evidence) is None:
        return
    heights = artifacts.load_table(evidence, "slices").groupby("case")["z"].agg(["min", "max"])
    if case not in heights.index:
        known = ", ".join(map(str, heights.index))
        raise ValueError(f"case={case} is no test patient of {run.name}; there are {known}.")
    low, high = heights.loc[case]
    if z is not None and not low <= z <= high:
        raise ValueError(
            f"z={z} is no tested slice of patient {case}; there z is from {low} to {high}."
        )


def run_stage(
    folder: Path,
    *,
    settings: Mapping[str, object],
    upstream: Mapping[str, Path],
    code: Sequence[str],
    make: Callable[[Path, str], Mapping[str, object] | None],
    keep: Callable[[str], Sequence[str]] | None = None,
) -> bool:
    """Make a stage unless nothing that decides its result has changed.

    Args:
        folder: Folder of the stage.
        settings: Plain values that decide the result.
        upstream: Folders of the stages read, by name.
        code: Modules that compute the result.
        make: Takes folder and key, writes the content; what it returns joins the manifest.
        keep: From the key, the names of files of an interrupted attempt that may stay.

    Returns:
        Whether it ran.

    Raises:
        MissingStageError: If a stage that it reads is missing; `stages.run_named` says how to
            make it.
    """
    contents, hashes = _contents(upstream), {name: artifacts.code_hash(name) for name in code}
    key = artifacts.stage_key(settings, contents, hashes)
    now = {"settings": settings, "upstream": contents, "code": hashes}
    manifest = artifacts.read_manifest(folder)
    if manifest is not None and manifest["key"] == key:
        log.info("%s: nothing changed", _shown(folder))
        return False
    log.info("%s: runs because %s", _shown(folder), reasons.explain(manifest, now))
    started = time.perf_counter()
    made_by = {"commit": provenance.commit(), "versions": provenance.versions()}
    record: dict[str, object] = {**now, **made_by}
    with artifacts.writing(folder, key=key, record=record, keep=keep(key) if keep else ()):
        extra = dict(make(folder, key) or {})
        extra["seconds"] = round(time.perf_counter() - started, 2)
        record.update(extra)
    return True


def _contents(upstream: Mapping[str, Path]) -> dict[str, str]:
    contents = {}
    for name, folder in upstream.items():
        manifest = artifacts.read_manifest(folder)
        if manifest is None:
            raise MissingStageError(folder)
        contents[name] = manifest["content"]
    return contents


def _shown(folder: Path) -> str:
    """Return a stage as its place in its run: "models/VAE-MSE-f0-s0/flair"."""
    runs = artifacts.ROOT / "runs"
    inside = folder.relative_to(runs).parts[1:] if folder.is_relative_to(runs) else ()
    return "/".join(inside) or folder.name
