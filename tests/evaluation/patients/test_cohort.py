import numpy as np
import pandas as pd
import pytest

from paperlib import artifacts, scores
from paperlib.data.split import Fold
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.patients import cohort
from paperlib.labels import REGIONS

TRUTHS = [10, 10, 0, 10, 0, 0]  # whole tumour pixels of six slices, two patients


def counts(method, overlap, predicted, reading=""):
    table = pd.DataFrame({"case": [0, 0, 0, 1, 1, 1], "z": [70, 71, 72, 70, 71, 72]})
    for region in REGIONS:
        table[f"{region}_overlap"], table[f"{region}_predicted"] = overlap, predicted
    return table.assign(method=method, reading=reading, component="all")


@pytest.fixture
def found():
    """Two patients of three slices; every number below can be checked by hand."""
    slices = pd.DataFrame({"case": [0, 0, 0, 1, 1, 1], "z": [70, 71, 72, 70, 71, 72]})
    slices = slices.assign(fold=0, brain_px=[9, 8, 7, 9, 8, 7])
    for region in REGIONS:
        slices[f"{region}_truth"] = TRUTHS
    scored = slices[["case", "z", "fold"]].assign(
        method="B10",
        role="test",
        slice_height=[-70.0, -71, -72, -70, -71, -72],
        brain_area=[9.0, 8, 7, 9, 8, 7],
        mean_image=[0.0, 0, 0, 0, 0, 0],
    )
    perfect = [10, 10, 0, 10, 0, 0]
    rows = [
        counts("B2 fixed", [5, 10, 0, 10, 0, 0], [10, 10, 4, 10, 0, 0]),
        counts("B3", perfect, perfect, "neighbourhood"),
        counts("B3", [0] * 6, [1] * 6, "both"),
        counts("B11 perfect reconstruction", perfect, perfect, "weights"),
    ]
    pixels = pd.DataFrame(
        {"method": ["z", "z", "z"], "sequence": ["flair", "flair", "t1ce"], "ap": [0.6, 0.8, 0.1]}
    )
    return Evidence(slices, pd.concat(rows), scored, pixels, slices, slices, {})


def test_the_bands_are_measured_as_by_hand(found):
    measured = cohort.measure(found)
    assert measured["tumour_free_share"] == 0.5
    # Tumour slices at 70, 71, 70; free ones at 72, 71, 72: of nine pairs 8 right, one tied.
    assert measured["auroc_brain_area"] == pytest.approx(8.5 / 9)
    assert measured["auroc_mean_image"] == 0.5
    # Dice of the six slices: .5, 1, 0, 1, 0 (empty), 0 (empty).
    assert measured["plain_dice"] == pytest.approx(2.5 / 6)
    # Patient 0: 2 * 15 / (24 + 20); patient 1: 1.
    assert measured["plain_volume_dice"] == pytest.approx((30 / 44 + 1) / 2)
    assert measured["flair_pixel_ap"] == pytest.approx(0.7)
    assert measured["b3_dice"] == measured["b3_both_below"] == 0.5
    assert measured["perfect_volume_dice"] == 1.0
    assert set(measured) == set(cohort.BANDS)


def test_the_comparison_says_which_bands_are_kept(found):
    table = cohort.compare(found, None)
    assert list(table.columns) == ["from", "to", "phantom", "inside"]
    assert table.loc["AUROC of brain area", "inside"] == "no"  # 0.944 is above 0.93
    assert table.loc["FLAIR z > 1, Dice over every slice", "inside"] == "yes"
    assert table.loc["tumour-free slices, share", "inside"] == "no"


def test_the_comparison_has_a_column_for_each_evidence_there_is(found):
    assert list(cohort.compare(None, found).columns) == ["from", "to", "real"]
    both = cohort.compare(found, found)
    assert both["real"].equals(both["phantom"].rename("real"))
    assert list(cohort.compare(None, None).columns) == ["from", "to"]


def test_position_scores_come_with_an_interval_over_patients(found):
    table = cohort.position_auroc(found, draws=50)
    assert list(table.index) == ["slice height", "brain area", "mean FLAIR"]
    assert table.loc["slice height", "AUROC"] == pytest.approx(8.5 / 9)
    # Alone, patient 0 has AUROC 1 and patient 1 has 1: a draw of one patient twice is perfect.
    assert table.loc["slice height", "high"] == 1.0
    assert table.loc["slice height", "low"] == pytest.approx(8.5 / 9)
    assert (table["n"] == 2).all()


def test_a_cohort_is_counted_by_grade_and_in_all():
    cases = pd.DataFrame(
        {
            "grade": ["HGG", "LGG", "HGG"],
            "usable_slices": [70, 60, 70],
            "healthy_slices": [9, 30, 26],
        }
    )
    table = cohort.by_grade(cases)
    assert table["patients"].to_dict() == {"HGG": 2, "LGG": 1, "all": 3}
    assert table.loc["HGG", "share tumour-free"] == 0.25
    assert table.loc["all", "tumour-free slices"] == 65
    assert table["patients with under 10 of them"].tolist() == [1, 0, 1]


def test_the_split_names_patients_grades_and_slices_of_every_role():
    cases = pd.DataFrame(
        {
            "grade": ["HGG", "LGG", "HGG", "HGG"],
            "usable_slices": [70, 60, 70, 50],
            "healthy_slices": [9, 30, 26, 1],
        }
    )
    table = cohort.split_table(cases, [Fold([0, 3], [1], [2])])
    assert list(table.index) == ["training", "validation", "test"]
    assert table.loc["training"].tolist() == [2, "2 HGG", 120, 10]
    assert table.loc["validation", "grades"] == "1 LGG"
    two = cohort.split_table(cases, [Fold([0, 3], [1], [2]), Fold([2], [1], [0, 3])])
    assert two.loc["fold 1, test", "patients"] == 2


@pytest.fixture
def slices():
    return pd.DataFrame(
        {
            "case": [0, 0, 0, 1, 1],
            "z": [60, 61, 62, 60, 61],
            "tumour_px": [5, 9, 30, 0, 0],
            "usable": [True, True, False, True, True],
            "healthy": [False, False, False, True, True],
        }
    )


def test_slices_are_counted_per_height_if_they_are_usable(slices):
    table = cohort.slices_per_height(slices)
    assert table["tumour"].to_dict() == {60: 1, 61: 1}
    assert table["healthy"].to_dict() == {60: 1, 61: 1}


def test_without_a_height_the_usable_slice_with_most_tumour_is_picked(slices):
    assert cohort.pick_slice(slices, 0, None) == 1
    assert cohort.pick_slice(slices, 1, 61) == 4


def test_a_patient_or_height_that_does_not_exist_is_refused_with_those_that_do(slices):
    with pytest.raises(ValueError, match="no patient 7; give 0 to 1"):
        cohort.pick_slice(slices, 7, None)
    with pytest.raises(ValueError, match="no usable slice at z = 62; give 60 to 61"):
        cohort.pick_slice(slices, 0, 62)


def test_refused_and_unlabelled_patients_are_listed_with_reasons(tmp_path):
    problem = {"file": "b/b_seg.nii", "found": "label 3", "expected": "0, 1, 2, 4", "cure": "x"}
    report = [
        {"id": "a", "labels": [1, 2], "problems": []},
        {"id": "b", "labels": [1], "problems": [problem]},
        {"id": "c", "labels": None, "problems": []},
    ]
    artifacts.write_json(tmp_path / "report.json", {"patients": report})
    table = cohort.refused_patients(tmp_path)
    assert table["patient"].tolist() == ["b", "c"]
    assert table["left out because"][0] == "label 3; expected 0, 1, 2, 4"
    assert "no segmentation" in table["left out because"][1]


def test_nothing_refused_is_an_empty_table(tmp_path):
    artifacts.write_json(tmp_path / "report.json", {"patients": []})
    table = cohort.refused_patients(tmp_path)
    assert table.empty
    assert list(table.columns) == ["patient", "left out because"]


def test_the_position_scores_exist_in_the_scores_of_a_run():
    assert set(cohort.POSITION_SCORES) <= set(scores.SCORES)
    assert all(np.isfinite([band.low, band.high]).all() for band in cohort.BANDS.values())
