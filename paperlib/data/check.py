"""The verdict on a folder of patients: which can be used, and how to cure the rest (section 3).

Surprising convention: of two patients with the same voxels the first one is usable; of two with
the same name none is, because nobody can tell which is meant.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
from jaxtyping import Shaped
from numpy import ndarray

from paperlib.data import brats, layouts, rules
from paperlib.data.layouts import LABELS, LAYOUTS, Case
from paperlib.data.rules import Problem
from paperlib.labels import BACKGROUND, FLAIR, SEQUENCES

SLICES = (60, 130)  # the slices that the methods see, counted from the feet (decided)


class PatientReport(NamedTuple):
    """What was found of one patient.

    Attributes:
        id: The patient's name.
        layout: A key of `layouts.LAYOUTS`.
        grade: "HGG", "LGG" or "unknown".
        shape: Voxels in LPS order; None where no file could be opened.
        ranges: Lowest and highest intensity per sequence.
        labels: Codes present, those of BraTS 2018, without background; None without segmentation.
        tumour_free_slices: Slices of `SLICES` without any label; None without segmentation.
        notes: What is odd but does no harm.
        problems: Reasons to refuse the patient; usable where there are none.
    """

    id: str
    layout: str
    grade: str
    shape: tuple[int, ...] | None
    ranges: Mapping[str, tuple[float, float]]
    labels: tuple[int, ...] | None
    tumour_free_slices: int | None
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]


class FolderReport(NamedTuple):
    """What was found in a folder.

    Attributes:
        folder: As it was asked for.
        patients: One report each, in the order of `layouts.find_cases`.
        notes: What is odd about the folder but does no harm.
    """

    folder: Path
    patients: tuple[PatientReport, ...]
    notes: tuple[str, ...]

    @property
    def usable(self) -> int:
        """Number of patients without a problem."""
        return len(self.patients) - self.refused

    @property
    def refused(self) -> int:
        """Number of patients with a problem."""
        return sum(bool(patient.problems) for patient in self.patients)

    @property
    def passed(self) -> bool:
        """Whether there are patients and none is refused."""
        return bool(self.patients) and self.refused == 0


class _Examined(NamedTuple):
    case: Case
    report: PatientReport
    digests: Mapping[str, str]  # of every sequence that can be compared


def check_folder(folder: Path, *, jobs: int = 1) -> FolderReport:
    """Examine every patient below a folder and report all that is wrong with any of them.

    Args:
        folder: Folder of patients in any mixture of layouts.
        jobs: Number of processes.

    Raises:
        FileNotFoundError: If there is nothing at `folder`.
        NotADirectoryError: If `folder` is a file.
    """
    cases = layouts.find_cases(folder)
    examined = joblib.Parallel(n_jobs=jobs)(joblib.delayed(_examine)(case) for case in cases)
    problems = _same_voxels(examined)
    for number, found in _same_names(cases).items():
        problems[number] = [found, *problems.get(number, [])]
    reports = (
        patient.report._replace(
            problems=tuple(
                problem._replace(file=_below(folder, problem.file))
                for problem in (*problems.get(number, []), *patient.report.problems)
            )
        )
        for number, patient in enumerate(examined)
    )
    return FolderReport(folder, tuple(reports), tuple(_folder_notes(folder)))


def as_json(report: FolderReport) -> dict[str, object]:
    """Return a report of plain types; NaN and Inf, which JSON lacks, become None."""
    return {
        "patients": [
            {
                **patient._asdict(),
                "ranges": {
                    name: [value if np.isfinite(value) else None for value in ends]
                    for name, ends in patient.ranges.items()
                },
                "problems": [problem._asdict() for problem in patient.problems],
            }
            for patient in report.patients
        ],
        "usable": report.usable,
        "refused": report.refused,
    }


def describe(report: FolderReport) -> list[str]:
    """Return the report as lines for a terminal: a line a patient, the problems, the verdict."""
    rows = [_row(patient) for patient in report.patients]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    for patient in report.patients:
        lines += [f"note     {patient.id}: {note}" for note in patient.notes]
    lines += [f"note     {note}" for note in report.notes]
    for patient in report.patients:
        lines += [f"refused  {patient.id}: {problem}" for problem in patient.problems]
    return [*lines, _verdict(report)]


def _examine(case: Case) -> _Examined:
    volumes, problems, notes = brats.examine_case(case)
    images = {name: volumes[name].voxels for name in SEQUENCES if name in volumes}
    labels = volumes[LABELS].voxels if LABELS in volumes else None
    first = next(iter(volumes.values()), None)
    bad = {problem.file for problem in problems}
    digests = {
        name: _digest(voxels) for name, voxels in images.items() if str(case.files[name]) not in bad
    }
    report = PatientReport(
        id=case.id,
        layout=case.layout,
        grade=case.grade,
        shape=None if first is None else first.voxels.shape,
        ranges={name: rules.value_range(voxels) for name, voxels in images.items()},
        labels=None if labels is None else _labels_present(labels, case.layout),
        tumour_free_slices=None if labels is None else _tumour_free_slices(labels),
        notes=(*notes, *_patient_notes(case, labels, digests)),
        problems=tuple(problems),
    )
    return _Examined(case, report, digests)


def _digest(voxels: Shaped[ndarray, "x y z"]) -> str:
    """Return a fingerprint of the values alone: neither file type nor orientation changes it."""
    values = np.ascontiguousarray(voxels.T, dtype=np.float32)
    return hashlib.sha256(values.data).hexdigest()


def _labels_present(voxels: Shaped[ndarray, "x y z"], layout: str) -> tuple[int, ...]:
    codes = LAYOUTS[layout].codes
    found = (codes[int(code)] for code in rules.label_codes(voxels) if code in codes)
    return tuple(sorted(set(found) - {BACKGROUND}))


def _tumour_free_slices(voxels: Shaped[ndarray, "x y z"]) -> int:
    low, high = SLICES
    return int((voxels[:, :, low:high] == 0).all(axis=(0, 1)).sum())


def _patient_notes(
    case: Case, labels: Shaped[ndarray, "x y z"] | None, digests: Mapping[str, str]
) -> list[str]:
    notes = []
    if LABELS not in case.files:
        notes.append("no segmentation: can be segmented, not trained on or scored")
    elif labels is not None and not labels.any():
        notes.append("all labels are 0: a tumour-free case")
    if len(digests) > len(set(digests.values())):
        notes.append(f"{' and '.join(digests)} have the same voxels; one may be a wrong copy")
    return notes


def _folder_notes(folder: Path) -> list[str]:
    strange = layouts.strange_files(folder)
    if not strange:
        return []
    return [
        f"{len(strange)} NIfTI files fit no layout and were left out, such as "
        f"{_below(folder, str(strange[0]))}"
    ]


def _same_names(cases: Sequence[Case]) -> dict[int, Problem]:
    """Refuse every patient whose name another one has too; keyed by place in `cases`."""
    counts = Counter(case.id for case in cases)
    return {
        number: Problem(
            str(next(iter(case.files.values()), case.id)),
            f"{counts[case.id]} patients of the name {case.id}",
            "every patient once",
            "remove or rename the others",
        )
        for number, case in enumerate(cases)
        if counts[case.id] > 1
    }


def _same_voxels(examined: Sequence[_Examined]) -> dict[int, list[Problem]]:
    """Refuse a patient one of whose images an earlier one has too."""
    problems: dict[int, list[Problem]] = {}
    first: dict[tuple[str, str], Case] = {}
    for number, patient in enumerate(examined):
        for name, digest in patient.digests.items():
            earlier = first.setdefault((name, digest), patient.case)
            if earlier is not patient.case:
                problems.setdefault(number, []).append(
                    Problem(
                        str(patient.case.files[name]),
                        f"the voxels of {earlier.files[name].name} (patient {earlier.id})",
                        "every patient once",
                        f"remove {patient.case.id} or {earlier.id}: they are one patient, "
                        f"or one of the files is a wrong copy",
                    )
                )
    return problems


def _below(folder: Path, file: str) -> str:
    path = Path(file)
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else file


def _row(patient: PatientReport) -> list[str]:
    ranges = (
        f"{name} {low:.6g}..{high:.6g}" for name, (low, high) in sorted(patient.ranges.items())
    )
    labels = "no labels" if patient.labels is None else "labels " + _spaced(patient.labels)
    free = patient.tumour_free_slices
    return [
        patient.id,
        patient.layout,
        patient.grade,
        "no shape" if patient.shape is None else "x".join(map(str, patient.shape)),
        "  ".join(ranges) or "no intensities",
        labels,
        "-" if free is None else f"{free} of {SLICES[1] - SLICES[0]} slices tumour-free",
        "REFUSED" if patient.problems else "usable",
    ]


def _spaced(codes: Sequence[int]) -> str:
    return " ".join(map(str, codes)) or "none"


def _verdict(report: FolderReport) -> str:
    if not report.patients:
        names = sorted({layout.file_name("<id>", FLAIR) for layout in LAYOUTS.values()})
        return (
            f"No patient found in {report.folder}; expected files with the names of BraTS, "
            f"{' or '.join(names)} (or .nii) and so on. Name the folder that holds them."
        )
    unlabelled = sum(p.labels is None and not p.problems for p in report.patients)
    without = f", {unlabelled} of them without labels" if unlabelled else ""
    count = f"{len(report.patients)} patient{'s' if len(report.patients) > 1 else ''}"
    return f"{count}: {report.usable} usable{without}, {report.refused} refused."
