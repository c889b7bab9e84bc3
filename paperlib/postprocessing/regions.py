"""From two masks to the three tissue labels of BraTS (section 4.3, figure 3).

The core that does not enhance is never segmented: it is what the convex hull of the enhancing
tumour adds to it, so its Dice has a ceiling well below 1.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, UInt8
from numpy import ndarray
from scipy import ndimage
from skimage.morphology import convex_hull_image

from paperlib.labels import CORE, EDEMA, ENHANCING

_TOUCHING = np.ones((3, 3), bool)  # here a shared corner is enough: a thin rim is one component


def label_tissues(
    whole_tumour: Bool[ndarray, "slice height width"],
    enhancing: Bool[ndarray, "slice height width"],
    *,
    hull: str = "slice",
) -> UInt8[ndarray, "slice height width"]:
    """Return the BraTS 2018 code of each voxel.

    Enhancing tumour inside the whole tumour is 4, the rest of its hull inside the whole tumour
    is 1, the rest of the whole tumour is 2. Without enhancing tumour all of it is 2.

    Args:
        whole_tumour: The tumour outline, from the FLAIR residual.
        enhancing: The same from the T1CE residual; what lies outside the outline is dropped.
        hull: A key of `HULLS`: one convex hull per "slice" [decided], per "component" of a
            slice, one for the "volume", or "none". Fewer than three pixels, or pixels on one
            line (in a volume: in one plane), are their own hull.

    Raises:
        KeyError: If the hull rule is unknown.
    """
    enhancing = enhancing & whole_tumour
    core = HULLS[hull](enhancing) & whole_tumour
    segmentation = np.where(whole_tumour, EDEMA, 0).astype(np.uint8)
    segmentation[core] = CORE
    segmentation[enhancing] = ENHANCING
    return segmentation


def _hull(mask: Bool[ndarray, "..."]) -> Bool[ndarray, "..."]:
    points = np.argwhere(mask)
    if points.shape[0] <= mask.ndim or np.linalg.matrix_rank(points - points[0]) < mask.ndim:
        return mask
    return convex_hull_image(mask)


def _hull_per_slice(mask: Bool[ndarray, "slice height width"]) -> ndarray:
    hulls = mask.copy()
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        hulls[index] = _hull(mask[index])
    return hulls


def _hull_per_component(mask: Bool[ndarray, "slice height width"]) -> ndarray:
    hulls = mask.copy()
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        components, count = ndimage.label(mask[index], _TOUCHING)
        for component in range(1, count + 1):
            hulls[index] |= _hull(components == component)
    return hulls


def _no_hull(mask: Bool[ndarray, "slice height width"]) -> ndarray:
    return mask


HULLS: Mapping[str, Callable[[ndarray], ndarray]] = MappingProxyType(
    {
        "slice": _hull_per_slice,
        "component": _hull_per_component,
        "volume": _hull,
        "none": _no_hull,
    }
)
