"""The stage at the end of each combination of a sweep: its line of the results table.

Dice and AUROC come from the code of Tables 2 and 3, from the rows of this combination alone.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from paperlib import artifacts
from paperlib.evaluation import tables
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures.statistics import Interval
from paperlib.pipeline.combinations import (
    Combination,
    CombinationRun,
    open_combination,
    read_combination,
    refuse_impossible,
)
from paperlib.pipeline.method import results
from paperlib.pipeline.run import Run, run_stage

ROW = "row.json"
SCORE = "mean_residual"  # the paper's own
ROW_CODE = (
    "paperlib.evaluation.evidence",
    "paperlib.evaluation.measures.metrics",
    "paperlib.evaluation.measures.ranking",
    "paperlib.evaluation.measures.statistics",
    "paperlib.evaluation.tables",
    "paperlib.pipeline.method.results",
    "paperlib.pipeline.sweeps.rows",
)


def measure_row(run: Run, name: str) -> bool:
    """Bring the line of one combination up to date; returns whether it was computed.

    Raises:
        ValueError: If `name` is no combination.
    """
    combination = read_combination(run, name)
    refuse_impossible(run, combination)
    own = open_combination(run, combination)
    folders = {f"segments {pair}": own.folder / "segments" / pair for pair in own.pairs()}
    for network in own.networks():
        named = f"{network.pair} {network.sequence}"
        folders[f"network {named}"] = own.network_folder(network)
        folders[f"reconstruction {named}"] = own.reconstruction_folder(network)

    def make(folder: Path, _key: str) -> None:
        artifacts.write_json(folder / ROW, _measure(own, combination) | _cost(own, folders))

    return run_stage(
        row_folder(run, combination),
        settings={"draws": tables.Draws().number, "reading": own.profile.mixture.reading},
        upstream={**folders, "prepare": own.stage("prepare"), "split": own.stage("split")},
        code=ROW_CODE,
        make=make,
    )


def row_folder(run: Run, combination: Combination) -> Path:
    """Return where the line of a combination lies."""
    return run.folder / "rows" / combination.name


def _measure(own: CombinationRun, combination: Combination) -> dict[str, float]:
    method = combination._replace(changes=()).name
    found = _evidence(own, method)
    row = tables.Row(method, combination.model, combination.loss, (method,), mixture=True)
    reading, draws = own.profile.mixture.reading, tables.Draws()
    cells = {
        target: tables.dice_interval(found, row, target, reading=reading, draws=draws)
        for target in (tables.OUTLINE, tables.SEMANTIC)
    }
    cells["auroc"] = tables.auroc_interval(found, method, SCORE, draws=draws)
    return {key: value for name, cell in cells.items() for key, value in _flat(name, cell).items()}


def _flat(name: str, cell: Interval) -> dict[str, float]:
    return {name: cell.value, f"{name}_low": cell.low, f"{name}_high": cell.high}


def _evidence(own: CombinationRun, method: str) -> Evidence:
    """Return the evidence of one combination over all folds, as `results.gather` would."""
    parts = {
        kind: pd.concat(
            [artifacts.load_table(own.folder / "segments" / pair, kind) for pair in own.pairs()]
        ).assign(method=method)
        for kind in results.KINDS
    }
    return Evidence(
        slices=results.tested_slices(own),
        counts=parts["counts"].drop(columns="fold"),  # the slices say which
        scores=parts["scores"],
        pixels=parts["pixels"],
        milestones=pd.DataFrame(),
        epochs=pd.DataFrame(),
        provenance={"mixture": dataclasses.asdict(own.profile.mixture)},
    )


def _cost(own: CombinationRun, folders: Mapping[str, Path]) -> dict[str, float]:
    """Return the epochs of its networks on average, and the seconds of all stages."""
    networks = [own.network_folder(network) for network in own.networks()]
    epochs = [len(artifacts.load_table(folder, "epochs")) for folder in networks]
    manifests = [artifacts.require(folder, command=own.command) for folder in folders.values()]
    return {
        "epochs": sum(epochs) / len(epochs),
        "seconds": round(sum(manifest["seconds"] for manifest in manifests), 1),
    }
