"""Numbers of each patient by hand; voxels of 10 ml."""

import numpy as np
import pandas as pd
import pytest
from limits_by_hand import NETWORK, VOLUME_DICE, make_limits

from paperlib.evaluation.patients import by_patient
from paperlib.evaluation.patients.by_patient import Method


def test_each_patient_has_its_dice_its_volumes_and_what_is_wrong_of_them():
    found = by_patient.measure_patients(make_limits(), NETWORK)
    np.testing.assert_allclose(found["WT_volume"], VOLUME_DICE)
    np.testing.assert_allclose(found["WT_every_slice"], [1.5 / 3, 2 / 9, 1 / 3, 2 / 9])
    np.testing.assert_allclose(found["WT_ceiling"], [2 / 3, 1 / 3, 1 / 3, 2 / 3])
    assert found["WT_predicted_ml"].tolist() == pytest.approx([1600, 600, 600, 800])
    assert found["WT_false_ml"].tolist() == pytest.approx([600, 200, 0, 400])
    assert found["slices"].tolist() == [3] * 4
    assert found["grade"].tolist() == ["HGG", "HGG", "LGG", "HGG"]


def test_what_lies_in_slices_without_the_region_is_told_apart():
    found = by_patient.measure_patients(make_limits(), NETWORK)
    assert found["ET_empty"].tolist() == [1, 2, 3, 2]
    assert found["ET_empty_hit"].tolist() == [1, 0, 2, 0]
    assert found["ET_empty_ml"].tolist() == pytest.approx([50, 0, 70, 0])
    assert found["ET_false_ml"].tolist() == pytest.approx([60, 0, 70, 0])


def test_false_volumes_are_of_patients_without_the_region_and_of_slices_without_it():
    table = by_patient.find_false_volumes(make_limits(), NETWORK)
    rows = table[table["region"] == "ET"].set_index("where")
    assert rows.loc["patients", ["number", "hit"]].tolist() == [1, 1]
    assert rows.loc["patients", ["median_ml", "largest_ml"]].tolist() == pytest.approx([70, 70])
    assert rows.loc["slices", ["number", "hit"]].tolist() == [8, 3]
    assert rows.loc["slices", ["median_ml", "largest_ml"]].tolist() == pytest.approx([25, 70])


def test_where_every_patient_has_the_region_there_is_no_volume():
    found = make_limits()
    found = found._replace(cases=found.cases.assign(ET_ml=1.0))
    table = by_patient.find_false_volumes(found, NETWORK)
    row = table[(table["region"] == "ET") & (table["where"] == "patients")].iloc[0]
    assert (row["number"], row["hit"]) == (0, 0)
    assert np.isnan(row["median_ml"])


def test_the_network_comes_first_and_only_what_is_there_beside_it():
    found = make_limits()
    assert by_patient.choose_methods(found) == {"VAE-MSE-s0": NETWORK}
    more = pd.concat([found.counts, found.counts.assign(method="B2 fixed", reading=None)])
    assert list(by_patient.choose_methods(found._replace(counts=more))) == [
        "VAE-MSE-s0",
        "B2 fixed",
    ]
    with pytest.raises(ValueError, match=r"No network with model 'AAE'"):
        by_patient.choose_methods(found, model="AAE")


def test_an_unknown_method_is_named():
    with pytest.raises(KeyError, match=r"No counts for 'B3'"):
        by_patient.measure_patients(make_limits(), Method("B3", "both"))


def test_heights_are_spread_over_the_tumour_or_over_all_slices_without_one():
    slices = pd.DataFrame({"case": 5, "z": range(60, 70), "WT_truth": [0, 0] + [9] * 7 + [0]})
    slices = pd.concat([slices[::-1], slices.assign(case=6, WT_truth=0)])
    assert by_patient.spread_heights(slices, 5, count=3) == [62, 65, 68]
    assert by_patient.spread_heights(slices, 5, count=99) == list(range(62, 69))
    assert by_patient.spread_heights(slices, 6, count=2) == [60, 69]


def test_a_network_of_some_folds_is_refused_until_only_its_patients_are_taken():
    found = make_limits()
    own = found.counts["method"] == NETWORK.name
    partly = found._replace(counts=found.counts[~own | (found.counts["case"] < 2)])
    with pytest.raises(ValueError, match=r"tested on 2 patients, the table of patients has 4"):
        by_patient.measure_patients(partly, NETWORK)
    kept = by_patient.only_tested(partly, NETWORK)
    assert by_patient.measure_patients(kept, NETWORK).index.tolist() == [0, 1]
    assert by_patient.measure_patients(kept, Method("B11 truth")).index.tolist() == [0, 1]
    assert kept.patients == 2
