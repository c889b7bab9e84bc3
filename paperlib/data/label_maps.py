"""Label maps of any method beside the truth: which file is whose, and whether they fit.

Surprising convention: a patient without a prediction is refused, not left out: a mean over the
patients on whom a method happened to work is no mean.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from paperlib.data import brats, layouts, rules
from paperlib.data.layouts import LABELS, LAYOUTS, Case
from paperlib.data.rules import Problem, Volume
from paperlib.labels import FLAIR

# What the codes of predictions may mean, with a layout that has them.
CODES: Mapping[str, str] = {"brats2018": "brats2021", "brats2023": "brats2023", "msd": "msd"}
OWN_RESULT = "segmentation"  # the name that `paperlib segment` gives, in a folder a patient
NAMES = "<patient>.nii.gz, <patient>_seg.nii.gz or <patient>/segmentation.nii.gz"
_SAME_MM = 1e-3


class LabelPair(NamedTuple):
    """The files of one patient.

    Attributes:
        patient: The name in both folders.
        prediction: Label map of the method.
        truth: Reference segmentation.
        truth_layout: Key of `layouts.LAYOUTS` for the codes of the truth.
        prediction_layout: The same for the prediction.
        flair: Image of the patient; None if there is none beside the truth.
    """

    patient: str
    prediction: Path
    truth: Path
    truth_layout: str
    prediction_layout: str
    flair: Path | None


def find_pairs(predictions: Path, truths: Path, *, codes: str) -> tuple[list[LabelPair], list[str]]:
    """Match the files of two folders by patient.

    Args:
        predictions: Folder of NIfTI files with `NAMES`, at any depth.
        truths: Folder of patients in any layout of `layouts.LAYOUTS`, or of files with `NAMES`.
        codes: A key of `CODES`: what the codes of the predictions mean (and those of truths
            whose names fit no layout).

    Returns:
        One pair for each truth, and the names of predictions that are no patient's.

    Raises:
        rules.UnusableError: If a patient has no prediction or two files of a kind; names all.
        FileNotFoundError: If a folder is missing, or there is no truth in it.
        ValueError: If the codes are unknown.
    """
    if codes not in CODES:
        raise ValueError(f"Unknown codes {codes!r}; there are {', '.join(CODES)}.")
    wanted = _find_truths(truths, CODES[codes])
    given = _by_name(predictions)
    problems: list[Problem] = []
    for name, cases in wanted.items():
        problems += _repeated(name, [case.files[LABELS] for case in cases], "truths")
        problems += _repeated(name, given.get(name, []), "predictions")
        problems += [] if name in given else [_lacking(name, predictions)]
    if problems:
        raise rules.UnusableError(tuple(problems))
    pairs = [
        LabelPair(name, given[name][0], case.files[LABELS], case.layout, CODES[codes],
                  case.files.get(FLAIR))
        for name, (case,) in wanted.items()
    ]  # fmt: skip
    return pairs, sorted(set(given) - set(wanted))


def read_pair(pair: LabelPair) -> tuple[Volume, Volume]:
    """Return truth and prediction of one patient in the codes of BraTS 2018, on one grid.

    Raises:
        rules.UnusableError: If a file breaks a rule, or the two lie on different grids.
    """
    volumes: dict[str, Volume] = {}
    problems: list[Problem] = []
    for name, file, layout in (
        ("truth", pair.truth, pair.truth_layout),
        ("prediction", pair.prediction, pair.prediction_layout),
    ):
        try:
            volumes[name] = brats.read_segmentation(file, layout=layout)
        except rules.UnusableError as error:
            problems += error.problems
    if not problems:
        problems = rules.grid_problems(volumes) or _moved(**volumes)
    if problems:
        raise rules.UnusableError(tuple(_resample(p, pair) for p in problems), pair.patient)
    return volumes["truth"], volumes["prediction"]


def read_brain(pair: LabelPair) -> Bool[ndarray, "x y z"] | None:
    """Return where the patient's FLAIR is above 0; None if there is no FLAIR.

    Raises:
        rules.UnusableError: If the file breaks a rule.
    """
    if pair.flair is None:
        return None
    channels = LAYOUTS[pair.truth_layout].channels
    return brats.read_volume(pair.flair, name=FLAIR, channels=channels) > 0


def _find_truths(folder: Path, plain_layout: str) -> dict[str, list[Case]]:
    """Return the labelled patients by name: by layout, or else by the names of the files."""
    cases = [case for case in layouts.find_cases(folder) if LABELS in case.files]
    if not cases:
        cases = [
            Case(name, plain_layout, "unknown", {LABELS: file})
            for name, files in _by_name(folder).items()
            for file in files
        ]
    if not cases:
        raise FileNotFoundError(
            f"No segmentation in {folder}; expected patients with labels as `paperlib check` "
            f"knows them, or files {NAMES}."
        )
    found: dict[str, list[Case]] = {}
    for case in cases:
        found.setdefault(case.id, []).append(case)
    return found


def _by_name(folder: Path) -> dict[str, list[Path]]:
    """Return the NIfTI files below a folder by the patient that their names say."""
    if not folder.is_dir():
        raise FileNotFoundError(f"No folder at {folder}; expected one with files {NAMES}.")
    found: dict[str, list[Path]] = {}
    for file, _ in layouts.walk_files(folder):
        name = layouts.NIFTI_ENDING.sub("", file.name)
        if name == OWN_RESULT:
            name = file.absolute().parent.name
        found.setdefault(name.removesuffix("_seg").removesuffix("-seg"), []).append(file)
    return found


def _repeated(name: str, files: list[Path], what: str) -> list[Problem]:
    return [
        Problem(
            str(file), f"another file for patient {name}", f"one of the {what} a patient",
            f"remove it or {files[0]}",
        )
        for file in files[1:]
    ]  # fmt: skip


def _lacking(name: str, folder: Path) -> Problem:
    return Problem(
        str(folder),
        f"no prediction for patient {name}",
        f"a file {NAMES}",
        "add it (a map of 0 where the method found nothing), or take the patient out of the truths",
    )


def _resample(problem: Problem, pair: LabelPair) -> Problem:
    """Return a problem of the grid with the cure for a label map that somebody made."""
    of_grid = problem.found.startswith(("shape ", "voxels of "))
    if problem.file != str(pair.prediction) or not of_grid:
        return problem
    return problem._replace(cure="resample it to the grid of the truth with nearest neighbour")


def _moved(truth: Volume, prediction: Volume) -> list[Problem]:
    if np.allclose(truth.origin_mm, prediction.origin_mm, rtol=0, atol=_SAME_MM):
        return []
    return [
        Problem(
            str(prediction.file),
            f"origin {prediction.origin_mm} mm in its affine",
            f"{truth.origin_mm} as in {truth.file.name}",
            "write it with the affine of the patient's images; if only the header is wrong, copy "
            "theirs, else resample it with nearest neighbour",
        )
    ]
