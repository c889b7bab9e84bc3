"""Anatomy of a simulated patient: a standard brain, moved, bent, stripped and folded.

Positions are voxel indices of the 240x240x155 BraTS volume, which are millimetres: x grows to
the left, y to the back, z to the top (LPS). Everything is made inside one box around the head;
as soon as the brain is known, a quantity is a flat list over its voxels.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32
from numpy import ndarray
from numpy.random import Generator
from scipy import ndimage
from scipy.spatial.transform import Rotation

VOLUME_SHAPE = (240, 240, 155)
BOX_START = (32, 24, 0)
BOX_STOP = (206, 228, 155)

TEMPLATE_OFFSET = (20, 13, 0)  # of the flipped template inside the volume
TEMPLATE_CENTRE = (118.0, 128.0)  # x and y; z follows `_template_height`
HEAD_CENTRE = (118.4, 128.4, 72.0)  # mean position of a patient's head
HEAD_SIZE = (0.92, 0.90, 0.985)  # mean size of a patient's head, template = 1
HALF_MM = 2  # spacing of the slowly varying template maps

SPLINE_SD = (151 / 315) ** 1.5  # sd of white noise after a cubic B-spline in three directions


class Template(NamedTuple):
    """The standard brain inside the box.

    Attributes:
        gm: Share of grey matter, 0 to 1, 1 mm.
        wm: Share of white matter, 0 to 1, 1 mm.
        soft: Brain mask with a blurred border, 0 to 1, 1 mm.
        core: 0 at the cortex, 1 deep inside, 2 mm.
        ventricles: Blurred ventricles, maximum 1, 2 mm.
        ventricle_pull: Direction into the ventricles, longest vector 1, 2 mm.
    """

    gm: Float32[ndarray, "x y z"]
    wm: Float32[ndarray, "x y z"]
    soft: Float32[ndarray, "x y z"]
    core: Float32[ndarray, "x2 y2 z2"]
    ventricles: Float32[ndarray, "x2 y2 z2"]
    ventricle_pull: Float32[ndarray, "3 x2 y2 z2"]


class Warp(NamedTuple):
    """Where each point of a coarse grid over the patient lies in the template.

    Attributes:
        points: Template position of each grid point, mm.
        spacing_mm: Distance of the grid points; the first one is the first voxel of the box.
    """

    points: Float32[ndarray, "3 x y z"]
    spacing_mm: int


class Anatomy(NamedTuple):
    """The brain of one patient; flat arrays hold its voxels in the order of `brain`.

    Attributes:
        brain: True inside the brain, on the voxels of the box.
        edge: Blurred, irregular brain border: 0.5 at the rim, about 1 inside.
        template_x: Position in the template from left to right, mm; 118 is the midline.
        core: 0 at the cortex, 1 deep inside.
        ventricles: Blurred ventricles, 0 to 1.
        csf: Share of cerebrospinal fluid; with `gm` and `wm` it sums to 1.
        gm: Share of grey matter.
        wm: Share of white matter.
    """

    brain: Bool[ndarray, "x y z"]
    edge: Float32[ndarray, " voxel"]
    template_x: Float32[ndarray, " voxel"]
    core: Float32[ndarray, " voxel"]
    ventricles: Float32[ndarray, " voxel"]
    csf: Float32[ndarray, " voxel"]
    gm: Float32[ndarray, " voxel"]
    wm: Float32[ndarray, " voxel"]


@lru_cache(maxsize=1)
def load_template() -> Template:
    """Return the standard brain (ICBM 2009a as nilearn ships it), made once per process."""
    from nilearn import datasets  # noqa: PLC0415 (1.4 s that only the first patient should pay)

    def box(load) -> Float32[ndarray, "x y z"]:
        flipped = np.asarray(load(resolution=1).dataobj, np.float32)[::-1, ::-1]
        corner = [start - offset for start, offset in zip(BOX_START, TEMPLATE_OFFSET, strict=True)]
        return np.ascontiguousarray(
            flipped[tuple(slice(c, c + n) for c, n in zip(corner, box_shape(1), strict=True))]
        )

    mask = box(datasets.load_mni152_brain_mask)
    gm = box(datasets.load_mni152_gm_template) * mask
    wm = box(datasets.load_mni152_wm_template) * mask
    every = (slice(None, None, HALF_MM),) * 3
    depth = HALF_MM * ndimage.distance_transform_edt(mask[every]).astype(np.float32)
    fluid = np.clip(mask - gm - wm, 0, 1)[every] * (depth > 18)
    height = HALF_MM * np.arange(fluid.shape[2])
    fluid[..., (height <= 48) | (height >= 115)] = 0
    ventricles = ndimage.gaussian_filter(fluid, 5 / HALF_MM)
    ventricles /= ventricles.max()
    pull = np.stack(np.gradient(ventricles))
    return Template(
        gm=gm,
        wm=wm,
        soft=ndimage.gaussian_filter(mask, 1.5, mode="constant"),
        core=np.clip((depth - 12) / 12, 0, 1),
        ventricles=ventricles,
        ventricle_pull=pull / np.sqrt((pull**2).sum(axis=0).max()),
    )


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


def sample(
    volume: Float32[ndarray, "x y z"], points: Float32[ndarray, "3 *n"], spacing_mm: int = 1
) -> Float32[ndarray, "*n"]:
    """Return the values of a template map at template positions in mm; outside the box, 0."""
    start = np.array(BOX_START, np.float32).reshape(3, *[1] * (points.ndim - 1))
    return ndimage.map_coordinates(
        volume, (points - start) / np.float32(spacing_mm), np.float32, order=1, mode="constant"
    )


def draw_warp(rng: Generator, step_mm: int) -> Warp:
    """Draw a patient's head: turned, sized, shifted, bent, with ventricles of its own size.

    Args:
        rng: The stream of the anatomy.
        step_mm: Size of the voxels; above 2 mm the grid is coarser too.
    """
    spacing_mm = 4 if step_mm <= 2 else 8
    rotation = Rotation.from_euler("xyz", rng.normal(0, (2.5, 2, 2)), degrees=True).as_matrix()
    size = np.array(HEAD_SIZE) * np.exp(rng.normal(0, 0.03) + rng.normal(0, 0.022, 3))
    centre = np.array(HEAD_CENTRE) + rng.normal(0, (1, 1.5, 1.6))
    grid = np.stack(np.meshgrid(*grid_positions(spacing_mm), indexing="ij"))
    turned = np.tensordot(rotation / size[:, None], grid - centre.reshape(3, 1, 1, 1), 1)
    turned += np.array((*TEMPLATE_CENTRE, 71.0)).reshape(3, 1, 1, 1)
    turned[2] = _template_height(turned[2])
    points = turned.astype(np.float32)
    for axis in range(3):
        for amount_mm, distance_mm in ((3.0, 44), (1.3, 20)):
            points[axis] += amount_mm * smooth_noise(
                rng, points.shape[1:], distance_mm / spacing_mm
            )
    widening_mm = rng.uniform(-2, 7)
    pull = load_template().ventricle_pull
    points += widening_mm * np.stack([sample(along, points, HALF_MM) for along in pull])
    return Warp(points, spacing_mm)


def _template_height(z: Float[ndarray, "*n"]) -> Float[ndarray, "*n"]:
    """Return the template's z for a head of BraTS proportions: MNI is taller above z = 60."""
    return np.where(z > 60, 154 + (z - 138) / 0.80, 56.5 + (z - 60))


def build_anatomy(rng: Generator, warp: Warp, step_mm: int) -> Anatomy:
    """Return the brain of a patient whose head is moved and bent by `warp`.

    Args:
        rng: The stream of the anatomy, after `draw_warp`.
        warp: Template position of the patient's grid, mass effect included.
        step_mm: Size of the voxels.
    """
    template = load_template()
    shape = box_shape(step_mm)
    positions = voxel_positions(step_mm)
    soft = _soft_mask(template, warp, step_mm)
    edge = soft + 0.10 * smooth_noise(rng, shape, 8 / step_mm)
    edge += 0.06 * smooth_noise(rng, shape, 3 / step_mm)
    brain = (edge > 0.5) & (soft > 0.2)

    points = np.stack([refine(along, warp.spacing_mm, positions)[brain] for along in warp.points])
    core, ventricles = (
        refine(sample(slow, warp.points, HALF_MM), warp.spacing_mm, positions)[brain]
        for slow in (template.core, template.ventricles)
    )
    sheets = smooth_noise(rng, shape, 5 * rng.uniform(0.85, 1.15) / step_mm)[brain]
    csf, gm, wm = fold_cortex(
        sample(template.gm, points), sample(template.wm, points), core, sheets
    )
    return Anatomy(brain, edge[brain], points[0], core, ventricles, csf, gm, wm)


def _soft_mask(template: Template, warp: Warp, step_mm: int) -> Float32[ndarray, "x y z"]:
    """Return the blurred brain mask on the box, sampled at 2 mm where voxels are smaller."""
    positions = voxel_positions(step_mm)
    at = positions if step_mm > 1 else grid_positions(HALF_MM)
    soft = sample(
        template.soft, np.stack([refine(along, warp.spacing_mm, at) for along in warp.points])
    )
    return soft if step_mm > 1 else refine(soft, HALF_MM, positions)


def fold_cortex(
    gm: Float32[ndarray, " voxel"],
    wm: Float32[ndarray, " voxel"],
    core: Float32[ndarray, " voxel"],
    sheets: Float32[ndarray, " voxel"],
) -> tuple[
    Float32[ndarray, " voxel"], Float32[ndarray, " voxel"], Float32[ndarray, " voxel"]
]:
    """Return shares of csf, gm and wm with sulci where the smooth noise `sheets` crosses zero.

    The template is a mean of many brains, so its cortex is a blur; the zero set of smooth noise
    is a system of sheets that looks like sulci in every plane. Deep inside nothing is folded.
    """
    csf = np.clip(1 - gm - wm, 0, 1)
    strength = 1.3 * (1 - core)
    sulcus = 4.5 * np.exp(-((sheets / 0.15) ** 2)) - 1.0
    ribbon = 2.0 * np.exp(-((sheets / 0.8) ** 2)) - 1.2
    csf = (csf + 0.02) ** 3 * np.exp(strength * sulcus)
    gm = (gm + 0.02) ** 3 * np.exp(strength * ribbon)
    wm = (wm + 0.02) ** 3
    total = csf + gm + wm
    return csf / total, gm / total, wm / total
