"""Masks by one threshold, and where the threshold comes from (baselines B1, B2, B9).

Every map here is read as "higher is more like a tumour": pass minus the residual.
"""

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from skimage.exposure import equalize_hist
from skimage.filters import threshold_otsu


def false_positive_threshold(
    values_of_healthy_pixels: Float[ndarray, " pixel"], *, share: float = 0.05
) -> float:
    """Return the value that a given share of healthy brain pixels exceeds.

    Args:
        values_of_healthy_pixels: The map inside the brain on tumour-free slices of patients
            that are not tested [decided].
        share: False positives accepted, between 0 and 1 (exclusive).

    Raises:
        ValueError: If there are no finite values or the share is outside its range.
    """
    if not 0 < share < 1:
        raise ValueError(f"share is {share}; expected more than 0 and less than 1.")
    if not values_of_healthy_pixels.size or not np.isfinite(values_of_healthy_pixels).all():
        raise ValueError(
            f"Found {values_of_healthy_pixels.size} healthy values, "
            f"{int(np.isfinite(values_of_healthy_pixels).sum())} of them finite; a threshold "
            "needs healthy slices of other patients without NaN."
        )
    return float(np.quantile(values_of_healthy_pixels, 1 - share))


def otsu(
    values: Float[ndarray, "*slice height width"], brain: Bool[ndarray, "*slice height width"]
) -> Bool[ndarray, "*slice height width"]:
    """Return the upper class of Otsu's two inside the brain; nothing if all values are equal.

    Args:
        values: A slice or a volume; the threshold is one for all of it.
        brain: True inside the brain; the background takes no part.
    """
    inside = values[brain]
    if not inside.size or inside.min() == inside.max():
        return np.zeros_like(brain)
    return above(values, brain, threshold=float(threshold_otsu(inside)))


def above(
    values: Float[ndarray, "*slice height width"],
    brain: Bool[ndarray, "*slice height width"],
    *,
    threshold: float,
) -> Bool[ndarray, "*slice height width"]:
    """Return the brain pixels whose value exceeds the threshold, in the unit of the values."""
    return (values > threshold) & brain


def rank_in_brain(
    volume: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    bins: int = 256,
) -> Float[ndarray, "slice height width"]:
    """Return the share of the brain at most as bright as each voxel, 0 to 1; 0 outside.

    The histogram equalisation of baseline B1: it needs no unit of intensity, hence no z-score.

    Args:
        volume: Brightness of one patient, usually FLAIR.
        brain: True inside the brain.
        bins: Steps of the histogram between the darkest and the brightest brain voxel.

    Raises:
        ValueError: If the brain is empty.
    """
    if not brain.any():
        raise ValueError("The brain mask is empty; there is nothing to rank.")
    # Background values would widen the range that the bins divide.
    filled = np.where(brain, volume, volume[brain].min())
    return np.where(brain, equalize_hist(filled, nbins=bins, mask=brain), 0)
