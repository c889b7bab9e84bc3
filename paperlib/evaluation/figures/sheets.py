"""Slices as numbers of colours: small lossless pictures in the windows and colours of the figures.

Number 0 is always transparent: background, and in a residual also what no network was shown.
"""

from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from jaxtyping import Bool, Float, UInt8
from matplotlib.colors import to_rgb
from numpy import ndarray

from paperlib.evaluation.figures import slices, style
from paperlib.labels import BACKGROUND, LABELS, REGIONS

LEVELS = 255  # numbers 1 to 255; of a residual 128 is exactly 0
COLUMNS = 10  # slices a row of a sheet


class Layer(NamedTuple):
    """Slices of one kind.

    Attributes:
        numbers: Of the colours, 0 for none.
        palette: Red, green, blue and opacity of each number, 0 to 255.
    """

    numbers: UInt8[ndarray, "slice height width"]
    palette: UInt8[ndarray, "colour 4"]


def image_layer(
    images: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    window: tuple[float, float],
) -> Layer:
    """Return z-scored images as grey levels.

    Args:
        images: In z units.
        brain: True inside the brain.
        window: Z-scores of black and white, such as `slices.FLAIR_WINDOW`.
    """
    grey = np.repeat(np.linspace(0, 1, LEVELS)[:, None], 3, axis=1)
    return Layer(_levels(images, brain, window), _palette(grey))


def residual_layer(
    residual: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
) -> Layer:
    """Return residuals as colours, red where the image is brighter than its reconstruction.

    Args:
        residual: Reconstruction minus image in z units.
        brain: True inside the brain of the slices that a network was shown.
    """
    limit = slices.RESIDUAL_LIMIT
    return Layer(_levels(residual, brain, (-limit, limit)), residual_palette())


def residual_palette() -> UInt8[ndarray, "colour 4"]:
    """Return the colours of residuals; 1 is the lowest, 128 is 0, 255 the highest."""
    return _palette(mpl.colormaps[slices.RESIDUAL_MAP](np.linspace(0, 1, LEVELS))[:, :3])


def label_layer(labels: UInt8[ndarray, "slice height width"]) -> Layer:
    """Return BraTS 2018 codes in the colours of the tissues; the numbers are the codes."""
    colours = np.zeros((max(LABELS), 3))
    for tissue, colour in style.TISSUE_COLOURS.items():
        colours[np.array(REGIONS[tissue]) - 1] = to_rgb(colour)
    palette = _palette(colours)
    palette[np.setdiff1d(np.arange(len(palette)), [BACKGROUND, *LABELS])] = 0
    return Layer(labels, palette)


def tile(numbers: UInt8[ndarray, "slice height width"]) -> UInt8[ndarray, "rows columns"]:
    """Return all slices as one sheet: slice k in row k // COLUMNS, column k % COLUMNS."""
    count, height, width = numbers.shape
    filled = np.concatenate([numbers, np.zeros((-count % COLUMNS, height, width), np.uint8)])
    rows = filled.reshape(-1, COLUMNS, height, width).swapaxes(1, 2)
    return rows.reshape(-1, COLUMNS * width)


def _levels(values: ndarray, brain: ndarray, window: tuple[float, float]) -> ndarray:
    low, high = window
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.where(brain, 1 + np.round((LEVELS - 1) * share), 0).astype(np.uint8)


def _palette(colours: Float[ndarray, "colour 3"]) -> UInt8[ndarray, "number 4"]:
    opaque = np.column_stack([colours, np.ones(len(colours))])
    return np.round(255 * np.vstack([np.zeros(4), opaque])).astype(np.uint8)
