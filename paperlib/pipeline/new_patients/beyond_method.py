"""The methods beyond the paper on one patient: "clean-up" without a network, "synthetic" with one.

One code for the stage that judges them and for `paperlib segment`: whatever a table says of a
method is what a new patient gets.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, Float16, Float32
from numpy import ndarray

from paperlib.config import BeyondSettings
from paperlib.labels import FLAIR, T1CE
from paperlib.postprocessing import outline, volume

CLEAN_UP, SYNTHETIC = "clean-up", "synthetic"
METHODS = (CLEAN_UP, SYNTHETIC)
Limits = Mapping[str, float]
"""Thresholds in z units from healthy training slices: of smoothed FLAIR for each method, and of
smoothed T1CE by the name of that sequence."""


def smooth_maps(
    maps: Mapping[str, ndarray],
    brain: Bool[ndarray, "slice height width"],
    settings: BeyondSettings,
) -> dict[str, Float[ndarray, "slice height width"]]:
    """Return FLAIR's and T1CE's maps of a patient smoothed in 3-D, as wide as the settings say."""
    sigmas = {FLAIR: settings.flair_sigma_px, T1CE: settings.t1ce_sigma_px}
    return {
        sequence: volume.smooth(maps[sequence], brain, sigma_px=sigma)
        for sequence, sigma in sigmas.items()
    }


def mean_logit(
    logits: Sequence[Float16[ndarray, "slice height width"]],
) -> Float32[ndarray, "slice height width"]:
    """Return the mean logit of networks that differ in their seed.

    Args:
        logits: Of each network, in the half precision that the stage keeps.
    """
    return np.mean([logit.astype(np.float32) for logit in logits], axis=0)


def tumour_score(
    flair: Float[ndarray, "slice height width"],
    logit: Float32[ndarray, "slice height width"] | None,
    brain: Bool[ndarray, "slice height width"],
    settings: BeyondSettings,
    limits: Limits,
) -> Float[ndarray, "slice height width"]:
    """Return a map that is positive where a method sees tumour, in z units of FLAIR.

    Args:
        flair: Smoothed FLAIR of one patient, see `smooth_maps`.
        logit: Of the networks; None for "clean-up".
        brain: True inside the brain.
        settings: How the logit is smoothed and cut.
        limits: Thresholds of both methods.
    """
    if logit is None:
        return flair - limits[CLEAN_UP]
    sigma, most = settings.flair_sigma_px, settings.logit_limit
    combined = outline.combine(flair, logit, brain, sigma_px=sigma, logit_limit=most)
    return combined - limits[SYNTHETIC]
