"""The methods beyond the paper on one patient: "clean-up" without a network, "synthetic" with one.

One code for the stage that judges them and for `paperlib segment`: whatever a table says of a
method is what a new patient gets.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float16, UInt8
from numpy import ndarray
from scipy import ndimage

from paperlib.config import BeyondSettings
from paperlib.labels import FLAIR, T1CE
from paperlib.postprocessing import outline, regions, thresholds, volume

CLEAN_UP, SYNTHETIC = "clean-up", "synthetic"
METHODS = (CLEAN_UP, SYNTHETIC)
# Readings: how an outline is drawn.
THRESHOLD, CLEAREST, AGREED, NEAR = "threshold", "clearest", "agreed", "near"
CHOSEN = {CLEAN_UP: NEAR, SYNTHETIC: AGREED}  # for a new patient
HEALTHY, OTSU = "healthy", "Otsu"  # where the threshold of enhancing tumour comes from
_TOUCHING = np.ones((3, 3, 3), bool)
Limits = Mapping[str, float]
"""Thresholds in z units from healthy training slices: of smoothed FLAIR for each method, and of
smoothed T1CE by the name of that sequence."""


def component_of(method: str, settings: BeyondSettings) -> str:
    """Return the rule for components of a method, named as in the rows of `make beyond`.

    Several components are kept of "synthetic" and its variants only: smoothed FLAIR, and the
    paper's residuals, find more healthy tissue that is wide.
    """
    several = method.startswith(SYNTHETIC)
    return settings.component if several else settings.clean_up_component


class Score(NamedTuple):
    """Where a method sees tumour, in z units of FLAIR.

    Attributes:
        mean: The map that outlines are drawn from.
        members: What each network alone would say; empty without networks.
        threshold: Of healthy training slices; tumour is above.
    """

    mean: Float[ndarray, "slice height width"]
    members: tuple[Float[ndarray, "slice height width"], ...]
    threshold: float


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


def score_volume(
    flair: Float[ndarray, "slice height width"],
    logits: Sequence[Float16[ndarray, "slice height width"]],
    brain: Bool[ndarray, "slice height width"],
    settings: BeyondSettings,
    limits: Limits,
    *,
    weight: float = 1.0,
) -> Score:
    """Return where a method sees tumour: smoothed FLAIR, and what networks add to it.

    Args:
        flair: Smoothed FLAIR of one patient, see `smooth_maps`.
        logits: Of the networks of a fold, in the half precision that the stage
            keeps; none for "clean-up".
        brain: True inside the brain.
        settings: How a logit is smoothed and cut.
        limits: Thresholds of both methods.
        weight: What the networks' part is multiplied with.
    """
    if not logits:
        return Score(flair, (), limits[CLEAN_UP])
    sigma, most = settings.flair_sigma_px, settings.logit_limit
    single = [logit.astype(np.float32) for logit in logits]
    mean, *members = (
        flair + weight * outline.network_part(logit, brain, sigma_px=sigma, logit_limit=most)
        for logit in (np.mean(single, axis=0), *single)
    )
    return Score(mean, tuple(members) if len(members) > 1 else (), limits[SYNTHETIC])


def start_outline(
    score: Score, brain: Bool[ndarray, "slice height width"], *, rule: str
) -> Bool[ndarray, "slice height width"]:
    """Return what exceeds the healthy threshold, cleaned up, one of `outline.RULES` applied."""
    return outline.keep(outline.clean(score.mean - score.threshold, brain), brain, rule=rule)


def draw_outline(
    score: Score,
    brain: Bool[ndarray, "slice height width"],
    start: Bool[ndarray, "slice height width"],
    *,
    reading: str,
) -> Bool[ndarray, "slice height width"]:
    """Return the tumour outline.

    Args:
        score: Of one patient.
        brain: True inside the brain.
        start: From `start_outline`.
        reading: "threshold" leaves the start as it is; "clearest" takes the level of the clearest
            rim; "agreed" that where the networks agree, too; "near" that not far from the
            threshold, whether they agree or not.

    Raises:
        ValueError: If the reading is unknown.
    """
    if reading == THRESHOLD:
        return start
    if reading not in (CLEAREST, AGREED, NEAR):
        known = ", ".join((THRESHOLD, CLEAREST, AGREED, NEAR))
        raise ValueError(f"Unknown reading {reading!r}; there are {known}.")
    members = score.members if reading == AGREED else ()
    threshold = score.threshold if reading == NEAR else None
    return outline.clearest_outline(score.mean, brain, start, members=members, threshold=threshold)


def label(
    t1ce: Float[ndarray, "slice height width"],
    drawn: Bool[ndarray, "slice height width"],
    settings: BeyondSettings,
    limits: Limits,
    *,
    enhancing: str = OTSU,
) -> UInt8[ndarray, "slice height width"]:
    """Return the BraTS 2018 codes of an outline.

    Args:
        t1ce: Smoothed T1CE, see `smooth_maps`.
        drawn: The whole tumour.
        settings: Floor and smallest piece of the enhancing tumour, hull of the core.
        limits: Thresholds; that of T1CE counts if `enhancing` is "healthy".
        enhancing: "healthy": above the threshold of healthy slices; "Otsu": above Otsu's
            threshold inside the outline and the floor, small pieces dropped.
    """
    if enhancing == HEALTHY:
        bright = thresholds.above(t1ce, drawn, threshold=limits[T1CE])
    else:
        bright = thresholds.otsu(t1ce, drawn) & (t1ce > settings.t1ce_floor)
        pieces, _ = ndimage.label(bright, _TOUCHING)
        bright &= (np.bincount(pieces.ravel()) >= settings.enhancing_px)[pieces]
    return regions.label_tissues(drawn, bright, hull=settings.hull)


def agreement_of_networks(score: Score, brain: Bool[ndarray, "slice height width"]) -> float:
    """Return the mean Dice between what each network alone would outline, 0 to 1.

    Each goes all the way: its own first outline, of it the component with the widest ball, at its
    own clearest level. So networks that take different things for the tumour agree in nothing.
    The true outline is not looked at. Without networks it is NaN.
    """
    if not score.members:
        return float("nan")
    alone = [Score(member, (), score.threshold) for member in score.members]
    return outline.agreement(
        [
            draw_outline(one, brain, start_outline(one, brain, rule="ball"), reading=CLEAREST)
            for one in alone
        ]
    )


class Segmentation(NamedTuple):
    """What a method says of one patient, with the choices that a new patient gets.

    Attributes:
        score: What it was drawn from.
        reading: How its outline was drawn.
        start: The component above the healthy threshold.
        codes: BraTS 2018 codes.
    """

    score: Score
    reading: str
    start: Bool[ndarray, "slice height width"]
    codes: UInt8[ndarray, "slice height width"]


def segment(
    smooth: Mapping[str, Float[ndarray, "slice height width"]],
    logits: Sequence[Float16[ndarray, "slice height width"]],
    brain: Bool[ndarray, "slice height width"],
    settings: BeyondSettings,
    limits: Limits,
) -> Segmentation:
    """Segment one patient: "synthetic" with logits of networks, "clean-up" without.

    Args:
        smooth: From `smooth_maps`.
        logits: Of the networks that are averaged.
        brain: True inside the brain.
        settings: All choices but the reading, which is `CHOSEN`; where all pieces are kept it is
            the threshold, for specks have no level of their own.
        limits: Thresholds.
    """
    score = score_volume(smooth[FLAIR], logits, brain, settings, limits)
    method = SYNTHETIC if logits else CLEAN_UP
    rule = component_of(method, settings)
    start = start_outline(score, brain, rule=rule)
    reading = THRESHOLD if rule == "all" else CHOSEN[method]
    drawn = draw_outline(score, brain, start, reading=reading)
    return Segmentation(score, reading, start, label(smooth[T1CE], drawn, settings, limits))
