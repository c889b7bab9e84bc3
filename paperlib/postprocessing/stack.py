"""The post-processing of section 4.3 over the slices of one patient (figure 3)."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from paperlib.postprocessing import neighbours
from paperlib.postprocessing.mixture import MixtureFit
from paperlib.postprocessing.morphology import open_close


class Clustered(NamedTuple):
    """Masks of one residual and how the fits went.

    Attributes:
        mask: Tumour cluster after opening and closing.
        iterations: Steps of each fit.
        converged: Whether the posterior stopped changing.
        degenerate: Whether the slice was not divided; its mask is empty.
        clusters_differ: Whether the smallest cluster is not the one of lower mean: the paper's
            rule then takes the darker tissue.
    """

    mask: Bool[ndarray, "slice height width"]
    iterations: Int[ndarray, " slice"]
    converged: Bool[ndarray, " slice"]
    degenerate: Bool[ndarray, " slice"]
    clusters_differ: Bool[ndarray, " slice"]


def cluster_slices(
    residual: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    *,
    fit: Callable[..., MixtureFit],
    choose: Callable[..., ndarray],
    tables: list[neighbours.NeighbourTable],
) -> Clustered:
    """Cluster every slice on its own and clean the masks.

    Args:
        residual: Reconstruction minus image, in z units.
        brain: True inside the brain.
        fit: `mixture.fit_mixture` with its settings bound.
        choose: `mixture.tumour_mask` with its settings bound.
        tables: `neighbours.neighbour_table` of each slice, shared by all residuals of the patient.
    """
    masks, fits, differ = [], [], []
    for image, inside, table in zip(residual, brain, tables, strict=True):
        found = fit(image, inside, table=table)
        masks.append(choose(found, image, inside))
        fits.append(found)
        low_px = ((found.posterior > 0.5) & inside).sum()
        smallest_is_low = 2 * low_px <= inside.sum()
        differ.append(bool(smallest_is_low != (found.means[1] < found.means[0])))
    return Clustered(
        open_close(np.stack(masks), brain),
        np.array([found.iterations for found in fits]),
        np.array([found.converged for found in fits]),
        np.array([found.degenerate for found in fits]),
        np.array(differ),
    )
