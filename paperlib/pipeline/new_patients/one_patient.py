"""One new patient through a trained pair: residuals, clusters, labels, gate (section 4).

The paper's method; the others are in `beyond_patient`, what all share in `patient_result`.
For research only.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Real
from numpy import ndarray

from paperlib import scores
from paperlib.config import MixtureSettings
from paperlib.data.native_grid import PreparedPatient
from paperlib.labels import FLAIR, SEQUENCES, T1CE
from paperlib.models import inference, weights
from paperlib.pipeline.method import clustering
from paperlib.pipeline.new_patients import model_folder, patient_result
from paperlib.pipeline.new_patients.model_folder import DEFAULT_GATE, METHOD, Pair
from paperlib.pipeline.new_patients.patient_result import RESIDUALS, Found, Segmented, Spacing
from paperlib.postprocessing import morphology, neighbours, regions


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
    patient_result.refuse_unusable(volumes, spacing_mm)
    pair = model_folder.read_pair(Path(model))
    settings = _mixture(pair, reading)
    patient = patient_result.prepare(pair.prepare, volumes)
    places = np.flatnonzero(patient.usable)
    thresholds = pair.gate(places, rule=gate) if gate else np.full(len(places), np.nan)
    shown = _show(pair, patient, places)
    score = scores.mean_residual_score(shown.residuals[FLAIR], patient.brain[places])
    segmentation = _label(shown.residuals, patient.brain[places], settings)
    segmentation[score <= thresholds] = 0
    distance = scores.latent_distance(shown.latent, pair.latent_statistics())
    flagged = pd.array(score > thresholds if gate else [None] * len(places), dtype="boolean")
    columns = {"mean_residual": score, "latent_distance": distance, "threshold": thresholds}
    found = Found(
        {RESIDUALS[sequence]: part for sequence, part in shown.residuals.items()},
        segmentation,
        pd.DataFrame({**columns, "flagged": flagged}, index=places),
        _notes(pair, emptied=int((score <= thresholds).sum())),
        {"model": pair.name, "method": METHOD, "gate": gate, "reading": settings.reading},
    )
    return patient_result.on_own_grid(volumes, patient, found, pair.prepare, spacing_mm)


class _Shown(NamedTuple):
    """What the two networks say about the examined slices."""

    residuals: Mapping[str, ndarray]
    latent: ndarray  # of FLAIR


def _mixture(pair: Pair, reading: str) -> MixtureSettings:
    chosen = reading or pair.mixture.reading
    if chosen not in pair.mixture.readings:
        raise ValueError(
            f"Unknown reading {chosen!r} of equation 1; there are "
            f"{', '.join(pair.mixture.readings)}."
        )
    return dataclasses.replace(pair.mixture, reading=chosen)


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


def _notes(pair: Pair, *, emptied: int) -> list[str]:
    notes = []
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
