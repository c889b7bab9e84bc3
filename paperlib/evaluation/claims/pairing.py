"""Two results of a run on the same patients: rows of Table 2, or one with and without its gate.

Everything is over every slice. Differences are paired by patient, and patients are drawn.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from numpy import ndarray

from paperlib.evaluation import conventions, tables
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.examples import PAPERS_CHOICE
from paperlib.evaluation.measures import metrics, statistics
from paperlib.evaluation.measures.statistics import Bootstrapped
from paperlib.evaluation.slices import slice_scores
from paperlib.evaluation.tables import Draws
from paperlib.labels import REGIONS, TISSUES

GATE = {"score": "mean_residual", "rule": "max_healthy"}  # section 5.3
GATED_EMPTY = 1.0  # [decided] where a tumour-free slice counts 0, no gate can raise a Dice

Network = tuple[str, str]  # model and loss


class Paired(NamedTuple):
    """A difference between two results on the same patients.

    Attributes:
        drawn: Over all slices, with its draws of patients.
        patients: Difference of the means over the slices of each patient.
        compared: The models whose differences were averaged.
    """

    drawn: Bootstrapped
    patients: Float[ndarray, " case"]
    compared: tuple[str, ...]


def compare_networks(
    found: Evidence,
    pairs: Sequence[tuple[Network, Network]],
    *,
    target: str = tables.OUTLINE,
    reading: str,
    draws: Draws,
) -> Paired | None:
    """Return the mean difference in Dice over the pairs that every patient has tested.

    Every slice counts, one without tumour counts 0 (section 5.1).

    Args:
        found: Evidence of a run.
        pairs: First minus second, each model and loss.
        target: `tables.OUTLINE` or `tables.SEMANTIC`.
        reading: Of equation 1.
        draws: Of the interval.

    Returns:
        None where no pair is complete.
    """
    kept = [pair for pair in pairs if not missing_networks(found, pair)]
    results = [
        compare_rows(
            found,
            network_row(found, first),
            network_row(found, second),
            target=target,
            reading=reading,
            draws=draws,
        )
        for first, second in kept
    ]
    if not results:
        return None
    return Paired(
        statistics.mean_of([one.drawn for one in results]),
        np.mean([one.patients for one in results], axis=0),
        tuple(first[0] for first, _ in kept),
    )


def compare_rows(
    found: Evidence,
    first: tables.Row,
    second: tables.Row,
    *,
    target: str = tables.OUTLINE,
    reading: str,
    draws: Draws,
) -> Paired:
    """Return the Dice of one row of Table 2 minus that of another, on the same patients.

    Args:
        found: Evidence of a run.
        first: Network or baseline.
        second: Network or baseline.
        target: `tables.OUTLINE` or `tables.SEMANTIC`.
        reading: Of equation 1; ignored for rows without a mixture.
        draws: Of the interval.
    """
    both = [
        tables.patient_ratios(found, row, reading=reading, aggregation="every_slice")
        for row in (first, second)
    ]
    first_sums, second_sums = (ratios for ratios, _ in both)
    return pair_up(first_sums, second_sums, both[0][1], columns=region_columns(target), draws=draws)


def gate_ratios(
    found: Evidence, *, reading: str, gate: str
) -> tuple[metrics.PatientRatios, ndarray]:
    """Return sums per patient of the paper's network, seeds averaged, and the patients' folds.

    Args:
        found: Evidence of a run.
        reading: Of equation 1.
        gate: "open" keeps every prediction, "shut" none, "max_healthy" those of flagged slices.

    Returns:
        Of every region, every slice, empty = 1.

    Raises:
        ValueError: If the network is not there, or other slices are scored than segmented.
    """
    parts = []
    for method in network_row(found, PAPERS_CHOICE).methods:
        table = conventions.slice_counts(found, method, reading=reading)
        columns = (
            table[[f"{region}_{part}" for region in REGIONS]].to_numpy(int)
            for part in metrics.RegionCounts._fields
        )
        kept = metrics.gated(metrics.RegionCounts(*columns), _flags(found, method, gate, table))
        parts.append(
            metrics.aggregate(
                kept, table["case"].to_numpy(), aggregation="every_slice", empty=GATED_EMPTY
            )
        )
    folds = table.groupby("case")["fold"].first().to_numpy()
    return statistics.mean_over_seeds(parts), folds


def missing_networks(found: Evidence, networks: Iterable[Network]) -> str:
    """Return the networks that not every patient has tested, as words; empty if none.

    Args:
        found: Evidence of a run, perhaps one that still lacks folds.
        networks: Model and loss of each.
    """
    words = []
    for network in dict.fromkeys(networks):
        methods = network_row(found, network).methods
        rows = found.counts[found.counts["method"].isin(methods)]
        tested = rows.groupby("method")["case"].nunique()
        if not methods:
            words.append(key_of(network))
        elif tested.min() < found.patients:
            words.append(f"{key_of(network)} ({tested.min()} of {found.patients} patients)")
    return ", ".join(words)


def network_row(found: Evidence, network: Network) -> tables.Row:
    """Return the row of Table 2 of a network, with a method for each seed; none if not trained."""
    known = set(found.counts["method"].unique())
    names = (f"{key_of(network)}-s{seed}" for seed in found.provenance["seeds"])
    methods = tuple(name for name in names if name in known)
    return tables.Row(key_of(network), *network, methods, True)


def with_reading(found: Evidence, reading: str) -> Evidence:
    """Return the evidence with the counts of one reading and all components, to look in faster.

    Args:
        found: Evidence of a run.
        reading: Of equation 1; rows without a mixture stay.
    """
    kept = found.counts["reading"].fillna("").isin(["", reading])
    kept &= found.counts["component"].fillna("all") == "all"
    return found._replace(counts=found.counts[kept])


def key_of(network: Network) -> str:
    """Return "dVAE-SSIM"."""
    return "-".join(network)


def pair_up(
    first: metrics.PatientRatios,
    second: metrics.PatientRatios,
    folds: ndarray,
    *,
    columns: list[int],
    draws: Draws,
) -> Paired:
    """Return first minus second, from sums per patient.

    Args:
        first: Of one result.
        second: Of another on the same patients.
        folds: Of the patients.
        columns: Regions whose values are averaged.
        draws: Of the interval.
    """
    drawn = []
    for ratios in (first, second):
        regions = [
            statistics.bootstrap_ratio(
                ratios, folds, region=column, draws=draws.number, seed=draws.seed
            )
            for column in columns
        ]
        drawn.append(statistics.mean_of(regions))
    means = [
        (one.sums[:, columns] / one.counts[:, columns]).mean(axis=1) for one in (first, second)
    ]
    return Paired(statistics.difference(*drawn), means[0] - means[1], ())


def region_columns(target: str) -> list[int]:
    """Return the places in `labels.REGIONS` that a target of Table 2 averages."""
    regions = {tables.OUTLINE: ("WT",), tables.SEMANTIC: TISSUES}[target]
    return [list(REGIONS).index(region) for region in regions]


def _flags(found: Evidence, method: str, gate: str, table: pd.DataFrame) -> Bool[ndarray, " slice"]:
    if gate != GATE["rule"]:
        return np.full(len(table), {"open": True, "shut": False}[gate])
    scored = slice_scores.load_test_slices(found, method)
    if not scored[["case", "z"]].equals(table[["case", "z"]]):
        raise ValueError(
            f"{method}: {len(scored)} slices are scored and {len(table)} segmented, not the same "
            "ones; gather the run again."
        )
    return slice_scores.flag_slices(found, method, **GATE)
