"""The crossed table of two residuals, three patients and four slices, by hand."""

import numpy as np
import pandas as pd
import pytest

from paperlib import artifacts
from paperlib.evaluation.comparisons import crossed
from paperlib.evaluation.figures import crossed as figures
from paperlib.evaluation.tables import Draws

CASES, HEIGHTS, TRUTH = [1, 1, 2, 5], [70, 71, 70, 70], [10, 0, 20, 0]
SLICES = pd.DataFrame(
    {"case": CASES, "fold": [0, 0, 0, 1], "z": HEIGHTS, "brain_px": 100}
    | {f"{region}_truth": TRUTH for region in ("WT", "TC", "ET", "NCR", "ED")}
)
PREDICTED = {"B3": [10, 0, 20, 5], "VAE-MSE-s0": [10, 10, 0, 0], "B6 16": [0, 0, 0, 0]}
OVERLAP = {"B3": [5, 0, 15, 0], "VAE-MSE-s0": [10, 0, 0, 0], "B6 16": [0, 0, 0, 0]}


def rows(columns):
    return pd.DataFrame({"case": CASES, "z": HEIGHTS} | columns)[::-1]  # any order will do


@pytest.fixture
def folder(tmp_path):
    artifacts.save_table(tmp_path, "slices", SLICES)
    for method, predicted in PREDICTED.items():
        counts = {}
        for name in crossed.POSTPROCESSINGS:
            counts[f"{name}_overlap"] = OVERLAP[method]
            counts[f"{name}_predicted"] = predicted
        counts["otsu_overlap"] = [0, 0, 0, 0]
        table = f"crossed-counts-{method.replace(' ', '_')}"
        artifacts.save_table(tmp_path, table, rows(counts))
    pixels = [(1, 0.2, "B3"), (2, 0.4, "B3"), (5, np.nan, "B3"), (1, 0.9, "VAE-MSE-s0"),
              (1, 0.1, "B6 16")]  # fmt: skip
    artifacts.save_table(
        tmp_path, "crossed-pixels", pd.DataFrame(pixels, columns=["case", "ap", "method"])
    )
    supervised = {
        f"{region}_{part}": values
        for region in ("WT", "TC", "ET")
        for part, values in (("overlap", [10, 0, 10, 0]), ("predicted", [10, 0, 10, 0]))
    }
    artifacts.save_table(tmp_path, "crossed-supervised", rows(supervised))
    facts = [
        {"components": {"16": 1}, "explained": [0.25, 0.5], "norm_reach": {"70": 0, "71": 4}},
        {"components": {"16": 2}, "explained": [0.3, 0.6], "norm_reach": {"70": 2}},
    ]
    artifacts.write_json(tmp_path / "crossed.json", {"folds": facts, "provenance": {"x": 1}})
    return tmp_path


def test_a_folder_without_a_crossed_table_has_none(tmp_path):
    assert crossed.load_crossed(tmp_path) is None


def test_networks_come_first_and_the_others_have_names(folder):
    assert crossed.names(crossed.load_crossed(folder)) == {
        "VAE-MSE-s0": "VAE-MSE-s0",
        "B3": "none: r = −x",
        "B6 16": "PCA, 1 to 2 components",
    }


def test_the_dice_of_every_slice_counts_empty_slices_as_0(folder):
    table = crossed.dice_table(crossed.load_crossed(folder), aggregation="every_slice")
    assert list(table.columns) == list(crossed.POSTPROCESSINGS)
    assert table.loc["B3", "mixture"] == pytest.approx((0.5 + 0.75) / 4)
    assert table.loc["VAE-MSE-s0", "oracle"] == pytest.approx(1 / 4)
    assert (table["otsu"] == 0).all()


def test_the_dice_of_the_volume_leaves_out_who_has_no_tumour_and_is_given_none(folder):
    table = crossed.dice_table(crossed.load_crossed(folder), aggregation="volume")
    assert table.loc["B3", "mixture"] == pytest.approx((0.5 + 0.75 + 0) / 3)
    assert table.loc["VAE-MSE-s0", "mixture"] == pytest.approx((20 / 30 + 0) / 2)


def test_pixel_precision_is_the_mean_over_patients_with_a_tumour(folder):
    found = crossed.pixel_precision(crossed.load_crossed(folder))
    assert found.to_dict() == pytest.approx({"VAE-MSE-s0": 0.9, "B3": 0.3, "B6 16": 0.1})


def test_the_difference_to_no_network_is_paired(folder):
    found = crossed.against_no_network(crossed.load_crossed(folder), "others", draws=Draws(50, 0))
    assert found.loc["B3", ["difference", "difference_low", "difference_high"]].tolist() == [0] * 3
    assert found.loc["VAE-MSE-s0", "difference"] == pytest.approx((1 - 1.25) / 4)
    # Patient 1 gains half a slice of Dice, patient 2 loses three quarters; 5 has nothing.
    assert found.loc["VAE-MSE-s0", "difference_low"] == pytest.approx(-1.5 / 3)
    assert found.loc["VAE-MSE-s0", "difference_high"] == pytest.approx(1 / 5)


def test_the_supervised_network_stands_beside_its_ceiling(folder):
    found = crossed.supervised_table(crossed.load_crossed(folder), draws=Draws(50, 0))
    assert list(found.index) == ["WT", "TC", "ET"]
    assert found.loc["WT", "value"] == pytest.approx((1 + 20 / 30) / 4)
    assert found.loc["WT", "ceiling"] == 0.5
    assert found.loc["WT", "volume"] == pytest.approx((1 + 20 / 30) / 2)


def test_components_and_reach_are_those_of_all_folds(folder):
    found = crossed.load_crossed(folder)
    explained = crossed.explained_table(found)
    assert explained.loc[16, "components"].tolist() == [1, 2]
    assert explained.loc[16, "explained"].tolist() == [0.25, 0.6]
    assert crossed.norm_reach(found).to_dict() == {70: 2, 71: 4}


def test_rows_of_another_run_than_the_evidence_are_refused(folder):
    artifacts.save_table(folder, "slices", SLICES[:3])
    with pytest.raises(ValueError, match=r"has 4 slices, 3 of them among the 3 of the evidence"):
        crossed.load_crossed(folder)


def test_the_figure_shows_every_cell_and_the_ranking(folder):
    found = crossed.load_crossed(folder)
    dice = crossed.dice_table(found, aggregation="every_slice")
    names = crossed.names(found)
    figure = figures.plot_crossed(dice, crossed.pixel_precision(found), names, note="n")
    left, right = figure.axes
    assert [text.get_text() for text in left.texts] == [f"{v:.2f}" for v in dice.to_numpy().flat]
    assert [text.get_text() for text in right.texts] == ["0.90", "0.30", "0.10"]
    assert [text.get_text() for text in left.get_yticklabels()] == list(names.values())
    assert [text.get_text() for text in left.get_xticklabels()] == list(
        crossed.POSTPROCESSINGS.values()
    )
