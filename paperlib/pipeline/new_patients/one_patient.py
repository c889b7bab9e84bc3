"""One new patient through a trained pair: residuals, clusters, labels, gate (section 4).

What was not examined is not tumour-free: slices outside the pair's range, or with too little
brain, were seen by no network. They have no scores and no volumes, and `examined` is False there.
For research only.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Real, UInt8
from numpy import ndarray

from paperlib import scores
from paperlib.config import MixtureSettings, PrepareSettings
from paperlib.data import native_grid, preprocess, rules
from paperlib.data.native_grid import PreparedPatient
from paperlib.labels import FLAIR, REGIONS, SEQUENCES, T1CE, region_mask
from paperlib.models import inference, weights
from paperlib.pipeline.method import clustering
from paperlib.pipeline.new_patients import model_folder
from paperlib.pipeline.new_patients.model_folder import Pair
from paperlib.postprocessing import morphology, neighbours, regions

DEFAULT_GATE = "max_healthy"
Spacing = tuple[float, float, float]


class PreparedResult(NamedTuple):
    """The same patient on the networks' grid, all slices of the volume, from the feet upwards.

    Attributes:
        patient: What the networks were shown.
        residuals: Reconstruction minus image per sequence, z units; 0 where not examined.
        segmentation: BraTS 2018 codes, after the gate.
    """

    patient: PreparedPatient
    residuals: Mapping[str, Float32[ndarray, "slice height width"]]
    segmentation: UInt8[ndarray, "slice height width"]


class Segmented(NamedTuple):
    """What was found in one patient; volumes are in LPS order [x y z] on the patient's own grid.

    Attributes:
        segmentation: BraTS 2018 codes 0, 1, 2, 4; 0 is "no tumour" only where `examined`.
        residuals: Reconstruction minus image per sequence ("flair", "t1ce") in z-score units,
            tumours negative; 0 where not examined.
        examined: Brain voxels that the networks were shown.
        slices: One row a slice of the volume: `z` counted from the feet, `examined`, `reason`
            why not, `brain_px` on the networks' grid, the scores of the FLAIR network
            `mean_residual` and `latent_distance` (higher is more anomalous), the gate's
            `threshold`, `flagged`, and the volume of each region in ml. Scores, threshold, flag
            and volumes are missing where the slice was not examined, threshold and flag
            everywhere without a gate.
        volumes_ml: Volume of each region of `paperlib.labels.REGIONS` in the examined slices.
        notes: What a reader of the result has to know.
        prepared: The same on the networks' grid.
    """

    segmentation: UInt8[ndarray, "x y z"]
    residuals: Mapping[str, Float32[ndarray, "x y z"]]
    examined: Bool[ndarray, "x y z"]
    slices: pd.DataFrame
    volumes_ml: Mapping[str, float]
    notes: tuple[str, ...]
    prepared: PreparedResult


def segment(
    flair: Real[ndarray, "x y z"],
    t1ce: Real[ndarray, "x y z"],
    model: Path | str,
    *,
    gate: str | None = DEFAULT_GATE,
    reading: str = "",
    spacing_mm: Spacing = (1.0, 1.0, 1.0),
) -> Segmented:
    """Segment the tumour of one patient. For research only.

    Args:
        flair: Raw intensities of the skull-stripped brain as BraTS delivers them, 240x240x155
            voxels in LPS order: x to the patient's left, y to the back, z to the head;
            background exactly 0. `paperlib.data.brats.read_volume` reads a file like this.
        t1ce: The same of the T1 image with contrast agent, on the same grid.
        model: Folder of a trained pair, such as runs/phantom-phantom/models/dVAE-SSIM-f0-s0.
        gate: A rule of `paperlib.pipeline.new_patients.model_folder.RULES`: slices whose mean
            residual does not exceed that of healthy ones are emptied (section 4.2). None leaves
            them.
        reading: Of equation 1, a key of `paperlib.postprocessing.mixture.READINGS`; empty takes
            the one that the pair's run took downstream.
        spacing_mm: Voxel size, for the volumes in ml.

    Raises:
        paperlib.data.rules.UnusableError: If an image breaks a rule; it is a ValueError that
            names all that is wrong and the cure.
        ValueError: If the gate or the reading is unknown, or there is nothing to examine.
        FileNotFoundError: If the model's folder is not complete; says how to make it.
    """
    volumes = {FLAIR: flair, T1CE: t1ce}
    _refuse_unusable(volumes, spacing_mm)
    pair = model_folder.read_pair(Path(model))
    settings = _mixture(pair, reading)
    patient = _prepare(pair, volumes)
    places = np.flatnonzero(patient.usable)
    thresholds = pair.gate(places, rule=gate) if gate else np.full(len(places), np.nan)
    shown = _show(pair, patient, places)
    score = scores.mean_residual_score(shown.residuals[FLAIR], patient.brain[places])
    found = _label(shown.residuals, patient.brain[places], settings)
    found[score <= thresholds] = 0
    prepared = PreparedResult(
        patient,
        {name: _among_all(part, patient) for name, part in shown.residuals.items()},
        _among_all(found, patient),
    )
    distance = scores.latent_distance(shown.latent, pair.latent_statistics())
    flagged = pd.array(score > thresholds if gate else [None] * len(places), dtype="boolean")
    columns = {"mean_residual": score, "latent_distance": distance, "threshold": thresholds}
    scored = pd.DataFrame({**columns, "flagged": flagged}, index=places)
    return _on_own_grid(volumes, prepared, pair, scored, spacing_mm)


def window_of(settings: PrepareSettings) -> preprocess.Window:
    """Return the crop of a run's slices."""
    return preprocess.Window(
        settings.x_low, settings.y_low, settings.z_low, settings.z_high, settings.window
    )


class _Shown(NamedTuple):
    """What the two networks say about the examined slices."""

    residuals: Mapping[str, ndarray]
    latent: ndarray  # of FLAIR


def _refuse_unusable(volumes: Mapping[str, ndarray], spacing_mm: Spacing) -> None:
    """Apply the rules for files to arrays."""
    images = {
        name: rules.Volume(Path(name), voxels, "LPS", spacing_mm, (0.0, 0.0, 0.0))
        for name, voxels in volumes.items()
    }
    problems = rules.grid_problems(images)
    problems += [problem for image in images.values() for problem in rules.image_problems(image)]
    if problems:
        raise rules.UnusableError(tuple(problems))


def _mixture(pair: Pair, reading: str) -> MixtureSettings:
    chosen = reading or pair.mixture.reading
    if chosen not in pair.mixture.readings:
        raise ValueError(
            f"Unknown reading {chosen!r} of equation 1; there are "
            f"{', '.join(pair.mixture.readings)}."
        )
    return dataclasses.replace(pair.mixture, reading=chosen)


def _prepare(pair: Pair, volumes: Mapping[str, ndarray]) -> PreparedPatient:
    chosen = pair.prepare
    patient = native_grid.prepare_patient(
        {name: volume.astype(np.float32, copy=False) for name, volume in volumes.items()},
        window_of(chosen),
        size=chosen.size,
        zscore=chosen.zscore,
        clip=(chosen.clip_low, chosen.clip_high),
        brain_share=chosen.brain_share,
    )
    if not patient.usable.any():
        raise ValueError(
            f"No slice from z = {chosen.z_low} to {chosen.z_high - 1} is brain for at least "
            f"{_percent(chosen.brain_share)} of its pixels, so nothing can be examined; give a "
            "whole brain on the grid of BraTS."
        )
    return patient


def _show(pair: Pair, patient: PreparedPatient, places: ndarray) -> _Shown:
    residuals, latents = {}, {}
    for sequence in SEQUENCES:
        images = patient.images[sequence]
        file = pair.folder / sequence / "weights.safetensors"
        network = weights.load_network(file, pair.architectures[sequence])
        found = inference.reconstruct(network, images, places)
        # The stages keep reconstructions in half precision: one patient has one result.
        kept = found.reconstruction.astype(np.float16).astype(np.float32)
        residuals[sequence], latents[sequence] = kept - images[places], found.latent_mean
    return _Shown(residuals, latents[FLAIR])


def _label(residuals: Mapping[str, ndarray], brain: ndarray, settings: MixtureSettings) -> ndarray:
    """Return BraTS codes of the examined slices, as the stage `segment` does."""
    tables = [neighbours.neighbour_table(image) for image in brain]
    masks = {
        name: clustering.cluster(part, brain, tables, settings, reading=settings.reading).mask
        for name, part in residuals.items()
    }
    outline = morphology.keep_component(masks[FLAIR], rule=settings.component)
    enhancing = morphology.keep_component(masks[T1CE] & outline, rule=settings.component)
    return regions.label_tissues(outline, enhancing, hull=settings.hull)


def _among_all(part: ndarray, patient: PreparedPatient) -> ndarray:
    """Return a stack of all slices, with `part` in the examined ones and 0 elsewhere."""
    stack = np.zeros(patient.brain.shape, part.dtype)
    stack[patient.usable] = np.where(patient.brain[patient.usable], part, 0)
    return stack


def _on_own_grid(
    volumes: Mapping[str, ndarray],
    prepared: PreparedResult,
    pair: Pair,
    scored: pd.DataFrame,
    spacing_mm: Spacing,
) -> Segmented:
    window, brain = window_of(pair.prepare), volumes[FLAIR] > 0
    shape, seen = brain.shape, prepared.patient.usable

    in_window = np.ones_like(prepared.patient.brain) & seen[:, None, None]
    examined = brain & native_grid.restore_labels(in_window, window, shape)
    segmentation = native_grid.restore_labels(prepared.segmentation, window, shape)
    residuals = {
        name: native_grid.restore_images(part, window, shape)
        for name, part in prepared.residuals.items()
    }
    for volume in (segmentation, *residuals.values()):
        volume[~brain] = 0  # the rim of resized slices reaches beyond it
    slices = _slice_table(prepared.patient, pair).join(scored)
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    for region in REGIONS:
        per_slice = region_mask(segmentation, region).sum(axis=(0, 1)) * voxel_ml
        slices[f"{region}_ml"] = np.where(seen, per_slice, np.nan)
    return Segmented(
        segmentation,
        residuals,
        examined,
        slices,
        {region: float(slices[f"{region}_ml"].sum()) for region in REGIONS},
        tuple(_notes(slices, examined.sum() / brain.sum(), pair)),
        prepared,
    )


def _slice_table(patient: PreparedPatient, pair: Pair) -> pd.DataFrame:
    low, high = pair.prepare.z_low, pair.prepare.z_high
    heights = np.arange(len(patient.usable))
    outside = (heights < low) | (heights >= high)
    little = f"less than {_percent(pair.prepare.brain_share)} of the slice is brain"
    reason = np.where(outside, f"outside z = {low} to {high - 1}", little)
    return pd.DataFrame(
        {
            "z": heights,
            "examined": patient.usable,
            "reason": np.where(patient.usable, "", reason),
            "brain_px": patient.brain.sum(axis=(1, 2)),
        }
    )


def _notes(slices: pd.DataFrame, examined_share: float, pair: Pair) -> list[str]:
    seen = slices[slices["examined"]]
    ends = f"z = {seen['z'].min()} to {seen['z'].max()}"
    notes = [
        "research use only: not a medical device, not for any decision about a patient",
        f"{len(seen)} of {len(slices)} slices were examined ({ends}), "
        f"{_percent(examined_share)} of the brain; tumour anywhere else is neither found nor "
        "excluded",
    ]
    if seen["WT_ml"].iloc[[0, -1]].any():
        notes.append("the tumour reaches the first or last examined slice and may go on beyond it")
    emptied = int(seen["flagged"].eq(False).sum())
    if emptied:
        notes.append(
            f"{emptied} examined slices were not flagged by the gate and hold no label for that "
            "reason; without the gate they may"
        )
    if pair.simulated:
        notes.append(
            "the networks learned from simulated patients: on a real patient the result means "
            "nothing"
        )
    return notes


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
