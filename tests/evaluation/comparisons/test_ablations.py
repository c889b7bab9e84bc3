"""Rows of ablations made by hand: two patients, two slices each."""

import json

import numpy as np
import pandas as pd
import pytest

from paperlib.evaluation.comparisons import ablations
from paperlib.evaluation.figures import ablations as figures
from paperlib.evaluation.tables import Draws

DRAWS = Draws(200, 0)
TRUTH = [10, 0, 10, 20]


def pixels_of(ap):
    return {"case": [0, 1], "ap": ap, "image_ap": [0.7, 0.7]}


def write_row(folder, name, overlap, **changed):
    """Predictions hold as many pixels as the truth, so Dice of a slice = overlap / truth."""
    record = {
        "name": name, "group": "fit", "change": f"{name} changed", "against": "base",
        "region": "WT", "empty": 0.0, "network": {"seed": 0}, "prepare": {"z_low": 60},
        "facts": {"slice_steps": 10004}, "date": "2026-01-02", "seconds": 12.0,
        "provenance": {"cohort": "phantom", "profile": "phantom", "seeds": [0], "commit": "abc"},
        "pixels": pixels_of([0.4, 0.6]),
    } | changed  # fmt: skip
    truth = pd.Series(TRUTH)
    counts = pd.DataFrame({"case": [0, 0, 1, 1], "z": [1, 2, 1, 2], "truth": truth})
    counts["overlap"], counts["predicted"] = overlap, truth
    if changed.get("prepare", {}).get("z_low") == 2:
        counts = counts[counts["z"] == 2]
    folder.mkdir(exist_ok=True)
    counts.to_csv(folder / f"{name}.csv", index=False)
    (folder / f"{name}.json").write_text(json.dumps(record))


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "ablations"
    write_row(folder, "base", [5, 0, 5, 10], group="base")
    write_row(folder, "better", [10, 0, 10, 20], pixels=pixels_of([0.5, 0.7]))
    write_row(folder, "mixed", [0, 0, 10, 20])
    write_row(folder, "retrained", [6, 0, 6, 12], network={"seed": 0, "beta": 1})
    write_row(folder, "seed-1", [3, 0, 3, 6], group="seed", network={"seed": 1})
    write_row(folder, "gated", [5, 0, 5, 10], empty=1.0)
    write_row(
        folder, "higher-up", [5, 0, 5, 20], prepare={"z_low": 2}, pixels=pixels_of([0.6, 0.72])
    )
    write_row(folder, "orphan", [5, 0, 5, 10], against="AAE")
    write_row(folder, "on-better", [5, 0, 5, 10], against="better")
    write_row(folder, "core", [9, 0, 9, 9], region="TC")
    return folder


@pytest.fixture
def table(folder):
    return ablations.compare_rows(ablations.load_rows(folder), draws=DRAWS)


def test_dice_is_the_mean_over_every_slice(table):
    assert table.loc["base", "value"] == pytest.approx((0.5 + 0 + 0.5 + 0.5) / 4)
    assert table.loc["better", "value"] == pytest.approx(3 / 4)
    assert table.loc["gated", "value"] == pytest.approx((0.5 + 1 + 0.5 + 0.5) / 4)


def test_differences_are_paired_on_the_same_patients(table):
    line = table.loc["better"]
    assert line["difference"] == pytest.approx(3 / 4 - 1.5 / 4)
    assert line["difference_low"] == pytest.approx(0.25)  # drawn: only the patient with less
    assert line["difference_high"] == pytest.approx(0.5)
    assert line["ap_difference"] == pytest.approx(0.1)
    assert line["ap_difference_low"] == pytest.approx(line["ap_difference_high"])
    assert table.loc["gated", "difference"] == pytest.approx(0)  # the base under empty = 1, too
    assert (line["patients"], line["slices"]) == (2, 4)


def test_a_row_with_other_slices_is_compared_on_those_that_both_have(table):
    line = table.loc["higher-up"]
    assert line["slices"] == 2
    assert line["difference"] == pytest.approx((0 + 1) / 2 - (0 + 0.5) / 2)
    assert line["retrained"]


def test_a_row_without_its_partner_has_no_difference(table):
    for name in ("base", "orphan", "core"):
        assert np.isnan(table.loc[name, "difference"])
    assert table.loc["on-better", "difference"] == pytest.approx(1.5 / 4 - 3 / 4)


def test_the_rows_are_sorted_by_their_effect(table):
    known = table["difference"].dropna()
    assert known.is_monotonic_decreasing
    assert table.index[-1] == "on-better"


def test_a_new_training_has_to_move_more_than_a_new_seed_does(table):
    spread = ablations.seed_spread(table)
    assert spread == pytest.approx(0.2 * 3 / 4)
    verdicts = {name: ablations.judge(line, spread) for name, line in table.iterrows()}
    assert verdicts["better"] == ablations.HIGHER
    assert verdicts["on-better"] == ablations.LOWER
    assert verdicts["mixed"] == ablations.UNDECIDED
    assert verdicts["retrained"] == ablations.AS_A_SEED
    assert verdicts["base"] == ablations.MISSING
    # The same numbers without another training: no seed plays a part.
    line = table.loc["retrained"].copy()
    line["retrained"] = False
    assert ablations.judge(line, spread) == ablations.HIGHER


def test_without_another_seed_nobody_knows_what_a_new_training_is_worth():
    line = pd.Series({"difference": -0.3, "difference_low": -0.4, "difference_high": -0.1})
    assert ablations.judge(pd.Series({**line, "retrained": True}), np.nan) == ablations.NO_SEED
    assert ablations.judge(pd.Series({**line, "retrained": False}), np.nan) == ablations.LOWER


def test_the_table_of_texts_says_against_what(table):
    frame = ablations.lay_out(table)
    assert frame.loc["better changed", "difference"] == "+0.375 [+0.250, +0.500]"
    assert frame.loc["better changed", "date, commit"] == "2026-01-02, abc"
    assert frame.loc["gated changed (empty = 1)", "Dice"].startswith("0.625 [")
    assert "on-better changed (against better changed)" in frame.index
    assert frame.loc["orphan changed", "difference"] == "–"


def test_adversarial_rows_show_how_hard_the_discriminator_pulled(folder):
    facts = {"slice_steps": 10004, "gradient_ratio": 0.25}
    write_row(folder, "pulled", [10, 0, 10, 20], facts=facts, network={"gan_weight": 0.001})
    rows = ablations.load_rows(folder)
    frame = ablations.lay_out_adversaries(rows, ablations.compare_rows(rows, draws=DRAWS))
    assert frame.index.tolist() == ["pulled changed"]
    assert frame.iloc[0].tolist()[:2] == ["0.001", "0.250"]
    assert frame.iloc[0]["difference"] == "+0.375 [+0.250, +0.500]"


def test_the_sentences_carry_the_numbers_of_the_table(table):
    said = " ".join(ablations.summarise(table))
    assert "6 changes were compared; 2 move Dice, 1 no more than a new seed, 3 are" in said
    assert "up to 0.150 (trainings with another seed: 1)" in said
    assert "by segmentation only: better changed, +0.375" in said or "on-better" in said
    assert "by a new training: higher-up changed, +0.250" in said
    assert "hardly anything was reconstructed: higher-up changed. Their Dice" in said


def test_nothing_is_compared_without_the_base(folder):
    rows = ablations.load_rows(folder)
    alone = ablations.compare_rows({"mixed": rows["mixed"]}, draws=DRAWS)
    assert ablations.summarise(alone) == ["No row stands beside the row that it changes yet."]


def test_a_copy_without_any_row_says_so():
    table = ablations.compare_rows({}, draws=DRAWS)
    assert table.empty
    assert ablations.lay_out(table).empty
    assert ablations.summarise(table) == ["No row stands beside the row that it changes yet."]
    assert ablations.describe_origin({}) == "no row is in this copy; run `make ablations`"
    assert figures.plot_differences(table).axes == []


def test_what_is_missing_is_named(folder):
    rows = ablations.load_rows(folder)
    assert ablations.missing_rows(rows, ["base", "kl-0", "mixed", "joint"]) == ["kl-0", "joint"]
    assert ablations.load_rows(folder / "nowhere") == {}


def test_the_origin_names_dates_and_commits(folder):
    write_row(folder, "later", [1, 0, 1, 1], date="2026-02-03",
              provenance={"cohort": "phantom", "profile": "phantom", "commit": "def"})  # fmt: skip
    text = ablations.describe_origin(ablations.load_rows(folder))
    assert "10,004 slice-steps, measured 2026-01-02 to 2026-02-03" in text
    assert text.endswith("commit abc, def")


def test_the_forest_plot_draws_every_difference_in_its_panel(table):
    figure = figures.plot_differences(table, note="phantom")
    only, trained = figure.axes
    assert only.get_yticklabels()[0].get_text() == "better changed"
    drawn = sorted(
        x for axis in figure.axes for line in axis.lines for x in line.get_xdata()
        if line.get_label() in figures.LOOKS
    )  # fmt: skip
    assert drawn == pytest.approx(sorted(table["difference"].dropna()))
    (band,) = trained.patches
    assert band.get_x() == pytest.approx(-0.15)
    assert band.get_width() == pytest.approx(0.3)
    assert not only.patches
    trained_names = [label.get_text() for label in trained.get_yticklabels()]
    assert trained_names == ["higher-up changed", "retrained changed", "seed-1 changed"]


def test_a_figure_without_any_difference_is_empty(folder):
    rows = ablations.load_rows(folder)
    alone = ablations.compare_rows({"base": rows["base"]}, draws=DRAWS)
    assert figures.plot_differences(alone).axes == []
