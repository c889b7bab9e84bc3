"""What a perfect choice would make of a residual: it looks at the truth, so it is no method.

Each function replaces one decision of section 4.3 by the best possible one, to tell how much of
the error that decision causes. Nothing here may stand beside a method without the word oracle.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from paperlib.postprocessing.mixture import MixtureFit, tumour_mask


def best_threshold(
    anomaly: Float[ndarray, " pixel"], truth: Bool[ndarray, " pixel"], *, missed: int = 0
) -> float:
    """Return the threshold with the highest Dice of "above it" with the truth.

    Args:
        anomaly: Higher is more like a tumour, for example minus the residual.
        truth: Whether each pixel is tumour.
        missed: True pixels that are not among these and cannot be found.

    Returns:
        In the unit of the map, to be used with ">"; infinite, so that nothing is above it, where
        there is no tumour to find.
    """
    if not truth.any():
        return float("inf")
    order = np.argsort(-anomaly, kind="stable")
    ranked = anomaly[order]
    predicted = np.arange(1, ranked.size + 1)
    dice = 2 * np.cumsum(truth[order]) / (predicted + int(truth.sum()) + missed)
    below = np.append(ranked[1:], np.nextafter(ranked[-1], ranked.dtype.type(-np.inf)))
    dice[below == ranked] = -1  # equal pixels are above a threshold together
    return float(below[np.argmax(dice)])


def both_clusters(
    fit: MixtureFit,
    residual: Float[ndarray, "height width"],
    brain: Bool[ndarray, "height width"],
    *,
    cluster: str,
    tail: str,
) -> tuple[Bool[ndarray, "height width"], Bool[ndarray, "height width"]]:
    """Return the cluster that the rule chooses and the one that it leaves.

    Args:
        fit: The two clusters of this slice; of a degenerate one both are empty.
        residual: The residual that was fitted.
        brain: The mask it was fitted in.
        cluster: As in `mixture.tumour_mask`.
        tail: As in `mixture.tumour_mask`; holds for both.
    """
    chosen = tumour_mask(fit, residual, brain, cluster=cluster, tail=tail)
    # The rule "lower_mean" takes whichever component is said to lie lower.
    first, second = (
        tumour_mask(fit._replace(means=means), residual, brain, cluster="lower_mean", tail=tail)
        for means in (np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    )
    return chosen, first if np.array_equal(chosen, second) else second


def best_of(
    masks: Sequence[Bool[ndarray, "slice height width"]], truth: Bool[ndarray, "slice height width"]
) -> Bool[ndarray, "slice height width"]:
    """Return for each slice the mask with the highest Dice; of equal ones the first.

    Args:
        masks: The candidates.
        truth: The reference mask.
    """
    overlaps = [2 * (mask & truth).sum(axis=(1, 2)) for mask in masks]
    sizes = [np.maximum((mask.sum(axis=(1, 2)) + truth.sum(axis=(1, 2))), 1) for mask in masks]
    best = np.argmax(np.array(overlaps) / np.array(sizes), axis=0)
    return np.stack(masks)[best, np.arange(len(truth))]
