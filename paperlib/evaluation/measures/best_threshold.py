"""Thresholds that are chosen with labels: the oracle, and the fair one from other patients.

They show what a residual holds apart from how a method finds its threshold. Neither belongs to
the paper; the oracle looks at the very labels it is scored on and is always named so.
"""

import numpy as np
from jaxtyping import Bool, Float, Shaped
from numpy import ndarray

from paperlib.evaluation.measures import metrics
from paperlib.postprocessing.morphology import open_close
from paperlib.postprocessing.thresholds import above


def dice_curves(
    anomaly: Float[ndarray, "slice height width"],
    truth: Bool[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    *,
    thresholds: Float[ndarray, " threshold"],
) -> Float[ndarray, "slice threshold"]:
    """Return the Dice of each slice for each threshold, after opening and closing; empty counts 0.

    Args:
        anomaly: Higher is more like a tumour.
        truth: The reference tumour.
        brain: True inside the brain; nothing outside is predicted.
        thresholds: What exceeds one is predicted.
    """
    true = truth.sum(axis=(1, 2))
    curves = []
    for threshold in thresholds:
        mask = open_close(above(anomaly, brain, threshold=float(threshold)), brain)
        overlap, predicted = (part.sum(axis=(1, 2)) for part in (mask & truth, mask))
        curves.append(metrics.dice_from_counts(overlap, predicted, true, empty=0))
    return np.stack(curves, axis=1)


def oracle_threshold(
    curves: Float[ndarray, "slice threshold"], thresholds: Float[ndarray, " threshold"]
) -> float:
    """Return the threshold with the best mean Dice over all slices; of equal ones the first."""
    return float(thresholds[curves.sum(axis=0).argmax()])


def thresholds_of_others(
    curves: Float[ndarray, "slice threshold"],
    cases: Shaped[ndarray, " slice"],
    thresholds: Float[ndarray, " threshold"],
) -> dict[int, float]:
    """Return for each patient the threshold that is best for the slices of all the others.

    Args:
        curves: From `dice_curves`, of all patients.
        cases: The patient of each slice.
        thresholds: Those of the curves.

    Raises:
        ValueError: If there is only one patient.
    """
    names = np.unique(cases)
    if names.size < 2:
        raise ValueError(
            f"Found {names.size} patient; a threshold from the others needs two. Test more "
            "patients or use fewer folds."
        )
    total = curves.sum(axis=0)
    best = [(total - curves[cases == name].sum(axis=0)).argmax() for name in names]
    return {int(name): float(thresholds[place]) for name, place in zip(names, best, strict=True)}
