"""One new patient through a method beyond the paper: score, one component, labels.

"clean-up" needs no network and does not wait for torch. For research only.
"""

import importlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Real
from numpy import ndarray
from scipy import ndimage

from paperlib.data import preprocess
from paperlib.data.native_grid import PreparedPatient
from paperlib.evaluation.patients import likeness
from paperlib.evaluation.patients.likeness import Unusual
from paperlib.labels import FLAIR, SEQUENCES, T1CE
from paperlib.pipeline.new_patients import beyond_method, beyond_model_folder, patient_result
from paperlib.pipeline.new_patients.beyond_method import METHODS, SYNTHETIC
from paperlib.pipeline.new_patients.beyond_model_folder import Model
from paperlib.pipeline.new_patients.patient_result import Found, Segmented, Spacing
from paperlib.postprocessing import outline, regions, thresholds

NETWORKS = "paperlib.pipeline.new_patients.lesion_logits"  # imports torch
TUMOUR, ENHANCING = "score_tumour", "score_enhancing"
SHOWN = 4  # ways of being unusual that a note names


def segment(
    flair: Real[ndarray, "x y z"],
    t1ce: Real[ndarray, "x y z"],
    model: Path | str,
    *,
    method: str,
    spacing_mm: Spacing = (1.0, 1.0, 1.0),
) -> Segmented:
    """Segment the tumour of one patient with a method beyond the paper. For research only.

    Args:
        flair: Raw intensities of the skull-stripped brain as BraTS delivers them, see
            `one_patient.segment`.
        t1ce: The same of the T1 image with contrast agent, on the same grid.
        model: Folder of a model, such as runs/phantom-phantom/models/beyond-f0.
        method: "clean-up": smoothed FLAIR above its healthy threshold, cleaned up in 3-D;
            "synthetic": the same with the networks that learned from synthetic lesions.
        spacing_mm: Voxel size, for the volumes in ml.

    Raises:
        paperlib.data.rules.UnusableError: If an image breaks a rule; it is a ValueError that
            names all that is wrong and the cure.
        ValueError: If the method is unknown, or there is nothing to examine.
        FileNotFoundError: If the model's folder is not complete; says how to make it.
    """
    if method not in METHODS:
        raise ValueError(f"Unknown method {method!r}; there are {', '.join(METHODS)}.")
    volumes = {FLAIR: flair, T1CE: t1ce}
    patient_result.refuse_unusable(volumes, spacing_mm)
    known = beyond_model_folder.read_model(Path(model))
    patient = patient_result.prepare(known.prepare, volumes)
    window = patient_result.window_of(known.prepare)
    measured = likeness.measure(
        _examined(patient),
        patient.brain[patient.usable],
        lost_brain_share=preprocess.lost_brain_share(flair.astype(np.float32), window),
    )
    unusual = likeness.compare(measured, known.training)
    found = _find(known, method, patient, unusual, spacing_mm)
    return patient_result.on_own_grid(volumes, patient, found, known.prepare, spacing_mm)


def _examined(patient: PreparedPatient) -> Mapping[str, ndarray]:
    return {sequence: patient.images[sequence][patient.usable] for sequence in SEQUENCES}


def _find(
    known: Model,
    method: str,
    patient: PreparedPatient,
    unusual: list[Unusual],
    spacing_mm: Spacing,
) -> Found:
    images, brain, settings = _examined(patient), patient.brain[patient.usable], known.settings
    smooth = beyond_method.smooth_maps(images, brain, settings)
    logit = None
    if method == SYNTHETIC:
        networks = importlib.import_module(NETWORKS)
        logit = beyond_method.mean_logit(networks.logits(known.weights, images))
    score = beyond_method.tumour_score(smooth[FLAIR], logit, brain, settings, known.limits)
    cleaned = outline.clean(score, brain)
    kept = outline.keep(cleaned, brain, rule=settings.component)
    limit = known.limits[T1CE]
    enhancing = thresholds.above(smooth[T1CE], brain, threshold=limit)
    area = kept.sum(axis=(1, 2))
    flagged = pd.array(area > 0, dtype="boolean")
    pixel_ml = (known.prepare.window / known.prepare.size) ** 2 * np.prod(spacing_mm) / 1000
    return Found(
        {TUMOUR: score, ENHANCING: smooth[T1CE] - limit},
        regions.label_tissues(kept, enhancing, hull=settings.hull),
        pd.DataFrame({"tumour_px": area, "flagged": flagged}, np.flatnonzero(patient.usable)),
        _notes(known, unusual, cleaned & ~kept, float(pixel_ml)),
        {
            "model": known.name,
            "method": method,
            "component": settings.component,
            "thresholds_z": {"tumour": known.limits[method], "enhancing": limit},
            "unlike_training": [one._asdict() for one in unusual],
        },
    )


def _notes(known: Model, unusual: list[Unusual], dropped: ndarray, pixel_ml: float) -> list[str]:
    notes = []
    if unusual:
        more = len(unusual) - SHOWN
        said = [one.describe() for one in unusual[:SHOWN]]
        said += [f"{more} more in summary.json"] if more > 0 else []
        notes.append(
            "this patient is unlike those that the model learned from, so its result deserves "
            f"less trust: {'; '.join(said)}"
        )
    if dropped.any():
        notes.append(
            f"{dropped.sum() * pixel_ml:.1f} ml of suspicious tissue in "
            f"{ndimage.label(dropped)[1]} other pieces hold no label: only the piece that the "
            f"rule {known.settings.component!r} names was kept, so of several tumours one is shown"
        )
    if known.simulated:
        notes.append(
            "the model learned from simulated patients: on a real patient the result means nothing"
        )
    return notes
