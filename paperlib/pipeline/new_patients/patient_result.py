"""What any method says of one new patient: checked at the door, put back on the own grid.

What was not examined is not tumour-free: slices outside a model's range, or with too little
brain, were seen by no method. They have no scores and no volumes, and `examined` is False there.
For research only.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float32, UInt8
from numpy import ndarray

from paperlib.config import PrepareSettings
from paperlib.data import native_grid, preprocess, rules
from paperlib.data.native_grid import PreparedPatient
from paperlib.labels import FLAIR, REGIONS, SEQUENCES, region_mask

Spacing = tuple[float, float, float]
RESIDUALS = {sequence: f"residual_{sequence}" for sequence in SEQUENCES}
_RESEARCH = "research use only: not a medical device, not for any decision about a patient"


class Found(NamedTuple):
    """What a method says of the examined slices, on the slices it was shown.

    Attributes:
        maps: By name, what the labels were drawn from.
        segmentation: BraTS 2018 codes.
        scored: One row a slice, its index the height: at least `flagged`.
        notes: What a reader has to know of this method on this patient.
        used: Model, method and choices as plain values, for `summary.json`.
    """

    maps: Mapping[str, Float[ndarray, "slice height width"]]
    segmentation: UInt8[ndarray, "slice height width"]
    scored: pd.DataFrame
    notes: Sequence[str]
    used: Mapping[str, object]


class PreparedResult(NamedTuple):
    """A patient on the methods' grid, all slices of the volume, from the feet upwards.

    Attributes:
        patient: What the method was shown.
        maps: As those of `Segmented`; 0 where not examined.
        segmentation: BraTS 2018 codes.
        settings: How slices were prepared.
    """

    patient: PreparedPatient
    maps: Mapping[str, Float32[ndarray, "slice height width"]]
    segmentation: UInt8[ndarray, "slice height width"]
    settings: PrepareSettings

    @property
    def residuals(self) -> Mapping[str, Float32[ndarray, "slice height width"]]:
        """The maps of the paper's method by sequence."""
        return {sequence: self.maps[name] for sequence, name in RESIDUALS.items()}


class Segmented(NamedTuple):
    """What was found in one patient; volumes are in LPS order [x y z] on the patient's own grid.

    Attributes:
        segmentation: BraTS 2018 codes 0, 1, 2, 4; 0 is "no tumour" only where `examined`.
        maps: What the labels were drawn from, in z-score units, 0 where not examined. Of the
            paper's method "residual_flair" and "residual_t1ce", reconstruction minus image,
            tumours negative; of the others "score_tumour" and "score_enhancing", positive where
            the method sees tumour before it chooses a component.
        examined: Brain voxels that the method was shown.
        slices: One row a slice of the volume: `z` counted from the feet, `examined`, `reason`
            why not, `brain_px` on the methods' grid, the method's own scores, `flagged`, and the
            volume of each region in ml. Of the paper's method `mean_residual` and
            `latent_distance` of the FLAIR network (higher is more anomalous) and the gate's
            `threshold`; of the others `tumour_px`, the area of what was kept, and a slice is
            flagged where that is not 0. Scores, flag and volumes are missing where the slice was
            not examined, threshold and flag everywhere without a gate.
        volumes_ml: Volume of each region of `paperlib.labels.REGIONS` in the examined slices.
        notes: What a reader of the result has to know.
        prepared: The same on the methods' grid.
        used: Model, method and choices as plain values.
    """

    segmentation: UInt8[ndarray, "x y z"]
    maps: Mapping[str, Float32[ndarray, "x y z"]]
    examined: Bool[ndarray, "x y z"]
    slices: pd.DataFrame
    volumes_ml: Mapping[str, float]
    notes: tuple[str, ...]
    prepared: PreparedResult
    used: Mapping[str, object]

    @property
    def residuals(self) -> Mapping[str, Float32[ndarray, "x y z"]]:
        """The maps of the paper's method by sequence: reconstruction minus image."""
        return {sequence: self.maps[name] for sequence, name in RESIDUALS.items()}


def window_of(settings: PrepareSettings) -> preprocess.Window:
    """Return the crop of a run's slices."""
    return preprocess.Window(
        settings.x_low, settings.y_low, settings.z_low, settings.z_high, settings.window
    )


def refuse_unusable(volumes: Mapping[str, ndarray], spacing_mm: Spacing) -> None:
    """Apply the rules for files to arrays.

    Raises:
        paperlib.data.rules.UnusableError: If a rule is broken; names all that is wrong.
    """
    images = {
        name: rules.Volume(Path(name), voxels, "LPS", spacing_mm, (0.0, 0.0, 0.0))
        for name, voxels in volumes.items()
    }
    problems = rules.grid_problems(images)
    problems += [problem for image in images.values() for problem in rules.image_problems(image)]
    if problems:
        raise rules.UnusableError(tuple(problems))


def prepare(settings: PrepareSettings, volumes: Mapping[str, ndarray]) -> PreparedPatient:
    """Return a patient's slices as a model's own were prepared.

    Raises:
        ValueError: If there is nothing to examine.
    """
    patient = native_grid.prepare_patient(
        {name: volume.astype(np.float32, copy=False) for name, volume in volumes.items()},
        window_of(settings),
        size=settings.size,
        zscore=settings.zscore,
        clip=(settings.clip_low, settings.clip_high),
        brain_share=settings.brain_share,
    )
    if not patient.usable.any():
        raise ValueError(
            f"No slice from z = {settings.z_low} to {settings.z_high - 1} is brain for at least "
            f"{_percent(settings.brain_share)} of its pixels, so nothing can be examined; give a "
            "whole brain on the grid of BraTS."
        )
    return patient


def on_own_grid(
    volumes: Mapping[str, ndarray],
    patient: PreparedPatient,
    found: Found,
    settings: PrepareSettings,
    spacing_mm: Spacing,
) -> Segmented:
    """Return what a method found where the patient's files have it.

    Args:
        volumes: Raw intensities per sequence, LPS order.
        patient: The same as the method was shown it, from `prepare`.
        found: What the method says.
        settings: How slices were prepared.
        spacing_mm: Voxel size, for the volumes in ml.
    """
    prepared = PreparedResult(
        patient,
        {name: _among_all(part, patient).astype(np.float32) for name, part in found.maps.items()},
        _among_all(found.segmentation, patient),
        settings,
    )
    window, brain = window_of(settings), volumes[FLAIR] > 0
    shape, seen = brain.shape, patient.usable

    in_window = np.ones_like(patient.brain) & seen[:, None, None]
    examined = brain & native_grid.restore_labels(in_window, window, shape)
    segmentation = native_grid.restore_labels(prepared.segmentation, window, shape)
    maps = {
        name: native_grid.restore_images(part, window, shape)
        for name, part in prepared.maps.items()
    }
    for volume in (segmentation, *maps.values()):
        volume[~brain] = 0  # the rim of resized slices reaches beyond it
    slices = _slice_table(patient, settings).join(found.scored)
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    for region in REGIONS:
        per_slice = region_mask(segmentation, region).sum(axis=(0, 1)) * voxel_ml
        slices[f"{region}_ml"] = np.where(seen, per_slice, np.nan)
    return Segmented(
        segmentation,
        maps,
        examined,
        slices,
        {region: float(slices[f"{region}_ml"].sum()) for region in REGIONS},
        (*_notes(slices, examined.sum() / brain.sum()), *found.notes),
        prepared,
        found.used,
    )


def _among_all(part: ndarray, patient: PreparedPatient) -> ndarray:
    """Return a stack of all slices, with `part` in the examined ones and 0 elsewhere."""
    stack = np.zeros(patient.brain.shape, part.dtype)
    stack[patient.usable] = np.where(patient.brain[patient.usable], part, 0)
    return stack


def _slice_table(patient: PreparedPatient, settings: PrepareSettings) -> pd.DataFrame:
    low, high = settings.z_low, settings.z_high
    heights = np.arange(len(patient.usable))
    outside = (heights < low) | (heights >= high)
    little = f"less than {_percent(settings.brain_share)} of the slice is brain"
    reason = np.where(outside, f"outside z = {low} to {high - 1}", little)
    return pd.DataFrame(
        {
            "z": heights,
            "examined": patient.usable,
            "reason": np.where(patient.usable, "", reason),
            "brain_px": patient.brain.sum(axis=(1, 2)),
        }
    )


def _notes(slices: pd.DataFrame, examined_share: float) -> list[str]:
    seen = slices[slices["examined"]]
    ends = f"z = {seen['z'].min()} to {seen['z'].max()}"
    notes = [
        _RESEARCH,
        f"{len(seen)} of {len(slices)} slices were examined ({ends}), "
        f"{_percent(examined_share)} of the brain; tumour anywhere else is neither found nor "
        "excluded",
    ]
    if seen["WT_ml"].iloc[[0, -1]].any():
        notes.append("the tumour reaches the first or last examined slice and may go on beyond it")
    return notes


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
