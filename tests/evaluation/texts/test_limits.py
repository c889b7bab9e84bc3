"""The limits page's tables as a reader meets them."""

import numpy as np
import pandas as pd
import pytest
from limits_by_hand import NETWORK, make_limits

from paperlib.evaluation.patients import by_patient, strata
from paperlib.evaluation.tables import Draws
from paperlib.evaluation.texts import limits

DRAWS = Draws(50, 0)


def _line(value, low=np.nan, high=np.nan, **named):
    change = {"difference": value - 1, "difference_low": low, "difference_high": high}
    return {**named, "patients": 7, "value": value, "low": low, "high": high, **change}


def test_a_group_is_a_row_and_the_number_of_patients_its_first_column():
    table = strata.dice_by_stratum(make_limits(), NETWORK, draws=DRAWS)
    frame = limits.lay_out_strata(table)
    assert frame["", "n"].loc["grade"].tolist() == ["3", "1"]
    assert frame.loc[("grade", "LGG"), ("volume Dice", "WT")] == "1.00"
    assert frame.loc[(strata.ENHANCING, "absent"), ("volume Dice", "ET")] == "–"
    assert frame.index.get_level_values(0).unique().tolist()[:2] == [strata.ALL, "grade"]
    assert frame.columns.get_level_values(0).unique().tolist() == [
        "",
        "volume Dice",
        "Dice over every slice",
    ]


def test_an_interval_stands_behind_its_value():
    lines = [
        _line(0.5, 0.25, 0.75, stratum="s", group="g", aggregation=aggregation, region=region)
        for aggregation in strata.AGGREGATIONS
        for region in strata.SHOWN
    ]
    frame = limits.lay_out_strata(pd.DataFrame(lines))
    assert set(frame.iloc[0, 1:]) == {"0.50 [0.25,\u00a00.75]"}


def test_a_rule_of_components_shows_its_change_and_no_signed_zero():
    lines = [
        _line(value, low, 0.05, aggregation=aggregation, group="one", component=component)
        for aggregation in strata.AGGREGATIONS
        for component, value, low in (
            ("all", 1.0, 0.02),
            ("largest_2d", 1.1, -0.002),
            ("largest_3d", 0.6, -0.5),
        )
    ]
    frame = limits.lay_out_components({"B3": pd.DataFrame(lines)})
    assert frame.index.tolist() == [("B3", "one (n\u00a0=\u00a07)")]
    assert frame["volume Dice"].iloc[0].tolist() == [
        "1.00 [0.02,\u00a00.05]",
        "+0.10 [0.00,\u00a0+0.05]",
        "−0.40 [−0.50,\u00a0+0.05]",
    ]


def test_false_volumes_stand_beside_how_often_they_occur():
    table = by_patient.find_false_volumes(make_limits(), NETWORK)
    frame = limits.lay_out_false({"network": table})
    row = frame.loc[("network", "ET")]
    assert row["patients without it"].tolist() == ["1", "1", "70", "70"]
    assert row["slices without it"].tolist() == ["8", "3", "25", "70"]


def test_small_volumes_keep_a_digit_and_missing_ones_are_missing():
    lines = {"region": "ET", "number": 0, "hit": 0, "median_ml": 9.94, "largest_ml": np.nan}
    table = pd.DataFrame([{**lines, "where": where} for where in ("patients", "slices")])
    assert limits.lay_out_false({"B3": table}).iloc[0].tolist() == ["0", "0", "9.9", "–"] * 2


def test_a_patient_has_all_numbers_and_no_dice_of_what_it_does_not_have():
    found = make_limits()
    row = {"method": NETWORK.name, "case": 2, "sequence": "flair", "ap": 0.5, "image_ap": 0.75}
    found = found._replace(
        pixels=pd.DataFrame([row, row | {"sequence": "t1ce", "ap": np.nan, "image_ap": np.nan}])
    )
    frame = limits.lay_out_patients(found, {"network": NETWORK}, {"worst": 2})
    cells = frame["worst: patient\u00a02"]
    assert cells["truth", "grade"] == "LGG"
    assert cells["truth", "foci of the whole tumour / of the core"] == "1 / 0"
    assert cells["truth", "volume of WT / TC / ET, ml"] == "60 / 0.0 / 0.0"
    assert cells["truth", "slices / without tumour"] == "3 / 2"
    assert cells["network", "volume Dice of WT / TC / ET"] == "1.00 / – / –"
    assert cells["network", "predicted, ml"] == "600 / 70 / 70"
    assert cells["network", "pixel AP of the FLAIR residual / image, WT"] == "0.50 / 0.75"
    assert cells["network", "pixel AP of the T1CE residual / image, ET"] == "– / –"


def test_too_few_patients_have_no_correlation():
    found = limits.lay_out_correlations(make_limits(), {"network": NETWORK}, draws=DRAWS)
    assert found.to_dict() == {"network": "–"}


def test_one_focus_bounds_the_dice_of_a_perfect_mask():
    shares = np.array([1.0, 0.5, 0.8])
    found = limits.bound_of_one_focus(shares)
    tumour = np.zeros(10, bool)
    tumour[:] = True
    largest = np.arange(10) < 8
    dice = 2 * (largest & tumour).sum() / (largest.sum() + tumour.sum())
    assert found.tolist() == pytest.approx([1, 2 / 3, dice])
