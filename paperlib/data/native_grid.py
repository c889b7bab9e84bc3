"""One patient to prepared slices and back to the own grid (section 3).

Surprising convention: all slices of the volume are prepared, also those that the methods never
see, so that a picture can show them; intensities are scaled by the slices of the range alone.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Integer, Real, Shaped
from numpy import ndarray

from paperlib.data import preprocess
from paperlib.data.preprocess import Window
from paperlib.labels import FLAIR


class PreparedPatient(NamedTuple):
    """All slices of one patient as networks are shown them, from the feet upwards.

    Attributes:
        images: Z-scores per sequence, 0 outside the brain.
        brain: Where FLAIR is above 0.
        usable: Whether the methods may see the slice: inside the range, with enough brain.
    """

    images: Mapping[str, Float[ndarray, "slice height width"]]
    brain: Bool[ndarray, "slice height width"]
    usable: Bool[ndarray, " slice"]


def prepare_patient(
    volumes: Mapping[str, Real[ndarray, "x y z"]],
    window: Window,
    *,
    size: int,
    zscore: str,
    clip: tuple[float, float],
    brain_share: float,
) -> PreparedPatient:
    """Crop, resize and z-score the volumes of one patient, like those that networks learn from.

    Args:
        volumes: Raw intensities per sequence in LPS order, 0 outside the brain.
        window: The crop; its slices are those that the methods see.
        size: Pixels of a side after resizing.
        zscore: A method of `preprocess.scale_stack` that needs no truth.
        clip: Lowest and highest z-score.
        brain_share: Share of a slice's pixels that has to be brain.

    Raises:
        ValueError: If a sequence has too little brain inside the window, or a constant one, or
            the z-score needs the truth.
    """
    if zscore == "healthy_oracle":
        raise ValueError(
            "These networks learned from images scaled with the help of the true tumour "
            "(zscore healthy_oracle); a new patient has none, so take another model."
        )
    seen = slice(window.z_low, window.z_high)
    brain = prepare_labels(volumes[FLAIR] > 0, window, size)
    images = {}
    for sequence, volume in volumes.items():
        inside = prepare_labels(volume > 0, window, size)
        stack = preprocess.resize_images(_all_slices(volume, window), size)
        try:
            images[sequence] = _scaled(stack, inside, seen, zscore=zscore, clip=clip)
        except ValueError as error:
            raise ValueError(
                f"{sequence}, slices {window.z_low} to {window.z_high - 1}: {error} "
                "Give a skull-stripped brain on the grid of BraTS."
            ) from error
    return PreparedPatient(images, brain, usable_slices(brain, window, brain_share=brain_share))


def _scaled(
    stack: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    seen: slice,
    *,
    zscore: str,
    clip: tuple[float, float],
) -> Float[ndarray, "slice height width"]:
    """Return z-scores; slices that the methods never see get one scale, to be looked at."""
    part, inside = stack[seen], brain[seen]
    shown = preprocess.apply_zscore(
        stack, brain, preprocess.normalisation(part[inside], method="mean_sd"), clip=clip
    )
    scale = preprocess.scale_stack(part, inside, np.zeros_like(inside), method=zscore)
    shown[seen] = preprocess.apply_zscore(part, inside, scale, clip=clip)
    return shown


def prepare_labels(
    volume: Integer[ndarray, "x y z"] | Bool[ndarray, "x y z"], window: Window, size: int
) -> Shaped[ndarray, "slice height width"]:
    """Return all slices of labels or a mask, cropped and resized, nearest neighbour."""
    return preprocess.resize_labels(_all_slices(volume, window), size)


def usable_slices(
    brain: Bool[ndarray, "slice height width"], window: Window, *, brain_share: float
) -> Bool[ndarray, " slice"]:
    """Return which slices count: inside the window's range and with enough brain.

    Args:
        brain: All slices of a volume.
        window: Its slices are those that the methods see.
        brain_share: Share of a slice's pixels that has to be brain.
    """
    heights = np.arange(len(brain))
    enough = brain.sum(axis=(1, 2)) >= brain_share * brain[0].size
    return enough & (heights >= window.z_low) & (heights < window.z_high)


def restore_labels(
    stack: Shaped[ndarray, "slice height width"], window: Window, shape: tuple[int, int, int]
) -> Shaped[ndarray, "x y z"]:
    """Return labels or a mask on the patient's grid, nearest neighbour; 0 outside the window.

    Preparing the result again gives the same slices.

    Args:
        stack: All slices of the volume.
        window: The crop that was taken.
        shape: Voxels of the volume in LPS order.
    """
    return _into_volume(preprocess.resize_labels(stack, window.side), window, shape)


def restore_images(
    stack: Float[ndarray, "slice height width"], window: Window, shape: tuple[int, int, int]
) -> Float[ndarray, "x y z"]:
    """Return images or residuals on the patient's grid, linear; 0 outside the window.

    Args:
        stack: All slices of the volume.
        window: The crop that was taken.
        shape: Voxels of the volume in LPS order.
    """
    return _into_volume(preprocess.resize_images(stack, window.side), window, shape)


def _all_slices(
    volume: Shaped[ndarray, "x y z"], window: Window
) -> Shaped[ndarray, "slice height width"]:
    return preprocess.crop(volume, window._replace(z_low=0, z_high=volume.shape[2]))


def _into_volume(
    stack: Shaped[ndarray, "slice height width"], window: Window, shape: tuple[int, int, int]
) -> Shaped[ndarray, "x y z"]:
    volume = np.zeros(shape, stack.dtype)
    x, y = window.x_low, window.y_low
    volume[x : x + window.side, y : y + window.side] = stack.transpose(2, 1, 0)
    return volume
