"""The whole tumour from a map of one patient's volume: score, clean-up (beyond the paper).

One code for all that is compared: plain FLAIR, a network, and the paper's residuals get the same
third dimension, so that none is credited with what the clean-up did.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy import ndimage

from paperlib.postprocessing.mixture import MixtureFit
from paperlib.postprocessing.morphology import keep_component, open_close
from paperlib.postprocessing.volume import smooth

RULES = ("all", "largest_3d", "ball")  # of components, see morphology.COMPONENTS
_HOLES = np.zeros((3, 3, 3), bool)  # a hole is closed within its slice
_HOLES[1] = ndimage.generate_binary_structure(2, 1)


def combine(
    flair: Float[ndarray, "slice height width"],
    logit: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    *,
    sigma_px: float,
    logit_limit: float,
) -> Float[ndarray, "slice height width"]:
    """Return smoothed FLAIR plus what a network adds to it: at most 1, at least -1.

    Args:
        flair: Smoothed FLAIR of one patient, z units.
        logit: Of the network, positive inside a tumour.
        brain: True inside the brain; the sum is 0 outside.
        sigma_px: Standard deviation of the Gaussian over the logits, in voxels.
        logit_limit: Logits are cut at plus and minus this, which then counts as 1.
    """
    cut = np.clip(logit, -logit_limit, logit_limit)
    return flair + smooth(cut, brain, sigma_px=sigma_px) / logit_limit


def clean(
    score: Float[ndarray, "slice height width"], brain: Bool[ndarray, "slice height width"]
) -> Bool[ndarray, "slice height width"]:
    """Return where the score is positive inside the brain, opened and closed per slice."""
    return open_close((score > 0) & brain, brain)


def keep(
    cleaned: Bool[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    *,
    rule: str,
) -> Bool[ndarray, "slice height width"]:
    """Return the components that a rule keeps, holes filled per slice.

    Args:
        cleaned: All slices of one patient, after `open_close`.
        brain: No voxel outside is ever tumour.
        rule: A key of `morphology.COMPONENTS`.
    """
    return ndimage.binary_fill_holes(keep_component(cleaned, rule=rule), _HOLES) & brain


def under_each_rule(
    cleaned: Bool[ndarray, "slice height width"], brain: Bool[ndarray, "slice height width"]
) -> dict[str, Bool[ndarray, "slice height width"]]:
    """Return what `keep` makes of a mask under each of `RULES`."""
    return {rule: keep(cleaned, brain, rule=rule) for rule in RULES}


def cluster_volume(
    residual: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    *,
    fit: Callable[..., MixtureFit],
    choose: Callable[..., ndarray],
) -> Bool[ndarray, "slice height width"]:
    """Return the tumour cluster of a mixture fitted once to the whole volume.

    Neighbours stay those within a slice: what changes is that all slices share two Gaussians,
    and that the smaller cluster is that of the volume.

    Args:
        residual: Reconstruction minus image of one patient, in z units.
        brain: True inside the brain.
        fit: `mixture.fit_mixture` with its settings bound.
        choose: `mixture.tumour_mask` with its settings bound.
    """
    depth, height, width = brain.shape
    # The slices stand below each other with an empty row between, so none touches the next.
    sheet, inside = (
        np.pad(stack, ((0, 0), (0, 1), (0, 0))).reshape(depth * (height + 1), width)
        for stack in (residual, brain)
    )
    mask = choose(fit(sheet, inside), sheet, inside)
    return mask.reshape(depth, height + 1, width)[:, :height]
