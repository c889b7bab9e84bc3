"""The stage that gathers a run's rows, and the export of a run as a reference."""

import dataclasses
import logging
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from paperlib import artifacts
from paperlib.config import TrainingSettings
from paperlib.evaluation.measures import foci
from paperlib.labels import REGIONS
from paperlib.pipeline.method import patients
from paperlib.pipeline.run import Run, run_stage
from paperlib.publish import provenance

log = logging.getLogger(__name__)

KINDS = ("counts", "scores", "pixels")
ATTRIBUTION = "attribution"
RESULTS_CODE = ("paperlib.pipeline.method.results", "paperlib.evaluation.measures.foci")


def gather(run: Run) -> bool:
    """Gather the rows of all folds into one folder that needs no pixel and names no patient.

    Raises:
        FileNotFoundError: If no pair is segmented yet; names the command.
    """
    networks = _finished(run)
    if not networks:
        raise FileNotFoundError(f"No pair of {run.name} is segmented; run `{run.command}`.")
    upstream = {f"segments {pair}": run.folder / "segments" / pair for pair in _pairs(networks)}
    upstream |= {f"baselines {fold}": _baseline_folder(run, fold) for fold in range(run.folds)}
    upstream |= {f"network {n.pair} {n.sequence}": run.network_folder(n) for n in networks}
    upstream |= (explained := _attributions(run, networks))

    def make(folder: Path, _key: str) -> None:
        slices = tested_slices(run)
        artifacts.save_table(folder, "slices", slices)
        artifacts.save_table(folder, "cases", describe_cases(run, slices))
        for kind in KINDS:
            for method, table in _by_method(run, kind, networks).items():
                artifacts.save_table(folder, f"{kind}-{method.replace(' ', '_')}", table)
        for method, table in _by_network(explained.values()).items():
            artifacts.save_table(folder, f"{ATTRIBUTION}-{method}", table)
        for name in ("milestones", "epochs"):
            artifacts.save_table(folder, name, _training_rows(run, networks, name))
        artifacts.write_json(folder / artifacts.PROVENANCE, _provenance(run, networks))

    return run_stage(
        run.stage("evidence"),
        settings={},
        upstream={**upstream, "prepare": run.stage("prepare"), "split": run.stage("split")},
        code=RESULTS_CODE,
        make=make,
    )


def export_reference(run: Run, destination: Path) -> list[str]:
    """Copy the evidence of a run to a reference folder; returns the names of the files.

    It holds running numbers instead of names, numbers per slice, no pixel and no path.
    """
    source = run.require("evidence")
    destination.mkdir(parents=True, exist_ok=True)
    for old in (
        file for kind in (*KINDS, ATTRIBUTION) for file in destination.glob(f"{kind}-*.csv")
    ):
        old.unlink()  # of a method that this run does not have
    names = sorted(file.name for file in source.iterdir() if file.name != artifacts.MANIFEST)
    for name in names:
        shutil.copyfile(source / name, destination / name)
    return names


def _finished(run: Run) -> list[TrainingSettings]:
    """Return the networks whose pair is segmented; a run may be gathered before its end.

    A pair that was segmented with networks other than those there now is left out.
    """
    finished = []
    for network in run.networks():
        folder = run.folder / "segments" / network.pair
        segmented = artifacts.read_manifest(folder)
        if segmented is None:
            continue
        trained = artifacts.require(run.network_folder(network), command=run.command)
        if segmented["upstream"][f"network_{network.sequence}"] == trained["content"]:
            finished.append(network)
        else:
            log.warning("%s left out: its networks changed since", network.pair)
    return finished


def _pairs(networks: list[TrainingSettings]) -> list[str]:
    return list(dict.fromkeys(network.pair for network in networks))


def _baseline_folder(run: Run, fold: int) -> Path:
    return run.folder / "baselines" / f"f{fold}"


def _attributions(run: Run, networks: list[TrainingSettings]) -> dict[str, Path]:
    """Return the folders of the pairs whose error was looked into."""
    folders = {
        f"{ATTRIBUTION} {pair}": run.folder / ATTRIBUTION / pair for pair in _pairs(networks)
    }
    return {name: folder for name, folder in folders.items() if artifacts.read_manifest(folder)}


def _by_network(folders: Iterable[Path]) -> dict[str, pd.DataFrame]:
    """Return the rows of each network over its folds."""
    tables = [artifacts.load_table(folder, "rows") for folder in folders]
    return dict(list(pd.concat(tables).groupby("method"))) if tables else {}


def tested_slices(run: Run) -> pd.DataFrame:
    """Return every usable test slice of all folds with the pixels of each true region."""
    table = patients.load_slices(run)
    folds = [
        table.iloc[patients.usable_of(table, patients.load_fold(run, fold).test)].assign(fold=fold)
        for fold in range(run.folds)
    ]
    slices = pd.concat(folds).drop(columns=["usable", "healthy", "tumour_px"])
    labels = {"NCR": "label1_px", "ED": "label2_px", "ET": "label4_px"}
    slices = slices.rename(columns={old: f"{region}_truth" for region, old in labels.items()})
    slices["TC_truth"] = slices["NCR_truth"] + slices["ET_truth"]
    slices["WT_truth"] = slices["TC_truth"] + slices["ED_truth"]
    truths = [f"{region}_truth" for region in REGIONS]
    return slices[["case", "fold", "z", "brain_px", *truths]].sort_values(["case", "z"])


def describe_cases(run: Run, slices: pd.DataFrame) -> pd.DataFrame:
    """Return who the test patients are: fold, grade, foci and volumes, no name.

    Args:
        run: A prepared run.
        slices: One row per test slice with `case` and `fold`; only these are looked at.
    """
    grades = artifacts.load_table(run.stage("prepare"), "cases").set_index("case")["grade"]
    labels = artifacts.load_array(run.stage("prepare"), "labels")
    table, voxel_ml = patients.load_slices(run), foci.voxel_ml(run.prepare.window, run.prepare.size)
    rows = []
    for case, fold in slices.groupby("case")["fold"].first().items():
        own = np.flatnonzero(table["case"] == case)
        usable = table["usable"].to_numpy()[own, None, None]
        found = foci.describe_tumour(np.where(usable, labels[own], 0), voxel_ml=voxel_ml)
        rows.append({"case": case, "fold": fold, "grade": grades[case], **found})
    return pd.DataFrame(rows)


def _by_method(run: Run, kind: str, networks: list[TrainingSettings]) -> dict[str, pd.DataFrame]:
    """Return the rows of each method over all folds; the fold is in the slice table."""
    parts: dict[str, list[pd.DataFrame]] = {}
    for network in networks:
        if network.sequence == networks[0].sequence:
            method = f"{network.model}-{network.loss}-s{network.seed}"
            table = artifacts.load_table(run.folder / "segments" / network.pair, kind)
            parts.setdefault(method, []).append(table.assign(method=method))
    for fold in range(run.folds):
        table = artifacts.load_table(_baseline_folder(run, fold), kind)
        if "method" not in table:
            table["method"] = table.get("map", "B10")
        for method, rows in table.groupby("method", sort=False):
            parts.setdefault(method, []).append(rows)
    first = ["method", "reading", "component", "sequence", "role", "fold", "case", "z"]
    joined = {method: pd.concat(tables) for method, tables in parts.items()}
    if kind == "counts":  # the slice table says which fold; these are the largest files
        joined = {method: table.drop(columns="fold") for method, table in joined.items()}
    return {
        method: table[[c for c in first if c in table] + [c for c in table if c not in first]]
        for method, table in joined.items()
    }


def _training_rows(run: Run, networks: list[TrainingSettings], name: str) -> pd.DataFrame:
    tables = []
    for network in networks:
        table = artifacts.load_table(run.network_folder(network), name)
        for column in ("sequence", "fold", "seed", "loss", "model"):
            label = "objective" if column == "loss" and name == "epochs" else column
            table.insert(0, label, getattr(network, column))
        tables.append(table)
    return pd.concat(tables)


def _provenance(run: Run, networks: list[TrainingSettings]) -> Mapping[str, object]:
    cases = artifacts.load_table(run.stage("prepare"), "cases")
    grades = cases["grade"].value_counts().to_dict()
    manifests = [
        artifacts.require(run.network_folder(network), command=run.command) for network in networks
    ]
    keys = ("slice_steps", "stopped_by", "converged", "seconds", "commit", "training_slices")
    return {
        **provenance.collect(
            "phantom" if run.data is None else "real",
            run.profile.name,
            sorted({network.seed for network in networks}),
        ),
        "folds": run.folds,
        "patients": len(cases),
        "grades": grades,
        "healthy_slices": int(cases["healthy_slices"].sum()),
        "usable_slices": int(cases["usable_slices"].sum()),
        "prepare": dataclasses.asdict(run.prepare),
        "mixture": dataclasses.asdict(run.profile.mixture),
        "networks": [
            {"pair": network.pair, "sequence": network.sequence} | {k: found[k] for k in keys}
            for network, found in zip(networks, manifests, strict=True)
        ],
    }
