"""The crossed table: every residual through every post-processing, on the same slices.

A network's Dice is its residual's merit only as far as another residual, treated alike, has less.
Every cell is the outline of the whole tumour on FLAIR; rows hold counts per slice and no pixel.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from paperlib import artifacts
from paperlib.evaluation.measures import metrics, statistics
from paperlib.evaluation.measures.metrics import PatientRatios, RegionCounts
from paperlib.evaluation.tables import Draws

NO_NETWORK = "B3"
OTHERS = "others"
POSTPROCESSINGS = {
    "mixture": "the paper's mixture",
    "weights": "plain mixture",
    "sklearn": "scikit-learn's mixture",
    "kmeans": "k-means, smaller part",
    "otsu": "Otsu",
    "healthy_95": "95 % of healthy pixels",
    OTHERS: "labels of the others",
    "oracle": "oracle: own labels",
}
CLUSTERINGS = 5  # of the post-processings look at one slice alone; the others are one threshold
WITHOUT_TRAINING = {
    NO_NETWORK: "none: r = −x",
    "B4 median": "median of 15 × 15 pixels",
    "B4 Gaussian": "Gaussian, sigma 4 pixels",
    "B4 mirror": "mirror image",
    "B5": "norm of the height, in its sd",
}
DENOISERS = {
    "B8": "denoising U-Net",
    "B8 published": "denoising U-Net, filtered |r|",
}
SCORED = ("WT", "TC", "ET")


class Crossed(NamedTuple):
    """All rows of a crossed table.

    Attributes:
        counts: By residual one row per slice with case, z, fold, `WT_truth` and, for each
            post-processing, `<name>_overlap` and `<name>_predicted`.
        pixels: Average precision of each residual in each patient.
        supervised: The supervised U-Net's counts of every region, with the truth.
        facts: Of each fold: thresholds, components and their explained variance, reach of the
            norm, numbers of slices.
        provenance: Where the rows come from.
    """

    counts: Mapping[str, pd.DataFrame]
    pixels: pd.DataFrame
    supervised: pd.DataFrame
    facts: list[dict[str, Any]]
    provenance: Mapping[str, Any]


def load_crossed(folder: Path) -> Crossed | None:
    """Return the crossed table of a reference folder, or None where it holds none.

    Raises:
        ValueError: If its slices are not those of the folder's evidence.
    """
    if not (folder / "crossed.json").exists():
        return None
    slices = artifacts.load_table(folder, "slices")
    found = artifacts.read_json(folder / "crossed.json")
    pixels = artifacts.load_table(folder, "crossed-pixels")
    counts = {
        method: _with_truth(
            artifacts.load_table(folder, f"crossed-counts-{method.replace(' ', '_')}"), slices
        )
        for method in pixels["method"].unique()
    }
    supervised = _with_truth(artifacts.load_table(folder, "crossed-supervised"), slices)
    return Crossed(counts, pixels, supervised, found["folds"], found["provenance"])


def names(found: Crossed) -> dict[str, str]:
    """Return the residuals in the order of the table: networks first, with names to read."""
    fixed = _fixed_names(found)
    of_paper = {method: method for method in networks(found)}
    return of_paper | {key: name for key, name in fixed.items() if key in found.counts}


def networks(found: Crossed) -> list[str]:
    """Return the residuals that are those of the paper's networks."""
    fixed = _fixed_names(found)
    return [method for method in found.counts if method not in fixed]


def dice_table(found: Crossed, *, aggregation: str) -> pd.DataFrame:
    """Return the Dice of the whole tumour: a row per residual, a column per post-processing.

    Args:
        found: A crossed table.
        aggregation: A key of `metrics.AGGREGATIONS`; "every_slice" counts empty slices 0.
    """
    cells = {
        method: {
            name: float(metrics.pooled_value(ratios.sums, ratios.counts)[0])
            for name in POSTPROCESSINGS
            for ratios in [_ratios(found.counts[method], name, aggregation)]
        }
        for method in names(found)
    }
    return pd.DataFrame(cells).T[list(POSTPROCESSINGS)]


def pixel_precision(found: Crossed) -> pd.Series:
    """Return the mean over patients of each residual's pixel average precision."""
    return found.pixels.groupby("method")["ap"].mean()[list(names(found))]


def against_no_network(found: Crossed, postprocessing: str, *, draws: Draws) -> pd.DataFrame:
    """Return each residual's Dice and its difference to r = −x after the same post-processing.

    Args:
        found: A crossed table.
        postprocessing: A key of `POSTPROCESSINGS`.
        draws: Of the intervals over patients, paired.

    Returns:
        One row per residual: `value`, `low`, `high` (every slice, empty = 0), `difference`,
        `difference_low`, `difference_high`.
    """
    drawn = {}
    for method, rows in found.counts.items():
        ratios = _ratios(rows, postprocessing, "every_slice")
        drawn[method] = statistics.bootstrap_ratio(
            ratios, _folds(rows), region=0, draws=draws.number, seed=draws.seed
        )
    lines = {}
    for method in names(found):
        own = statistics.interval(drawn[method])
        gain = statistics.interval(statistics.difference(drawn[method], drawn[NO_NETWORK]))
        values = (own.value, own.low, own.high, gain.value, gain.low, gain.high)
        columns = ("value", "low", "high", "difference", "difference_low", "difference_high")
        lines[method] = dict(zip(columns, values, strict=True))
    return pd.DataFrame(lines).T


def supervised_table(found: Crossed, *, draws: Draws) -> pd.DataFrame:
    """Return the Dice of the supervised U-Net beside its ceiling, the truth itself.

    Returns:
        One row per region: `value`, `low`, `high` and `ceiling` over every slice (empty = 0),
        `volume`, `volume_low`, `volume_high` over the volumes of patients that have the region
        or are given one.
    """
    lines = {}
    for region in SCORED:
        line: dict[str, float] = {}
        for prefix, aggregation in (("", "every_slice"), ("volume_", "volume")):
            ratios = _ratios(found.supervised, region, aggregation, region=region)
            cell = statistics.interval(
                statistics.bootstrap_ratio(
                    ratios, _folds(found.supervised), region=0, draws=draws.number, seed=draws.seed
                )
            )
            line |= {f"{prefix}{key}": getattr(cell, key) for key in ("value", "low", "high")}
        line["ceiling"] = float((found.supervised[f"{region}_truth"] > 0).mean())
        lines[region] = line
    return pd.DataFrame(lines).T.rename(columns={"volume_value": "volume"})


def explained_table(found: Crossed) -> pd.DataFrame:
    """Return how many components were had for those wished for, and what they explain.

    Returns:
        Index: number wished for. Columns: `components` and `explained` (share of the variance
        of healthy training slices), lowest and highest of the folds.
    """
    lines = [
        {"wished": int(wished), "components": given, "explained": fold["explained"][given - 1]}
        for fold in found.facts
        for wished, given in fold["components"].items()
    ]
    return pd.DataFrame(lines).groupby("wished").agg(["min", "max"])


def norm_reach(found: Crossed) -> pd.Series:
    """Return how far the norm's window reached at each height, the widest of the folds."""
    folds = [{int(z): reach for z, reach in fold["norm_reach"].items()} for fold in found.facts]
    return pd.DataFrame(folds).max().sort_index()


def _fixed_names(found: Crossed) -> dict[str, str]:
    return WITHOUT_TRAINING | _component_names(found) | DENOISERS


def _component_names(found: Crossed) -> dict[str, str]:
    table = explained_table(found)["components"]
    return {
        f"B6 {wished}": f"PCA, {_span(int(low), int(high))} components"
        for wished, low, high in table.itertuples()
    }


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"


def _with_truth(rows: pd.DataFrame, slices: pd.DataFrame) -> pd.DataFrame:
    joined = rows.merge(slices, on=["case", "z"], validate="one_to_one")
    if not len(joined) == len(rows) == len(slices):
        raise ValueError(
            f"The crossed table has {len(rows)} slices, {len(joined)} of them among the "
            f"{len(slices)} of the evidence beside it. Make both from one run: `make ablations`."
        )
    return joined.sort_values(["case", "z"], ignore_index=True)


def _ratios(
    rows: pd.DataFrame, name: str, aggregation: str, *, region: str = "WT"
) -> PatientRatios:
    columns = (f"{name}_overlap", f"{name}_predicted", f"{region}_truth")
    counts = RegionCounts(*(rows[column].to_numpy(int)[:, None] for column in columns))
    empty = 0.0 if aggregation == "every_slice" else np.nan
    return metrics.aggregate(counts, rows["case"].to_numpy(), aggregation=aggregation, empty=empty)


def _folds(rows: pd.DataFrame) -> np.ndarray:
    return rows.groupby("case")["fold"].first().to_numpy()
