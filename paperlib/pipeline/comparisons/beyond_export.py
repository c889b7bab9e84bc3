"""The rows of `make beyond` where the book reads them: counts and scores, no pixel, no name."""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from filelock import FileLock

from paperlib import artifacts
from paperlib.pipeline.comparisons import beyond, beyond_residuals, unet_stages
from paperlib.pipeline.method import patients, results
from paperlib.pipeline.run import Run
from paperlib.publish import provenance

REFERENCE = "results/reference/beyond"
RESIDUALS = "residuals"  # folder of the rows of the paper's networks: they may be of fewer folds
KINDS = ("volumes", "counts", "doubts", "pixels")
FACTS = ("seconds", "commit", "versions")
NETWORK_FACTS = (*FACTS, "training_slices", "parameters", "training_cpu_s", "patient_cpu_s")


def destination(run: Run) -> Path:
    """Return where the tables are written: for the book only real and default patients."""
    if run.data is not None:
        cases = artifacts.load_table(run.stage("prepare"), "cases")
        return artifacts.ROOT / REFERENCE / f"real{len(cases)}"
    if run.profile.name.startswith("phantom"):
        return artifacts.ROOT / REFERENCE / run.profile.name
    return run.folder / "beyond" / "tables"


class Rows(NamedTuple):
    """What one folder gets.

    Attributes:
        folder: Where the book reads it.
        tables: By name.
        origin: Where they come from.
    """

    folder: Path
    tables: dict[str, pd.DataFrame]
    origin: dict[str, object]


def write_rows(run: Run) -> list[str]:
    """Write the rows of all folds that are finished; returns the files' names.

    Those of the paper's networks and of the supervised one from an earlier run stay while this run
    has none.
    """
    target = destination(run)
    with FileLock(artifacts.ROOT / "runs" / ".beyond.lock"):  # other folds finish, too
        # All origins before a file is written: git would call the checkout changed after that.
        made = [_rows(run, target), *_residual_rows(run, target / RESIDUALS)]
        made += _supervised_rows(run, target / unet_stages.SUPERVISED)
        return [str(file.relative_to(target)) for rows in made for file in save_rows(rows)]


def save_rows(rows: Rows) -> list[Path]:
    """Write the tables and the origin of a folder; returns the files."""
    rows.folder.mkdir(parents=True, exist_ok=True)
    for name, table in rows.tables.items():
        artifacts.save_table(rows.folder, name, table)
    artifacts.write_json(rows.folder / artifacts.PROVENANCE, rows.origin)
    names = [*(f"{name}.csv" for name in rows.tables), artifacts.PROVENANCE]
    return [rows.folder / name for name in names]


def _rows(run: Run, target: Path) -> Rows:
    folders = {fold: beyond.beyond_folder(run, fold) for fold in range(run.folds)}
    manifests = finished_folds(folders)
    slices = results.tested_slices(run)
    slices = slices[slices["fold"].isin(manifests)]
    tables = {"slices": slices, "cases": results.describe_cases(run, slices)}
    for kind in KINDS:
        tables[kind] = _joined(folders, manifests, kind)
    homes = {
        (fold, seed): beyond.network_folder(run, fold, seed)
        for fold in manifests
        for seed in run.profile.beyond.seeds
    }
    tables["epochs"] = pd.concat([artifacts.load_table(home, "epochs") for home in homes.values()])
    origin = {
        **describe_origin(run, manifests, list(run.profile.beyond.seeds)),
        "patients": len(artifacts.load_table(run.stage("prepare"), "cases")),
        "settings": dataclasses.asdict(run.profile.beyond),
        "segmented": [
            {"fold": fold, "training_patients": len(patients.load_fold(run, fold).training)}
            | {name: found[name] for name in (*FACTS, "thresholds", "patient_cpu_s")}
            for fold, found in manifests.items()
        ],
        "networks": [
            {"fold": fold, "seed": seed}
            | {name: artifacts.require(home, command="make beyond")[name] for name in NETWORK_FACTS}
            for (fold, seed), home in homes.items()
        ],
    }
    return Rows(target, tables, origin)


def _residual_rows(run: Run, target: Path) -> list[Rows]:
    folders = {fold: beyond_residuals.residuals_folder(run, fold) for fold in range(run.folds)}
    manifests = finished_folds(folders)
    if not manifests:
        return []
    tables = {kind: _joined(folders, manifests, kind) for kind in ("volumes", "counts")}
    segmented = [
        {"fold": fold} | {name: found[name] for name in (*FACTS, "thresholds")}
        for fold, found in manifests.items()
    ]
    origin = describe_origin(run, manifests, list(run.profile.seeds)) | {"segmented": segmented}
    return [Rows(target, tables, origin)]


def _supervised_rows(run: Run, target: Path) -> list[Rows]:
    name = unet_stages.SUPERVISED
    manifests = finished_folds(
        {fold: unet_stages.unet_folder(run, fold, name) for fold in range(run.folds)}
    )
    if not manifests:
        return []
    counts = [unet_stages.supervised_rows(run, fold).assign(fold=fold) for fold in manifests]
    trained = [
        {"fold": fold} | {fact: found[fact] for fact in (*FACTS, "training_slices", "parameters")}
        for fold, found in manifests.items()
    ]
    origin = describe_origin(run, manifests, [unet_stages.SEED]) | {"trained": trained}
    return [Rows(target, {"counts": pd.concat(counts)}, origin)]


def finished_folds(folders: Mapping[int, Path]) -> dict[int, Mapping[str, Any]]:
    """Return the manifests of the folds that are there."""
    found = {fold: artifacts.read_manifest(folder) for fold, folder in folders.items()}
    return {fold: manifest for fold, manifest in found.items() if manifest}


def describe_origin(run: Run, finished: Iterable[int], seeds: list[int]) -> dict[str, object]:
    """Return what all rows of a run share: data, profile, seeds, folds that are there, commit."""
    cohort = "phantom" if run.data is None else "real"
    return {
        **provenance.collect(cohort, run.profile.name, seeds),
        "folds": run.folds,
        "finished_folds": list(finished),
    }


def _joined(folders: Mapping[int, Path], finished: Iterable[int], kind: str) -> pd.DataFrame:
    return pd.concat([artifacts.load_table(folders[fold], kind) for fold in finished])
