"""Conventions of Dice by hand, on four patients of three slices."""

import numpy as np
import pandas as pd
import pytest
from evidence_by_hand import METHOD, make_evidence

from paperlib.evaluation import conventions
from paperlib.evaluation.measures import metrics
from paperlib.evaluation.slices import slice_scores
from paperlib.evaluation.tables import Draws

DRAWS = Draws(50, 0)
# Dice of each slice of cases 0 to 3 at z = 70, 90, 110; an empty pair counts 0.
DICE = [0.5, 1.0, 0.0, 0.0, 2 / 3, 0.0, 1.0, 0.0, 0.0, 0.0, 2 / 3, 0.0]
EMPTY_PAIRS = 4  # of the twelve slices


def table():
    return conventions.slice_counts(make_evidence(), METHOD, reading="both")


def value(found, aggregation, empty, region="WT", column="value"):
    same = found["empty"].isna() if np.isnan(empty) else found["empty"] == empty
    rows = found[(found["aggregation"] == aggregation) & same & (found["region"] == region)]
    assert len(rows) == 1
    return rows[column].iloc[0]


def test_slices_are_sorted_and_carry_their_dice():
    found = table()
    assert found["z"].tolist() == [70, 90, 110] * 4
    np.testing.assert_allclose(found["dice"], DICE)


def test_a_method_that_is_not_there_is_named():
    with pytest.raises(KeyError, match=r"No counts of 'B3', reading 'both', component 'all'"):
        conventions.slice_counts(make_evidence(), "B3", reading="both")


def test_one_prediction_has_a_value_for_each_convention():
    found = conventions.compare_conventions(table(), flagged=None, draws=DRAWS)
    assert value(found, "every_slice", 0.0) == pytest.approx(sum(DICE) / 12)
    assert value(found, "every_slice", 1.0) == pytest.approx((sum(DICE) + EMPTY_PAIRS) / 12)
    assert value(found, "every_slice", np.nan) == pytest.approx(sum(DICE) / (12 - EMPTY_PAIRS))
    assert value(found, "tumour_slices", np.nan) == pytest.approx(sum(DICE) / 6)
    volumes = [200 / 310, 80 / 140, 1.0, 80 / 160]
    assert value(found, "volume", 0.0) == pytest.approx(np.mean(volumes))
    assert value(found, "pooled_pixels", np.nan) == pytest.approx(480 / (310 + 140 + 120 + 160))


def test_the_truth_is_the_ceiling_and_nothing_is_no_zero_where_empty_counts_one():
    found = conventions.compare_conventions(table(), flagged=None, draws=DRAWS)
    assert value(found, "every_slice", 0.0, column="ceiling") == pytest.approx(6 / 12)
    assert value(found, "every_slice", 1.0, column="ceiling") == 1
    assert value(found, "every_slice", 1.0, column="nothing") == pytest.approx(6 / 12)
    assert value(found, "every_slice", 0.0, column="nothing") == 0


def test_a_gate_empties_what_it_does_not_flag():
    flagged = slice_scores.flag_slices(
        make_evidence(), METHOD, score="mean_residual", rule="max_healthy"
    )
    found = conventions.compare_conventions(table(), flagged=flagged, draws=DRAWS)
    kept = np.array(DICE) * flagged
    assert value(found, "every_slice", 0.0) == pytest.approx(kept.sum() / 12)
    assert value(found, "flagged_slices", 0.0) == pytest.approx(kept.sum() / flagged.sum())


def test_flagged_slices_need_flags_and_all_eleven_conventions_are_there():
    def names(flagged):
        found = conventions.compare_conventions(table(), flagged=flagged, draws=DRAWS)
        return set(found["convention"])

    assert len(names(np.ones(12, bool))) == len(metrics.CONVENTIONS) == 11
    assert names(np.ones(12, bool)) - names(None) == {
        "flagged slices, empty = 0",
        "flagged slices, empty = 1",
        "flagged slices, empty left out",
    }


def test_a_region_that_no_slice_has_is_missing_not_zero():
    found = conventions.compare_conventions(table(), flagged=None, draws=DRAWS)
    assert np.isnan(value(found, "tumour_slices", np.nan, region="ET"))
    assert value(found, "every_slice", 1.0, region="ET") == 1


def test_the_interval_holds_the_value():
    found = conventions.compare_conventions(table(), flagged=None, draws=DRAWS)
    line = found[(found["region"] == "WT") & (found["aggregation"] == "volume")].iloc[0]
    assert line["low"] < line["value"] < line["high"]


def test_heights_are_split_at_the_middle():
    found = conventions.by_height(table())
    below = np.array(DICE).reshape(4, 3)[:, :2]
    assert found["z < 100", "every slice"] == pytest.approx(below.mean())
    assert found["z < 100", "tumour slices"] == pytest.approx(below.sum() / 6)
    assert found["z ≥ 100", "every slice"] == 0
    assert np.isnan(found["z ≥ 100", "tumour slices"])


def test_a_volume_without_any_tumour_counts_one():
    found = table()
    found.loc[found["case"] == 2, ["WT_overlap", "WT_predicted", "WT_truth"]] = 0
    volumes = conventions.volume_dice(found).set_index("case")["dice"]
    assert volumes[2] == 1
    assert volumes[0] == pytest.approx(200 / 310)


@pytest.mark.parametrize(("aggregation", "empty"), metrics.CONVENTIONS)
def test_a_gate_can_raise_dice_exactly_where_emptying_a_false_positive_does(aggregation, empty):
    truth, predicted = np.array([[0], [50]]), np.array([[30], [50]])
    counts = metrics.RegionCounts(np.minimum(truth, predicted), predicted, truth)
    gate = np.array([False, True])
    before, after = (
        metrics.aggregate(
            part, np.zeros(2, int), aggregation=aggregation, empty=empty, flagged=flags
        )
        for part, flags in ((counts, np.ones(2, bool)), (metrics.gated(counts, gate), gate))
    )
    raised = (after.sums / after.counts > before.sums / before.counts).item()
    assert conventions.gate_can_raise(aggregation, empty) == raised


def test_conventions_read_like_words():
    assert conventions.name("every_slice", 0.0) == "every slice, empty = 0"
    assert conventions.name("volume", np.nan) == "volume, empty left out"
    assert conventions.name("pooled_pixels", np.nan) == "all pixels pooled"
    assert conventions.name("large_slices", np.nan) == "large slices"  # added by a reader


def test_a_whole_brain_scores_what_its_area_allows_and_the_gate_empties_it():
    flagged = np.array([True] + [False] * 11)  # case 0 at z = 70 alone
    found = conventions.compare_conventions(table(), flagged=flagged, draws=DRAWS)
    # Brain 800, 600 and 200 pixels; truth 100, 50, 80, 60, 40, 40: 2 T / (T + brain).
    overlaps = [2 * 100 / 900, 2 * 50 / 650, 2 * 80 / 680, 2 * 60 / 860, 2 * 40 / 840, 2 * 40 / 640]
    assert value(found, "every_slice", 0.0, column="brain") == pytest.approx(sum(overlaps) / 12)
    gated = value(found, "every_slice", 1.0, column="gated_brain")
    assert gated == pytest.approx((overlaps[0] + 6) / 12)  # six tumour-free slices now count 1
    assert value(found, "every_slice", 0.0, region="ET", column="brain") == 0
    ungated = conventions.compare_conventions(table(), flagged=None, draws=DRAWS)
    np.testing.assert_allclose(ungated["brain"], ungated["gated_brain"])


def test_a_convention_is_admissible_up_to_its_ceiling_if_a_gate_can_raise_it():
    def fits(way, empty, ceiling):
        return conventions.is_admissible(way, empty, ceiling=ceiling, printed=0.64)

    assert fits("volume", 0.0, 0.64)
    assert not fits("volume", 0.0, 0.63)
    assert not fits("every_slice", 0.0, 1.0)
    assert not fits("tumour_slices", np.nan, 1.0)


def test_the_spread_is_over_admissible_conventions_only():
    ways = [
        ("every_slice", 0.0, 0.9, 0.99),  # no gate helps
        ("every_slice", 1.0, 0.5, 1.0),
        ("volume", 0.0, 0.2, 0.7),
        ("volume", 1.0, 0.64, 0.9),
        ("pooled_pixels", np.nan, 0.3, 0.5),  # ceiling too low
    ]
    columns = ["aggregation", "empty", "value", "ceiling"]
    lines = pd.DataFrame(ways, columns=columns).assign(region="WT")
    lines = lines.assign(low=lines["value"] - 0.05, high=lines["value"] + 0.05)
    found = conventions.spread(lines, {"WT": 0.6}).loc["WT"]
    assert found[["conventions", "admissible"]].tolist() == [5, 3]
    assert found[["lowest", "highest"]].tolist() == [0.2, 0.64]
    assert found[["holds", "below", "above"]].tolist() == [1, 2, 0]
