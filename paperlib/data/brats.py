"""The only reader and writer of NIfTI files of patients (section 3).

Surprising convention: every array comes in LPS voxel order [x y z] (x to the patient's left, y to
the back, z to the head), whatever the file has; the affine decides, never an assumption.
"""

import gzip
import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
from jaxtyping import Float32, Integer, Shaped, UInt8
from nibabel import orientations
from numpy import ndarray

from paperlib.data import rules
from paperlib.data.layouts import LABELS, LAYOUTS, Case
from paperlib.labels import BACKGROUND, SEQUENCES
from paperlib.labels import LABELS as LABEL_CODES

AXES = "LPS"
_GZIP_START = b"\x1f\x8b"
_HEADER_ERRORS = (
    OSError,
    ValueError,
    OverflowError,
    MemoryError,
    nib.filebasedimages.ImageFileError,
    nib.spatialimages.HeaderDataError,
    nib.wrapstruct.WrapStructError,
)


class Volumes(NamedTuple):
    """The voxels of one patient, 240x240x155 in LPS order.

    Attributes:
        images: Raw intensities per sequence ("flair", "t1ce"), 0 outside the brain.
        labels: BraTS 2018 codes 0, 1, 2, 4; None where the patient has no segmentation.
        spacing_mm: Voxel size along x, y and z.
    """

    images: Mapping[str, Float32[ndarray, "x y z"]]
    labels: UInt8[ndarray, "x y z"] | None
    spacing_mm: tuple[float, float, float]


class Examination(NamedTuple):
    """What opening a patient's files gave: voxels as stored, and everything against the rules."""

    volumes: Mapping[str, rules.Volume]
    problems: list[rules.Problem]
    notes: list[str]


def read_case(case: Case) -> Volumes:
    """Read the images and labels of one patient.

    Raises:
        rules.UnusableError: If a file is missing or breaks a rule of `rules`; it is a ValueError
            with everything that is wrong, by file, with the cure.
    """
    return accept(case, examine_case(case))


def accept(case: Case, examined: Examination) -> Volumes:
    """Return the voxels of a patient whose files were examined already.

    Raises:
        rules.UnusableError: If the examination found problems; it names all of them.
    """
    if examined.problems:
        raise rules.UnusableError(tuple(examined.problems), case.id)
    labels = examined.volumes.get(LABELS)
    images = {name: examined.volumes[name] for name in SEQUENCES}
    return Volumes(
        images={
            name: volume.voxels.astype(np.float32, copy=False) for name, volume in images.items()
        },
        labels=None if labels is None else _translated(labels.voxels, case.layout),
        spacing_mm=images[SEQUENCES[0]].spacing_mm,
    )


def read_volume(
    file: Path, *, name: str = "", channels: tuple[str, ...] = ()
) -> Float32[ndarray, "x y z"]:
    """Read one image in LPS order, such as the phantom's tumour-free counterfactual.

    Args:
        file: A 3-D image, or a 4-D one with `channels`.
        name: Which of the channels.
        channels: What the volumes of a 4-D image are, as `layouts.Layout` says.

    Raises:
        rules.UnusableError: If the file is damaged, of another kind, or not 240x240x155.
    """
    volume = _volume(file, _decoded(file), name, channels)
    problems = rules.grid_problems({"image": volume})
    if problems:
        raise rules.UnusableError(tuple(problems))
    return volume.voxels.astype(np.float32, copy=False)


def read_segmentation(file: Path, *, layout: str) -> rules.Volume:
    """Read a segmentation on its own: a prediction, or a truth without its images.

    Args:
        file: A 3-D file.
        layout: A key of `layouts.LAYOUTS`, for its label codes.

    Returns:
        The volume with codes of BraTS 2018.

    Raises:
        rules.UnusableError: If the file breaks a rule; names all that is wrong with it.
    """
    volume = _volume(file, _decoded(file))
    problems = rules.grid_problems({LABELS: volume})
    problems += rules.label_problems(volume, LAYOUTS[layout].codes, LAYOUTS[layout].hint)
    if problems:
        raise rules.UnusableError(tuple(problems))
    return volume._replace(voxels=_translated(volume.voxels, layout))


def examine_case(case: Case) -> Examination:
    """Open every file of a patient and judge it, without stopping at the first problem."""
    layout = LAYOUTS[case.layout]
    problems = rules.missing_problems(case)
    found: dict[str, rules.Volume] = {}
    for file in dict.fromkeys(case.files.values()):  # MSD keeps both sequences in one file
        try:
            image = _decoded(file)
            for name in (name for name in case.files if case.files[name] == file):
                found[name] = _volume(file, image, name, layout.channels)
        except rules.UnusableError as error:
            problems.extend(error.problems)
    volumes = {name: found[name] for name in (*SEQUENCES, LABELS) if name in found}
    problems.extend(rules.grid_problems(volumes))
    for name, volume in volumes.items():
        if name == LABELS:
            problems.extend(rules.label_problems(volume, layout.codes, layout.hint))
        else:
            problems.extend(rules.image_problems(volume))
    problems = list(dict.fromkeys(problems))  # two sequences in one file share its faults
    return Examination(volumes, problems, rules.grid_notes(volumes))


def _translated(voxels: Shaped[ndarray, "x y z"], layout: str) -> UInt8[ndarray, "x y z"]:
    """Return labels in the codes of BraTS 2018; codes that `layout` lacks become background."""
    codes = LAYOUTS[layout].codes
    labels = voxels.astype(np.uint8)
    if all(code == meant for code, meant in codes.items()):
        return labels
    table = np.full(256, BACKGROUND, np.uint8)
    table[list(codes)] = list(codes.values())
    return table[labels]


def write_segmentation(
    segmentation: Integer[ndarray, "x y z"], like: Path, file: Path, *, description: str = ""
) -> None:
    """Write a segmentation on the grid, and in the orientation, of a patient's image.

    Args:
        segmentation: BraTS 2018 codes 0, 1, 2, 4 in LPS order.
        like: Image of the same patient whose header gives orientation and affine.
        file: Where to write, ending in .nii or .nii.gz; stored as uint8.
        description: Kept in the header, at most 79 bytes.

    Raises:
        ValueError: If a code is unknown, the shape is not that of `like`, or `file` is `like`.
    """
    codes = [int(code) for code in rules.label_codes(segmentation)]
    if not set(codes) <= {BACKGROUND, *LABEL_CODES}:
        raise ValueError(f"Segmentation for {file} has codes {codes}; expected 0, 1, 2, 4 only.")
    write_volume(segmentation.astype(np.uint8), like, file, description=description)


def write_volume(
    voxels: Shaped[ndarray, "x y z"], like: Path, file: Path, *, description: str = ""
) -> None:
    """Write a volume on the grid, and in the orientation, of a patient's image.

    Args:
        voxels: In LPS order, of a type that NIfTI knows.
        like: Image of the same patient whose header gives orientation and affine.
        file: Where to write, ending in .nii or .nii.gz.
        description: Kept in the header, at most 79 bytes.

    Raises:
        ValueError: If the shape is not that of `like`, or `file` is `like`.
    """
    if file.resolve() == like.resolve():
        raise ValueError(f"{file} is the image itself; expected another name for what is written.")
    header = _decoded(like)
    turn = orientations.ornt_transform(
        orientations.axcodes2ornt(AXES), orientations.io_orientation(header.affine)
    )
    turned = orientations.apply_orientation(voxels, turn)
    if turned.shape != header.shape[:3]:
        raise ValueError(
            f"The volume for {file} has shape {voxels.shape}, that is {turned.shape} in "
            f"the order of {like.name}, which has {header.shape[:3]}; pass the volume uncropped."
        )
    image = nib.Nifti1Image(turned, header.affine)
    image.set_sform(header.affine, int(header.header["sform_code"]))
    image.set_qform(header.affine, int(header.header["qform_code"]))
    image.header["descrip"] = description.encode()
    nib.save(image, file)


def _decoded(file: Path) -> nib.Nifti1Image:
    """Unpack and parse a whole file at once: faster than by pieces, and gzip's checksum counts."""
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise _damaged(file, f"a file that cannot be read ({error.strerror})") from error
    if not raw:
        raise _damaged(file, "an empty file (0 bytes)")
    packed = file.name.endswith(".gz")
    if packed != raw.startswith(_GZIP_START):
        raise _misnamed(file, packed=packed)
    try:
        if packed:
            with gzip.open(io.BytesIO(raw)) as unpacked:
                raw = unpacked.read()
        return nib.Nifti1Image.from_bytes(raw)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(file, f"a truncated or damaged gzip file ({error})") from error
    except _HEADER_ERRORS as error:
        raise _damaged(file, f"no readable NIfTI-1 header ({error})") from error


def _volume(
    file: Path, image: nib.Nifti1Image, name: str = "", channels: tuple[str, ...] = ()
) -> rules.Volume:
    """Turn one image to LPS order: volume `name` of a file with `channels`, else the whole file."""
    channel = channels.index(name) if name in channels else None
    _refuse_other_kinds(file, image, () if channel is None else channels)
    turn = _orientation(file, image)
    try:
        voxels = np.asanyarray(image.dataobj if channel is None else image.dataobj[..., channel])
    except _HEADER_ERRORS as error:
        raise _damaged(file, f"a truncated file ({error})") from error
    sizes = nib.affines.voxel_sizes(image.affine)
    spacing_mm = sizes[np.argsort(turn[:, 0])]
    lps = orientations.ornt_transform(turn, orientations.axcodes2ornt(AXES))
    return rules.Volume(
        file=file,
        voxels=orientations.apply_orientation(voxels, lps),
        axes="".join(orientations.ornt2axcodes(turn)),
        spacing_mm=tuple(spacing_mm.tolist()),
        origin_mm=tuple(image.affine[:3, 3].tolist()),
    )


def _refuse_other_kinds(file: Path, image: nib.Nifti1Image, channels: tuple[str, ...]) -> None:
    kind, shape = image.get_data_dtype(), "x".join(map(str, image.shape))
    if kind.kind not in "biuf":
        raise _refused(
            file,
            f"{'RGB colours' if kind.fields else 'values'} of type {kind}",
            "one real number a voxel",
            "export the sequence itself, not a coloured picture of it",
        )
    if channels and (len(image.shape) != 4 or image.shape[3] != len(channels)):
        raise _refused(
            file,
            f"a {len(image.shape)}-D image of shape {shape}",
            f"a 4-D image of {len(channels)} volumes: {', '.join(channels)}",
            "keep the sequences in one file, as Task01 has them, or name the files as BraTS does",
        )
    if not channels and (len(image.shape) != 3 or 0 in image.shape):
        raise _refused(
            file,
            f"a {len(image.shape)}-D image of shape {shape}",
            "a 3-D image",
            "store every volume in a file of its own",
        )


def _orientation(file: Path, image: nib.Nifti1Image) -> Shaped[ndarray, "3 2"]:
    """Return nibabel's orientation; a header that gives none is refused, not guessed."""
    stated = int(image.header["sform_code"]) or int(image.header["qform_code"])
    turn = np.full((3, 2), np.nan)
    if stated and np.isfinite(image.affine).all():
        turn = orientations.io_orientation(image.affine)
    if np.isnan(turn).any():
        raise _refused(
            file,
            "a header without an orientation" if not stated else "a singular affine",
            "an sform or qform that gives three axes",
            "take the file of the release, or copy the header of another sequence of the patient",
        )
    return turn


def _misnamed(file: Path, *, packed: bool) -> rules.UnusableError:
    if packed:
        return _refused(
            file,
            "a file that is not gzip",
            "gzip, as the ending .gz says",
            "remove .gz from its name if it is a plain NIfTI file, else copy it again",
        )
    return _refused(
        file, "a gzip file", "a plain NIfTI file, as the ending .nii says", "add .gz to its name"
    )


def _damaged(file: Path, found: str) -> rules.UnusableError:
    return _refused(
        file, found, "a complete NIfTI-1 file", "copy or unpack it again from the release"
    )


def _refused(file: Path, found: str, expected: str, cure: str) -> rules.UnusableError:
    return rules.UnusableError((rules.Problem(str(file), found, expected, cure),))
