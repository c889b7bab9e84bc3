"""Rows per slice and method, without pixels: what every table and interval is computed from.

A finished run and a reference folder hold the same files, so one code makes tables of both.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy import ndarray

from paperlib import artifacts
from paperlib.evaluation.measures import metrics
from paperlib.labels import REGIONS

TRUTH = "B11 truth"
NO_CASES = pd.DataFrame({"case": []}, dtype=int)  # of a reference that is older than the table


class Evidence(NamedTuple):
    """All that a run says about its test patients.

    Attributes:
        slices: Every usable test slice: case, fold, z, pixels of brain, tumour and each label.
        counts: One row per method, reading, component and slice with the Dice parts.
        scores: One row per method, role (validation: healthy slices; test) and slice.
        pixels: Pixel ranking per method, patient and sequence.
        milestones: What each network showed along its training.
        epochs: Losses of each network.
        provenance: Where it comes from.
        cases: Every test patient: case (a running number, no name), fold, grade, foci, core_foci,
            largest_share and ml of each region, as in `foci.describe_tumour`.
    """

    slices: pd.DataFrame
    counts: pd.DataFrame
    scores: pd.DataFrame
    pixels: pd.DataFrame
    milestones: pd.DataFrame
    epochs: pd.DataFrame
    provenance: Mapping[str, Any]
    cases: pd.DataFrame = NO_CASES

    @property
    def patients(self) -> int:
        """Number of test patients."""
        return int(self.slices["case"].nunique())

    @property
    def networks(self) -> list[tuple[str, str]]:
        """Model and loss of every row of Table 2 that was trained, in training order."""
        named = self.milestones[["model", "loss"]].drop_duplicates()
        return list(named.itertuples(index=False, name=None))


def load_evidence(folder: Path, *, command: str) -> Evidence:
    """Return the evidence of a folder.

    Args:
        folder: `evidence` of a run, or a folder under `results/reference`.
        command: Named in the error when there is none.

    Raises:
        FileNotFoundError: If there is none; names the command that makes it.
    """
    if not (folder / artifacts.PROVENANCE).exists():
        raise FileNotFoundError(f"No evidence in {folder.name}; run `{command}`.")
    tables = {
        kind: pd.concat([pd.read_csv(file) for file in sorted(folder.glob(f"{kind}-*.csv"))])
        for kind in ("counts", "scores", "pixels")
    }
    known = (folder / "cases.csv").exists()
    return Evidence(
        cases=artifacts.load_table(folder, "cases") if known else NO_CASES,
        slices=artifacts.load_table(folder, "slices"),
        milestones=artifacts.load_table(folder, "milestones"),
        epochs=artifacts.load_table(folder, "epochs"),
        provenance=artifacts.read_json(folder / artifacts.PROVENANCE),
        **tables,
    )


class MethodCounts(NamedTuple):
    """Dice parts of one method over all test slices, aligned with the slice table."""

    counts: metrics.RegionCounts
    cases: ndarray
    folds: ndarray  # of each patient, in the order of the sorted cases


def count_rows(
    evidence: Evidence, method: str, *, reading: str = "", component: str = "all"
) -> pd.DataFrame:
    """Return the rows of `counts` of one method, as `method_counts` names it; perhaps none."""
    own = evidence.counts[evidence.counts["method"] == method]
    chosen = own["reading"].fillna("").eq(reading) & own["component"].fillna("all").eq(component)
    return own[chosen]


def method_counts(
    evidence: Evidence, method: str, *, reading: str = "", component: str = "all"
) -> MethodCounts:
    """Return the counts of one method.

    Args:
        evidence: Of a run.
        method: "VAE-MSE-s0" for a network, "B3" and so on for a baseline.
        reading: Of equation 1; empty where there is no mixture.
        component: Which components were kept.

    Raises:
        KeyError: If the evidence has no such row.
    """
    chosen = count_rows(evidence, method, reading=reading, component=component)
    if chosen.empty:
        raise KeyError(f"No counts for {method!r}, reading {reading!r}, component {component!r}.")
    joined = chosen.merge(evidence.slices, on=["case", "z"], validate="one_to_one")
    overlap, predicted, truth = (
        np.stack([joined[f"{region}_{part}"].to_numpy(int) for region in REGIONS], axis=1)
        for part in ("overlap", "predicted", "truth")
    )
    folds = joined.groupby("case")["fold"].first().sort_index().to_numpy()
    counts = metrics.RegionCounts(overlap, predicted, truth)
    return MethodCounts(counts, joined["case"].to_numpy(), folds)
