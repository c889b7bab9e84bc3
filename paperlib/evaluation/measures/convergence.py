"""What a network's residual shows at one moment of its training (the figure of training length).

Measured on a fixed subset of test slices; nothing may be chosen by it.
"""

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from sklearn.metrics import average_precision_score, roc_auc_score


def measure_residual(
    image: Float[ndarray, "slice height width"],
    residual: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    truth: Bool[ndarray, "slice height width"],
    *,
    threshold: float,
) -> dict[str, float]:
    """Return pixel AP, Dice, slice AUROC and the correlation of the residual with the input.

    Args:
        image: Slices in z units.
        residual: Reconstruction minus image; tumours are negative.
        brain: Where to look.
        truth: The region that this sequence shows.
        threshold: A pixel is called tumour when minus its residual is above; from healthy slices.

    Returns:
        `pixel_ap` and `dice` (every slice, empty = 0) of the residual, the same of the image,
        `auroc` of the mean residual for "the slice holds the region", `input_correlation` of r
        and -x over brain pixels. A measure without both classes is NaN.
    """
    darkness = -residual[brain]
    positive = np.asarray(truth[brain])
    sizes = brain.sum(axis=(1, 2))
    score = -(residual * brain).sum(axis=(1, 2)) / sizes
    return {
        "pixel_ap": _if_both(average_precision_score, positive, darkness),
        "input_pixel_ap": _if_both(average_precision_score, positive, image[brain]),
        "dice": _mean_dice((-residual > threshold) & brain, truth),
        "auroc": _if_both(roc_auc_score, np.asarray(truth.any(axis=(1, 2))), score),
        "input_correlation": float(np.corrcoef(darkness, image[brain])[0, 1]),
    }


def _mean_dice(mask: ndarray, truth: ndarray) -> float:
    overlap = (mask & truth).sum(axis=(1, 2))
    total = mask.sum(axis=(1, 2)) + truth.sum(axis=(1, 2))
    return float(np.mean(2 * overlap / np.maximum(total, 1)))


def _if_both(measure, positive: ndarray, score: ndarray) -> float:
    if positive.all() or not positive.any():
        return float("nan")
    return float(measure(positive, score))
