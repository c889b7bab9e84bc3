"""How many foci a tumour has and how large it is: who a patient is, without a name or a pixel.

A focus is a connected piece of the true tumour; voxels touch when they share a face, an edge or
a corner. Edema joins foci, so that the pieces of the core are counted beside those of the whole
tumour. Only what lies inside the prepared window is seen.
"""

import numpy as np
from jaxtyping import Bool, Float, Integer
from numpy import ndarray
from scipy import ndimage

from paperlib.labels import REGIONS, region_mask

SLICE_MM = 1.0  # thickness of a prepared slice
FOCUS_ML = 0.05  # 50 mm3, the smallest lesion that BraTS 2023 counts in gliomas; decided


def voxel_ml(window: int, size: int) -> float:
    """Return the volume of a prepared voxel in ml.

    Args:
        window: Side of the cropped square in mm, 180 in section 3.
        size: The same side in pixels after resizing, 128.
    """
    return (window / size) ** 2 * SLICE_MM / 1000


def measure_pieces(
    mask: Bool[ndarray, "slice height width"], *, voxel_ml: float
) -> Float[ndarray, " piece"]:
    """Return the volume of each connected piece in ml, the largest first.

    Args:
        mask: Of all slices of one patient, without a gap in height.
        voxel_ml: Volume of a voxel.
    """
    pieces, _ = ndimage.label(mask, np.ones((3, 3, 3)))
    voxels = np.bincount(pieces.ravel())[1:]
    return np.sort(voxels)[::-1] * voxel_ml


def count_found(
    predicted: Bool[ndarray, "slice height width"],
    truth: Bool[ndarray, "slice height width"],
    *,
    voxel_ml: float,
) -> int:
    """Return how many true foci a prediction touches, of those of at least `FOCUS_ML`.

    Args:
        predicted: The predicted tumour of all slices of one patient.
        truth: The true one.
        voxel_ml: Volume of a voxel.
    """
    pieces, _ = ndimage.label(truth, np.ones((3, 3, 3)))
    large = np.bincount(pieces.ravel()) * voxel_ml >= FOCUS_ML
    return int(large[np.unique(pieces[predicted & truth])].sum())


def describe_tumour(
    labels: Integer[ndarray, "slice height width"], *, voxel_ml: float
) -> dict[str, int | float]:
    """Return the foci and volumes of one patient's true tumour.

    Args:
        labels: Reference codes of all slices, without a gap in height.
        voxel_ml: Volume of a voxel.

    Returns:
        `foci` and `core_foci` (pieces of the whole tumour and of its core of at least
        `FOCUS_ML`), `largest_share` (of the whole tumour that is in its largest focus, 0 to 1,
        NaN without tumour) and `<region>_ml` of every region.
    """
    whole, core = (
        measure_pieces(region_mask(labels, region), voxel_ml=voxel_ml) for region in ("WT", "TC")
    )
    volumes = {f"{r}_ml": float(region_mask(labels, r).sum() * voxel_ml) for r in REGIONS}
    return {
        "foci": int((whole >= FOCUS_ML).sum()),
        "core_foci": int((core >= FOCUS_ML).sum()),
        "largest_share": float(whole[0] / whole.sum()) if whole.size else float("nan"),
        **volumes,
    }
