"""The rules by which pages choose what they show."""

import pandas as pd
import pytest
from evidence_by_hand import make_evidence

from paperlib.evaluation import examples


def evidence_of(*networks):
    milestones = pd.DataFrame(networks, columns=["model", "loss"])
    return make_evidence()._replace(milestones=milestones)


def test_the_papers_network_is_shown_where_it_was_trained():
    found = evidence_of(("VAE", "MSE"), ("dVAE", "SSIM"))
    assert examples.choose_network(found) == ("dVAE", "SSIM")
    assert examples.choose_network(found, model="VAE") == ("VAE", "MSE")
    assert examples.choose_network(evidence_of(("VAE", "MSE"), ("VAE", "SSIM"))) == ("VAE", "MSE")


def test_a_network_that_was_not_trained_is_refused_with_those_that_were():
    with pytest.raises(ValueError, match=r"model 'VAE1px' and loss None.*choose one of VAE-MSE"):
        examples.choose_network(evidence_of(("VAE", "MSE")), model="VAE1px")


def test_the_patient_with_the_best_mixture_is_chosen():
    slices = pd.DataFrame(
        {
            "case": [1] * 5 + [2] * 6 + [4] * 4,
            "tumour": [1, 1, 1, 1, 0] + [1, 1, 0, 0, 0, 0] + [0] * 4,
        }
    )
    slices["tumour"] = slices["tumour"].astype(bool)
    assert examples.choose_case(slices) == 2
    assert examples.choose_case(slices, 4) == 4
    with pytest.raises(ValueError, match=r"Patient 3 is not tested.*choose one of 1, 2, 4"):
        examples.choose_case(slices, 3)


def slices_with_enhancement():
    return pd.DataFrame(
        {
            "case": [1, 1, 2, 2, 3, 3, 4, 4],
            "z": [70, 71, 80, 81, 90, 91, 60, 61],
            "ET_truth": [5, 9, 30, 20, 0, 0, 100, 1],
            "WT_truth": [9, 9, 90, 90, 500, 400, 200, 200],
        }
    )


def test_the_slice_is_of_the_middle_patient_by_enhancing_tumour():
    # Volumes 14, 50 and 101; patient 3 has none and does not count.
    assert examples.choose_slice(slices_with_enhancement()) == (2, 80)
    assert examples.choose_slice(slices_with_enhancement(), case=1) == (1, 71)
    assert examples.choose_slice(slices_with_enhancement(), case=3) == (3, 90)
    assert examples.choose_slice(slices_with_enhancement(), z=81) == (2, 81)


def test_without_any_enhancing_tumour_the_whole_tumour_decides():
    slices = slices_with_enhancement().assign(ET_truth=0)
    assert examples.choose_slice(slices) == (4, 61)  # volumes 18, 180, 400 and 900


@pytest.mark.parametrize(
    ("case", "z", "known"),
    [(2, 70, "slices 80 to 81 of this"), (9, None, "patients are 1, 2, 3, 4")],
)
def test_a_slice_that_is_not_tested_is_refused(case, z, known):
    with pytest.raises(ValueError, match=rf"Slice {z} of patient {case} is not tested.*{known}"):
        examples.choose_slice(slices_with_enhancement(), case, z)


def test_extremes_are_best_median_and_worst():
    found = pd.DataFrame({"case": [4, 5, 6, 7], "dice": [0.1, 0.9, 0.5, 0.7]})
    assert examples.choose_extremes(found) == {"best": 5, "median": 6, "worst": 4}


def test_few_patients_are_shown_once_each():
    two = pd.DataFrame({"case": [4, 5], "dice": [0.3, 0.3]})
    assert examples.choose_extremes(two) == {"best": 4, "median": 5}
    assert examples.choose_extremes(two.iloc[:1]) == {"best": 4}


def counts_of(**volumes):
    """Return one slice per patient from `p<number>=(overlap, predicted, truth, enhancing)`."""
    rows = [
        {"case": int(name[1:]), "WT_overlap": overlap, "WT_predicted": predicted}
        | {"WT_truth": truth, "ET_truth": enhancing}
        for name, (overlap, predicted, truth, enhancing) in volumes.items()
    ]
    return pd.DataFrame(rows)


def test_the_viewer_shows_extremes_and_one_patient_of_each_rare_kind():
    counts = counts_of(
        p1=(50, 50, 50, 9), p2=(40, 50, 50, 9), p3=(30, 50, 50, 9), p4=(25, 50, 50, 0),
        p5=(20, 50, 50, 0), p6=(10, 50, 50, 9), p7=(0, 0, 0, 0), p8=(0, 90, 0, 0),
    )  # fmt: skip
    assert examples.choose_viewed(counts) == {
        1: "best Dice, 1.00",
        4: "median Dice, 0.50, no enhancing tumour",
        6: "worst Dice, 0.20",
        7: "no tumour",
    }
    assert examples.choose_viewed(counts[counts["case"].isin([5, 6, 1, 2])]) == {
        1: "best Dice, 1.00",
        5: "median Dice, 0.40, no enhancing tumour",
        6: "worst Dice, 0.20",
    }
    spared = counts_of(p1=(9, 9, 9, 1), p2=(8, 9, 9, 1), p3=(7, 9, 9, 1), p4=(9, 9, 9, 0))
    assert examples.choose_viewed(spared)[4] == "no enhancing tumour"


def test_a_run_whose_patients_have_no_tumour_still_has_one_to_view():
    assert examples.choose_viewed(counts_of(p7=(0, 0, 0, 0))) == {7: "no tumour"}
