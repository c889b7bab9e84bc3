"""How well scores rank tumour above the rest, kept per patient so that patients can be drawn.

Scores are sorted into bins once and counted per patient. Any sample of patients is then a sum
of rows, and a thousand bootstrap draws cost one matrix product.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Real, Shaped
from numpy import ndarray


class Ranking(NamedTuple):
    """Counts of each patient, from the lowest score to the highest.

    Attributes:
        cases: Patients, sorted.
        positive: Tumour slices or pixels with a score in the bin.
        negative: The others.
    """

    cases: Shaped[ndarray, " case"]
    positive: Float[ndarray, "case bin"]
    negative: Float[ndarray, "case bin"]


def slice_ranking(
    scores: Float[ndarray, " slice"],
    tumour: Bool[ndarray, " slice"],
    cases: Shaped[ndarray, " slice"],
) -> Ranking:
    """Rank slices exactly: each score that occurs is a bin of its own.

    Args:
        scores: Higher is more anomalous.
        tumour: Whether the reference has tumour in the slice.
        cases: The patient of each slice.
    """
    levels, place = np.unique(scores, return_inverse=True)
    return _count(place, levels.size, tumour, cases)


def pixel_ranking(
    anomaly: Float[ndarray, "slice height width"],
    truth: Bool[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    cases: Shaped[ndarray, " slice"],
    *,
    edges: Float[ndarray, " edge"],
) -> Ranking:
    """Rank brain pixels in bins; pixels of one bin count as tied.

    Args:
        anomaly: Higher is more like a tumour, for example minus the residual.
        truth: The reference tumour.
        brain: True inside the brain; nothing outside is ranked.
        cases: The patient of each slice.
        edges: Rising borders between the bins, the same for all that is compared; about a
            thousand over the range of the scores leave an error below 0.001.
    """
    place = np.searchsorted(edges, anomaly[brain], side="right")
    owners = np.repeat(cases, brain.sum(axis=(1, 2)))
    return _count(place, edges.size + 1, truth[brain], owners)


def same_height_auroc(
    scores: Float[ndarray, " slice"],
    tumour: Bool[ndarray, " slice"],
    heights: Real[ndarray, " slice"],
    cases: Shaped[ndarray, " slice"],
    *,
    reach: int,
) -> float:
    """Return how often a tumour slice scores above a tumour-free one of the same height.

    Only pairs of different patients count, at most `reach` slices apart: a score that knows
    nothing but the height stays near one half.

    Args:
        scores: Of slices scored by one network; higher is more anomalous.
        tumour: Whether the reference has tumour in the slice.
        heights: Index of each slice in its volume.
        cases: The patient of each slice.
        reach: Slices that two heights may differ by.

    Returns:
        The share of pairs, ties counting half; NaN without any pair.
    """
    ill, free = np.flatnonzero(tumour), np.flatnonzero(~tumour)
    near = np.abs(heights[ill][:, None] - heights[free]) <= reach
    pairs = near & (cases[ill][:, None] != cases[free])
    above = scores[ill][:, None] - scores[free]
    wins = (above[pairs] > 0).sum() + 0.5 * (above[pairs] == 0).sum()
    return float(wins / pairs.sum()) if pairs.any() else float("nan")


def _count(
    place: Shaped[ndarray, " n"], bins: int, positive: Bool[ndarray, " n"], cases: ndarray
) -> Ranking:
    names, owner = np.unique(cases, return_inverse=True)
    cell = owner * bins + place
    tables = (
        np.bincount(cell[kind], minlength=names.size * bins).reshape(names.size, bins)
        for kind in (positive, ~positive)
    )
    return Ranking(names, *(table.astype(float) for table in tables))


def auroc(
    positive: Real[ndarray, "draw bin"], negative: Real[ndarray, "draw bin"]
) -> Float[ndarray, " draw"]:
    """Return the share of pairs in which the positive scores higher; ties count half.

    Args:
        positive: Number of positives in each bin, lowest score first.
        negative: Number of negatives.
    """
    below = negative.cumsum(axis=-1) - negative / 2
    pairs = positive.sum(axis=-1) * negative.sum(axis=-1)
    return _share((positive * below).sum(axis=-1), pairs)


def average_precision(
    positive: Real[ndarray, "draw bin"], negative: Real[ndarray, "draw bin"]
) -> Float[ndarray, " draw"]:
    """Return the mean precision over the positives, each at its own bin as threshold.

    Args:
        positive: Number of positives in each bin, lowest score first.
        negative: Number of negatives.
    """
    found = positive[..., ::-1].cumsum(axis=-1)
    called = found + negative[..., ::-1].cumsum(axis=-1)
    precision = np.divide(found, called, out=np.zeros(found.shape), where=called > 0)
    return _share((positive[..., ::-1] * precision).sum(axis=-1), positive.sum(axis=-1))


def _share(part: Real[ndarray, " draw"], whole: Real[ndarray, " draw"]) -> ndarray:
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


MEASURES: Mapping[str, Callable[[ndarray, ndarray], ndarray]] = MappingProxyType(
    {"auroc": auroc, "average_precision": average_precision}
)
