import numpy as np
import pytest

from paperlib.evaluation.measures import metrics
from paperlib.evaluation.patients import patient_scores
from paperlib.evaluation.tables import Draws


def _volume(**boxes):
    volume = np.zeros((6, 5, 4), np.uint8)
    for name, (low, high) in boxes.items():
        volume[low:high, 1, 1] = int(name[1:])
    return volume


def _counted(cases, **prepared):
    own = {name: patient_scores.count_volume(*pair) for name, pair in cases.items()}
    return patient_scores.collect(own, prepared)


def test_voxels_of_a_volume_are_counted_whole():
    counts = patient_scores.count_volume(_volume(_2=(0, 4), _4=(0, 1)), _volume(_2=(2, 6)))
    regions = list(metrics.REGIONS)
    assert counts.overlap.shape == (1, 5)
    assert counts.overlap[0, regions.index("WT")] == 2
    assert counts.predicted[0, regions.index("ET")] == 1
    assert counts.truth[0].sum() == 4 + 4  # WT and ED
    nothing = patient_scores.count_volume(_volume(), _volume())
    assert not np.any(nothing)


def test_semantic_is_the_mean_of_the_three_labels():
    pair = _volume(_1=(0, 2), _2=(2, 4), _4=(4, 6)), _volume(_1=(0, 2), _2=(4, 6))
    slices = metrics.region_counts(*(part.transpose(2, 1, 0) for part in pair))
    counted = _counted({"A": pair}, A=slices)
    table = patient_scores.summarise(counted, draws=Draws(number=5))
    rows = table[(table["aggregation"] == "every_slice") & (table["empty"] == 0)]
    values = rows.set_index("region")["value"]
    # one of four slices holds something; labels 1, 2, 4: right, wrong place, not there
    assert values[["NCR", "ED", "ET"]].tolist() == [0.25, 0, 0]
    assert values["semantic"] == pytest.approx(0.25 / 3)
    assert set(rows["patients"]) == {1}


def test_an_interval_is_over_patients_and_holds_the_value():
    cases = {
        name: (_volume(_2=(0, high)), _volume(_2=(0, 4)))
        for name, high in (("A", 4), ("B", 2), ("C", 1))
    }
    table = patient_scores.summarise(_counted(cases), draws=Draws(number=200))
    row = table.set_index("region").loc["WT"]
    expected = [1, 2 * 2 / 6, 2 * 1 / 5]
    assert row["value"] == pytest.approx(np.mean(expected))
    assert min(expected) <= row["low"] < row["value"] < row["high"] <= 1
    assert set(table["grid"]) == {"own"}
    regions = table.set_index("region")
    assert regions.loc["ET", "value"] == 1  # nowhere in either


def test_a_region_without_any_value_is_missing_not_zero():
    pair = _volume(_2=(0, 4)), _volume(_2=(0, 4))
    slices = metrics.region_counts(*(part.transpose(2, 1, 0) for part in pair))
    table = patient_scores.summarise(_counted({"A": pair}, A=slices), draws=Draws(number=5))
    rows = table[table["aggregation"] == "tumour_slices"].set_index("region")
    assert rows.loc["WT", "value"] == 1
    assert np.isnan(rows.loc["ET", "value"])
    assert rows.loc["ET", "patients"] == 0


def test_volumes_of_a_patient_are_in_ml():
    counted = _counted({"A": (_volume(_4=(0, 3)), _volume(_4=(0, 6)))})
    row = patient_scores.by_patient(counted, voxel_ml={"A": 0.5}).loc["A"]
    assert (row["ET_predicted_ml"], row["ET_truth_ml"]) == (1.5, 3.0)
    assert row["ET_volume"] == pytest.approx(2 * 3 / 9)
    assert np.isnan(row["ET_every_slice"])
