"""The whole tumour from a map of one patient's volume: score, clean-up (beyond the paper).

One code for all that is compared: plain FLAIR, a network, and the paper's residuals get the same
third dimension, so that none is credited with what the clean-up did.
"""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy import ndimage

from paperlib.postprocessing.mixture import MixtureFit
from paperlib.postprocessing.morphology import (
    SPACING_MM,
    fill_holes,
    keep_component,
    open_close,
    open_close_score,
)
from paperlib.postprocessing.volume import smooth

FOCI = "foci"  # rule: each component whose ball is nearly as wide as the widest
RULES = ("all", "largest_3d", "ball", FOCI)  # of components, see morphology.COMPONENTS
FOCUS_SHARE = 0.6  # of the widest ball's radius, from which another component is a focus, too
LEVELS = np.round(np.arange(-0.2, 2.5, 0.2), 1)  # of a score in z units, where a rim is sought
RING_PX = 3  # width of the tissue around an outline that it is compared with
SHARPNESS, UNITY = 2, 8  # powers of contrast and agreement: how much more the best levels weigh
BELOW, SPREAD = 0.4, 0.7  # z units: how far under the threshold outlines lie, and how far from that
_REACH_PX = 5  # what opening, closing and the ring see beyond a component


def network_part(
    logit: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    *,
    sigma_px: float,
    logit_limit: float,
) -> Float[ndarray, "slice height width"]:
    """Return what a network adds to smoothed FLAIR: at most 1, at least -1, 0 outside the brain.

    Args:
        logit: Of the network, positive inside a tumour.
        brain: True inside the brain.
        sigma_px: Standard deviation of the Gaussian over the logits, in voxels.
        logit_limit: Logits are cut at plus and minus this, which then counts as 1.
    """
    cut = np.clip(logit, -logit_limit, logit_limit)
    return smooth(cut, brain, sigma_px=sigma_px) / logit_limit


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
        rule: One of `RULES`, or another key of `morphology.COMPONENTS`.
    """
    kept = _keep_foci(cleaned) if rule == FOCI else keep_component(cleaned, rule=rule)
    return fill_holes(kept) & brain


def ball_mm(mask: Bool[ndarray, "slice height width"]) -> float:
    """Return the radius of the widest ball inside a mask; the edge of the array is no surface."""
    return float(ndimage.distance_transform_edt(mask, sampling=SPACING_MM).max(initial=0))


def under_each_rule(
    cleaned: Bool[ndarray, "slice height width"], brain: Bool[ndarray, "slice height width"]
) -> dict[str, Bool[ndarray, "slice height width"]]:
    """Return what `keep` makes of a mask under each of `RULES`."""
    return {rule: keep(cleaned, brain, rule=rule) for rule in RULES}


def clearest_outline(
    score: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    start: Bool[ndarray, "slice height width"],
    *,
    members: Sequence[Float[ndarray, "slice height width"]] = (),
    threshold: float | None = None,
) -> Bool[ndarray, "slice height width"]:
    """Return each component of a first outline at the level where it stands out most.

    A z-score is brightness against the whole brain, tumour included: a large tumour is less
    bright in it than a small one, and one threshold for all patients fits neither. So the first
    outline only says where the tumour is. At each of `LEVELS` the component that holds most of it,
    opened, closed and filled as before, is compared with the ring around it, which reaches
    `RING_PX` voxels in each of the three directions. The level is the median of all (the lower
    one, so always one of them), weighted by the difference of the two mean scores to the power of
    `SHARPNESS` and, where the score is a mean of several, by the Dice between their outlines at
    this level to the power of `UNITY`. A level without a ring weighs nothing, nor does one whose
    ring is brighter. What finds a tumour surely is too strict for its rim, so a threshold draws
    the choice to levels `BELOW` it: a Gaussian of width `SPREAD` weighs the levels, too.

    Args:
        score: Of one patient, higher inside a tumour, z units, without a threshold subtracted.
        brain: No voxel outside is ever tumour.
        start: The first outline; if it is empty, so is the result.
        members: Scores of the networks whose mean is `score`; none without networks.
        threshold: That gave the first outline, z units; None weighs all levels alike.
    """
    components, count = ndimage.label(start)
    low, whole = open_close((score > LEVELS[0]) & brain, brain), np.zeros_like(start)
    for number in range(1, count + 1):
        first = components == number
        # Opening, closing and components only shrink with a higher level: all lie in this box.
        found = ndimage.find_objects(_component_of(low | first, first).astype(int))[0]
        box = tuple(slice(max(side.start - _REACH_PX, 0), side.stop + _REACH_PX) for side in found)
        boxed = [one[box] for one in members]
        whole[box] |= _clearest(score[box], brain[box], first[box], boxed, threshold)
    return whole


def _clearest(
    score: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    start: Bool[ndarray, "slice height width"],
    members: Sequence[Float[ndarray, "slice height width"]],
    threshold: float | None,
) -> Bool[ndarray, "slice height width"]:
    """Return the clearest outline of one component, the start if no level stands out."""
    cleaned, *alone = (open_close_score(one, brain) for one in (score, *members))
    masks, weights = [], []
    for level in LEVELS:
        mask = fill_holes(_component_of(cleaned > level, start)) & brain
        ring = ndimage.binary_dilation(mask, iterations=RING_PX) & brain & ~mask
        if not (mask.any() and ring.any()):
            continue
        contrast = max(float(score[mask].mean() - score[ring].mean()), 0.0)
        drawn = [_component_of(member > level, start) for member in alone]
        masks.append(mask)
        usual = 1.0 if threshold is None else _nearness(level - (threshold - BELOW))
        weights.append(contrast**SHARPNESS * agreement(drawn) ** UNITY * usual)
    if not any(weights):
        return start
    risen = np.cumsum(weights)
    return masks[int(np.searchsorted(risen, risen[-1] / 2))]


def _nearness(distance: float) -> float:
    return float(np.exp(-((distance / SPREAD) ** 2) / 2))


def agreement(masks: Sequence[Bool[ndarray, "slice height width"]]) -> float:
    """Return the mean Dice of all pairs, 0 to 1; fewer than two masks agree, as empty ones do."""
    pairs = [
        2 * (one & other).sum() / max(one.sum() + other.sum(), 1) if one.any() or other.any() else 1
        for one, other in itertools.combinations(masks, 2)
    ]
    return float(np.mean(pairs)) if pairs else 1.0


def _keep_foci(mask: Bool[ndarray, "slice height width"]) -> ndarray:
    components, count = ndimage.label(mask)
    if count < 2:
        return mask.copy()
    depth_mm = ndimage.distance_transform_edt(mask, sampling=SPACING_MM)
    deepest = ndimage.maximum(depth_mm, components, np.arange(1, count + 1))
    wide = np.flatnonzero(deepest >= FOCUS_SHARE * deepest.max())
    return np.isin(components, wide + 1)


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
