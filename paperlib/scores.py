"""Anomaly scores: one number per slice, higher means more anomalous (section 4.2).

The paper's mean residual is *lower* in tumour slices; its sign is flipped here, once, so that
every threshold, ROC curve and figure can rely on "higher is more anomalous".
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Real
from numpy import ndarray
from scipy import ndimage
from skimage.morphology import disk

LATENT_VARIANCE_FLOOR = 1e-3  # of the median variance
TOP_SHARE = 0.1
HEIGHT_REACH = 3  # slices to either side that count as the same height
HEIGHT_MINIMUM = 10  # healthy slices a quantile needs


class Slices(NamedTuple):
    """What a slice score may look at.

    Attributes:
        image: Z-scored FLAIR.
        residual: Reconstruction minus image, in z-score units; tumours are negative.
        brain: True inside the brain.
        heights: Index of each slice in its volume, counted from the feet.
    """

    image: Float[ndarray, "slice height width"]
    residual: Float[ndarray, "slice height width"]
    brain: Bool[ndarray, "slice height width"]
    heights: Real[ndarray, " slice"]


class LatentStatistics(NamedTuple):
    """Where healthy slices lie in the latent space; all that is kept of them.

    Attributes:
        mean: Mean of each latent unit over healthy training slices.
        variance: Its variance.
    """

    mean: Float[ndarray, " latent"]
    variance: Float[ndarray, " latent"]


class HeightGate(NamedTuple):
    """One threshold per slice, from healthy slices of about the same height.

    Attributes:
        thresholds: A slice is flagged above its own.
        fallback_share: Share of the slices with too few healthy ones around them, which got
            the threshold of all heights.
    """

    thresholds: Float[ndarray, " slice"]
    fallback_share: float


def mean_residual_score(
    residual: Float[ndarray, "slice height width"], brain: Bool[ndarray, "slice height width"]
) -> Float[ndarray, " slice"]:
    """Return minus the mean residual over the brain of each slice (section 4.2).

    Args:
        residual: Reconstruction minus image, in z-score units; tumours are negative.
        brain: True inside the brain [decided]; the background would pull every mean to zero.

    Raises:
        ValueError: If a slice has no brain pixel.
    """
    return -_brain_mean(residual, brain)


def mean_residual_image_score(
    residual: Float[ndarray, "slice height width"],
) -> Float[ndarray, " slice"]:
    """Return minus the mean residual over the whole image, the other reading of section 4.2."""
    return -residual.mean(axis=(1, 2), dtype=float)


def residual_variance_score(
    residual: Float[ndarray, "slice height width"], brain: Bool[ndarray, "slice height width"]
) -> Float[ndarray, " slice"]:
    """Return the variance of the residual over the brain of each slice (section 4.2).

    Args:
        residual: Reconstruction minus image, in z-score units.
        brain: True inside the brain.

    Raises:
        ValueError: If a slice has no brain pixel.
    """
    centred = residual - _brain_mean(residual, brain)[:, None, None]
    return _brain_mean(centred**2, brain)


def latent_statistics(latent: Float[ndarray, "slice ..."]) -> LatentStatistics:
    """Summarise the latent means of healthy training slices (section 4.2).

    Args:
        latent: The encoder's mean of each slice, a vector or a stack of maps.
    """
    units = latent.reshape(len(latent), -1).astype(float)
    return LatentStatistics(units.mean(axis=0), units.var(axis=0))


def latent_distance(
    latent: Float[ndarray, "slice ..."], statistics: LatentStatistics
) -> Float[ndarray, " slice"]:
    """Return the distance of each slice from the healthy ones in standard deviations.

    The Mahalanobis distance with a diagonal covariance (section 4.2): only a mean and a
    variance per unit are kept. A variance counts at least a thousandth of the units' median
    [decided]: a unit that hardly ever moved would decide alone.

    Args:
        latent: The encoder's mean of each slice, a vector or a stack of maps.
        statistics: Of the same network's healthy training slices.

    Raises:
        ValueError: If the statistics belong to another latent size, or if more than half of
            the units never moved: the variances have no scale.
    """
    units = latent.reshape(len(latent), -1)
    if units.shape[1] != statistics.mean.size:
        raise ValueError(
            f"The latent has {units.shape[1]} units, the statistics {statistics.mean.size}; "
            "take both from the same network."
        )
    median = float(np.median(statistics.variance))
    if not median > 0:
        raise ValueError(
            f"The median variance of {units.shape[1]} latent units is {median} on healthy slices; "
            "give more slices or train with a lower beta."
        )
    variance = np.maximum(statistics.variance, LATENT_VARIANCE_FLOOR * median)
    return np.sqrt(((units - statistics.mean) ** 2 / variance).sum(axis=1))


def top_mean_score(
    residual: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    *,
    share: float = TOP_SHARE,
) -> Float[ndarray, " slice"]:
    """Return the mean of the largest minus-residuals of each slice (baseline B10).

    Args:
        residual: Reconstruction minus image, in z-score units; tumours are negative.
        brain: True inside the brain.
        share: Share of the brain pixels averaged, 0 (exclusive) to 1; at least one pixel.

    Raises:
        ValueError: If a slice has no brain pixel.
    """
    kept = np.maximum(1, np.round(share * _brain_pixels(brain)).astype(int))
    tops = (
        np.sort(-image[mask])[-k:] for image, mask, k in zip(residual, brain, kept, strict=True)
    )
    return np.array([top.mean(dtype=float) for top in tops])


def gate_threshold(healthy_scores: Float[ndarray, " slice"], *, rule: str) -> float:
    """Return the score above which a slice is flagged (section 4.2).

    Args:
        healthy_scores: Scores of tumour-free slices of validation patients.
        rule: A key of `GATES`. "max_healthy" reads the paper's "maximum threshold" for the
            residual, "mean_2sd" and "2sd_literal" its two standard deviations for the latent
            distance, "quantile_95" is ours.

    Raises:
        KeyError: If the rule is unknown.
        ValueError: If there is no healthy score.
    """
    _refuse_none(healthy_scores)
    return float(GATES[rule](healthy_scores))


def height_gate(
    healthy_scores: Float[ndarray, " healthy"],
    healthy_heights: Real[ndarray, " healthy"],
    heights: Real[ndarray, " slice"],
    *,
    quantile: float = 0.95,
    reach: int = HEIGHT_REACH,
    minimum: int = HEIGHT_MINIMUM,
) -> HeightGate:
    """Return for each slice a quantile of the healthy scores at about its height [decided].

    Args:
        healthy_scores: Scores of tumour-free slices of validation patients.
        healthy_heights: Index of those slices in their volumes.
        heights: Index of the slices to be gated.
        quantile: Share of the healthy slices that stay below the threshold.
        reach: Slices to either side that count.
        minimum: With fewer healthy slices around it, a slice gets the quantile of all heights.

    Raises:
        ValueError: If there is no healthy score.
    """
    _refuse_none(healthy_scores)
    levels, back = np.unique(heights, return_inverse=True)
    near = np.abs(levels[:, None] - healthy_heights) <= reach
    known = near.sum(axis=1) >= minimum
    overall = np.quantile(healthy_scores, quantile)
    thresholds = [
        np.quantile(healthy_scores[around], quantile) if enough else overall
        for around, enough in zip(near, known, strict=True)
    ]
    return HeightGate(np.array(thresholds)[back], float(1 - known[back].mean()))


def tumour_blind_brain(
    brain: Bool[ndarray, "slice height width"],
    tumour: Bool[ndarray, "slice height width"],
    *,
    margin_px: int = 3,
) -> Bool[ndarray, "slice height width"]:
    """Return the brain without the true tumour and a margin around it.

    A score computed there can't see the tumour: what it still knows is position, normalisation
    and mass effect. A slice that is all tumour is left without brain; leave it out.

    Args:
        brain: True inside the brain.
        tumour: The reference tumour.
        margin_px: Radius of the disk by which the tumour is widened in each slice.
    """
    return brain & ~ndimage.binary_dilation(tumour, disk(margin_px)[None].astype(bool))


def height_corrected(
    scores: Float[ndarray, " slice"],
    heights: Real[ndarray, " slice"],
    healthy_scores: Float[ndarray, " healthy"],
    healthy_heights: Real[ndarray, " healthy"],
    *,
    reach: int = HEIGHT_REACH,
) -> Float[ndarray, " slice"]:
    """Return the scores minus the healthy mean at the same height.

    Args:
        scores: Scores of the slices to be corrected.
        heights: Index of those slices in their volumes.
        healthy_scores: Scores of tumour-free slices of validation patients.
        healthy_heights: Index of those slices in their volumes.
        reach: Slices to either side that count; where none is healthy, the nearest height with
            healthy slices decides [decided].

    Raises:
        ValueError: If there is no healthy score.
    """
    _refuse_none(healthy_scores)
    away = np.abs(heights[:, None] - healthy_heights)
    near = away <= np.maximum(reach, away.min(axis=1, keepdims=True))
    return scores - (near @ healthy_scores) / near.sum(axis=1)


def at_mixed_heights(
    heights: Real[ndarray, " slice"], tumour: Bool[ndarray, " slice"]
) -> Bool[ndarray, " slice"]:
    """Return which slices lie at a height that has slices with and without tumour.

    Args:
        heights: Index of each slice in its volume.
        tumour: Whether the slice holds tumour in the reference.
    """
    return np.isin(heights, heights[tumour]) & np.isin(heights, heights[~tumour])


def _brain_pixels(brain: Bool[ndarray, "slice height width"]) -> Float[ndarray, " slice"]:
    pixels = brain.sum(axis=(1, 2))
    if not pixels.all():
        empty = np.flatnonzero(pixels == 0).tolist()
        raise ValueError(f"Slices {empty} have no brain pixel; drop them before scoring.")
    return pixels.astype(float)


def _brain_mean(
    values: Float[ndarray, "slice height width"], brain: Bool[ndarray, "slice height width"]
) -> Float[ndarray, " slice"]:
    pixels = _brain_pixels(brain)
    return np.where(brain, values, 0).sum(axis=(1, 2), dtype=float) / pixels


def _refuse_none(healthy_scores: Float[ndarray, " slice"]) -> None:
    if not healthy_scores.size:
        raise ValueError(
            "No healthy slice to take a threshold from; give validation patients with "
            "tumour-free slices."
        )


SCORES: Mapping[str, Callable[[Slices], ndarray]] = MappingProxyType(
    {
        "mean_residual": lambda s: mean_residual_score(s.residual, s.brain),
        "mean_residual_image": lambda s: mean_residual_image_score(s.residual),
        "residual_variance": lambda s: residual_variance_score(s.residual, s.brain),
        "mean_absolute": lambda s: _brain_mean(np.abs(s.residual), s.brain),
        "top_mean": lambda s: top_mean_score(s.residual, s.brain),
        "brain_area": lambda s: _brain_pixels(s.brain),
        "mean_image": lambda s: _brain_mean(s.image, s.brain),
        "slice_height": lambda s: -s.heights.astype(float),  # tumours are rare near the vertex
    }
)
GATES: Mapping[str, Callable[[ndarray], float]] = MappingProxyType(
    {
        "max_healthy": np.max,
        "mean_2sd": lambda scores: scores.mean() + 2 * scores.std(),
        "2sd_literal": lambda scores: 2 * scores.std(),
        "quantile_95": lambda scores: np.quantile(scores, 0.95),
    }
)
