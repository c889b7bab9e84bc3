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
    """What maps an intensity to a z-score."""

    centre: float
    spread: float


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


ZSCORES: Mapping[str, Callable[[ndarray], Normalisation]] = MappingProxyType(
    {"mean_sd": _mean_sd, "median_mad": _median_mad}
)
