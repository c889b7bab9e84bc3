"""Phantom: simulated patients that behave like BraTS patients, made from nilearn's templates.

The default data of the project (section 3 has the real ones). A phantom says nothing about
patients: its contrasts and sizes were tuned by hand on real ones.
"""

import gzip
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
from jaxtyping import Float, Int16, Shaped, UInt8
from numpy import ndarray
from numpy.random import Generator

from paperlib.data.phantom_anatomy import Anatomy, build_anatomy, draw_warp
from paperlib.data.phantom_contrast import acquire, draw_contrasts, draw_patterns
from paperlib.data.phantom_space import BOX_START, VOLUME_SHAPE
from paperlib.data.phantom_tumour import (
    Plan,
    grow_tumour,
    paint_tumour,
    plan_tumour,
    push_tissue,
)
from paperlib.labels import FLAIR, T1CE

TISSUE_MAPS = ("csf", "gm", "wm")
# Every stage has its own random stream: a change of one leaves the others; 5 to 8 are for t1, t2.
STAGES = {"anatomy": 0, "tumour": 1, "appearance": 2, FLAIR: 3, T1CE: 4, "tumour_free": 9}
AFFINE = np.array([[-1, 0, 0, 0], [0, -1, 0, 239], [0, 0, 1, 0], [0, 0, 0, 1]], float)
VERSION = 1  # of the recipe: raise it with every change of a number, so that files are made anew


class Phantom(NamedTuple):
    """One simulated patient; volumes are 240x240x155 voxels of 1 mm in LPS order [x y z].

    Attributes:
        flair: FLAIR intensities, background exactly 0, brain 1 to 32767.
        t1ce: T1CE intensities, the same.
        labels: BraTS codes 0, 1, 2, 4.
        healthy_flair: The same brain with the same noise, had the tumour only pushed its tissue:
            what a perfect reconstruction of `flair` is.
        healthy_t1ce: The same for `t1ce`.
        tissue: Shares of csf, gm and wm (see `TISSUE_MAPS`) under the tumour, 255 = all.
        low_grade: True for LGG-like patients; drawn for tumour-free ones too (their folder).
        tumour_free: True if the patient has no tumour; then `labels` is empty.
        centres_mm: Position of each planned focus, voxel index = mm; a small focus that lies
            apart can be missing in `labels`.
        radii_mm: Mean radius of each planned focus.
    """

    flair: Int16[ndarray, "240 240 155"]
    t1ce: Int16[ndarray, "240 240 155"]
    labels: UInt8[ndarray, "240 240 155"]
    healthy_flair: Int16[ndarray, "240 240 155"]
    healthy_t1ce: Int16[ndarray, "240 240 155"]
    tissue: UInt8[ndarray, "3 240 240 155"]
    low_grade: bool
    tumour_free: bool
    centres_mm: Float[ndarray, "focus 3"]
    radii_mm: Float[ndarray, " focus"]


def simulate(
    index: int,
    *,
    seed: int = 0,
    step_mm: int = 1,
    tumour_free_share: float = 0.0,
    several_foci: bool = False,
) -> Phantom:
    """Make patient number `index`; the same whatever the size of the cohort.

    Args:
        index: Number of the patient, 0 or more.
        seed: Seed of the cohort, 0 or more.
        step_mm: 1, or 2 to 4 for a faster, blocky patient on the same grid (for plumbing).
        tumour_free_share: Chance of having no tumour, 0 to 1; the patients without one at a
            lower share are among those at a higher share, all others stay as they are.
        several_foci: Two or three foci apart from each other, in place of one in most patients.

    Raises:
        ValueError: If an argument is out of range.
    """
    _check(index, seed, step_mm, tumour_free_share)
    streams = {name: np.random.default_rng([seed, index, k]) for name, k in STAGES.items()}
    warp = draw_warp(streams["anatomy"], step_mm)
    plan = plan_tumour(streams["tumour"], warp, several=several_foci)
    tumour_free = bool(streams["tumour_free"].random() < tumour_free_share)
    if not tumour_free:
        warp = push_tissue(warp, plan)
    anatomy = build_anatomy(streams["anatomy"], warp, step_mm)
    labels, images = _scan(streams, plan, anatomy, step_mm, tumour_free)

    def volume(values: Shaped[ndarray, " voxel"]) -> Shaped[ndarray, "240 240 155"]:
        return fill_volume(values, anatomy.brain, step_mm)

    shares = (getattr(anatomy, name) for name in TISSUE_MAPS)
    foci = () if tumour_free else plan.foci
    return Phantom(
        flair=volume(images[FLAIR][-1]),
        t1ce=volume(images[T1CE][-1]),
        labels=volume(labels),
        healthy_flair=volume(images[FLAIR][0]),
        healthy_t1ce=volume(images[T1CE][0]),
        tissue=np.stack([volume(np.rint(255 * share).astype(np.uint8)) for share in shares]),
        low_grade=plan.low_grade,
        tumour_free=tumour_free,
        centres_mm=np.array([focus.centre_mm for focus in foci], float).reshape(-1, 3),
        radii_mm=np.array([focus.radius_mm for focus in foci], float),
    )


def _check(index: int, seed: int, step_mm: int, tumour_free_share: float) -> None:
    """Refuse arguments that would simulate nothing sensible."""
    if index < 0 or seed < 0:
        raise ValueError(f"Phantom {index} of seed {seed}: give an index and a seed from 0 up.")
    if step_mm not in (1, 2, 3, 4):
        raise ValueError(f"step_mm is {step_mm}; use 1 (full detail), 2, 3 or 4.")
    if not 0 <= tumour_free_share <= 1:
        raise ValueError(f"tumour_free_share is {tumour_free_share}; give a share from 0 to 1.")


def _scan(
    streams: dict[str, Generator], plan: Plan, anatomy: Anatomy, step_mm: int, tumour_free: bool
) -> tuple[UInt8[ndarray, " voxel"], dict[str, list[Int16[ndarray, " voxel"]]]]:
    """Return the labels and, per sequence, the healthy image and the one with the tumour."""
    patterns = draw_patterns(streams["appearance"], anatomy.brain, step_mm)
    contrasts = draw_contrasts(streams["appearance"], anatomy, patterns, step_mm)
    signals = {name: [contrast.healthy * contrast.gain] for name, contrast in contrasts.items()}
    labels = np.zeros(patterns.broad.shape, np.uint8)
    if not tumour_free:
        tumour = grow_tumour(streams["tumour"], plan, anatomy, step_mm)
        labels = tumour.labels
        painted = paint_tumour(streams["tumour"], plan, tumour, contrasts, patterns)
        for name, signal in painted.items():
            signals[name].append(signal * contrasts[name].gain)
    images = {
        name: acquire(streams[name], name, versions, anatomy.brain, step_mm)
        for name, versions in signals.items()
    }
    return labels, images


def fill_volume(
    values: Shaped[ndarray, " voxel"], brain: Shaped[ndarray, "x y z"], step_mm: int
) -> Shaped[ndarray, "240 240 155"]:
    """Put the values of the brain voxels into a whole volume, each repeated over its step."""
    box = np.zeros(brain.shape, values.dtype)
    box[brain] = values
    for axis in range(3 if step_mm > 1 else 0):
        box = np.repeat(box, step_mm, axis=axis)
    volume = np.zeros(VOLUME_SHAPE, values.dtype)
    place = tuple(slice(a, a + n) for a, n in zip(BOX_START, box.shape, strict=True))
    target = volume[place]
    target[...] = box[tuple(slice(n) for n in target.shape)]
    return volume


def write_phantom(
    folder: Path,
    index: int,
    *,
    seed: int,
    step_mm: int,
    tumour_free_share: float,
    several_foci: bool = False,
) -> Path:
    """Write patient number `index` as a BraTS 2018 case and return its folder.

    `<folder>/HGG|LGG/Phantom_<0000>/` holds `_flair`, `_t1ce` and `_seg` like a real case, and
    the known truth beside them: `_healthy_flair`, `_healthy_t1ce`, `_tissue` (1 csf, 2 gm, 3 wm,
    the largest share) and `_truth.json`. A case that is there with the same settings is kept.

    Args:
        folder: Folder of the cohort; made if missing.
        index: Number of the patient, as in `simulate`, like the settings that follow.
        seed: Seed of the cohort.
        step_mm: 1, or 2 to 4 for a faster, blocky patient.
        tumour_free_share: Chance of having no tumour.
        several_foci: Whether every tumour has two or three foci.

    Raises:
        ValueError: If an argument is out of range.
    """
    _check(index, seed, step_mm, tumour_free_share)
    name = f"Phantom_{index:04d}"
    recipe: dict[str, Any] = {
        "seed": seed,
        "step_mm": step_mm,
        "tumour_free_share": tumour_free_share,
        "several_foci": several_foci,
    }
    settings = {"version": VERSION, "index": index, **recipe}
    places = [folder / grade / name for grade in ("HGG", "LGG")]
    for place in places:
        if _settings(place / f"{name}_truth.json", settings) == settings:
            return place
    phantom = simulate(index, **recipe)
    place = places[phantom.low_grade]
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder))
    try:
        _write_case(fresh, name, phantom, settings)
        for old in places:
            shutil.rmtree(old, ignore_errors=True)
        fresh.chmod(0o755)
        os.replace(fresh, place)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return place


def _settings(path: Path, like: dict[str, Any]) -> dict[str, Any]:
    """Return the settings a truth file was made with, empty if there is none."""
    if not path.exists():
        return {}
    truth = json.loads(path.read_text())
    return {key: truth.get(key) for key in like}


def _write_case(folder: Path, name: str, phantom: Phantom, settings: dict[str, Any]) -> None:
    """Write the files of one case, the truth last."""
    shares = phantom.tissue
    tissue = (shares.argmax(axis=0) + 1) * shares.any(axis=0)
    volumes = {
        "flair": phantom.flair,
        "t1ce": phantom.t1ce,
        "seg": phantom.labels,
        "healthy_flair": phantom.healthy_flair,
        "healthy_t1ce": phantom.healthy_t1ce,
        "tissue": tissue.astype(np.uint8),
    }
    for kind, volume in volumes.items():
        write_volume(folder / f"{name}_{kind}.nii.gz", volume, AFFINE)
    truth = {
        **settings,
        "low_grade": phantom.low_grade,
        "tumour_free": phantom.tumour_free,
        "centres_mm": phantom.centres_mm.round(2).tolist(),
        "radii_mm": phantom.radii_mm.round(2).tolist(),
    }
    (folder / f"{name}_truth.json").write_text(json.dumps(truth, indent=2) + "\n")


def write_volume(
    file: Path, array: Shaped[ndarray, "x y z"], affine: Float[ndarray, "4 4"]
) -> None:
    """Write a `.nii.gz` in mm; the bytes depend on the voxels and the affine alone."""
    image = nib.Nifti1Image(array, affine)
    image.header.set_xyzt_units("mm")
    # Level 1 takes a third of the default's time; a time stamp would change the bytes.
    file.write_bytes(gzip.compress(image.to_bytes(), compresslevel=1, mtime=0))
