"""`paperlib segment`: one patient's files in, one folder of results out, by any method.

Nothing is written before everything is computed, and no file is replaced that was not asked for.
"""

import importlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy import ndarray

from paperlib import artifacts
from paperlib.data import brats, layouts, rules
from paperlib.data.layouts import LABELS, LAYOUTS, Case
from paperlib.evaluation.figures import contact_sheet
from paperlib.labels import FLAIR, REGION_NAMES, REGIONS, SEQUENCES, T1CE
from paperlib.pipeline.new_patients import (
    beyond_method,
    beyond_model_folder,
    beyond_patient,
    model_folder,
    patient_result,
)
from paperlib.pipeline.new_patients.model_folder import DEFAULT_GATE, METHOD
from paperlib.pipeline.new_patients.patient_result import Segmented
from paperlib.publish import provenance

SEGMENTATION, EXAMINED = "segmentation.nii.gz", "examined.nii.gz"
SLICES, SHEET, SUMMARY, METRICS = "slices.csv", "contact_sheet.png", "summary.json", "metrics.csv"
_IN_HEADER = "research use only; 0 is 'no tumour' only inside examined.nii.gz"
_DEFAULT_LAYOUT = "brats2021"
_SHOWN_REGIONS = ("WT", "TC", "ET")
_SHOWN_CONVENTIONS = (("volume", 1.0), ("every_slice", 0.0))
_SCORES = (beyond_patient.TUMOUR, beyond_patient.ENHANCING)
MAPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {METHOD: tuple(patient_result.RESIDUALS.values())}
    | dict.fromkeys(beyond_method.METHODS, _SCORES)
)  # names of the maps that each method writes


class PatientFiles(NamedTuple):
    """The files of one patient.

    Attributes:
        flair: NIfTI file; MSD has both sequences in one.
        t1ce: NIfTI file.
        truth: Segmentation to compare with; None if there is none.
    """

    flair: Path
    t1ce: Path
    truth: Path | None = None


def segment_files(
    files: PatientFiles,
    model: Path,
    out: Path,
    *,
    method: str = METHOD,
    gate: str | None = DEFAULT_GATE,
    reading: str = "",
    overwrite: bool = False,
) -> list[str]:
    """Segment one patient and write everything that was found to a folder.

    Args:
        files: Of the patient.
        model: Folder of a trained pair, or of a model beyond the paper.
        out: Folder of the results, made if it is not there.
        method: A key of `MAPS`.
        gate: Of the paper's method, see `one_patient.segment`.
        reading: The same.
        overwrite: Whether results of the same names may be replaced.

    Returns:
        What to print.

    Raises:
        rules.UnusableError: If a file breaks a rule; names all that is wrong.
        FileExistsError: If results are there and `overwrite` is off.
        ValueError: If a result would replace one of the patient's files.
        FileNotFoundError: If the model's folder is not complete.
    """
    names = [SEGMENTATION, EXAMINED, *map(_file_of, MAPS[method]), SLICES, SHEET, SUMMARY]
    names += [METRICS] if files.truth else []
    others = {_file_of(name) for maps in MAPS.values() for name in maps} - set(names)
    _refuse_to_replace(files, [out / name for name in (*names, *others)], overwrite=overwrite)
    segment = _method(method, model, gate, reading)
    case = _case(files)
    examination = brats.examine_case(case)
    volumes = brats.accept(case, examination)
    found = segment(
        volumes.images[FLAIR], volumes.images[T1CE], model, spacing_mm=volumes.spacing_mm
    )
    notes = [*found.notes, *examination.notes, *_same_voxels(volumes)]
    metrics = None
    if volumes.labels is not None:
        # Imported here: it takes a second.
        scoring = importlib.import_module("paperlib.pipeline.new_patients.scoring")
        metrics = scoring.score_segmentation(found, volumes.labels)
        notes.append(_missed(found, volumes.labels, volumes.spacing_mm))
    summary = {**found.used, **_summary(found, files, notes)}
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".unfinished-") as unfinished:
        _write(Path(unfinished), found, files.flair, summary, metrics)
        for name in names:
            os.replace(Path(unfinished, name), out / name)
    for name in others:
        (out / name).unlink(missing_ok=True)  # of an earlier method, and no part of this result
    return [*_describe(found, notes, metrics), f"Results: {out}"]


def _method(method: str, model: Path, gate: str | None, reading: str) -> Callable[..., Segmented]:
    """Return what segments by a method, once its model's folder is known to be complete."""
    if method != METHOD:
        beyond_model_folder.read_model(model)
        return partial(beyond_patient.segment, method=method)
    model_folder.read_pair(model)
    one_patient = importlib.import_module("paperlib.pipeline.new_patients.one_patient")  # torch
    return partial(one_patient.segment, gate=gate, reading=reading)


def _file_of(name: str) -> str:
    return f"{name}.nii.gz"


def _refuse_to_replace(files: PatientFiles, results: Sequence[Path], *, overwrite: bool) -> None:
    own = {file.resolve() for file in files if file}
    lost = [result for result in results if result.resolve() in own]
    if lost:
        raise ValueError(
            f"{lost[0]} is one of the patient's own files and would be replaced by a result; "
            "choose another folder with --out."
        )
    there = [result.name for result in results if result.exists()]
    if there and not overwrite:
        raise FileExistsError(
            f"{results[0].parent} holds {', '.join(there)} already; choose another folder with "
            "--out, or replace them with --overwrite."
        )


def _case(files: PatientFiles) -> Case:
    """Return the files as a case; its layout, from a file's name, says what label codes mean."""
    known = {name: file for name, file in zip((*SEQUENCES, LABELS), files, strict=True) if file}
    named = {name: _recognised(file) for name, file in known.items()}
    problems = []
    for wanted, recognised in named.items():
        if recognised and wanted not in recognised[1]:
            given = " and ".join(recognised[1]).upper() or "another sequence"
            problems.append(
                rules.Problem(
                    str(known[wanted]),
                    f"a name that BraTS gives to {given}",
                    f"the file of {wanted.upper()}",
                    "look whether two files were exchanged, or rename it",
                )
            )
    if problems:
        raise rules.UnusableError(tuple(problems))
    found = named.get(LABELS) or named[FLAIR]
    name = layouts.NIFTI_ENDING.sub("", files.flair.name)
    return Case(name, found[0] if found else _DEFAULT_LAYOUT, "unknown", known)


def _recognised(file: Path) -> tuple[str, tuple[str, ...]] | None:
    """Return the layout that a file's name belongs to, and what the file gives."""
    path = layouts.NIFTI_ENDING.sub("", "/".join(file.absolute().parts[-3:]))
    for name, layout in LAYOUTS.items():
        found = None if layout.mapped else layout.match(path)
        if found:
            return name, layout.words[found["word"]]
    return None


def _same_voxels(volumes: brats.Volumes) -> list[str]:
    if np.array_equal(volumes.images[FLAIR], volumes.images[T1CE]):
        return ["flair and t1ce have the same voxels; one may be a wrong copy"]
    return []


def _missed(found: Segmented, labels: ndarray, spacing_mm: tuple[float, float, float]) -> str:
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    total_ml = np.count_nonzero(labels) * voxel_ml
    missed_ml = np.count_nonzero(labels[~found.examined]) * voxel_ml
    return (
        f"of {total_ml:.1f} ml tumour in the truth, {missed_ml:.1f} ml lie where nothing was "
        "examined; volume Dice counts them as missed"
    )


def _summary(found: Segmented, files: PatientFiles, notes: Sequence[str]) -> dict[str, Any]:
    """Return what a reader of the results needs, as plain values; file names without folders."""
    seen = found.slices[found.slices["examined"]]
    return {
        "use": "research use only",
        "files": {key: file.name for key, file in files._asdict().items() if file},
        "volumes_ml_in_examined_slices": dict(found.volumes_ml),
        "examined": {
            "slices": len(seen),
            "of": len(found.slices),
            "z_low": int(seen["z"].min()),
            "z_high": int(seen["z"].max()),
        },
        "label_codes": {"1": REGION_NAMES["NCR"], "2": REGION_NAMES["ED"], "4": REGION_NAMES["ET"]},
        "notes": list(notes),
        "commit": provenance.commit(),
        "versions": provenance.versions(),
    }


def _write(
    folder: Path,
    found: Segmented,
    like: Path,
    summary: dict[str, Any],
    metrics: pd.DataFrame | None,
) -> None:
    brats.write_segmentation(
        found.segmentation, like, folder / SEGMENTATION, description=_IN_HEADER
    )
    examined = found.examined.astype(np.uint8)
    brats.write_volume(examined, like, folder / EXAMINED, description=_IN_HEADER)
    for name, volume in found.maps.items():
        brats.write_volume(volume, like, folder / _file_of(name), description=_IN_HEADER)
    artifacts.save_table(folder, Path(SLICES).stem, found.slices)
    artifacts.write_json(folder / SUMMARY, summary)
    if metrics is not None:
        artifacts.save_table(folder, Path(METRICS).stem, metrics)
    _draw(found, summary).savefig(
        folder / SHEET, metadata={"Software": None}, pil_kwargs={"compress_level": 1}
    )


def _draw(found: Segmented, summary: dict[str, Any]):
    prepared, papers = found.prepared, summary["method"] == METHOD
    shown = dict(zip(SEQUENCES, prepared.maps.values(), strict=True))
    sheet = contact_sheet.Sheet(
        prepared.patient.images,
        shown if papers else {sequence: -score for sequence, score in shown.items()},
        prepared.segmentation,
        found.slices["examined"].to_numpy(),
        found.slices["flagged"].fillna(True).to_numpy(bool),
        contact_sheet.RESIDUALS if papers else contact_sheet.SCORES,
    )
    by = summary["model"] if papers else f"{summary['model']}, {summary['method']}"
    title = f"{summary['files'][FLAIR]}: {by}, research use only"
    return contact_sheet.contact_sheet(
        sheet, title=title, lines=[*_volume_lines(found), "", *found.notes[1:]]
    )


def _volume_lines(found: Segmented) -> list[str]:
    return [
        f"{REGION_NAMES[region]}: {found.volumes_ml[region]:.1f} ml in the examined slices"
        for region in REGIONS
    ]


def _describe(found: Segmented, notes: Sequence[str], metrics: pd.DataFrame | None) -> list[str]:
    lines = _volume_lines(found)
    if metrics is not None:
        shown = metrics[metrics["region"].isin(_SHOWN_REGIONS)]
        lines += [
            f"Dice of the {row.region}, {row.grid} grid, {row.convention}: {row.value:.3f}"
            for row in shown.itertuples()
            if (row.aggregation, row.empty) in _SHOWN_CONVENTIONS
        ]
    return [*lines, *(f"note: {note}" for note in notes)]
