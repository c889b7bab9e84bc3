"""The rows of `make beyond` where the book reads them: counts and scores, no pixel, no name."""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd
from filelock import FileLock

from paperlib import artifacts
from paperlib.pipeline.comparisons import beyond, beyond_residuals
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


def write_rows(run: Run) -> list[str]:
    """Write the rows of all folds that are finished; returns the files' names."""
    target = destination(run)
    target.mkdir(parents=True, exist_ok=True)
    with FileLock(artifacts.ROOT / "runs" / ".beyond.lock"):  # other folds finish, too
        return [*_write(run, target), *_write_residuals(run, target / RESIDUALS)]


def _write(run: Run, target: Path) -> list[str]:
    folders = {fold: beyond.beyond_folder(run, fold) for fold in range(run.folds)}
    manifests = {
        fold: found
        for fold, folder in folders.items()
        if (found := artifacts.read_manifest(folder))
    }
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
    for name, table in tables.items():
        artifacts.save_table(target, name, table)
    origin = {
        **_origin(run, manifests, list(run.profile.beyond.seeds)),
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
    artifacts.write_json(target / artifacts.PROVENANCE, origin)
    return [*(f"{name}.csv" for name in tables), artifacts.PROVENANCE]


def _write_residuals(run: Run, target: Path) -> list[str]:
    """Write the rows of the paper's networks; those of an earlier run stay while there are none."""
    folders = {fold: beyond_residuals.residuals_folder(run, fold) for fold in range(run.folds)}
    manifests = {
        fold: found
        for fold, folder in folders.items()
        if (found := artifacts.read_manifest(folder))
    }
    if not manifests:
        return []
    target.mkdir(exist_ok=True)
    kinds = ("volumes", "counts")
    for kind in kinds:
        artifacts.save_table(target, kind, _joined(folders, manifests, kind))
    segmented = [
        {"fold": fold} | {name: found[name] for name in (*FACTS, "thresholds")}
        for fold, found in manifests.items()
    ]
    origin = _origin(run, manifests, list(run.profile.seeds)) | {"segmented": segmented}
    artifacts.write_json(target / artifacts.PROVENANCE, origin)
    return [f"{RESIDUALS}/{name}" for name in (*(f"{k}.csv" for k in kinds), artifacts.PROVENANCE)]


def _origin(run: Run, finished: Iterable[int], seeds: list[int]) -> dict[str, object]:
    cohort = "phantom" if run.data is None else "real"
    return {
        **provenance.collect(cohort, run.profile.name, seeds),
        "folds": run.folds,
        "finished_folds": list(finished),
    }


def _joined(folders: Mapping[int, Path], finished: Iterable[int], kind: str) -> pd.DataFrame:
    return pd.concat([artifacts.load_table(folders[fold], kind) for fold in finished])
