"""Cleaning masks: one opening, one closing, and which component to keep (section 4.3).

Opening and closing work within each slice; components may span slices. Two pixels touch when
they share an edge (in 2-D) or a face (in 3-D), never by a corner [decided].
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray
from scipy import ndimage

SPACING_MM = (1.0, 1.4, 1.4)  # slice, height, width of the prepared volumes
_WITHIN_SLICE = np.zeros((3, 3, 3), bool)
_WITHIN_SLICE[1] = ndimage.generate_binary_structure(2, 1)


def open_close(
    mask: Bool[ndarray, "*slice height width"], brain: Bool[ndarray, "*slice height width"]
) -> Bool[ndarray, "*slice height width"]:
    """Remove small groups and fill small holes: one opening, then one closing, per slice.

    The element is a full 3 x 3 square [decided]. What lies outside the image is background.

    Args:
        mask: A slice or a stack of slices.
        brain: The result is intersected with it.
    """
    return (_open_close(mask.view(np.uint8), background=0.0) > 0) & brain


def open_close_score(
    score: Float[ndarray, "slice height width"], brain: Bool[ndarray, "slice height width"]
) -> Float[ndarray, "slice height width"]:
    """Return a score that exceeds any level where `open_close` leaves what exceeds this level.

    So many levels cost one opening and closing. Outside the brain it is minus infinity.
    """
    inside = np.where(brain, score, -np.inf)
    return np.where(brain, _open_close(inside, background=-np.inf), -np.inf)


def fill_holes(mask: Bool[ndarray, "slice height width"]) -> Bool[ndarray, "slice height width"]:
    """Return the mask with what it encloses within each slice."""
    pieces, count = ndimage.label(~mask, _WITHIN_SLICE)
    rim = np.ones(mask.shape[1:], bool)
    rim[1:-1, 1:-1] = False
    outside = np.zeros(count + 1, bool)
    outside[pieces[:, rim]] = True
    outside[0] = False  # the mask itself, where it meets the rim
    return ~outside[pieces]


def keep_component(
    mask: Bool[ndarray, "slice height width"],
    *,
    rule: str,
    spacing_mm: tuple[float, float, float] = SPACING_MM,
) -> Bool[ndarray, "slice height width"]:
    """Keep the connected component that the rule names; of equal ones the first.

    Args:
        mask: All slices of one patient.
        rule: A key of `COMPONENTS`: "all" (section 4.3 names no more), "largest_2d" (of each
            slice), "largest_3d" (of the patient), "ball" (the one with the largest inscribed
            ball; beyond the paper).
        spacing_mm: Size of a voxel along slice, height and width; only "ball" uses it.

    Raises:
        KeyError: If the rule is unknown.
    """
    return COMPONENTS[rule](mask, spacing_mm)


def _open_close(values: ndarray, *, background: float) -> ndarray:
    square = {size: (1,) * (values.ndim - 2) + (size, size) for size in (3, 5)}
    # A rim of background lets the closing's dilation leave the image and come back.
    rim = [(0, 0)] * (values.ndim - 2) + [(1, 1), (1, 1)]
    padded = np.pad(values, rim, constant_values=background)
    beyond = {"mode": "constant", "cval": background}
    eroded = ndimage.minimum_filter(padded, square[3], **beyond)
    dilated = ndimage.maximum_filter(eroded, square[5], **beyond)  # opening's, then closing's
    return ndimage.minimum_filter(dilated, square[3], **beyond)[..., 1:-1, 1:-1]


def _all(mask: Bool[ndarray, "slice height width"], _: tuple[float, ...]) -> ndarray:
    return mask.copy()


def _largest_2d(mask: Bool[ndarray, "slice height width"], _: tuple[float, ...]) -> ndarray:
    return np.stack([_largest(*ndimage.label(image)) for image in mask]) if mask.size else mask


def _largest_3d(mask: Bool[ndarray, "slice height width"], _: tuple[float, ...]) -> ndarray:
    return _largest(*ndimage.label(mask))


def _largest(components: Int[ndarray, "..."], count: int) -> Bool[ndarray, "..."]:
    sizes = np.bincount(components.ravel(), minlength=count + 1)
    sizes[0] = 0
    return (components == sizes.argmax()) & (components > 0)


def _largest_ball(
    mask: Bool[ndarray, "slice height width"], spacing_mm: tuple[float, ...]
) -> ndarray:
    """Keep the component with the greatest depth; the edge of the array is no surface."""
    components, count = ndimage.label(mask)
    if count < 2:
        return mask.copy()
    depth_mm = ndimage.distance_transform_edt(mask, sampling=spacing_mm)
    deepest = ndimage.maximum(depth_mm, components, np.arange(1, count + 1))
    return components == 1 + int(np.argmax(deepest))


COMPONENTS: Mapping[str, Callable[[ndarray, tuple[float, ...]], ndarray]] = MappingProxyType(
    {
        "all": _all,
        "largest_2d": _largest_2d,
        "largest_3d": _largest_3d,
        "ball": _largest_ball,
    }
)
