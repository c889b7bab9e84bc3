"""Label maps against the truth, as two grids and all conventions see them (section 5).

BraTS scores whole volumes on the patient's own grid; the paper's numbers are means over slices
of the networks' grid. Both are given, so that a row of either kind can be compared.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Integer, Shaped
from numpy import ndarray
from scipy import ndimage

from paperlib.evaluation import conventions
from paperlib.evaluation.measures import metrics, statistics
from paperlib.evaluation.measures.metrics import PatientRatios, RegionCounts
from paperlib.evaluation.tables import Draws
from paperlib.labels import REGIONS, TISSUES

OWN, PREPARED = "own", "prepared"  # grids
SEMANTIC = "semantic"  # the mean of the three labels, as in Table 2
# Whole volumes on the own grid, as BraTS does it; without a gate no slice is flagged.
CONVENTIONS: tuple[tuple[str, str, float], ...] = (
    (OWN, "volume", 1.0),
    *((PREPARED, *one) for one in metrics.CONVENTIONS if one[0] != "flagged_slices"),
)
TABLE_2 = (PREPARED, "every_slice", 0.0)


class Counted(NamedTuple):
    """Dice parts of some patients.

    Attributes:
        own: Voxels of each whole volume, one row a patient.
        own_cases: The patient of each row.
        prepared: Pixels of each slice that counts; no row where the brain is not known.
        prepared_cases: The patient of each row.
    """

    own: RegionCounts
    own_cases: Shaped[ndarray, " case"]
    prepared: RegionCounts
    prepared_cases: Shaped[ndarray, " slice"]


def count_volume(
    segmentation: Integer[ndarray, "x y z"], labels: Integer[ndarray, "x y z"]
) -> RegionCounts:
    """Count the voxels of each region in a whole volume; one row.

    Args:
        segmentation: Predicted BraTS 2018 codes.
        labels: Reference codes.
    """
    boxes = ndimage.find_objects(((segmentation > 0) | (labels > 0)).astype(np.uint8))
    inside = boxes[0] if boxes else (slice(0, 1),) * 3
    counts = metrics.region_counts(segmentation[inside], labels[inside])
    return RegionCounts(*(part.sum(axis=0, keepdims=True) for part in counts))


def collect(own: Mapping[str, RegionCounts], prepared: Mapping[str, RegionCounts]) -> Counted:
    """Put the counts of several patients together.

    Args:
        own: By patient, from `count_volume`; at least one.
        prepared: By patient, from `metrics.region_counts`; those whose brain is known.
    """
    nothing = RegionCounts(*(np.zeros((0, len(REGIONS)), int) for _ in RegionCounts._fields))
    return Counted(*_joined(own, nothing), *_joined(prepared, nothing))


def summarise(counted: Counted, *, draws: Draws) -> pd.DataFrame:
    """Return the Dice of each region under each convention, with its interval over patients.

    Args:
        counted: Of all patients.
        draws: Of the bootstrap; with one patient there is no interval.

    Returns:
        One row per grid, convention and region: `grid`, `aggregation`, `empty`, `convention` (in
        words), `region`, `value`, `low`, `high`, `patients` (for whom it is defined).
    """
    lines = []
    for grid, aggregation, empty in CONVENTIONS:
        ratios = _ratios(counted, grid, aggregation, empty)
        if not ratios.cases.size:
            continue
        named = {"grid": grid, "aggregation": aggregation, "empty": empty}
        named["convention"] = conventions.name(aggregation, empty)
        for region, columns in _shown_regions(aggregation, empty).items():
            lines.append({**named, "region": region, **_cell(ratios, columns, draws)})
    return pd.DataFrame(lines)


def by_patient(counted: Counted, *, voxel_ml: Mapping[str, float]) -> pd.DataFrame:
    """Return one row per patient: Dice of the whole volume, of Table 2, and volumes in ml.

    Args:
        counted: Of all patients.
        voxel_ml: Volume of a voxel of each patient's own grid.

    Returns:
        Indexed by patient; `<region>_volume` on the own grid (nothing in either is 1),
        `<region>_every_slice` on the prepared grid (nothing in either is 0; missing where the
        brain is not known), `<region>_predicted_ml`, `<region>_truth_ml`.
    """
    table = _values(counted, CONVENTIONS[0]).add_suffix("_volume")
    table = table.join(_values(counted, TABLE_2).add_suffix("_every_slice"))
    size_ml = np.array([voxel_ml[case] for case in counted.own_cases])[:, None]
    for part in ("predicted", "truth"):
        volumes = pd.DataFrame(
            getattr(counted.own, part) * size_ml, counted.own_cases, list(REGIONS)
        )
        table = table.join(volumes.add_suffix(f"_{part}_ml"))
    return table.rename_axis("patient")


def _joined(
    parts: Mapping[str, RegionCounts], nothing: RegionCounts
) -> tuple[RegionCounts, Shaped[ndarray, " row"]]:
    counts = RegionCounts(
        *(np.concatenate(columns) for columns in zip(nothing, *parts.values(), strict=True))
    )
    rows = [len(part.truth) for part in parts.values()]
    return counts, np.repeat(np.array(list(parts), dtype=str), rows)


def _ratios(counted: Counted, grid: str, aggregation: str, empty: float) -> PatientRatios:
    parts = {
        OWN: (counted.own, counted.own_cases),
        PREPARED: (counted.prepared, counted.prepared_cases),
    }
    return metrics.aggregate(*parts[grid], aggregation=aggregation, empty=empty)


def _values(counted: Counted, convention: tuple[str, str, float]) -> pd.DataFrame:
    ratios = _ratios(counted, *convention)
    values = np.divide(ratios.sums, ratios.counts, where=ratios.counts > 0,
                       out=np.full(ratios.sums.shape, np.nan))  # fmt: skip
    table = pd.DataFrame(values, ratios.cases, list(REGIONS))
    table[SEMANTIC] = table[list(TISSUES)].mean(axis=1)
    return table


def _shown_regions(aggregation: str, empty: float) -> dict[str, list[int]]:
    """Return the columns of each region; labels are averaged only where each has a value."""
    columns = {region: [place] for place, region in enumerate(REGIONS)}
    if aggregation in metrics.EMPTY_MATTERS and not np.isnan(empty):
        columns[SEMANTIC] = [list(REGIONS).index(tissue) for tissue in TISSUES]
    return columns


def _cell(ratios: PatientRatios, columns: Sequence[int], draws: Draws) -> dict[str, float]:
    defined = int((ratios.counts[:, columns] > 0).all(axis=1).sum())
    if not defined:
        return {"value": np.nan, "low": np.nan, "high": np.nan, "patients": 0}
    one_fold = np.zeros(len(ratios.cases), int)
    drawn = [
        statistics.bootstrap_ratio(
            ratios, one_fold, region=column, draws=draws.number, seed=draws.seed
        )
        for column in columns
    ]
    found = statistics.interval(statistics.mean_of(drawn))
    low, high = (found.low, found.high) if defined > 1 else (np.nan, np.nan)
    return {"value": found.value, "low": low, "high": high, "patients": defined}
