"""From volumes to comparable slices (section 3): crop, resize, z-score.

Slices run from the feet upwards and show the patient's left on the right, as radiologists
look at them; the background is exactly 0 before and after.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Integer, Shaped
from numpy import ndarray
from skimage.transform import resize

MIN_BRAIN_VOXELS = 1000
MIN_SLICE_PIXELS = 100  # brain pixels that a scale of one slice needs; decided


class Window(NamedTuple):
    """Crop in LPS voxels: `side` voxels from (x, y), slices `z_low` up to before `z_high`."""

    x_low: int
    y_low: int
    z_low: int
    z_high: int
    side: int


def crop(volume: Shaped[ndarray, "x y z"], window: Window) -> Shaped[ndarray, "slice height width"]:
    """Return the window of an LPS volume as a stack of axial slices.

    Raises:
        ValueError: If the window reaches beyond the volume.
    """
    x, y = window.x_low, window.y_low
    ends = (x + window.side, y + window.side, window.z_high)
    if any(end > size for end, size in zip(ends, volume.shape, strict=True)):
        raise ValueError(f"Window up to {ends} leaves the volume of shape {volume.shape}.")
    part = volume[x : ends[0], y : ends[1], window.z_low : window.z_high]
    return np.ascontiguousarray(part.transpose(2, 1, 0))


def lost_brain_share(volume: Float[ndarray, "x y z"], window: Window) -> float:
    """Return the share of brain voxels (value > 0) of the slice range outside the window."""
    brain = volume[:, :, window.z_low : window.z_high] > 0
    total = int(np.count_nonzero(brain))
    inside = int(np.count_nonzero(crop(volume, window) > 0))
    return (total - inside) / total if total else 0.0


def resize_images(
    stack: Float[ndarray, "slice rows columns"], size: int
) -> Float[ndarray, "slice height width"]:
    """Return slices at `size` x `size`, linear and anti-aliased.

    The operator is scikit-image's own, read off the identity: applying it as two matrix
    products gives the same numbers in a tenth of the time.
    """
    rows, columns = (_resize_matrix(n, size) for n in stack.shape[1:])
    return rows @ stack.astype(np.float32, copy=False) @ columns.T


def resize_labels(
    stack: Integer[ndarray, "slice rows columns"] | Bool[ndarray, "slice rows columns"], size: int
) -> Shaped[ndarray, "slice height width"]:
    """Return label slices at `size` x `size`, nearest neighbour: labels are never mixed."""
    rows, columns = (_nearest_indices(n, size) for n in stack.shape[1:])
    return stack[:, rows[:, None], columns]


class Normalisation(NamedTuple):
    """What maps an intensity to a z-score: one for a volume, or one a slice ([slice 1 1])."""

    centre: float | Float[ndarray, "slice 1 1"]
    spread: float | Float[ndarray, "slice 1 1"]


def normalisation(values: Float[ndarray, " voxel"], *, method: str) -> Normalisation:
    """Return centre and spread of brain intensities.

    Args:
        values: Intensities of the brain pixels of one patient and sequence.
        method: `mean_sd` or `median_mad`.

    Raises:
        ValueError: If there are under 1,000 values or they do not vary.
        KeyError: If the method is unknown.
    """
    if values.size < MIN_BRAIN_VOXELS:
        raise ValueError(f"Only {values.size} brain voxels, at least {MIN_BRAIN_VOXELS} needed.")
    found = ZSCORES[method](values)
    if not found.spread > 0:
        raise ValueError(f"Brain intensities do not vary: all are {found.centre:g}.")
    return found


def scale_stack(
    stack: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    tumour: Bool[ndarray, "slice height width"],
    *,
    method: str,
) -> Normalisation:
    """Return what maps the intensities of one patient and sequence to z-scores.

    Args:
        stack: Slices, raw intensities.
        brain: True inside the brain.
        tumour: The reference tumour; only the oracle looks at it.
        method: `mean_sd` [decided] or `median_mad` of the brain; `image`: mean and deviation of
            all pixels, the background too (the paper names no mask); `slice`: of the brain of each
            slice on its own; `healthy_oracle`: of the brain without the true tumour, which nobody
            has who is looking for it.

    Raises:
        ValueError: If the method is unknown, there are under 1,000 values or they do not vary.
    """
    if method in ZSCORES:
        return normalisation(stack[brain], method=method)
    if method not in SCALES:
        known = ", ".join([*ZSCORES, *SCALES])
        raise ValueError(f"There is no z-score {method!r}; choose from {known}.")
    return SCALES[method](stack, brain, tumour)


def apply_zscore(
    stack: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    scale: Normalisation,
    *,
    clip: tuple[float, float],
) -> Float[ndarray, "slice height width"]:
    """Return z-scores inside the brain, clipped; 0 outside."""
    scores = np.clip((stack - scale.centre) / scale.spread, *clip)
    return np.where(brain, scores, 0).astype(np.float32)


@lru_cache(maxsize=4)
def _resize_matrix(old: int, new: int) -> Float[ndarray, "new old"]:
    return resize(np.eye(old), (new, old), order=1, anti_aliasing=True).astype(np.float32)


@lru_cache(maxsize=4)
def _nearest_indices(old: int, new: int) -> Integer[ndarray, " new"]:
    return np.floor((np.arange(new) + 0.5) * old / new).astype(np.intp)


def _mean_sd(values: ndarray) -> Normalisation:
    return Normalisation(float(values.mean(dtype=np.float64)), float(values.std(dtype=np.float64)))


def _median_mad(values: ndarray) -> Normalisation:
    median = float(np.median(values))
    return Normalisation(median, 1.4826 * float(np.median(np.abs(values - median))))


def _of_image(stack: ndarray, _brain: ndarray, _tumour: ndarray) -> Normalisation:
    return normalisation(stack.ravel(), method="mean_sd")


def _without_tumour(stack: ndarray, brain: ndarray, tumour: ndarray) -> Normalisation:
    return normalisation(stack[brain & ~tumour], method="mean_sd")


def _of_each_slice(stack: ndarray, brain: ndarray, _tumour: ndarray) -> Normalisation:
    """Slices with too little brain to have a scale of their own get that of the volume."""
    whole = normalisation(stack[brain], method="mean_sd")
    found = [whole] * len(stack)
    for place, (image, inside) in enumerate(zip(stack, brain, strict=True)):
        if inside.sum() >= MIN_SLICE_PIXELS and np.ptp(image[inside]) > 0:
            found[place] = _mean_sd(image[inside])
    centres, spreads = (np.array(part)[:, None, None] for part in zip(*found, strict=True))
    return Normalisation(centres, spreads)


ZSCORES: Mapping[str, Callable[[ndarray], Normalisation]] = MappingProxyType(
    {"mean_sd": _mean_sd, "median_mad": _median_mad}
)
SCALES: Mapping[str, Callable[[ndarray, ndarray, ndarray], Normalisation]] = MappingProxyType(
    {"image": _of_image, "slice": _of_each_slice, "healthy_oracle": _without_tumour}
)
