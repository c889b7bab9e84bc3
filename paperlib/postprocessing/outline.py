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
SINGLE = RULES[1:]  # those that keep one component
LEVELS = np.round(np.arange(-0.2, 2.6, 0.1), 1)  # of a score in z units, where a rim is sought
RING_PX = 3  # width of the tissue around an outline that it is compared with
SHARPNESS = 8  # power of the contrast: how much more the clearest levels weigh
_REACH_PX = 5  # what opening, closing and the ring see beyond a component
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


def clearest_outline(
    score: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    start: Bool[ndarray, "slice height width"],
) -> Bool[ndarray, "slice height width"]:
    """Return the component around a first outline at the level where it stands out most.

    A z-score is brightness against the whole brain, tumour included: a large tumour is less
    bright in it than a small one, and one threshold for all patients fits neither. So the first
    outline only says where the tumour is. At each of `LEVELS` the component that holds most of it
    is compared with the ring around it. The level is the median of all, weighted by the
    difference of the two mean scores to the power of `SHARPNESS`.

    Args:
        score: Of one patient, higher inside a tumour, z units, without a threshold subtracted.
        brain: No voxel outside is ever tumour.
        start: The first outline, one component; if it is empty, so is the result.
    """
    low = open_close((score > LEVELS[0]) & brain, brain) | start
    # Opening, closing and components only shrink with a higher level: all lie in this box.
    found = ndimage.find_objects(_component_of(low, start).astype(int))
    if not found:
        return start
    box = tuple(slice(max(side.start - _REACH_PX, 0), side.stop + _REACH_PX) for side in found[0])
    inside, first, values = brain[box], start[box], score[box]
    masks, contrasts = [], []
    for level in LEVELS:
        cleaned = open_close((values > level) & inside, inside)
        mask = ndimage.binary_fill_holes(_component_of(cleaned, first), _HOLES) & inside
        ring = ndimage.binary_dilation(mask, iterations=RING_PX) & inside & ~mask
        if not (mask.any() and ring.any()):
            continue
        masks.append(mask)
        contrasts.append(max(float(values[mask].mean() - values[ring].mean()), 0.0))
    if not any(contrasts):
        return start
    weights = np.cumsum((np.array(contrasts) / max(contrasts)) ** SHARPNESS)
    whole = np.zeros_like(start)
    whole[box] = masks[int(np.searchsorted(weights, weights[-1] / 2))]
    return whole


def _component_of(
    mask: Bool[ndarray, "slice height width"], start: Bool[ndarray, "slice height width"]
) -> Bool[ndarray, "slice height width"]:
    """Return the component of a mask that holds most of another; empty if none holds any."""
    components, count = ndimage.label(mask)
    shared = np.bincount(components[start], minlength=count + 1)
    shared[0] = 0
    return (components == shared.argmax()) & (shared.max() > 0) & mask


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
