"""Tumour of a simulated patient: where it grows, how it pushes, its labels and its signal."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray
from numpy.random import Generator
from scipy import ndimage
from scipy.special import expit

from paperlib.data.phantom_anatomy import Anatomy, Warp, load_template, sample
from paperlib.data.phantom_contrast import Contrast, Patterns
from paperlib.data.phantom_space import BOX_START, grid_positions, smooth_noise, voxel_positions
from paperlib.labels import BACKGROUND, CORE, EDEMA, ENHANCING, FLAIR, T1CE

LOW_GRADE_SHARE = 0.26  # as in BraTS 2018: 75 of 285
REACH = 1.9  # nothing is changed beyond this many radii
NEAR_MM, FAR_MM = 60, 110  # from the first focus to another at most, the latter if apart
GAP_MM, GAP_RADII = 15, 1.3  # and at least, if apart: so many mm and radii of each earlier focus
ISLAND_SHARE = 0.02  # smaller pieces, as a share of the largest one, are dropped


class Focus(NamedTuple):
    """One tumour focus; lengths and positions in mm of the BraTS volume (LPS).

    Attributes:
        centre_mm: Middle of the whole tumour.
        radius_mm: Mean radius of the whole tumour.
        core_radius_mm: Mean radius of the core.
        axes: Relative lengths of the half axes along x, y and z.
        core_offset_mm: From the middle of the tumour to that of the mass effect.
    """

    centre_mm: Float32[ndarray, "3"]
    radius_mm: float
    core_radius_mm: float
    axes: Float32[ndarray, "3"]
    core_offset_mm: Float32[ndarray, "3"]


class Plan(NamedTuple):
    """What is decided about a tumour before it grows.

    Attributes:
        low_grade: True for an LGG-like tumour: no enhancing label, weaker mass effect.
        foci: One to three foci, the first one the largest as a rule.
        push: Displacement at the border of a core, in core radii.
    """

    low_grade: bool
    foci: tuple[Focus, ...]
    push: float


class Tumour(NamedTuple):
    """A grown tumour, on the flat list of brain voxels.

    Attributes:
        labels: BraTS codes 0, 1, 2, 4.
        edema: Weight of the edema's signal, 0 to 1, fuzzy.
        core: Weight of the core's signal, 0 to 1, fuzzy.
        inner: 1 in the middle of the core, 0 at its rim, fuzzy.
        enhancing: Label 4, blurred over 3 mm.
        lumps: Smooth noise that shaped the tumour, 11 to 16 mm.
        bumps: The same, 5 to 8 mm.
    """

    labels: UInt8[ndarray, " voxel"]
    edema: Float32[ndarray, " voxel"]
    core: Float32[ndarray, " voxel"]
    inner: Float32[ndarray, " voxel"]
    enhancing: Float32[ndarray, " voxel"]
    lumps: Float32[ndarray, " voxel"]
    bumps: Float32[ndarray, " voxel"]


def plan_tumour(rng: Generator, warp: Warp, *, several: bool = False) -> Plan:
    """Draw grade, foci and mass effect.

    Args:
        rng: The stream of the tumour.
        warp: The patient's head; centres lie in its white matter, off the midline.
        several: Two or three foci that do not grow together; else most tumours have one.
    """
    low_grade = rng.random() < LOW_GRADE_SHARE
    single = rng.random() < 0.85 and not several
    count = 1 if single else int(rng.integers(2, 4))  # 2 or 3
    push = rng.uniform(*((0.05, 0.35) if low_grade else (0.15, 0.55)))
    foci: list[Focus] = []
    for number in range(count):
        centre = _draw_centre(rng, warp, foci, apart=several)
        radius = 31 * np.exp(rng.normal(0, 0.20)) if rng.random() < 0.92 else rng.uniform(11, 17)
        if number:
            radius = 10 * np.exp(rng.normal(0, 0.3))
        radius = float(np.clip(radius, 7, 46))
        core_radius = radius * rng.uniform(0.5 if low_grade else 0.48, 0.80)
        axes = np.exp(rng.normal(0, 0.15, 3)).astype(np.float32)
        offset = rng.normal(0, 0.12 * radius, 3).astype(np.float32)
        foci.append(Focus(centre, radius, core_radius, axes, offset))
    return Plan(low_grade, tuple(foci), push)


def _draw_centre(
    rng: Generator, warp: Warp, foci: Sequence[Focus], *, apart: bool
) -> Float32[ndarray, "3"]:
    """Draw until the centre lies in white matter, off the midline and fits the earlier foci."""
    farthest_mm = FAR_MM if apart else NEAR_MM
    while True:
        x, y = rng.uniform(60, 176), rng.uniform(50, 205)
        centre = np.array([x, y, np.clip(rng.normal(77, 16), 42, 114)], np.float32)
        away = [float(np.linalg.norm(centre - focus.centre_mm)) for focus in foci]
        too_far = bool(foci) and away[0] > farthest_mm
        too_near = apart and any(
            distance < GAP_MM + GAP_RADII * focus.radius_mm
            for distance, focus in zip(away, foci, strict=True)
        )
        if abs(x - 118) <= 13 or too_far or too_near:
            continue
        knot = ((centre - BOX_START) / warp.spacing_mm)[:, None]
        point = np.stack([ndimage.map_coordinates(along, knot, order=1) for along in warp.points])
        if sample(load_template().wm, point)[0] > 0.35:
            return centre


def push_tissue(warp: Warp, plan: Plan) -> Warp:
    """Return the warp with the tissue pushed away from the cores of the tumour."""
    grid = np.stack(np.meshgrid(*grid_positions(warp.spacing_mm), indexing="ij"))
    points = warp.points.copy()
    for focus in plan.foci:
        away = grid - (focus.centre_mm + focus.core_offset_mm).reshape(3, 1, 1, 1)
        distance = np.sqrt((away**2).sum(axis=0))
        radius = focus.core_radius_mm
        outside = np.exp(-(distance - radius) / (0.9 * radius))
        amount_mm = plan.push * radius * np.where(distance < radius, distance / radius, outside)
        points -= away / np.maximum(distance, 1e-3) * amount_mm
    return Warp(points, warp.spacing_mm)


def grow_tumour(rng: Generator, plan: Plan, anatomy: Anatomy, step_mm: int) -> Tumour:
    """Grow the planned tumour: fingers follow white matter and stop at the cortex.

    Args:
        rng: The stream of the tumour, after `plan_tumour`.
        plan: Where and how large.
        anatomy: The patient's brain, already displaced.
        step_mm: Size of the voxels.
    """
    brain = anatomy.brain
    lumps = smooth_noise(rng, brain.shape, rng.uniform(11, 16) / step_mm)[brain]
    bumps = smooth_noise(rng, brain.shape, rng.uniform(5, 8) / step_mm)[brain]
    along_tissue = rng.uniform(0.05, 0.35 if plan.low_grade else 0.55)
    rim, speckle, fuzz = rng.uniform(0.15, 0.95), rng.uniform(1, 2.2), rng.uniform(0.02, 0.09)

    whole, core = _distances(plan, brain, step_mm)
    edge = whole + 0.12 * lumps + 0.04 * bumps
    edge += along_tissue * (0.62 * anatomy.gm - 0.38 * anatomy.wm + 0.06)
    core += 0.16 * lumps + 0.12 * bumps
    inner = 1 - rim + 0.22 * bumps
    ventricle = (anatomy.csf > 0.5) & (anatomy.ventricles > 0.25) & (core > 0.6)
    grown = ((edge < 1) & (whole < REACH) & (anatomy.csf < 0.5)) | (core < 0.97)
    grown &= ~ventricle
    mask = drop_islands(grown, brain)
    labels = np.where(mask, np.where(core < 1, CORE, EDEMA), BACKGROUND).astype(np.uint8)
    if not plan.low_grade:
        specks = 0.7 * bumps + 0.5 * lumps > speckle
        labels[(labels == CORE) & ((core >= inner) | specks)] = ENHANCING
    visible = ~ventricle & (mask | ~grown)
    return Tumour(
        labels=labels,
        edema=expit((1 - edge) / fuzz) * (1 - 0.6 * anatomy.csf) * (visible & (whole < REACH)),
        core=expit((1 - core) / 0.05) * visible,
        inner=expit((inner - core) / 0.05),
        enhancing=_blur(labels == ENHANCING, brain, step_mm),
        lumps=lumps,
        bumps=bumps,
    )


def _distances(
    plan: Plan, brain: Bool[ndarray, "x y z"], step_mm: int
) -> tuple[Float32[ndarray, " voxel"], Float32[ndarray, " voxel"]]:
    """Return the distance to the nearest focus and to the nearest core, in their radii."""
    positions = voxel_positions(step_mm)
    nearest = []
    for core in (False, True):
        distances = []
        for focus in plan.foci:
            centre = focus.centre_mm + (0.6 * focus.core_offset_mm if core else 0)
            radii = focus.axes * np.float32(focus.core_radius_mm if core else focus.radius_mm)
            x, y, z = (
                ((along - middle) / radius) ** 2
                for along, middle, radius in zip(positions, centre, radii, strict=True)
            )
            distances.append(np.sqrt(x[:, None, None] + y[:, None] + z)[brain])
        nearest.append(np.minimum.reduce(distances))
    return nearest[0], nearest[1]


def drop_islands(
    mask: Bool[ndarray, " voxel"], brain: Bool[ndarray, "x y z"]
) -> Bool[ndarray, " voxel"]:
    """Return the mask without pieces under 2 % of the largest one (neighbours share a face)."""
    volume = np.zeros(brain.shape, bool)
    volume[brain] = mask
    boxes = ndimage.find_objects(volume.view(np.uint8))
    pieces, _ = ndimage.label(volume[boxes[0]])
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    volume[boxes[0]] = (sizes >= ISLAND_SHARE * sizes.max())[pieces] & (pieces > 0)
    return volume[brain]


def _blur(
    mask: Bool[ndarray, " voxel"], brain: Bool[ndarray, "x y z"], step_mm: int
) -> Float32[ndarray, " voxel"]:
    """Return the mean of `mask` over a cube of 3 mm."""
    volume = np.zeros(brain.shape, np.float32)
    volume[brain] = mask
    return volume[brain] if step_mm > 1 else ndimage.uniform_filter(volume, 3)[brain]


def paint_tumour(
    rng: Generator, plan: Plan, tumour: Tumour, contrasts: dict[str, Contrast], patterns: Patterns
) -> dict[str, Float32[ndarray, " voxel"]]:
    """Return the signal of each sequence with the tumour, texture and bias not yet applied.

    Args:
        rng: The stream of the tumour, after `grow_tumour`.
        plan: Decides the grade.
        tumour: The grown tumour.
        contrasts: Healthy signal of each sequence.
        patterns: The patient's patterns, which also vary the tumour.
    """
    flair = _paint_flair(rng, plan, tumour, contrasts[FLAIR].healthy, patterns)
    return {FLAIR: flair, T1CE: _paint_t1ce(rng, plan, tumour, contrasts[T1CE].healthy, patterns)}


def _paint_flair(
    rng: Generator,
    plan: Plan,
    tumour: Tumour,
    healthy: Float32[ndarray, " voxel"],
    patterns: Patterns,
) -> Float32[ndarray, " voxel"]:
    """Brighten edema and core; weak contrasts are drawn too, as real ones occur."""
    contrast = 0.465 * float(np.exp(rng.normal(0, 0.38)))
    inside = contrast * float(np.exp(rng.normal(*((0, 0.3) if plan.low_grade else (-0.08, 0.30)))))
    rim = contrast * float(np.exp(rng.normal(-0.05, 0.35)))
    variety = rng.uniform(0.10, 0.30)
    a, b = patterns.patchy, patterns.blotchy
    edema = 1.03 + contrast * (1 + variety * (0.6 * tumour.lumps + 0.6 * b + 0.3 * a))
    edema = np.maximum(edema, 0.9 * healthy)
    core = 1 + 1.3 * variety * (0.6 * tumour.bumps + 0.6 * b + 0.4 * a)
    core = 1.03 + (rim + (inside - rim) * tumour.inner) * core
    return _blend(healthy, tumour, edema, core)


def _paint_t1ce(
    rng: Generator,
    plan: Plan,
    tumour: Tumour,
    healthy: Float32[ndarray, " voxel"],
    patterns: Patterns,
) -> Float32[ndarray, " voxel"]:
    """Darken edema and core a little and raise what enhances."""
    edema = 0.4 + 0.6 * np.minimum(healthy, 1) - abs(rng.normal(0.10, 0.05))
    core = 1 + rng.normal(*((-0.16, 0.08) if plan.low_grade else (-0.19, 0.10)))
    signal = _blend(healthy, tumour, edema, core * (1 + 0.10 * patterns.blotchy))
    raised = rng.uniform(0.45, 1.05) * (1 + 0.35 * tumour.bumps + 0.25 * patterns.blotchy)
    return signal + tumour.enhancing * raised * np.where(tumour.core < 0.5, np.float32(0.7), 1)


def _blend(
    healthy: Float32[ndarray, " voxel"],
    tumour: Tumour,
    edema: Float32[ndarray, " voxel"],
    core: Float32[ndarray, " voxel"],
) -> Float32[ndarray, " voxel"]:
    """Lay the edema over the healthy signal and the core over both."""
    signal = healthy + (edema - healthy) * tumour.edema
    return signal + (core - signal) * tumour.core
