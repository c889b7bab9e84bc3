"""Segmentation without a network: smoothed FLAIR, cleaned up in 3-D (beyond the paper).

It uses the third dimension, which the paper's slice-wise method does not see; in the book it
is the baseline any network has to beat.
"""

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy import ndimage

from paperlib.postprocessing.morphology import fill_holes, keep_component, open_close

SIGMA_PX = 1.0


def smooth(
    volume: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    *,
    sigma_px: float,
) -> Float[ndarray, "slice height width"]:
    """Return the Gaussian mean of the brain voxels around each brain voxel; 0 outside.

    Dividing by the smoothed mask keeps the background from darkening the rim of the brain.

    Args:
        volume: Any map, for example z-scored FLAIR.
        brain: True inside the brain.
        sigma_px: Standard deviation along each of the three axes, in voxels.

    Raises:
        ValueError: If `sigma_px` is not positive.
    """
    if sigma_px <= 0:
        raise ValueError(f"sigma_px is {sigma_px}; a Gaussian needs a positive width.")
    total = ndimage.gaussian_filter(np.where(brain, volume, 0).astype(float), sigma_px)
    share = ndimage.gaussian_filter(brain.astype(float), sigma_px)
    return np.divide(total, share, out=np.zeros_like(total), where=brain)


def segment_smoothed(
    flair_z: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    *,
    threshold: float,
    spacing_mm: tuple[float, float, float],
) -> Bool[ndarray, "slice height width"]:
    """Return the whole tumour of one patient: bright, thick and in one piece.

    Smoothed FLAIR above the threshold, one opening and one closing per slice, the 3-D
    component with the largest inscribed ball, holes filled per slice.

    Args:
        flair_z: Z-scored FLAIR of one patient.
        brain: True inside the brain; no voxel outside is ever tumour.
        threshold: In z units, the 99 % quantile of `smooth` over healthy slices of other
            patients (about 1.2).
        spacing_mm: Size of a voxel along slice, height and width.
    """
    bright = (smooth(flair_z, brain, sigma_px=SIGMA_PX) > threshold) & brain
    cleaned = open_close(bright, brain)
    tumour = keep_component(cleaned, rule="ball", spacing_mm=spacing_mm)
    return fill_holes(tumour) & brain
