"""Kinds of patients by hand, and the Dice of each kind."""

import numpy as np
import pandas as pd
import pytest
from limits_by_hand import CASES, NETWORK, VOLUME_DICE, make_limits
from scipy import stats

from paperlib.evaluation import evidence
from paperlib.evaluation.patients import strata
from paperlib.evaluation.tables import Draws

DRAWS = Draws(50, 0)


def _row(table, stratum, group, region="WT", aggregation="volume"):
    chosen = table[
        (table["stratum"] == stratum)
        & (table["group"] == group)
        & (table["region"] == region)
        & (table["aggregation"] == aggregation)
    ]
    assert len(chosen) == 1
    return chosen.iloc[0]


def test_patients_are_grouped_by_their_truth():
    found = strata.group_patients(CASES)
    assert found["grade"].tolist() == ["HGG", "HGG", "LGG", "HGG"]
    assert found[strata.ENHANCING].tolist() == [
        "5 ml or more",
        "5 ml or more",
        "absent",
        "under 5 ml",
    ]
    assert found[strata.WHOLE_FOCI].tolist() == ["two or more", "one", "one", "none"]
    assert found[strata.CORE_FOCI].tolist() == ["two or more", "one", "none", "one"]


def test_groups_are_ordered_and_thirds_name_their_limits():
    cases = pd.DataFrame({"case": range(9), "WT_ml": [9.0, 8, 7, 6, 5, 4, 3, 2, 0]})
    cases = cases.assign(grade=None, foci=1, core_foci=1, ET_ml=cases["WT_ml"])
    found = strata.group_patients(cases)
    assert found[strata.VOLUME].tolist() == (
        ["upper third, 8 to 9 ml"] * 2
        + ["middle third, 5 to 7 ml"] * 3
        + ["lower third, 2 to 4 ml"] * 3
        + ["none"]
    )
    assert found[strata.VOLUME].cat.categories[0] == "none"
    assert set(found["grade"]) == {"unknown"}


def test_evidence_without_its_patients_says_how_to_get_them():
    old = make_limits()._replace(cases=evidence.NO_CASES)
    with pytest.raises(ValueError, match=r"no table of its patients .* make it again"):
        strata.dice_by_stratum(old, NETWORK, draws=DRAWS)


def test_a_group_has_the_mean_of_its_patients_and_says_how_many():
    table = strata.dice_by_stratum(make_limits(), NETWORK, draws=DRAWS)
    high = _row(table, "grade", "HGG")
    assert high["patients"] == 3
    assert high["value"] == pytest.approx(np.mean([VOLUME_DICE[c] for c in (0, 1, 3)]))
    assert high["ceiling"] == 1
    every = _row(table, "grade", "HGG", aggregation="every_slice")
    assert every["value"] == pytest.approx((1.5 + 2 / 3 + 2 / 3) / 9)
    assert every["ceiling"] == pytest.approx(5 / 9)


def test_where_the_truth_has_nothing_there_is_no_dice_and_in_a_mixed_group_it_is_zero():
    table = strata.dice_by_stratum(make_limits(), NETWORK, draws=DRAWS)
    assert np.isnan(_row(table, strata.ENHANCING, "absent", "ET")["value"])
    assert np.isnan(_row(table, strata.ENHANCING, "absent", "ET", "every_slice")["value"])
    mixed = _row(table, strata.ALL, "all", "ET")
    assert mixed["value"] == pytest.approx(np.mean([4 / 14, 20 / 30, 0, 1]))
    assert mixed["ceiling"] == pytest.approx(3 / 4)


def _many(copies):
    """Return the four patients several times over, each copy with numbers of its own."""
    found = make_limits()
    tables = {}
    for name in ("slices", "counts", "cases"):
        table = getattr(found, name)
        parts = [table.assign(case=table["case"] + 4 * number) for number in range(copies)]
        tables[name] = pd.concat(parts, ignore_index=True)
    return found._replace(**tables)


def test_an_interval_needs_enough_patients():
    few = strata.dice_by_stratum(make_limits(), NETWORK, draws=DRAWS)
    assert few[["low", "high"]].isna().all(axis=None)
    many = strata.dice_by_stratum(_many(2), NETWORK, draws=DRAWS)
    high = _row(many, "grade", "HGG")  # six patients
    assert high["low"] < high["value"] < high["high"]
    assert np.isnan(_row(many, "grade", "LGG")["low"])  # two


def test_patients_are_drawn_across_folds_where_a_fold_has_too_few_of_a_group_to_vary():
    table = strata.dice_by_stratum(_many(2), NETWORK, draws=Draws(400, 0))
    apart = _many(2)
    folds = dict(zip(range(8), range(8), strict=True))  # each patient a fold of its own
    apart = apart._replace(slices=apart.slices.assign(fold=apart.slices["case"].map(folds)))
    same = strata.dice_by_stratum(apart, NETWORK, draws=Draws(400, 0))
    pd.testing.assert_frame_equal(table, same)


def test_folds_are_kept_where_each_has_enough_patients():
    found = _many(10)  # 20 patients in each fold: 0 and 1, 2 and 3
    kept = _row(strata.dice_by_stratum(found, NETWORK, draws=Draws(400, 0)), strata.ALL, "all")
    joined = found._replace(slices=found.slices.assign(fold=0))
    free = _row(strata.dice_by_stratum(joined, NETWORK, draws=Draws(400, 0)), strata.ALL, "all")
    assert kept["value"] == pytest.approx(free["value"])
    assert kept["low"] != free["low"]


def test_a_rule_of_components_is_compared_on_the_same_patients():
    found = _many(5)
    found = found._replace(slices=found.slices.assign(fold=0))
    table = strata.compare_components(
        found, NETWORK, stratum=strata.WHOLE_FOCI, region="WT", draws=DRAWS
    )
    rows = table[table["aggregation"] == "volume"].set_index(["group", "component"])
    lost = rows.loc["two or more", "largest_2d"]  # only patient 0 and its copies, emptied
    assert lost["patients"] == 5
    assert lost["difference"] == pytest.approx(-VOLUME_DICE[0])
    assert (lost["difference_low"], lost["difference_high"]) == pytest.approx(
        (-VOLUME_DICE[0], -VOLUME_DICE[0])
    )
    one = rows.loc["one", "largest_3d"]  # patient 2 is emptied, patient 1 is not
    assert one["value"] == pytest.approx(VOLUME_DICE[1] / 2)
    assert one["difference"] == pytest.approx(-0.5)
    assert one["difference_low"] < -0.5 < one["difference_high"]
    unchanged = rows.loc[("none", "largest_2d"), ["difference", "difference_low"]]
    assert unchanged.tolist() == [0, 0]


def test_groups_won_are_counted_by_volume_dice_of_the_whole_tumour():
    first = strata.dice_by_stratum(make_limits(), NETWORK, draws=DRAWS)
    whole = (first["aggregation"] == "volume") & (first["region"] == "WT")
    second = first.copy()
    second.loc[whole & (first["stratum"] == "grade"), "value"] = 0
    second.loc[~whole, "value"] = -1
    assert strata.count_groups_won(first, second) == (2, int(whole.sum()))
    assert strata.count_groups_won(second, first) == (0, int(whole.sum()))


def test_rank_correlation_is_scipys_in_every_sample():
    rng = np.random.default_rng(3)
    first = rng.normal(size=12)
    second = first + rng.normal(size=12)
    second[4] = second[7]  # a tie
    found = strata.correlate_ranks(first, second, draws=Draws(200, 5))
    assert found.value == pytest.approx(stats.spearmanr(first, second).statistic)
    drawn = np.random.default_rng(5).integers(12, size=(200, 12))
    expected = [stats.spearmanr(first[d], second[d]).statistic for d in drawn]
    np.testing.assert_allclose(
        (found.low, found.high), np.quantile(expected, [0.025, 0.975]), atol=1e-12
    )


def test_too_few_patients_have_no_rank_correlation():
    found = strata.correlate_ranks(np.arange(4.0), np.arange(4.0), draws=DRAWS)
    assert np.isnan(found.value)
    assert found.patients == 4


def test_a_sample_of_one_patient_drawn_again_and_again_is_left_out():
    found = strata.correlate_ranks(np.arange(5.0), np.ones(5), draws=DRAWS)
    assert np.isnan(found.value)
