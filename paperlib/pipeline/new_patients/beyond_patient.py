"""One new patient through a method beyond the paper: score, outline, labels.

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
from paperlib.pipeline.new_patients.beyond_method import METHODS, SYNTHETIC, component_of
from paperlib.pipeline.new_patients.beyond_model_folder import Model
from paperlib.pipeline.new_patients.patient_result import Found, Segmented, Spacing
from paperlib.postprocessing import outline

NETWORKS = "paperlib.pipeline.new_patients.lesion_logits"  # imports torch
TUMOUR, ENHANCING = "score_tumour", "score_enhancing"
DOUBTFUL = 0.85  # agreement of the networks; decided, see the page on doubt
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
    logits = []
    if method == SYNTHETIC:
        logits = importlib.import_module(NETWORKS).logits(known.weights, images)
    found = beyond_method.segment(smooth, logits, brain, settings, known.limits)
    tumour, rule = found.score.mean - found.score.threshold, component_of(method, settings)
    agreement = beyond_method.agreement_of_networks(found.score, brain)
    area = (found.codes > 0).sum(axis=(1, 2))
    flagged = pd.array(area > 0, dtype="boolean")
    pixel_ml = (known.prepare.window / known.prepare.size) ** 2 * np.prod(spacing_mm) / 1000
    dropped = outline.clean(tumour, brain) & ~found.start & (found.codes == 0)
    return Found(
        {TUMOUR: tumour, ENHANCING: smooth[T1CE] - settings.t1ce_floor},
        found.codes,
        pd.DataFrame({"tumour_px": area, "flagged": flagged}, np.flatnonzero(patient.usable)),
        [*_doubts(agreement), *_notes(known, unusual, dropped, float(pixel_ml), rule)],
        {
            "model": known.name,
            "method": method,
            "component": rule,
            "outline": found.reading,
            "thresholds_z": {"tumour": known.limits[method], "enhancing": settings.t1ce_floor},
            "agreement_of_networks": None if np.isnan(agreement) else round(agreement, 3),
            "unlike_training": [one._asdict() for one in unusual],
        },
    )


def _doubts(agreement: float) -> list[str]:
    """Return what the networks' agreement means; nothing without networks."""
    if np.isnan(agreement):
        return []
    said = f"the networks' own outlines agree with a Dice of {agreement:.2f}"
    if agreement >= DOUBTFUL:
        return [said]
    return [f"{said}: below {DOUBTFUL:g} most outlines of known patients were poor, look closely"]


def _notes(
    known: Model, unusual: list[Unusual], dropped: ndarray, pixel_ml: float, rule: str
) -> list[str]:
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
            f"{ndimage.label(dropped)[1]} other pieces hold no label: only what the rule "
            f"{rule!r} names was kept, so a thin tumour beside a wide one is "
            "lost"
        )
    if known.simulated:
        notes.append(
            "the model learned from simulated patients: on a real patient the result means nothing"
        )
    return notes
