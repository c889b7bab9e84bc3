"""Table 2 of three patients whose cells are worked out by hand, see `tables_by_hand`."""

import numpy as np
import pandas as pd
import pytest
from tables_by_hand import (
    DRAWS,
    NOTHING,
    OUTLINE,
    PERFECT,
    SEMANTIC,
    count_rows,
    make_evidence,
    make_three_patients,
    network_counts,
)

from paperlib.evaluation import evidence, tables


@pytest.fixture
def found():
    return make_three_patients()


def test_the_outline_counts_every_slice_and_one_without_tumour_as_0(found):
    table = tables.table_2(found, "outline", draws=DRAWS)
    assert table.loc["VAE-MSE", "neighbourhood_value"] == pytest.approx(OUTLINE)
    assert table.loc["VAE-MSE", "both_value"] == 0
    assert table.loc["VAE-MSE", "weights_value"] == pytest.approx(2 / 5)


def test_even_the_truth_reaches_only_the_share_of_slices_with_tumour(found):
    table = tables.table_2(found, "outline", draws=DRAWS)
    assert table.loc["B11 truth", "neighbourhood_value"] == pytest.approx(2 / 5)
    assert table.loc["B11 truth", "tumour_slices"] == 1
    table = tables.table_2(found, "semantic", draws=DRAWS)
    assert table.loc["B11 truth", "neighbourhood_value"] == pytest.approx((1 + 2 + 1) / 5 / 3)


def test_the_semantic_score_is_the_mean_of_the_three_labels(found):
    table = tables.table_2(found, "semantic", draws=DRAWS)
    assert table.loc["VAE-MSE", "neighbourhood_value"] == pytest.approx(SEMANTIC)
    assert table.loc["VAE-MSE", "tumour_slices"] == pytest.approx((0 + (0.5 + 16 / 18) / 2 + 1) / 3)
    edema = (2 * 3 / (10 + 6) + 2 * 8 / (10 + 8) + 0) / 3
    assert table.loc["VAE-MSE", "volume"] == pytest.approx((0 + edema + 1 / 3) / 3)


def test_volume_and_tumour_slice_dice_of_the_outline(found):
    table = tables.table_2(found, "outline", draws=DRAWS)
    assert table.loc["VAE-MSE", "tumour_slices"] == pytest.approx((0.5 + 1) / 2)
    volume = (2 * 5 / (14 + 10) + 1 + 0) / 3
    assert table.loc["VAE-MSE", "volume"] == pytest.approx(volume)


def test_the_papers_numbers_stand_beside_networks_alone(found):
    for target, number in (("outline", 0.377), ("semantic", 0.232)):
        table = tables.table_2(found, target, draws=DRAWS)
        assert table.loc["VAE-MSE", "paper"] == number
        assert table["paper"].drop("VAE-MSE").isna().all()


def test_a_row_without_a_mixture_stands_once_with_the_reading_taken_downstream(found):
    line = tables.table_2(found, "outline", draws=DRAWS).loc["B2"]
    assert line["neighbourhood_value"] == pytest.approx(OUTLINE)
    assert np.isnan(line["both_value"])
    assert np.isnan(line["weights_value"])


def test_rows_come_in_the_order_networks_baselines_ceilings(found):
    rows = tables.table_2_rows(found)
    assert [row.key for row in rows] == ["VAE-MSE", "B2", "B11 truth"]
    assert [row.mixture for row in rows] == [True, False, False]
    mixed = make_evidence([*network_counts("VAE-MSE-s0"), *network_counts("B3")])
    assert [(row.key, row.mixture) for row in tables.table_2_rows(mixed)] == [
        ("VAE-MSE", True),
        ("B3", True),
    ]


def test_an_interval_holds_its_value_and_is_drawn_over_patients(found):
    line = tables.table_2(found, "outline", draws=tables.Draws(4000)).loc["VAE-MSE"]
    assert line["neighbourhood_value"] == pytest.approx(OUTLINE)
    # One sample in 27 is three times patient 2 (0), one in 27 three times patient 1 (1).
    assert line["neighbourhood_low"] == pytest.approx(0)
    assert line["neighbourhood_high"] == pytest.approx(1)
    (row, *_) = tables.table_2_rows(found)
    cell = tables.dice_interval(found, row, "outline", reading="neighbourhood", draws=DRAWS)
    assert cell.patients == 3


def test_seeds_are_averaged_within_patients_and_add_none():
    found = make_evidence(
        [
            *network_counts("VAE-MSE-s0"),
            *network_counts("VAE-MSE-s1", neighbourhood=NOTHING),
        ],
        seeds=(0, 1),
    )
    (row,) = tables.table_2_rows(found)
    assert row.methods == ("VAE-MSE-s0", "VAE-MSE-s1")
    cell = tables.dice_interval(found, row, "outline", reading="neighbourhood", draws=DRAWS)
    assert cell.value == pytest.approx((OUTLINE + 0) / 2)
    assert cell.patients == 3
    table = tables.table_2(found, "outline", draws=DRAWS)
    assert table.loc["VAE-MSE", "volume"] == pytest.approx((2 * 5 / (14 + 10) + 1 + 0) / 3 / 2)


def test_a_network_that_lacks_a_seed_is_averaged_over_those_there_are():
    counts = [*network_counts("VAE-MSE-s0"), *network_counts("VAE-MSE-s1")]
    found = make_evidence(
        [*counts, *network_counts("dVAE-MSE-s0")], models=("VAE", "dVAE"), seeds=(0, 1)
    )
    rows = {row.key: row.methods for row in tables.table_2_rows(found)}
    assert rows["VAE-MSE"] == ("VAE-MSE-s0", "VAE-MSE-s1")
    assert rows["dVAE-MSE"] == ("dVAE-MSE-s0",)
    table = tables.table_2(found, "outline", draws=DRAWS)
    assert table.loc["dVAE-MSE", "neighbourhood_value"] == pytest.approx(OUTLINE)


def test_a_reading_without_rows_is_named(found):
    without = found.counts[~(found.counts["reading"] == "both")]
    with pytest.raises(KeyError, match="No counts for 'VAE-MSE-s0', reading 'both', component 'al"):
        tables.table_2(found._replace(counts=without), "outline", draws=DRAWS)


def test_a_component_rule_without_rows_is_named(found):
    with pytest.raises(KeyError, match="component 'largest_3d'"):
        evidence.method_counts(found, "VAE-MSE-s0", reading="neighbourhood", component="largest_3d")


def test_rows_of_the_other_component_rules_take_no_part():
    largest = count_rows("VAE-MSE-s0", PERFECT, "neighbourhood", "largest_3d")
    found = make_evidence([*network_counts("VAE-MSE-s0"), largest])
    table = tables.table_2(found, "outline", draws=DRAWS)
    assert table.loc["VAE-MSE", "neighbourhood_value"] == pytest.approx(OUTLINE)


def test_a_slice_counted_twice_is_refused(found):
    twice = pd.concat([found.counts, found.counts])
    with pytest.raises(pd.errors.MergeError, match="one-to-one"):
        evidence.method_counts(found._replace(counts=twice), "VAE-MSE-s0", reading="neighbourhood")


def test_the_order_of_the_rows_does_not_matter(found):
    mixed = found._replace(
        counts=found.counts.sample(frac=1, random_state=0),
        slices=found.slices.sample(frac=1, random_state=1),
    )
    for target in ("outline", "semantic"):
        pd.testing.assert_frame_equal(
            tables.table_2(mixed, target, draws=DRAWS), tables.table_2(found, target, draws=DRAWS)
        )
