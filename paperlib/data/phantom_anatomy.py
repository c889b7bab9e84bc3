"""Anatomy of a simulated patient: a standard brain, moved, bent, stripped and folded.

As soon as the brain is known, a quantity is a flat list over its voxels: a quarter of the box.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32
from nibabel.spatialimages import SpatialImage
from numpy import ndarray
from numpy.random import Generator
from scipy import ndimage
from scipy.spatial.transform import Rotation

from paperlib.data.phantom_space import (
    BOX_START,
    box_shape,
    grid_positions,
    refine,
    smooth_noise,
    voxel_positions,
)

TEMPLATE_OFFSET = (20, 13, 0)  # of the flipped template inside the volume
TEMPLATE_CENTRE = (118.0, 128.0, 71.0)  # before `_template_height`, like the head's
HEAD_CENTRE = (118.4, 128.4, 72.0)  # mean over the patients
HEAD_SIZE = (0.92, 0.90, 0.985)  # mean over the patients, template = 1
HALF_MM = 2  # spacing of the slowly varying template maps


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
    """Return the standard brain that nilearn ships (ICBM 2009a), made once per process."""
    from nilearn import datasets  # noqa: PLC0415 (over a second, for those who simulate)

    mask = _in_box(datasets.load_mni152_brain_mask(resolution=1))
    gm = _in_box(datasets.load_mni152_gm_template(resolution=1)) * mask
    wm = _in_box(datasets.load_mni152_wm_template(resolution=1)) * mask
    coarse = (slice(None, None, HALF_MM),) * 3
    depth_mm = HALF_MM * ndimage.distance_transform_edt(mask[coarse]).astype(np.float32)
    fluid = np.clip(mask - gm - wm, 0, 1)[coarse] * (depth_mm > 18)
    height = HALF_MM * np.arange(fluid.shape[2])
    fluid[..., (height <= 48) | (height >= 115)] = 0
    ventricles = ndimage.gaussian_filter(fluid, 5 / HALF_MM)
    ventricles /= ventricles.max()
    pull = np.stack(np.gradient(ventricles))
    return Template(
        gm=gm,
        wm=wm,
        soft=ndimage.gaussian_filter(mask, 1.5, mode="constant"),
        core=np.clip((depth_mm - 12) / 12, 0, 1),
        ventricles=ventricles,
        ventricle_pull=pull / np.sqrt((pull**2).sum(axis=0).max()),
    )


def _in_box(image: SpatialImage) -> Float32[ndarray, "x y z"]:
    """Turn a template of nilearn (RAS, 1 mm) to LPS and cut the box out of it."""
    flipped = np.asarray(image.dataobj, np.float32)[::-1, ::-1]
    corner = np.subtract(BOX_START, TEMPLATE_OFFSET)
    x, y, z = (slice(a, a + n) for a, n in zip(corner, box_shape(1), strict=True))
    return np.ascontiguousarray(flipped[x, y, z])


def sample(
    volume: Float32[ndarray, "x y z"], points: Float32[ndarray, "3 ..."], spacing_mm: int = 1
) -> Float32[ndarray, "..."]:
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
    turned += np.array(TEMPLATE_CENTRE).reshape(3, 1, 1, 1)
    turned[2] = _template_height(turned[2])
    points = turned.astype(np.float32)
    for amount_mm, distance_mm in ((3.0, 44), (1.3, 20)):
        shape, spacing = points.shape[1:], distance_mm / spacing_mm
        points += amount_mm * np.stack([smooth_noise(rng, shape, spacing) for _ in range(3)])
    widening_mm = rng.uniform(-2, 7)
    pull = load_template().ventricle_pull
    points += widening_mm * np.stack([sample(along, points, HALF_MM) for along in pull])
    return Warp(points, spacing_mm)


def _template_height(z: Float[ndarray, "x y z"]) -> Float[ndarray, "x y z"]:
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
) -> tuple[Float32[ndarray, " voxel"], Float32[ndarray, " voxel"], Float32[ndarray, " voxel"]]:
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
