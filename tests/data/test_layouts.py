import re

import pytest

from paperlib.data import layouts
from paperlib.data.layouts import LAYOUTS, find_cases

OLD = ("flair", "t1ce", "seg")
NEW = ("t2f", "t1c", "seg")
ALL = {"flair", "t1ce", "labels"}


def touch(folder, *files):
    for file in files:
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def touch_patient(folder, case_id, words=OLD, separator="_", ending=".nii.gz"):
    touch(folder / case_id, *(f"{case_id}{separator}{word}{ending}" for word in words))


def found(folder):
    return [(case.id, case.layout, case.grade, set(case.files)) for case in find_cases(folder)]


def test_brats_2018_has_its_grade_from_the_folder(tmp_path):
    touch_patient(tmp_path / "HGG", "Brats18_A_1", (*OLD, "t1", "t2"))
    touch_patient(tmp_path / "LGG", "Brats18_B_1")
    assert found(tmp_path) == [
        ("Brats18_A_1", "brats2018", "HGG", ALL),
        ("Brats18_B_1", "brats2018", "LGG", ALL),
    ]


def test_every_key_names_its_own_file(tmp_path):
    touch_patient(tmp_path / "HGG", "A", (*OLD, "t1", "t2"))
    (case,) = find_cases(tmp_path)
    home = tmp_path / "HGG" / "A"
    assert case.files == {
        "flair": home / "A_flair.nii.gz",
        "t1ce": home / "A_t1ce.nii.gz",
        "labels": home / "A_seg.nii.gz",
    }


def test_the_folder_of_a_grade_wins_over_the_name_mapping_of_2019(tmp_path):
    touch_patient(tmp_path / "LGG", "BraTS19_A_1")
    (tmp_path / "name_mapping.csv").write_text("Grade,BraTS_2019_subject_ID\nHGG,BraTS19_A_1\n")
    assert found(tmp_path) == [("BraTS19_A_1", "brats2018", "LGG", ALL)]


@pytest.mark.parametrize(
    "header",
    [
        "Grade,BraTS_2017_subject_ID,BraTS_2018_subject_ID,TCGA_TCIA_subject_ID,"
        "BraTS_2019_subject_ID,BraTS_2020_subject_ID",
        "\ufeffBraTS_2020_subject_ID,Grade,x,y,z,v",
    ],
)
def test_brats_2020_has_its_grade_from_the_name_mapping(tmp_path, header):
    columns = header.split(",")
    rows = {"BraTS20_Training_001": "HGG", "BraTS20_Training_002": "LGG"}
    lines = [header]
    for case_id, grade in rows.items():
        touch_patient(tmp_path / "data", case_id, ending=".nii")
        values = {"Grade": grade, "BraTS_2020_subject_ID": case_id}
        lines.append(",".join(values.get(column.strip("\ufeff"), "NA") for column in columns))
    touch_patient(tmp_path / "data", "BraTS20_Training_003")
    (tmp_path / "data" / "name_mapping.csv").write_text("\n".join(lines), encoding="utf-8")
    assert found(tmp_path) == [
        ("BraTS20_Training_001", "brats2020", "HGG", ALL),
        ("BraTS20_Training_002", "brats2020", "LGG", ALL),
        ("BraTS20_Training_003", "brats2020", "unknown", ALL),
    ]


def test_names_of_2019_are_looked_up_in_their_own_column(tmp_path):
    touch_patient(tmp_path, "BraTS19_A_1")
    (tmp_path / "name_mapping.csv").write_text(
        "Grade,BraTS_2018_subject_ID,BraTS_2019_subject_ID\nLGG,Brats18_A_1,BraTS19_A_1\n"
    )
    assert found(tmp_path) == [("BraTS19_A_1", "brats2020", "LGG", ALL)]


def test_the_validation_set_of_2020_has_neither_grades_nor_labels(tmp_path):
    touch_patient(tmp_path, "BraTS20_Validation_001", ("flair", "t1ce"))
    (tmp_path / "name_mapping_validation_data.csv").write_text("BraTS_2020_subject_ID\nx\n")
    assert found(tmp_path) == [
        ("BraTS20_Validation_001", "brats2020", "unknown", {"flair", "t1ce"})
    ]


def test_brats_2021_needs_neither_grades_nor_a_mapping(tmp_path):
    touch_patient(tmp_path, "BraTS2021_99999")
    assert found(tmp_path) == [("BraTS2021_99999", "brats2021", "unknown", ALL)]


def test_patients_may_share_one_folder(tmp_path):
    touch(tmp_path, *(f"{case_id}_{word}.nii" for case_id in ("A", "B_1") for word in OLD))
    assert found(tmp_path) == [
        ("A", "brats2021", "unknown", ALL),
        ("B_1", "brats2021", "unknown", ALL),
    ]


def test_brats_2023_has_other_words_behind_a_hyphen(tmp_path):
    touch_patient(tmp_path, "BraTS-GLI-00000-000", (*NEW, "t1n", "t2w"), "-")
    (case,) = find_cases(tmp_path)
    assert case[:3] == ("BraTS-GLI-00000-000", "brats2023", "unknown")
    names = {key: file.name.removeprefix(case.id) for key, file in case.files.items()}
    assert names == {"flair": "-t2f.nii.gz", "t1ce": "-t1c.nii.gz", "labels": "-seg.nii.gz"}


def test_the_decathlon_keeps_both_sequences_in_one_file(tmp_path):
    task = tmp_path / "Task01_BrainTumour"
    touch(task, "imagesTr/BRATS_001.nii.gz", "labelsTr/BRATS_001.nii.gz")
    touch(task, "imagesTs/BRATS_485.nii.gz", "imagesTr/._BRATS_001.nii.gz")
    first, second = find_cases(tmp_path)
    image = task / "imagesTr" / "BRATS_001.nii.gz"
    labels = task / "labelsTr" / "BRATS_001.nii.gz"
    assert first == (
        "BRATS_001",
        "msd",
        "unknown",
        {"flair": image, "t1ce": image, "labels": labels},
    )
    assert (second.id, set(second.files)) == ("BRATS_485", {"flair", "t1ce"})


def test_a_folder_may_mix_layouts_at_any_depth(tmp_path):
    touch_patient(tmp_path / "a" / "b" / "HGG", "P2018")
    touch_patient(tmp_path / "a", "P2021")
    touch_patient(tmp_path / "c", "P2023-000", NEW, "-")
    touch(tmp_path / "d", "labelsTr/BRATS_002.nii", "imagesTr/BRATS_002.nii")
    touch_patient(tmp_path / "e", "P2020")
    touch(tmp_path / "e", "name_mapping.csv")
    assert [(case.id, case.layout) for case in find_cases(tmp_path)] == [
        ("BRATS_002", "msd"),
        ("P2018", "brats2018"),
        ("P2020", "brats2020"),
        ("P2021", "brats2021"),
        ("P2023-000", "brats2023"),
    ]


@pytest.mark.parametrize("start", ["HGG", "HGG/A"])
def test_the_search_may_start_further_down(tmp_path, start, monkeypatch):
    touch_patient(tmp_path / "HGG", "A")
    assert [case.id for case in find_cases(tmp_path / start)] == ["A"]
    monkeypatch.chdir(tmp_path / "HGG")
    (case,) = find_cases(layouts.Path("."))
    assert case.grade == "HGG"
    assert case.files["flair"] == layouts.Path("A/A_flair.nii.gz")


def test_what_macos_and_others_hide_is_ignored(tmp_path):
    touch_patient(tmp_path, "A")
    touch(tmp_path, "A/._A_flair.nii.gz", "__MACOSX/A/._A_seg.nii.gz", ".cache/B/B_flair.nii")
    assert found(tmp_path) == [("A", "brats2021", "unknown", ALL)]
    assert layouts.strange_files(tmp_path) == []


def test_the_truth_of_a_phantom_is_no_patient(tmp_path):
    touch_patient(
        tmp_path / "HGG", "Phantom_0000", (*OLD, "healthy_flair", "healthy_t1ce", "tissue")
    )
    assert found(tmp_path) == [("Phantom_0000", "brats2018", "HGG", ALL)]


def test_a_patient_with_a_missing_sequence_is_still_listed(tmp_path):
    touch_patient(tmp_path, "A", ("t1", "t2"))
    touch_patient(tmp_path, "B", ("t1ce", "seg"))
    assert [(case.id, set(case.files)) for case in find_cases(tmp_path)] == [
        ("A", set()),
        ("B", {"t1ce", "labels"}),
    ]


def test_a_patient_in_two_places_is_listed_twice(tmp_path):
    touch_patient(tmp_path / "HGG", "A")
    touch_patient(tmp_path / "LGG", "A")
    assert [(case.id, case.grade) for case in find_cases(tmp_path)] == [("A", "HGG"), ("A", "LGG")]


def test_a_file_unpacked_beside_its_archive_is_listed_twice(tmp_path):
    touch_patient(tmp_path, "A")
    touch_patient(tmp_path, "A", ending=".nii")
    assert [case.files["flair"].name for case in find_cases(tmp_path)] == [
        "A_flair.nii",
        "A_flair.nii.gz",
    ]


def test_links_are_followed_but_not_in_circles(tmp_path):
    touch_patient(tmp_path / "disk", "A")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "disk")
    (tmp_path / "disk" / "back").symlink_to(tmp_path / "disk")
    assert [case.id for case in find_cases(tmp_path / "here")] == ["A"]


def test_files_of_no_layout_are_told_apart(tmp_path):
    touch_patient(tmp_path, "A")
    touch(tmp_path, "A/A_FLAIR.nii.gz", "b.nii", "notes.txt")
    assert layouts.strange_files(tmp_path) == [
        tmp_path / "A" / "A_FLAIR.nii.gz",
        tmp_path / "b.nii",
    ]


def test_nothing_at_the_path_is_said_with_the_cure(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No folder at .*nowhere; expected .*Check the sp"):
        find_cases(tmp_path / "nowhere")


def test_a_file_in_place_of_the_folder_is_said_with_the_cure(tmp_path):
    touch(tmp_path, "brats.zip")
    with pytest.raises(NotADirectoryError, match=r"brats.zip is a file; expected .*Unpack it"):
        find_cases(tmp_path / "brats.zip")


def test_a_misnamed_segmentation_is_found_in_the_patients_own_folder(tmp_path):
    touch_patient(tmp_path, "BraTS20_Training_355", ("flair", "t1ce"), ending=".nii")
    strange = tmp_path / "BraTS20_Training_355" / "W39_1998.09.19_Segm.nii"
    touch(tmp_path, strange)
    (case,) = find_cases(tmp_path)
    assert "labels" not in case.files
    assert layouts.misnamed_labels(case) == strange


@pytest.mark.parametrize(
    "files",
    [
        ["A/A_flair.nii", "A/A_prediction_seg2.nii"],  # named after the patient: no accident
        ["A/A_flair.nii", "A/A_seg.nii", "A/W39_Segm.nii"],  # nothing is missing
        ["A_flair.nii", "B_flair.nii", "W39_Segm.nii"],  # whose is it?
        ["A/A_flair.nii", "A/W39.nii"],  # no segmentation by its name
        ["A/A_t1ce.nii"],  # the missing sequence is reported anyway
    ],
)
def test_other_files_are_not_taken_for_a_misnamed_segmentation(tmp_path, files):
    touch(tmp_path, *files)
    assert all(layouts.misnamed_labels(case) is None for case in find_cases(tmp_path))


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_recognises_the_names_that_it_asks_for(name):
    layout = LAYOUTS[name]
    for wanted in ALL:
        file = layout.file_name("A_1", wanted)
        place = "HGG/" if layout.place else ""
        match = layout.match(place + file.removesuffix(".nii.gz"))
        assert match["id"] == "A_1"
        assert wanted in layout.words[match["word"]]
    assert not layout.place or layout.match(file.removesuffix(".nii.gz")) is None


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_knows_all_three_labels(name):
    assert sorted(LAYOUTS[name].codes.values()) == [0, 1, 2, 4]


def test_a_new_layout_is_one_entry(tmp_path, monkeypatch):
    words = {"FLAIR": ("flair",), "T1Gd": ("t1ce",), "mask": ("labels",)}
    new = LAYOUTS["brats2021"]._replace(name="{word}_of_{id}", words=words)
    monkeypatch.setattr(layouts, "LAYOUTS", {**LAYOUTS, "clinic": new})
    touch(tmp_path, *(f"{word}_of_A.nii" for word in words))
    assert found(tmp_path) == [("A", "clinic", "unknown", ALL)]
    assert re.fullmatch(r"mask_of_A\.nii\.gz", new.file_name("A", "labels"))
