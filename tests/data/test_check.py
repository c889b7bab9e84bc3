import gzip
import json
import re
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from paperlib.data import check

AFFINE = np.array([[-1, 0, 0, 0], [0, -1, 0, 239], [0, 0, 1, 0], [0, 0, 0, 1.0]])
FLAIR, T1CE, SEG = "P_1_flair.nii.gz", "P_1_t1ce.nii.gz", "P_1_seg.nii.gz"


def save(file, voxels, affine=AFFINE):
    nib.save(nib.Nifti1Image(voxels, affine), file)


def changed(voxels, dtype, **values):
    """Return a copy as `dtype` with some voxels of the brain set to the given values."""
    copy = voxels.astype(dtype)
    for number, value in enumerate(values.values()):
        copy[110 + number, 104, 90] = value
    return copy


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


def moved(x=1.0, y=1.0, z=1.0):
    return AFFINE @ np.diag([x, y, z, 1])


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


def rewrite(patient, voxels, **dtypes):
    for file, dtype in dtypes.items():
        save(
            patient / f"P_1_{file}.nii.gz",
            voxels["labels" if file == "seg" else file].astype(dtype),
        )


ACCEPTED = {
    "another origin": (
        lambda p, v: save(p / SEG, v["labels"], np.diag([-1, -1, 1, 1])),
        r"P_1_seg.nii.gz has origin \(0, 0, 0\), P_1_flair.nii.gz \(0, 239, 0\)",
    ),
    "no labels": (
        lambda p, v: (p / SEG).unlink(),
        "no segmentation: can be segmented, not trained",
    ),
    "no tumour": (
        lambda p, v: save(p / SEG, np.zeros_like(v["labels"])),
        "all labels are 0: a tumour-free case",
    ),
    "large voxels": (
        lambda p, v: [
            save(p / f, nib.load(p / f).dataobj, moved(2, 2, 2)) for f in (FLAIR, T1CE, SEG)
        ],
        "P_1_flair.nii.gz has voxels of 2x2x2 mm where BraTS has 1 mm",
    ),
    "the same image twice": (
        lambda p, v: shutil.copy(p / FLAIR, p / T1CE),
        "flair and t1ce have the same voxels",
    ),
    "scaled to 32767": (
        lambda p, v: save(p / FLAIR, changed(v["flair"], np.int16, a=32767)),
        None,
    ),
    "labels as floats": (lambda p, v: rewrite(p, v, seg=np.float32), None),
    "images as floats": (lambda p, v: rewrite(p, v, flair=np.float64, t1ce=np.float32), None),
    "a broken T2": (lambda p, v: (p / "P_1_t2.nii.gz").write_bytes(b""), None),
    "the file of macOS": (lambda p, v: (p / f"._{FLAIR}").write_bytes(b"Mac OS X"), None),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_does_no_harm_is_at_most_noted(patient, voxels, name):
    change, note = ACCEPTED[name]
    change(patient, voxels)
    report = check.check_folder(patient.parent)
    assert report.passed
    (found,) = report.patients
    if note is None:
        assert found.notes == ()
    else:
        assert re.search(note, found.notes[0])
        assert any(line.startswith("note     P_1: ") for line in check.describe(report))


def test_a_sound_patient_is_described(patient, voxels):
    report = check.check_folder(patient.parent)
    (found,) = report.patients
    top = {name: float(voxels[name].max()) for name in ("flair", "t1ce")}
    assert found == check.PatientReport(
        id="P_1",
        layout="brats2018",
        grade="HGG",
        shape=(240, 240, 155),
        ranges={name: (0.0, top[name]) for name in top},
        labels=(1, 2, 4),
        tumour_free_slices=50,  # 70 slices, tumour in 80 to 99
        notes=(),
        problems=(),
    )
    line, verdict = check.describe(report)
    assert line == (
        "P_1  brats2018  HGG  240x240x155  flair 0..199  t1ce 0..199  labels 1 2 4  "
        "50 of 70 slices tumour-free  usable"
    )
    assert verdict == "1 patient: 1 usable, 0 refused."


def test_only_slices_60_to_129_count_as_tumour_free(patient, voxels):
    labels = np.zeros_like(voxels["labels"])
    labels[100, 100, [0, 59, 60, 70, 129, 130, 154]] = 2
    save(patient / SEG, labels)
    (found,) = check.check_folder(patient.parent).patients
    assert found.tumour_free_slices == 67


def test_slices_are_counted_from_the_feet_in_any_orientation(patient, voxels, write):
    for file, name in ((FLAIR, "flair"), (T1CE, "t1ce"), (SEG, "labels")):
        write(patient / file, voxels[name], axes="IAR")
    (found,) = check.check_folder(patient.parent).patients
    assert found.tumour_free_slices == 50
    assert found.shape == (240, 240, 155)


def test_all_problems_of_a_folder_are_reported_at_once(patient, voxels, other_voxels):
    save(patient / FLAIR, changed(voxels["flair"], np.float32, a=np.nan, b=-4), moved(x=2))
    save(patient / SEG, changed(voxels["labels"], np.float32, a=9, b=0.5))
    (patient / T1CE).write_bytes(b"")
    lgg = patient.parent.parent / "LGG" / "Q"
    lgg.mkdir(parents=True)
    save(lgg / "Q_flair.nii.gz", other_voxels(1)["flair"])
    report = check.check_folder(patient.parent.parent)
    first, second = report.patients
    assert [(problem.file, problem.found.split(" ")[0]) for problem in first.problems] == [
        ("HGG/P_1/P_1_t1ce.nii.gz", "an"),
        ("HGG/P_1/P_1_seg.nii.gz", "voxels"),
        ("HGG/P_1/P_1_flair.nii.gz", "1"),
        ("HGG/P_1/P_1_flair.nii.gz", "negative"),
        ("HGG/P_1/P_1_seg.nii.gz", "labels"),
        ("HGG/P_1/P_1_seg.nii.gz", "unknown"),
    ]
    assert [problem.file for problem in second.problems] == ["Q_t1ce.nii.gz"]
    assert check.describe(report)[-1] == "2 patients: 0 usable, 2 refused."


def test_a_folder_of_several_layouts_is_judged_case_by_case(patient, write, other_voxels):
    cohort = patient.parent.parent
    new, task = cohort / "N-000", cohort / "Task01"
    for number, (folder, names) in enumerate(
        [
            (new, {"flair": "N-000-t2f", "t1ce": "N-000-t1c", "labels": "N-000-seg"}),
            (task / "labelsTr", {"labels": "BRATS_001"}),
        ]
    ):
        voxels = other_voxels(number + 1)
        voxels["labels"][voxels["labels"] == 4] = 3
        for name, file in names.items():
            write(folder / f"{file}.nii.gz", voxels[name])
    voxels = other_voxels(2)
    (task / "imagesTr").mkdir()
    save(
        task / "imagesTr" / "BRATS_001.nii.gz",
        np.stack([voxels[name] for name in ("flair", "labels", "t1ce", "labels")], -1),
    )
    report = check.check_folder(cohort)
    assert [(found.id, found.layout, found.labels) for found in report.patients] == [
        ("BRATS_001", "msd", (1, 2, 4)),
        ("N-000", "brats2023", (1, 2, 4)),
        ("P_1", "brats2018", (1, 2, 4)),
    ]
    assert report.passed


def test_enhancing_tumour_of_2018_is_unknown_in_2023(patient, voxels, write):
    for name, word in (("flair", "t2f"), ("t1ce", "t1c"), ("labels", "seg")):
        write(patient.parent / "N" / f"N-{word}.nii.gz", voxels[name])
    report = check.check_folder(patient.parent / "N")
    (problem,) = report.patients[0].problems
    assert problem.found == "unknown label code 4"
    assert "BraTS 2018 wrote enhancing tumour as 4" in problem.cure


def test_the_decathlon_needs_four_volumes_in_a_file(tmp_path, voxels):
    (tmp_path / "imagesTr").mkdir()
    save(tmp_path / "imagesTr" / "BRATS_001.nii.gz", voxels["flair"])
    (found,) = check.check_folder(tmp_path).patients
    (problem,) = found.problems
    assert problem.found == "a 3-D image of shape 240x240x155"
    assert problem.expected == "a 4-D image of 4 volumes: flair, t1, t1ce, t2"


def test_one_name_twice_refuses_both(patient, other_voxels):
    twin = patient.parent.parent / "LGG" / "P_1"
    twin.mkdir(parents=True)
    for file, name in ((FLAIR, "flair"), (T1CE, "t1ce")):
        save(twin / file, other_voxels(1)[name])
    report = check.check_folder(patient.parent.parent)
    assert (report.usable, report.refused) == (0, 2)
    problems = [problem for found in report.patients for problem in found.problems]
    assert [problem.file for problem in problems] == [f"{g}/P_1/{FLAIR}" for g in ("HGG", "LGG")]
    for problem in problems:
        assert problem.found == "2 patients of the name P_1"
        assert problem.expected == "every patient once"
        assert problem.cure == "remove or rename the others"


@pytest.mark.parametrize(("dtype", "axes"), [(np.uint8, "LPS"), (np.float64, "RAS")])
def test_the_same_voxels_under_another_name_refuse_the_second(patient, voxels, write, dtype, axes):
    twin = patient.parent / "Q"
    for word, name in (("flair", "flair"), ("t1ce", "t1ce")):
        write(twin / f"Q_{word}.nii.gz", voxels[name].astype(dtype), axes=axes)
    report = check.check_folder(patient.parent)
    assert [bool(found.problems) for found in report.patients] == [False, True]
    for problem, word in zip(report.patients[1].problems, ("flair", "t1ce"), strict=True):
        assert problem.file == f"Q/Q_{word}.nii.gz"
        assert problem.found == f"the voxels of P_1_{word}.nii.gz (patient P_1)"
        assert "remove Q or P_1" in problem.cure


def test_two_empty_images_are_not_taken_for_one_patient(patient, voxels, other_voxels):
    twin = patient.parent / "Q"
    twin.mkdir()
    save(twin / "Q_t1ce.nii.gz", other_voxels(1)["t1ce"])
    for file in (patient / FLAIR, twin / "Q_flair.nii.gz"):
        save(file, np.zeros_like(voxels["flair"]))
    report = check.check_folder(patient.parent)
    assert [[p.found for p in found.problems] for found in report.patients] == [
        ["an empty image, all 0"]
    ] * 2


def test_the_report_has_the_promised_json(patient, voxels):
    save(patient / FLAIR, changed(voxels["flair"], np.float32, a=np.nan))
    (patient / SEG).unlink()
    text = json.dumps(check.as_json(check.check_folder(patient.parent)), allow_nan=False)
    found = json.loads(text)
    assert list(found) == ["patients", "usable", "refused"]
    assert (found["usable"], found["refused"]) == (0, 1)
    (only,) = found["patients"]
    (problem,) = only.pop("problems")
    assert problem.keys() == {"file", "found", "expected", "cure"}
    assert problem["file"] == f"P_1/{FLAIR}"
    assert only == {
        "id": "P_1",
        "layout": "brats2018",
        "grade": "HGG",
        "shape": [240, 240, 155],
        "ranges": {"flair": [None, None], "t1ce": [0, 199]},
        "labels": None,
        "tumour_free_slices": None,
        "notes": ["no segmentation: can be segmented, not trained on or scored"],
    }


def test_two_processes_find_what_one_finds(patient, voxels):
    (patient / T1CE).write_bytes(b"")
    (patient.parent / "Q").mkdir()
    save(patient.parent / "Q" / "Q_flair.nii.gz", voxels["flair"])
    alone = check.check_folder(patient.parent)
    assert alone.refused == 2
    assert check.check_folder(patient.parent, jobs=2) == alone


def test_a_folder_without_patients_does_not_pass(tmp_path):
    (tmp_path / "flair.nii.gz").touch()
    report = check.check_folder(tmp_path)
    assert not report.passed
    assert check.as_json(report) == {"patients": [], "usable": 0, "refused": 0}
    note, verdict = check.describe(report)
    assert note == "note     1 NIfTI files fit no layout and were left out, such as flair.nii.gz"
    assert re.fullmatch(
        r"No patient found in .*; expected .*<id>_flair\.nii\.gz.* Name the .*", verdict
    )


def test_lines_of_patients_are_aligned(patient, write, other_voxels):
    for name, word in (("flair", "flair"), ("t1ce", "t1ce")):
        write(patient.parent / "Long_name" / f"Long_name_{word}.nii", other_voxels(1)[name])
    first, second, *_, verdict = check.describe(check.check_folder(patient.parent))
    assert first.index("brats2018") == second.index("brats2018")
    assert first.index("usable") == second.index("usable")
    assert "no labels" in first
    assert verdict == "2 patients: 2 usable, 1 of them without labels, 0 refused."


def test_a_missing_folder_is_an_error_of_its_own(tmp_path):
    with pytest.raises(FileNotFoundError, match="No folder at"):
        check.check_folder(tmp_path / "nowhere")
