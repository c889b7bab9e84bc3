"""One prediction under every Dice convention (sections 5.1 and 5.3).

Which slices are averaged and what an empty slice is worth moves a Dice more than most methods
do. Section 5.3 of the paper does not say which it took.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Bool
from numpy import ndarray

from paperlib.evaluation import evidence
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures import metrics, statistics
from paperlib.evaluation.measures.metrics import RegionCounts
from paperlib.evaluation.tables import Draws
from paperlib.labels import REGIONS

MIDDLE_Z = 100  # below: most slices hold tumour; above: most tumour-free slices lie there
SHOWN = ("WT", "TC", "ET")
NAMES = {
    "every_slice": "every slice",
    "tumour_slices": "slices with the region",
    "flagged_slices": "flagged slices",
    "volume": "volume",
    "pooled_pixels": "all pixels pooled",
}


def slice_counts(
    found: Evidence, method: str, *, reading: str = "", component: str = "all"
) -> pd.DataFrame:
    """Return the Dice parts of one method with case, fold, z and the true pixels of each slice.

    Args:
        found: Evidence of a run.
        method: "VAE-MSE-s0" for a network, "B3" and so on for a baseline.
        reading: Of equation 1; empty where there is no mixture.
        component: Which components were kept.

    Returns:
        One row per test slice, sorted by case and z, with `<region>_overlap`,
        `<region>_predicted`, `<region>_truth` and `dice`: whole tumour, an empty pair counts 0.

    Raises:
        KeyError: If the evidence has no such rows.
    """
    chosen = evidence.count_rows(found, method, reading=reading, component=component)
    if chosen.empty:
        raise KeyError(f"No counts of {method!r}, reading {reading!r}, component {component!r}.")
    joined = chosen.merge(found.slices, on=["case", "z"], validate="one_to_one")
    whole = [joined[f"WT_{part}"].to_numpy(int) for part in RegionCounts._fields]
    joined["dice"] = metrics.dice_from_counts(*whole, empty=0)
    return joined.sort_values(["case", "z"], ignore_index=True)


def by_height(table: pd.DataFrame) -> pd.Series:
    """Return the mean Dice of the whole tumour in the lower and the upper part of the brain.

    Args:
        table: From `slice_counts`.

    Returns:
        By part and kind of slice: "every slice" (one without tumour counts 0) and "tumour
        slices"; NaN where there is none.
    """
    tumour = table["WT_truth"] > 0
    cells = {}
    for part, chosen in (
        (f"z < {MIDDLE_Z}", table["z"] < MIDDLE_Z),
        (f"z ≥ {MIDDLE_Z}", table["z"] >= MIDDLE_Z),
    ):
        cells[part, "every slice"] = table.loc[chosen, "dice"].mean()
        cells[part, "tumour slices"] = table.loc[chosen & tumour, "dice"].mean()
    return pd.Series(cells)


def volume_dice(table: pd.DataFrame) -> pd.DataFrame:
    """Return the Dice of the whole tumour over the volume of each patient; nothing at all is 1.

    Args:
        table: From `slice_counts`.

    Returns:
        One row per patient: `case`, `dice`.
    """
    parts = [f"WT_{part}" for part in RegionCounts._fields]
    sums = table.groupby("case", as_index=False)[parts].sum()
    dice = metrics.dice_from_counts(*(sums[part].to_numpy(int) for part in parts), empty=1)
    return sums[["case"]].assign(dice=dice)


def compare_conventions(
    table: pd.DataFrame, *, flagged: Bool[ndarray, " slice"] | None, draws: Draws
) -> pd.DataFrame:
    """Return the Dice of one prediction under each convention, with what bounds it.

    Args:
        table: From `slice_counts`.
        flagged: The gate's answer for each slice; slices that are not flagged are emptied. None
            leaves the prediction as it is and the convention "flagged slices" out.
        draws: Of the intervals over patients.

    Returns:
        One row per convention and region: `aggregation`, `empty`, `convention` (in words),
        `region`, `value`, `low`, `high`, and what bounds or lifts a number without any method:
        `ceiling` (the truth scored as a prediction), `nothing` (no tumour anywhere), `brain`
        (each region is the whole brain, in every slice) and `gated_brain` (the same, emptied by
        the gate).
    """
    counts, whole = _counts(table), _whole_brain(table)
    bounds = {
        "ceiling": RegionCounts(counts.truth, counts.truth, counts.truth),
        "nothing": metrics.gated(counts, np.zeros(len(table), bool)),
        "brain": whole,
        "gated_brain": whole if flagged is None else metrics.gated(whole, flagged),
    }
    if flagged is not None:
        counts = metrics.gated(counts, flagged)
    folds = table.groupby("case")["fold"].first().to_numpy()
    lines = []
    for aggregation, empty in metrics.CONVENTIONS:
        if aggregation == "flagged_slices" and flagged is None:
            continue
        found, *limits = (
            metrics.aggregate(
                part,
                table["case"].to_numpy(),
                aggregation=aggregation,
                empty=empty,
                flagged=flagged,
            )
            for part in (counts, *bounds.values())
        )
        named = {"aggregation": aggregation, "empty": empty, "convention": name(aggregation, empty)}
        values = [metrics.pooled_value(limit.sums, limit.counts) for limit in limits]
        for region in SHOWN:
            column = list(REGIONS).index(region)
            edges = {key: value[column] for key, value in zip(bounds, values, strict=True)}
            cell = _interval(found, folds, column, draws)
            lines.append({**named, "region": region, **cell, **edges})
    return pd.DataFrame(lines)


def name(aggregation: str, empty: float) -> str:
    """Return a convention in words: "every slice, empty = 0"."""
    words = NAMES.get(aggregation, aggregation.replace("_", " "))
    if aggregation not in metrics.EMPTY_MATTERS:
        return words
    return f"{words}, empty {'left out' if np.isnan(empty) else f'= {empty:.0f}'}"


def gate_can_raise(aggregation: str, empty: float) -> bool:
    """Return whether emptying a prediction can raise the Dice under a convention.

    It cannot where a tumour-free slice counts 0 whatever is predicted, nor where only slices
    with tumour count: such a convention cannot be the one of section 5.3, where the gate helps.
    """
    return aggregation != "tumour_slices" and not (aggregation == "every_slice" and empty == 0)


def is_admissible(aggregation: str, empty: float, *, ceiling: float, printed: float) -> bool:
    """Return whether a convention can be the one of section 5.3 for a region.

    Args:
        aggregation: A key of `metrics.AGGREGATIONS`.
        empty: What a pair of empty masks counts.
        ceiling: What the truth itself reaches under it.
        printed: The paper's number, which no prediction can reach above the ceiling.
    """
    return gate_can_raise(aggregation, empty) and printed <= ceiling


def spread(table: pd.DataFrame, printed: Mapping[str, float]) -> pd.DataFrame:
    """Return how far apart the admissible conventions lie for one prediction.

    Args:
        table: From `compare_conventions`.
        printed: The paper's number of each region.

    Returns:
        One row per region: number of `conventions`, of those `admissible`, the `lowest` and the
        `highest` value among these, and under how many of them the interval holds the paper's
        number (`holds`), lies `below` it or `above` it.
    """
    lines = []
    for region, number in printed.items():
        part = table[table["region"] == region]
        fits = [
            is_admissible(way, empty, ceiling=ceiling, printed=number)
            for way, empty, ceiling in part[["aggregation", "empty", "ceiling"]].itertuples(
                index=False, name=None
            )
        ]
        able = part[fits]
        below, above = able["high"] < number, able["low"] > number
        counts = {"conventions": len(part), "admissible": len(able)}
        ends = {"lowest": able["value"].min(), "highest": able["value"].max()}
        verdicts = {"holds": int((~below & ~above).sum()), "below": int(below.sum())}
        lines.append({"region": region} | counts | ends | verdicts | {"above": int(above.sum())})
    return pd.DataFrame(lines).set_index("region")


def _whole_brain(table: pd.DataFrame) -> RegionCounts:
    """Return the parts of a prediction that calls every brain pixel each of the regions."""
    truth = _counts(table).truth
    brain = np.broadcast_to(table["brain_px"].to_numpy(int)[:, None], truth.shape)
    return RegionCounts(np.minimum(truth, brain), brain.copy(), truth)


def _counts(table: pd.DataFrame) -> RegionCounts:
    return RegionCounts(
        *(
            np.stack([table[f"{region}_{part}"].to_numpy(int) for region in REGIONS], axis=1)
            for part in RegionCounts._fields
        )
    )


def _interval(
    ratios: metrics.PatientRatios, folds: ndarray, column: int, draws: Draws
) -> dict[str, float]:
    if not ratios.counts[:, column].any():
        return dict.fromkeys(("value", "low", "high"), float("nan"))
    found = statistics.interval(
        statistics.bootstrap_ratio(
            ratios, folds, region=column, draws=draws.number, seed=draws.seed
        )
    )
    return {"value": found.value, "low": found.low, "high": found.high}
