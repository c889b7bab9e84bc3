"""Reconstructions without training by gradient: filters, mirror, normative atlas, PCA.

Not in the paper: a critical reader's alternatives to the networks of section 4.1. The residual is
made from them as from a network; what lies outside the brain means nothing.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Integer
from numpy import ndarray
from scipy import ndimage
from skimage.filters import rank
from sklearn.decomposition import PCA

GREY_LEVELS = 1024  # between the darkest and the brightest brain pixel of a slice
SD_FLOOR = 0.2  # z units; ten slices can agree by chance [decided]


class Norm(NamedTuple):
    """What healthy slices of about one height look like.

    Attributes:
        mean: Mean of each pixel, in z units.
        sd: Standard deviation of each pixel, at least `SD_FLOOR`.
        reach: Slices up and down that the window holds.
        slices: Number of healthy slices in it.
    """

    mean: Float[ndarray, "height width"]
    sd: Float[ndarray, "height width"]
    reach: int
    slices: int


class Subspace(NamedTuple):
    """Principal components of healthy slices.

    Attributes:
        mean: Mean slice.
        directions: Orthonormal components, the one that explains most first.
        explained: Share of the variance that this component and those before it explain.
    """

    mean: Float[ndarray, " pixel"]
    directions: Float[ndarray, "component pixel"]
    explained: Float[ndarray, " component"]


def masked_median(
    images: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    *,
    side_px: int,
) -> Float[ndarray, "slice height width"]:
    """Return the median of the brain pixels in the square around each brain pixel; 0 outside.

    Of an even number of pixels it is the upper middle one. Brightness is rounded to
    `GREY_LEVELS` steps of the slice's range, which costs at most half a step.

    Args:
        images: Slices in z units.
        brain: True inside the brain; the background takes no part.
        side_px: Side of the square, odd.

    Raises:
        ValueError: If the side is not odd and positive.
    """
    if side_px < 1 or side_px % 2 == 0:
        raise ValueError(f"side_px is {side_px}; a square around a pixel has an odd side.")
    square = np.ones((side_px, side_px), bool)
    found = np.zeros_like(images)
    for image, mask, target in zip(images, brain, found, strict=True):
        if not mask.any():
            continue
        low, high = float(image[mask].min()), float(image[mask].max())
        step = (high - low) / (GREY_LEVELS - 1) or 1.0
        levels = np.rint((image.clip(low, high) - low) / step).astype(np.uint16)
        target[mask] = low + step * rank.median(levels, square, mask=mask)[mask]
    return found


def masked_gaussian(
    images: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    *,
    sigma_px: float,
) -> Float[ndarray, "slice height width"]:
    """Return the Gaussian mean of the brain pixels of the slice around each one; 0 outside.

    Args:
        images: Slices in z units.
        brain: True inside the brain; the background takes no part.
        sigma_px: Standard deviation within the slice, in pixels.

    Raises:
        ValueError: If it is not positive.
    """
    if sigma_px <= 0:
        raise ValueError(f"sigma_px is {sigma_px}; a Gaussian needs a positive width.")
    sigmas = (0, sigma_px, sigma_px)
    total = ndimage.gaussian_filter(np.where(brain, images, 0), sigmas, mode="constant")
    share = ndimage.gaussian_filter(brain.astype(total.dtype), sigmas, mode="constant")
    return np.divide(total, share, out=np.zeros_like(total), where=brain)


def mirror(
    images: Float[ndarray, "slice height width"], brain: Bool[ndarray, "slice height width"]
) -> Float[ndarray, "slice height width"]:
    """Return each slice with left and right exchanged about the midline of its brain mask.

    The midline is the vertical line through the mask's centre, to the half pixel, so nothing is
    interpolated; a tilted head is not set upright. A brain pixel without a partner in the brain
    keeps its own value, which makes its residual 0 [decided].

    Args:
        images: Slices; the last axis runs from side to side.
        brain: True inside the brain; the background becomes 0.
    """
    found = np.where(brain, images, 0)
    columns = np.arange(images.shape[2])
    for image, mask, target in zip(images, brain, found, strict=True):
        if not mask.any():
            continue
        partner = int(np.floor(2 * np.nonzero(mask)[1].mean() + 0.5)) - columns
        inside = (partner >= 0) & (partner < columns.size)
        partner = partner.clip(0, columns.size - 1)
        both = mask & mask[:, partner] & inside
        target[both] = image[:, partner][both]
    return found


def norm_at(
    images: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    heights: Integer[ndarray, " slice"],
    *,
    height: int,
    minimum: int = 10,
) -> Norm:
    """Return mean and deviation of each pixel over healthy slices near one height.

    The window is the smallest around the height that holds `minimum` slices. A pixel that fewer
    than two of their brains cover gets the mean and deviation of all their brain pixels.

    Args:
        images: Healthy training slices in z units.
        brain: Their brains.
        heights: Number of each slice, counted from the feet.
        height: Where the norm is wanted.
        minimum: Slices that the window must hold [decided].

    Raises:
        ValueError: If there are fewer healthy slices at all.
    """
    if len(heights) < minimum:
        raise ValueError(f"There are {len(heights)} healthy slices; a norm needs {minimum}.")
    distance = np.abs(heights - height)
    reach = int(np.sort(distance)[minimum - 1])
    chosen = np.flatnonzero(distance <= reach)
    inside = brain[chosen]
    shown = np.ma.masked_array(images[chosen].astype(np.float64), mask=~inside)
    known = inside.sum(axis=0) >= 2
    mean = np.where(known, shown.mean(axis=0).filled(0), shown.mean())
    sd = np.where(known, shown.std(axis=0).filled(0), shown.std())
    return Norm(mean, np.maximum(sd, SD_FLOOR), reach, chosen.size)


def fit_subspace(images: Float[ndarray, "slice height width"], *, components: int) -> Subspace:
    """Find the principal components of healthy slices.

    Args:
        images: Healthy training slices, background 0.
        components: How many at most; never more than half the number of slices.

    Raises:
        ValueError: If there are fewer than two slices or no component is asked for.
    """
    number = min(components, len(images) // 2)
    if number < 1:
        raise ValueError(
            f"{components} components of {len(images)} slices: give at least 1 and 2 slices."
        )
    found = PCA(number, svd_solver="full").fit(images.reshape(len(images), -1))
    return Subspace(found.mean_, found.components_, np.cumsum(found.explained_variance_ratio_))


def project(
    subspace: Subspace, images: Float[ndarray, "slice height width"], *, components: int
) -> Float[ndarray, "slice height width"]:
    """Return what the first components of a subspace can show of each slice."""
    directions = subspace.directions[:components]
    centred = images.reshape(len(images), -1) - subspace.mean
    shown = (centred @ directions.T) @ directions + subspace.mean
    return shown.reshape(images.shape)
