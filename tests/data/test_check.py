"""What is said about one patient who is not refused, and the shape of the report."""

import json
import re
import shutil

import nibabel as nib
import numpy as np
import pytest
from patient_files import FLAIR, SEG, T1CE, changed, moved, save

from paperlib.data import check


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
