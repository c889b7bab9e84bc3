"""Synthetic lesions and look-alikes pasted into healthy slices (beyond the paper).

All ranges are decided. They were fixed on simulated patients and 12 real ones; radius, level and
offset were widened on 36 real ones, since a large tumour lowers the z-scores of its whole brain.
A network that finds what was pasted here has seen no tumour: only the slice label "no tumour" is
used.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32
from numpy import ndarray
from scipy import ndimage

Range = tuple[float, float]  # both ends of a uniform draw; z units unless the name says more

LESION_SHARE, SECOND_SHARE = 0.75, 0.25  # of slices with a lesion; of these with a second one
RADIUS_PX: Range = (4, 42)  # uniform in its logarithm
AXIS_RATIO: Range = (0.6, 1.6)
RIM: Range = (0.1, 0.45)  # standard deviation of the rim's distance, share of the radius
NARROWEST = 0.2  # share of the radius that the rim stays away from the centre
EDGE_PX: Range = (0.4, 1.6)  # standard deviation of the soft edge
REPLACED_SHARE = 0.6  # of lesions whose FLAIR is replaced by a level; it is raised in the others
LEVEL, RAISED = (0.4, 3.4), (0.5, 2.5)
TEXTURE_SD = 0.3  # smooth texture of a replaced level
MIXING: Range = (0.5, 1)  # share of the level in a replaced lesion; the rest is what was there
T1CE_SHARE, T1CE_LEVEL = 0.7, (-1.2, 0.2)  # of lesions that T1CE shows, as dark as this

CORE_FROM_PX, CORE_SHARE = 6, 0.6  # only larger lesions have a core, and so many of them
CORE_SIZE: Range = (0.3, 0.85)  # share of the lesion's radius
CORE_FLAIR: Range = (-1.2, 2.8)
CORE_KINDS = {"ring": 0.45, "solid": 0.3, "dark": 0.25}  # in T1CE, with their shares
RING, SOLID, DARK = (1.2, 5.0), (0.8, 4.5), (-1.5, 0.0)
RING_WIDTH: Range = (0.15, 0.5)  # share of the core's radius

DISTRACTOR_SHARE, MOST_DISTRACTORS = 0.4, 2  # of slices; dark like cerebrospinal fluid
DISTRACTOR_PX: Range = (2.5, 14)
DISTRACTOR_LEVEL: Range = (-3.5, -1.2)
HALO_SHARE, HALO_PX, HALO_LEVEL = 0.6, (1.0, 2.0), (0.8, 2.5)  # thin bright FLAIR rim

GAIN, OFFSET = (0.75, 1.3), (-0.9, 0.4)
MOST_BIAS = 0.35  # of a smooth field added to the slice
GAMMA: Range = (0.7, 1.3)
BLUR_PX: Range = (0.3, 0.8)  # standard deviation; one half of the slices is blurred,
MOST_NOISE = 0.2  # the other half gets noise of at most this standard deviation
BIAS_CELLS = 4  # draws per side of the bias field


class Pasted(NamedTuple):
    """A slice after pasting.

    Attributes:
        images: FLAIR and T1CE.
        mask: Pixels of lesions, their cores included; look-alikes are no lesion.
        cores: One word per lesion: a key of `CORE_KINDS`, or "" without a core.
        distractors: Number of look-alikes.
    """

    images: Float32[ndarray, "sequence height width"]
    mask: Bool[ndarray, "height width"]
    cores: tuple[str, ...]
    distractors: int


def paste_lesions(
    images: Float[ndarray, "sequence height width"],
    brain: Bool[ndarray, "height width"],
    rng: np.random.Generator,
) -> Pasted:
    """Paste none, one or two lesions and perhaps look-alikes into a copy of a healthy slice.

    Args:
        images: FLAIR and T1CE of one slice, z units.
        brain: Nothing outside is changed.
        rng: Source of randomness; the same state gives the same slice.

    Raises:
        ValueError: If there are not two images or no brain.
    """
    if len(images) != 2 or not brain.any():
        raise ValueError(
            f"Found {len(images)} images and {int(brain.sum())} brain pixels; a lesion is pasted "
            "into a slice of FLAIR and T1CE that shows brain."
        )
    changed, mask, cores = images.astype(np.float32), np.zeros_like(brain), []
    lesions = 0 if rng.random() >= LESION_SHARE else 1 + int(rng.random() < SECOND_SHARE)
    for _ in range(lesions):
        lesion, core = _paste_lesion(changed, brain, rng)
        mask |= lesion
        cores.append(core)
    free = brain & ~mask
    distractors = 0
    if rng.random() < DISTRACTOR_SHARE and free.any():
        distractors = int(rng.integers(1, MOST_DISTRACTORS + 1))
    for _ in range(distractors):
        _paste_distractor(changed, free, rng)
    return Pasted(changed, mask, tuple(cores), distractors)


def vary_intensities(
    images: Float32[ndarray, "sequence height width"],
    brain: Bool[ndarray, "height width"],
    rng: np.random.Generator,
    *,
    gamma: bool,
) -> Float32[ndarray, "sequence height width"]:
    """Return the slice as another scanner might show it: gain, offset, bias field, blur or noise.

    Args:
        images: FLAIR and T1CE of one slice, z units; each is varied on its own.
        brain: The result is 0 outside.
        rng: Source of randomness.
        gamma: Whether the brightness curve is bent, too.
    """
    varied = []
    for image in images:
        field = _smooth_noise(image.shape, BIAS_CELLS, rng)
        bias = rng.uniform(0, MOST_BIAS) * field / np.abs(field).max()
        bent = _bend(image, brain, rng.uniform(*GAMMA)) if gamma else image
        varied.append(bent * rng.uniform(*GAIN) + rng.uniform(*OFFSET) + bias)
    stack = np.stack(varied) * brain
    if rng.random() < 0.5:
        sigma_px = rng.uniform(*BLUR_PX)
        stack = ndimage.gaussian_filter(stack, (0, sigma_px, sigma_px))
    else:
        stack += rng.normal(0, rng.uniform(0, MOST_NOISE), stack.shape)
    return (stack * brain).astype(np.float32)


def _paste_lesion(
    images: ndarray, brain: ndarray, rng: np.random.Generator
) -> tuple[Bool[ndarray, "height width"], str]:
    """Change the images in place; returns the lesion's pixels and the kind of its core."""
    flair, t1ce = images
    radius_px = float(np.exp(rng.uniform(*np.log(RADIUS_PX))))
    reach = _reach(brain, radius_px, rng)
    mask = (reach < 1) & brain
    soft = _soften(mask, brain, rng)
    if rng.random() < REPLACED_SHARE:
        texture = TEXTURE_SD * _smooth_noise(brain.shape, _cells(brain, radius_px), rng)
        mixed = soft * rng.uniform(*MIXING)
        flair += mixed * (rng.uniform(*LEVEL) + texture - flair)
    else:
        flair += soft * rng.uniform(*RAISED)
    if rng.random() < T1CE_SHARE:
        t1ce += soft * (rng.uniform(*T1CE_LEVEL) - t1ce)
    if radius_px <= CORE_FROM_PX or rng.random() >= CORE_SHARE:
        return mask, ""
    return mask, _paste_core(images, mask, reach / rng.uniform(*CORE_SIZE), rng)


def _paste_core(images: ndarray, mask: ndarray, reach: ndarray, rng: np.random.Generator) -> str:
    flair, t1ce = images
    core = _soften((reach < 1) & mask, mask, rng)
    flair += core * (rng.uniform(*CORE_FLAIR) - flair)
    kind = str(rng.choice(list(CORE_KINDS), p=list(CORE_KINDS.values())))
    if kind == "dark":
        t1ce += core * (rng.uniform(*DARK) - t1ce)
        return kind
    t1ce += core * (rng.uniform(*(RING if kind == "ring" else SOLID)) - t1ce)
    if kind == "ring":
        inner = (reach < 1 - rng.uniform(*RING_WIDTH)) & mask
        t1ce += _soften(inner, mask, rng) * (rng.uniform(*DARK) - t1ce)
    return kind


def _paste_distractor(images: ndarray, free: ndarray, rng: np.random.Generator) -> None:
    radius_px = rng.uniform(*DISTRACTOR_PX)
    reach = _reach(free, radius_px, rng)
    blob = _soften((reach < 1) & free, free, rng)
    for channel in range(len(images)):
        images[channel] += blob * (rng.uniform(*DISTRACTOR_LEVEL) - images[channel])
    if rng.random() < HALO_SHARE:
        outer = 1 + rng.uniform(*HALO_PX) / radius_px
        halo = _soften((reach >= 1) & (reach < outer) & free, free, rng)
        images[0] += halo * (rng.uniform(*HALO_LEVEL) - images[0])


def _reach(
    inside: Bool[ndarray, "height width"], radius_px: float, rng: np.random.Generator
) -> Float[ndarray, "height width"]:
    """Return the distance from a random place inside, 1 at the uneven rim of an ellipse."""
    places = np.flatnonzero(inside)
    row, column = divmod(int(places[rng.integers(len(places))]), inside.shape[1])
    down = np.arange(inside.shape[0], dtype=np.float32)[:, None] - row
    right = np.arange(inside.shape[1], dtype=np.float32)[None] - column
    angle, stretch = rng.uniform(0, np.pi), np.sqrt(rng.uniform(*AXIS_RATIO))
    along = (np.cos(angle) * down + np.sin(angle) * right) / stretch
    across = (np.cos(angle) * right - np.sin(angle) * down) * stretch
    noise = _smooth_noise(inside.shape, _cells(inside, radius_px), rng)
    rim = np.maximum(1 + rng.uniform(*RIM) * noise, NARROWEST)
    return np.hypot(along, across) / (radius_px * rim)


def _soften(mask: ndarray, inside: ndarray, rng: np.random.Generator) -> ndarray:
    return ndimage.gaussian_filter(mask.astype(np.float32), rng.uniform(*EDGE_PX)) * inside


def _bend(image: ndarray, brain: ndarray, power: float) -> ndarray:
    low, high = float(image[brain].min()), float(image[brain].max())
    if low == high:
        return image
    share = np.clip((image - low) / (high - low), 0, 1)  # the background may lie outside
    return low + (high - low) * share**power


def _cells(inside: ndarray, radius_px: float) -> int:
    """Return how many draws per side make a noise whose bumps are as wide as the radius."""
    return int(np.clip(round(max(inside.shape) / radius_px), BIAS_CELLS, 32))


def _smooth_noise(shape: tuple[int, ...], cells: int, rng: np.random.Generator) -> ndarray:
    """Return normal draws on a coarse grid, a cubic spline in between, standard deviation 1."""
    rows, columns = (_stretching(cells, side) for side in shape)
    noise = rows @ rng.standard_normal((cells, cells), dtype=np.float32) @ columns.T
    return noise / noise.std()


@lru_cache(maxsize=128)
def _stretching(cells: int, side: int) -> ndarray:
    """Return scipy's zoom along one axis, read off the identity, as a matrix."""
    return ndimage.zoom(np.eye(cells, dtype=np.float32), (side / cells, 1), order=3)
