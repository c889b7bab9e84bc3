"""What is said about a folder of several patients, and about one of none."""

import re

import numpy as np
import pytest
from patient_files import FLAIR, SEG, T1CE, changed, moved, save

from paperlib.data import check


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
