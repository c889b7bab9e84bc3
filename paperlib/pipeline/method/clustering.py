"""Section 4.3 with the settings of a run: from a residual to its cleaned tumour cluster."""

from functools import partial

from jaxtyping import Bool, Float
from numpy import ndarray

from paperlib.config import MixtureSettings
from paperlib.postprocessing import mixture, neighbours, stack


def cluster(
    residual: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    tables: list[neighbours.NeighbourTable],
    settings: MixtureSettings,
    *,
    reading: str,
) -> stack.Clustered:
    """Cluster the slices of a residual.

    Args:
        residual: Reconstruction minus image, in z units.
        brain: True inside the brain.
        tables: `neighbours.neighbour_table` of each slice.
        settings: Of the run.
        reading: Of equation 1, a key of `mixture.READINGS`.
    """
    return stack.cluster_slices(
        residual,
        brain,
        fit=partial(
            mixture.fit_mixture,
            reading=reading,
            max_iterations=settings.max_iterations,
            tolerance=settings.tolerance,
            start=settings.start,
        ),
        choose=partial(mixture.tumour_mask, cluster=settings.cluster, tail=settings.tail),
        tables=tables,
    )
