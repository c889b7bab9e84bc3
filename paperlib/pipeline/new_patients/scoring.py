"""`paperlib evaluate`: label maps of any method against the truth, with our metrics (section 5).

Label maps are compared on the patient's own grid (volume Dice, as BraTS) and, where the truth's
folder holds the patient's FLAIR, on the slices of this companion's tables.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import UInt8
from numpy import ndarray

from paperlib import artifacts
from paperlib.config import PrepareSettings
from paperlib.data import label_maps, native_grid, rules
from paperlib.evaluation.measures import metrics
from paperlib.evaluation.measures.metrics import RegionCounts
from paperlib.evaluation.patients import patient_scores
from paperlib.evaluation.tables import Draws
from paperlib.labels import BACKGROUND, CORE
from paperlib.pipeline.new_patients.patient_result import Segmented, window_of

FEW = 6  # with fewer patients an interval is little more than their range
DEFAULT_CODES = "brats2018"  # 1 core, 2 edema, 4 enhancing; the same until 2021
PATIENTS, SUMMARY = "patients", "summary"  # tables that `save` writes


class Evaluated(NamedTuple):
    """The scores of a method.

    Attributes:
        patients: From `patient_scores.by_patient`.
        summary: From `patient_scores.summarise`.
        notes: What a reader of the numbers has to know.
    """

    patients: pd.DataFrame
    summary: pd.DataFrame
    notes: tuple[str, ...]


def evaluate(
    predictions: Path, truths: Path, *, codes: str = DEFAULT_CODES, draws: Draws | None = None
) -> Evaluated:
    """Score the label maps of a method against the truth.

    Args:
        predictions: Folder of NIfTI files named by patient, see `label_maps.NAMES`.
        truths: Folder of patients in any layout that `check` knows, or of files named by patient.
        codes: A key of `label_maps.CODES`: what the codes of the predictions mean.
        draws: Of the bootstrap over patients; None draws as the tables do.

    Raises:
        rules.UnusableError: If files are missing, or break a rule, or lie on another grid than
            the truth; names everything that is wrong.
        FileNotFoundError: If a folder is missing, or there is no truth in it.
        ValueError: If the codes are unknown.
    """
    pairs, strange = label_maps.find_pairs(predictions, truths, codes=codes)
    own, prepared, voxel_ml = {}, {}, {}
    met: set[int] = set()
    problems: list[rules.Problem] = []
    for pair in pairs:
        try:
            truth, found = label_maps.read_pair(pair)
            brain = label_maps.read_brain(pair)
        except rules.UnusableError as error:
            problems += error.problems
            continue
        met |= set(np.unique(found.voxels).tolist())
        own[pair.patient] = patient_scores.count_volume(found.voxels, truth.voxels)
        voxel_ml[pair.patient] = float(np.prod(truth.spacing_mm)) / 1000
        if brain is not None:
            prepared[pair.patient] = _count_slices(found.voxels, truth.voxels, brain)
    if problems:
        raise rules.UnusableError(tuple(problems))
    counted = patient_scores.collect(own, prepared)
    return Evaluated(
        patient_scores.by_patient(counted, voxel_ml=voxel_ml),
        patient_scores.summarise(counted, draws=draws or Draws()),
        tuple(_notes(len(own), len(prepared), strange, met)),
    )


def score_segmentation(found: Segmented, labels: UInt8[ndarray, "x y z"]) -> pd.DataFrame:
    """Return the Dice of one segmented patient under every convention, as `evaluate` would.

    Args:
        found: From `one_patient.segment` or `beyond_patient.segment`.
        labels: Reference codes of BraTS 2018 on the patient's own grid, LPS order.

    Returns:
        One row per grid, convention and region, from `patient_scores.summarise`.
    """
    window, size = window_of(found.prepared.settings), found.prepared.settings.size
    truth = native_grid.prepare_labels(labels, window, size)
    seen = found.prepared.patient.usable
    counted = patient_scores.collect(
        {"": patient_scores.count_volume(found.segmentation, labels)},
        {"": metrics.region_counts(found.prepared.segmentation[seen], truth[seen])},
    )
    table = patient_scores.summarise(counted, draws=Draws(number=1))
    return table.drop(columns=["low", "high", "patients"])


def save(evaluated: Evaluated, out: Path, *, overwrite: bool) -> None:
    """Write both tables as CSV.

    Raises:
        FileExistsError: If a table is there and `overwrite` is off.
    """
    tables = {PATIENTS: evaluated.patients.reset_index(), SUMMARY: evaluated.summary}
    there = [f"{name}.csv" for name in tables if (out / f"{name}.csv").exists()]
    if there and not overwrite:
        raise FileExistsError(
            f"{out} holds {', '.join(there)} already; choose another folder with --out, or "
            "replace them with --overwrite."
        )
    out.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        artifacts.save_table(out, name, table)


def describe(evaluated: Evaluated) -> list[str]:
    """Return the main numbers as lines for a terminal."""
    lines = [f"{len(evaluated.patients)} patients, Dice with 95 % intervals over patients"]
    lines += ["  region     Dice  95 % interval    patients"]
    table = evaluated.summary
    for (grid, convention), part in table.groupby(["grid", "convention"], sort=False):
        lines.append(f"{grid} grid, {convention}")
        lines += [
            f"  {row.region:8}  {row.value:.3f}  [{row.low:.3f}, {row.high:.3f}]  n {row.patients}"
            for row in part.itertuples()
        ]
    return [*lines, *(f"note: {note}" for note in evaluated.notes)]


def as_json(evaluated: Evaluated) -> dict[str, object]:
    """Return the scores as plain types; NaN, which JSON lacks, becomes None."""
    patients, summary = (
        table.astype(object).where(table.notna(), None).to_dict("records")
        for table in (evaluated.patients.reset_index(), evaluated.summary)
    )
    return {PATIENTS: patients, SUMMARY: summary, "notes": list(evaluated.notes)}


def _count_slices(segmentation: ndarray, labels: ndarray, brain: ndarray) -> RegionCounts:
    settings = PrepareSettings()
    window = window_of(settings)
    inside, found, truth = (
        native_grid.prepare_labels(volume, window, settings.size)
        for volume in (brain, segmentation, labels)
    )
    seen = native_grid.usable_slices(inside, window, brain_share=settings.brain_share)
    return metrics.region_counts(found[seen], truth[seen])


def _notes(patients: int, with_brain: int, strange: Sequence[str], met: set[int]) -> list[str]:
    settings = PrepareSettings()
    notes = [
        "own grid: whole volumes of the patient's files, as BraTS scores them",
        f"prepared grid: slices {settings.z_low} to {settings.z_high - 1} with at least "
        f"{100 * settings.brain_share:g} % brain, cropped and resized to {settings.size} pixels, "
        "as in the tables of this companion; Table 2 is 'every slice, empty = 0', WT its outline",
    ]
    if patients < FEW:
        notes.append(
            f"{patients} patients: an interval over so few is little more than their range"
        )
    if met == {BACKGROUND, CORE}:
        notes.append(
            "the predictions hold label 1 alone, which is necrotic core: if they are masks of the "
            "whole tumour, only WT says something of them; write label 2 for edema"
        )
    if with_brain < patients:
        notes.append(
            f"{patients - with_brain} of {patients} truths have no FLAIR beside them, so their "
            "brain is not known and they are in no number of the prepared grid"
        )
    images = [
        name for name in strange if name.lower().endswith(("_flair", "_t1ce", "-t2f", "-t1c"))
    ]
    if images and not with_brain:
        notes.append(
            "the predictions hold images and the truths none: are the two folders swapped?"
        )
    if strange:
        notes.append(
            f"names of predictions that are no patient of the truths, left out: {len(strange)}, "
            f"such as {strange[0]}"
        )
    return notes
