"""What a patient is refused for: each bad file, with finding, expectation and cure."""

import gzip
import re
from pathlib import Path

import numpy as np
import pytest
from patient_files import FLAIR, SEG, T1CE, changed, moved, save

from paperlib.data import check


def as_rgb(voxels):
    colours = np.zeros(voxels.shape, np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    colours["R"] = voxels
    return colours


def truncate(file, share):
    packed = file.read_bytes()
    file.write_bytes(packed[: int(len(packed) * share)])


def truncate_inside(file):
    """Shorten the image, then pack it: gzip has nothing to complain of."""
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes())[:100_000], 1))


def flatten(file):
    raw = bytearray(gzip.decompress(file.read_bytes()))
    raw[312:328] = bytes(16)  # srow_z
    file.write_bytes(gzip.compress(raw, 1))


# what to break, the file named, what was found, what was expected, the cure
REFUSALS = {
    "missing flair": (
        lambda p, v: (p / FLAIR).unlink(),
        (FLAIR, "no FLAIR image", "a file P_1_flair", "copy it from the release"),
    ),
    "missing t1ce": (
        lambda p, v: (p / T1CE).unlink(),
        (T1CE, "no T1CE image", "a file P_1_t1ce", "copy it from the release"),
    ),
    "truncated gzip": (
        lambda p, v: truncate(p / T1CE, 0.6),
        (T1CE, "truncated or damaged gzip", "a complete NIfTI-1 file", "copy or unpack it again"),
    ),
    "truncated by one byte": (
        lambda p, v: truncate(p / SEG, 1 - 1e-9),
        (SEG, "truncated or damaged gzip", "a complete NIfTI-1 file", "copy or unpack it again"),
    ),
    "truncated image": (
        lambda p, v: truncate_inside(p / FLAIR),
        (FLAIR, "truncated file .*Expected 8928000", "a complete NIfTI-1 file", "copy or unpack"),
    ),
    "not gzip": (
        lambda p, v: (p / FLAIR).write_bytes(gzip.decompress((p / FLAIR).read_bytes())),
        (FLAIR, "not gzip", "gzip, as the ending", r"remove \.gz from its name"),
    ),
    "gzip called nii": (
        lambda p, v: (p / SEG).rename(p / "P_1_seg.nii"),
        ("P_1_seg.nii", "a gzip file", "a plain NIfTI file", r"add \.gz to its name"),
    ),
    "no image at all": (
        lambda p, v: (p / FLAIR).write_bytes(gzip.compress(b"<html>" * 100)),
        (FLAIR, "no readable NIfTI-1 header", "a complete NIfTI-1 file", "copy or unpack"),
    ),
    "empty file": (
        lambda p, v: (p / SEG).write_bytes(b""),
        (SEG, r"an empty file \(0 bytes\)", "a complete NIfTI-1 file", "copy or unpack it again"),
    ),
    "broken link": (
        lambda p, v: ((p / SEG).unlink(), (p / SEG).symlink_to(p / "gone")),
        (SEG, "cannot be read .*No such file", "a complete NIfTI-1 file", "copy or unpack"),
    ),
    "wrong shape of all": (
        lambda p, v: [
            save(p / file, v[name][40:200, 40:200, 40:110])
            for file, name in ((FLAIR, "flair"), (T1CE, "t1ce"), (SEG, "labels"))
        ],
        (T1CE, "shape 160x160x70", "240x240x155", "not cropped, padded or resampled"),
    ),
    "another shape": (
        lambda p, v: save(p / SEG, v["labels"][:, :, :150]),
        (SEG, "shape 240x240x150", "240x240x155", "not cropped, padded or resampled"),
    ),
    "4-D": (
        lambda p, v: save(p / T1CE, np.stack([v["t1ce"]] * 2, -1)),
        (T1CE, "a 4-D image of shape 240x240x155x2", "a 3-D image", "a file of its own"),
    ),
    "2-D": (
        lambda p, v: save(p / T1CE, v["t1ce"][:, :, 90]),
        (T1CE, "a 2-D image of shape 240x240", "a 3-D image", "a file of its own"),
    ),
    "RGB": (
        lambda p, v: save(p / FLAIR, as_rgb(v["flair"])),
        (FLAIR, "RGB colours", "one real number a voxel", "not a coloured picture"),
    ),
    "complex": (
        lambda p, v: save(p / FLAIR, v["flair"].astype(np.complex64)),
        (FLAIR, "values of type complex64", "one real number a voxel", "export the sequence"),
    ),
    "another voxel size": (
        lambda p, v: save(p / T1CE, v["t1ce"], moved(z=1.5)),
        (T1CE, "voxels of 1x1x1.5 mm", "1x1x1 mm as in P_1_flair", "onto the grid of the other"),
    ),
    "other axis codes": (
        lambda p, v: save(p / SEG, v["labels"], moved(y=-1)),
        (SEG, "axis codes LAS", "LPS as in P_1_flair", "one of the two headers may be wrong"),
    ),
    "no orientation": (
        lambda p, v: save(p / SEG, v["labels"], None),
        (SEG, "a header without an orientation", "an sform or qform", "copy the header of"),
    ),
    "singular affine": (
        lambda p, v: flatten(p / SEG),
        (SEG, "a singular affine", "that gives three axes", "take the file of the release"),
    ),
    "label of BRATS 2015": (
        lambda p, v: save(p / SEG, changed(v["labels"], np.uint8, a=3)),
        (SEG, "unknown label code 3", "codes out of 0, 1, 2, 4", r"BRATS 2015 .*3: make it 1"),
    ),
    "unknown labels as floats": (
        lambda p, v: save(p / SEG, changed(v["labels"], np.float32, a=5.0, b=-7)),
        (SEG, "unknown label codes -7, 5", "codes out of 0, 1, 2, 4", "map the codes to"),
    ),
    "an image as labels": (
        lambda p, v: save(p / SEG, v["flair"]),
        (SEG, r"codes 3, 5, 6, .* and 18\d more", "codes out of 0, 1, 2, 4", "map the codes"),
    ),
    "large labels": (
        lambda p, v: save(p / SEG, changed(v["labels"], np.uint16, a=256)),
        (SEG, "unknown label code 256", "codes out of 0, 1, 2, 4", "map the codes"),
    ),
    "labels between the codes": (
        lambda p, v: save(p / SEG, changed(v["labels"], np.float32, a=1.5, b=0.25)),
        (SEG, r"whole numbers, such as 0\.25 \(2", "whole numbers out of 0, 1", "nearest neigh"),
    ),
    "NaN in an image": (
        lambda p, v: save(p / FLAIR, changed(v["flair"], np.float32, a=np.nan, b=np.nan)),
        (FLAIR, "2 voxels of NaN or Inf", "a number in every voxel", "division by zero"),
    ),
    "Inf in an image": (
        lambda p, v: save(p / T1CE, changed(v["t1ce"], np.float64, a=np.inf, b=1e300)),
        (T1CE, "2 voxels of NaN or Inf", "a number in every voxel", "division by zero"),
    ),
    "NaN in the labels": (
        lambda p, v: save(p / SEG, changed(v["labels"], np.float32, a=np.nan)),
        (SEG, "1 voxels of NaN or Inf", "a number in every voxel", "division by zero"),
    ),
    "empty image": (
        lambda p, v: save(p / FLAIR, np.zeros_like(v["flair"])),
        (FLAIR, "an empty image, all 0", "a brain on a background", "replace it by the file"),
    ),
    "constant image": (
        lambda p, v: save(p / T1CE, np.full_like(v["t1ce"], 7)),
        (T1CE, "a constant image, all 7", "a brain on a background", "replace it by the file"),
    ),
    "z-scored": (
        lambda p, v: save(p / FLAIR, (v["flair"].astype(np.float32) - 100) / 50),
        (FLAIR, "negative intensities down to -2", "raw intensities", "z-scored .* already"),
    ),
    "one negative voxel": (
        lambda p, v: save(p / T1CE, changed(v["t1ce"], np.int16, a=-3)),
        (T1CE, "negative intensities down to -3", "raw intensities", "use the original file"),
    ),
    "misnamed segmentation": (
        lambda p, v: (p / SEG).rename(p / "W39_1998.09.19_Segm.nii.gz"),
        ("W39_1998.09.19_Segm.nii.gz", "a name of its own", SEG, f"rename it to {SEG}"),
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_patient_is_refused_with_file_finding_expectation_and_cure(patient, voxels, name):
    spoil, expected = REFUSALS[name]
    spoil(patient, voxels)
    report = check.check_folder(patient.parent)
    assert (report.usable, report.refused, report.passed) == (0, 1, False)
    (found,) = report.patients
    assert found.id == "P_1"
    file, *texts = expected
    (problem,) = [problem for problem in found.problems if Path(problem.file).name == file]
    for text, pattern in zip(problem[1:], texts, strict=True):
        assert re.search(pattern, text), f"{pattern!r} is not in {text!r}"
    others = {Path(problem.file).name for problem in found.problems} - {file}
    assert not others or name == "wrong shape of all"
    assert any(line.startswith("refused  P_1") and file in line for line in check.describe(report))
