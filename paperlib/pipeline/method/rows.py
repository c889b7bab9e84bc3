"""The rows that everything in section 5 is computed from: per slice, per method, no pixel.

A run and a reference folder hold the same tables, so one code makes the paper's tables from
either: `slices` and `cases` (truth), `counts/<method>` (Dice parts), `scores/<method>`,
`pixels/<method>`.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy import ndarray

from paperlib.evaluation.measures import metrics
from paperlib.labels import REGIONS
from paperlib.postprocessing import morphology, regions
from paperlib.postprocessing.stack import Clustered


def count_rows(
    segmentation: ndarray, labels: ndarray, slices: pd.DataFrame, **named: str
) -> pd.DataFrame:
    """Return one row per slice with the Dice parts of every region.

    Args:
        segmentation: Predicted codes of some slices.
        labels: Reference codes of the same slices.
        slices: Their rows of the slice table.
        named: Further columns, such as reading and component.
    """
    counts = metrics.region_counts(segmentation, labels)
    columns = {"case": slices["case"].to_numpy(), "z": slices["z"].to_numpy()}
    for number, region in enumerate(REGIONS):
        columns[f"{region}_overlap"] = counts.overlap[:, number]
        columns[f"{region}_predicted"] = counts.predicted[:, number]
    return pd.DataFrame({**dict.fromkeys(named, ""), **columns}).assign(**named)


def tissue_rows(
    outline: ndarray,
    enhancing: ndarray,
    labels: ndarray,
    slices: pd.DataFrame,
    *,
    components: tuple[str, ...],
    hull: str,
    **named: str,
) -> tuple[dict[str, ndarray], pd.DataFrame]:
    """Label the tissues of one patient under every component rule and count.

    Returns:
        Segmentation per component rule, and the rows of all of them.
    """
    segmentations, rows = {}, []
    for component in components:
        kept = morphology.keep_component(outline, rule=component)
        enhanced = morphology.keep_component(enhancing & kept, rule=component)
        segmentations[component] = regions.label_tissues(kept, enhanced, hull=hull)
        rows.append(
            count_rows(segmentations[component], labels, slices, component=component, **named)
        )
    return segmentations, pd.concat(rows)


def fit_columns(clustered: Mapping[str, Clustered]) -> dict[str, ndarray]:
    """Return how the fits of each sequence went, as columns."""
    return {
        f"{sequence}_{name}": np.asarray(getattr(found, name)).astype(int)
        for sequence, found in clustered.items()
        for name in ("iterations", "converged", "degenerate", "clusters_differ")
    }
