"""Space of a simulated patient: a box of voxels, coarse grids over it, and smooth noise.

Positions are voxel indices of the 240x240x155 BraTS volume, which are millimetres: x grows to
the left, y to the back, z to the top (LPS). Everything is made inside one box around the head.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from numpy import ndarray
from numpy.random import Generator

VOLUME_SHAPE = (240, 240, 155)
BOX_START = (32, 24, 0)
BOX_STOP = (206, 228, 155)

SPLINE_SD = (151 / 315) ** 1.5  # sd of white noise after a cubic B-spline in three directions


def box_shape(step_mm: int) -> tuple[int, int, int]:
    """Return the number of voxels of `step_mm` that cover the box."""
    lengths = np.subtract(BOX_STOP, BOX_START)
    x, y, z = (-(-lengths // step_mm)).tolist()
    return x, y, z


def voxel_positions(step_mm: int) -> list[Float32[ndarray, " n"]]:
    """Return the voxel centres along x, y and z in mm, for voxels of `step_mm` in the box."""
    return [
        (start + step_mm * np.arange(n) + (step_mm - 1) / 2).astype(np.float32)
        for start, n in zip(BOX_START, box_shape(step_mm), strict=True)
    ]


def smooth_noise(
    rng: Generator, shape: tuple[int, int, int], spacing: Sequence[float] | float
) -> Float32[ndarray, "x y z"]:
    """Return Gaussian noise of mean 0 and variance 1 that varies over `spacing` voxels.

    Random values at knots, joined by cubic B-splines: three small matrix products instead of a
    filter over the volume.

    Args:
        rng: Source of the knots; their number follows `shape` and `spacing` alone.
        shape: Voxels along x, y and z.
        spacing: Distance of the knots in voxels, one number or one per axis.
    """
    matrices = []
    for n, distance in zip(shape, np.broadcast_to(spacing, 3).tolist(), strict=True):
        knots = np.arange(np.ceil(n / distance) + 3) - 1
        away = np.abs(np.arange(n)[:, None] / distance - knots)
        near, far = 2 / 3 - away**2 + away**3 / 2, np.clip(2 - away, 0, None) ** 3 / 6
        matrices.append(np.where(away < 1, near, far).astype(np.float32))
    knots = rng.standard_normal([matrix.shape[1] for matrix in matrices], dtype=np.float32)
    return expand(knots / np.float32(SPLINE_SD), matrices)


def expand(
    knots: Float32[ndarray, "a b c"], matrices: list[Float32[ndarray, "_ _"]]
) -> Float32[ndarray, "x y z"]:
    """Bring knots to full size with one matrix (voxels x knots) per axis."""
    field = np.tensordot(matrices[0], knots, 1)
    field = np.matmul(matrices[1], field)
    shape = (*field.shape[:2], matrices[2].shape[0])
    return (field.reshape(-1, field.shape[2]) @ matrices[2].T).reshape(shape)


def refine(
    coarse: Float32[ndarray, "a b c"], spacing_mm: int, positions: list[Float32[ndarray, " _"]]
) -> Float32[ndarray, "x y z"]:
    """Interpolate a grid that starts at the box and has `spacing_mm` at `positions` per axis."""
    matrices = []
    for start, count, along in zip(BOX_START, coarse.shape, positions, strict=True):
        away = np.abs((along[:, None] - start) / spacing_mm - np.arange(count))
        matrices.append(np.clip(1 - away, 0, None).astype(np.float32))
    return expand(coarse, matrices)


def grid_positions(spacing_mm: int) -> list[Float32[ndarray, " _"]]:
    """Return the points of a grid that starts at the first voxel and covers the box, in mm."""
    return [
        np.arange(start, stop + spacing_mm, spacing_mm, dtype=np.float32)
        for start, stop in zip(BOX_START, BOX_STOP, strict=True)
    ]
