"""What the files of a patient have to satisfy before a method may see them (section 3).

Surprising convention: nothing is repaired here or later. A file that breaks a rule is refused
with the cure, and all that is wrong with it is said at once.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Shaped
from numpy import ndarray

from paperlib.data.layouts import LABELS, LAYOUTS, Case, misnamed_labels
from paperlib.labels import SEQUENCES

SHAPE = (240, 240, 155)  # voxels of every BraTS release; the paper prints 150 slices
VOXEL_SIZE_MM = 1.0
_LISTED = 8  # label codes named in a message; an image in place of a segmentation has thousands
_SAME_MM = 1e-3  # closer than this, two voxel sizes or origins are one (float32 headers)


class Problem(NamedTuple):
    """One reason to refuse a patient, written to be put right by its owner."""

    file: str
    found: str
    expected: str
    cure: str

    def __str__(self) -> str:
        return f"{self.file}: found {self.found}; expected {self.expected}. Cure: {self.cure}."


class UnusableError(ValueError):
    """A file or a patient that cannot be used, with every reason in `problems`."""

    def __init__(self, problems: tuple[Problem, ...], patient: str = ""):
        super().__init__(problems, patient)  # both arguments, so that the error can be pickled
        self.problems = problems
        self.patient = patient

    def __str__(self) -> str:
        start = f"Patient {self.patient}: " if self.patient else ""
        return start + "\n".join(map(str, self.problems))


class Volume(NamedTuple):
    """One 3-D image as its file holds it, turned to LPS order.

    Attributes:
        file: Where it comes from.
        voxels: Values scaled as the header says, in whatever type the file has.
        axes: The file's own axis codes, such as "RAS", before turning.
        spacing_mm: Voxel size along x, y and z of `voxels`.
        origin_mm: Position of the file's first voxel.
    """

    file: Path
    voxels: Shaped[ndarray, "x y z"]
    axes: str
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]


def missing_problems(case: Case) -> list[Problem]:
    """Judge whether the needed files are there; a segmentation may be absent, not misnamed."""
    problems = []
    for name in SEQUENCES:
        if name not in case.files:
            expected = LAYOUTS[case.layout].file_name(case.id, name)
            problems.append(
                Problem(
                    expected,
                    f"no {name.upper()} image",
                    f"a file {expected} (or .nii)",
                    "copy it from the release, or take the patient's folder out",
                )
            )
    misnamed = misnamed_labels(case)
    if misnamed:
        expected = LAYOUTS[case.layout].file_name(case.id, LABELS).removesuffix(".nii.gz")
        ending = ".nii.gz" if misnamed.name.endswith(".gz") else ".nii"
        problems.append(
            Problem(
                str(misnamed),
                "a segmentation under a name of its own",
                f"{expected}{ending}",
                f"rename it to {expected}{ending}, if it is this patient's",
            )
        )
    return problems


def value_range(voxels: Shaped[ndarray, "x y z"]) -> tuple[float, float]:
    """Return the lowest and the highest value as float32 holds them; NaN if there is one."""
    with np.errstate(invalid="ignore", over="ignore"):
        return float(np.float32(voxels.min())), float(np.float32(voxels.max()))


def image_problems(volume: Volume) -> list[Problem]:
    """Judge the values of a FLAIR or T1CE image: finite, not negative, not constant."""
    low, high = value_range(volume.voxels)
    problems = []
    if not np.isfinite([low, high]).all():
        problems.append(_not_finite(volume))
    elif low == high:
        problems.append(
            Problem(
                str(volume.file),
                "an empty image, all 0" if low == 0 else f"a constant image, all {low:g}",
                "a brain on a background of 0",
                "replace it by the file of the release; its export or its copy went wrong",
            )
        )
    lowest = low
    if np.isnan(low):
        lowest = float(volume.voxels.min(where=np.isfinite(volume.voxels), initial=0))
    if lowest < 0:
        problems.append(
            Problem(
                str(volume.file),
                f"negative intensities down to {lowest:.4g}",
                "raw intensities of BraTS, 0 outside the brain and positive inside",
                "use the original file of the release: this one is z-scored or filtered already, "
                "and z-scores are computed here",
            )
        )
    return problems


def label_problems(volume: Volume, codes: Mapping[int, int], hint: str) -> list[Problem]:
    """Judge a segmentation: whole numbers, and only those in `codes`.

    Args:
        volume: The segmentation.
        codes: The codes its layout knows.
        hint: The cure for codes that it does not know.
    """
    if not np.isfinite(value_range(volume.voxels)).all():
        return [_not_finite(volume)]
    values = label_codes(volume.voxels)
    broken = [value for value in values if value % 1]
    unknown = [int(value) for value in values if not value % 1 and value not in codes]
    problems = []
    if broken:
        problems.append(
            Problem(
                str(volume.file),
                f"labels that are not whole numbers, such as {broken[0]:.4g} "
                f"({len(broken)} such values)",
                f"whole numbers out of {_listed(codes)}",
                "resample a segmentation with nearest neighbour only, or take the file of the "
                "release",
            )
        )
    if unknown:
        problems.append(
            Problem(
                str(volume.file),
                f"unknown label code{'s' if len(unknown) > 1 else ''} {_listed(unknown)}",
                f"codes out of {_listed(codes)}",
                hint,
            )
        )
    return problems


def label_codes(voxels: Shaped[ndarray, "x y z"]) -> list[float]:
    """Return the different values of a segmentation in rising order.

    Bytes are counted: sorting nine million voxels, as `np.unique` does, takes 50 times as long.
    """
    low, high = value_range(voxels)
    if low >= 0 and high <= 255:
        narrow = voxels.astype(np.uint8, copy=False)
        if narrow is voxels or np.array_equal(narrow, voxels):
            span = range(int(low), int(high) + 1)
            return [float(code) for code in span if (narrow == code).any()]
    return np.unique(voxels).astype(float).tolist()


def grid_problems(volumes: Mapping[str, Volume]) -> list[Problem]:
    """Judge shapes, and that all images of a patient lie on the grid of the first."""
    problems = []
    for volume in volumes.values():
        reference = next(iter(volumes.values()))
        if volume.voxels.shape != SHAPE:
            problems.append(
                Problem(
                    str(volume.file),
                    f"shape {_by(volume.voxels.shape)}",
                    f"{_by(SHAPE)}, in any order of axes",
                    "use the file as BraTS delivers it, not cropped, padded or resampled",
                )
            )
        if not np.allclose(volume.spacing_mm, reference.spacing_mm, rtol=0, atol=_SAME_MM):
            problems.append(
                Problem(
                    str(volume.file),
                    f"voxels of {_by(volume.spacing_mm)} mm",
                    f"{_by(reference.spacing_mm)} mm as in {reference.file.name}",
                    "resample it onto the grid of the other, segmentations with nearest neighbour",
                )
            )
        if volume.axes != reference.axes:
            problems.append(
                Problem(
                    str(volume.file),
                    f"axis codes {volume.axes}",
                    f"{reference.axes} as in {reference.file.name}",
                    "write both in one orientation, or take both from the same release: one of "
                    "the two headers may be wrong",
                )
            )
    return problems


def grid_notes(volumes: Mapping[str, Volume]) -> list[str]:
    """Say what is odd about the grids of a patient but does no harm."""
    notes = []
    for volume in volumes.values():
        reference = next(iter(volumes.values()))
        moved = not np.allclose(volume.origin_mm, reference.origin_mm, rtol=0, atol=_SAME_MM)
        if moved and volume.axes == reference.axes:
            notes.append(
                f"{volume.file.name} has origin {_point(volume.origin_mm)}, "
                f"{reference.file.name} {_point(reference.origin_mm)}; voxels are compared by "
                f"index"
            )
        if not np.allclose(volume.spacing_mm, VOXEL_SIZE_MM, rtol=0, atol=_SAME_MM):
            size = _by(volume.spacing_mm)
            notes.append(f"{volume.file.name} has voxels of {size} mm where BraTS has 1 mm")
    return notes


def _not_finite(volume: Volume) -> Problem:
    with np.errstate(invalid="ignore", over="ignore"):
        finite = np.isfinite(volume.voxels.astype(np.float32))
    return Problem(
        str(volume.file),
        f"{finite.size - np.count_nonzero(finite)} voxels of NaN or Inf",
        "a number in every voxel",
        "replace it by the file of the release; a division by zero in a conversion is the usual "
        "reason",
    )


def _by(numbers: tuple[int, ...] | tuple[float, ...]) -> str:
    return "x".join(f"{number:.4g}" for number in numbers)


def _point(numbers: tuple[float, ...]) -> str:
    return "(" + ", ".join(f"{number + 0.0:.4g}" for number in numbers) + ")"  # no -0


def _listed(numbers: Mapping[int, int] | list[int]) -> str:
    """Name the first numbers, and how many there are where they are not all named."""
    first = ", ".join(str(number) for number in list(numbers)[:_LISTED])
    return first if len(numbers) <= _LISTED else f"{first} and {len(numbers) - _LISTED} more"
