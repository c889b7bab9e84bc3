"""Orders along a training made by hand: two models, two losses, one of them with three seeds."""

import json

import numpy as np
import pandas as pd
import pytest

from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.figures import style
from paperlib.evaluation.figures import training_length as figures
from paperlib.evaluation.networks import training_length

# Pixel AP at 1,000 and 2,000 slice-steps; the paper's order first, its reverse later.
VALUES = {
    ("VAE", "MSE"): (0.30, 0.60),
    ("dVAE", "MSE"): (0.32, 0.58),
    ("VAE", "SSIM"): (0.50, 0.40),
    ("dVAE", "SSIM"): (0.90, 0.20),
}


def milestone(model, loss, seed, steps, value, *, final=0):
    return {
        "network": f"{model}-{loss}-s{seed}", "model": model, "loss": loss, "seed": seed,
        "fold": 0, "sequence": "flair", "slice_steps": steps, "final": final,
        "validation_loss": 0.1, "pixel_ap": value, "input_pixel_ap": 0.7, "dice": value / 2,
        "auroc": 0.8, "input_correlation": 0.9,
    }  # fmt: skip


@pytest.fixture
def milestones():
    rows = [
        milestone(*network, 0, steps, value)
        for network, values in VALUES.items()
        for steps, value in zip((1000, 2000), values, strict=True)
    ]
    for seed, moved in ((1, -0.3), (2, 0.3)):
        rows += [milestone("VAE", "SSIM", seed, 1000, 0.5 + moved)]
        rows += [milestone("VAE", "SSIM", seed, 2000, 0.4 + moved / 10)]
    rows.append(milestone("dVAE", "SSIM", 0, 2004, 0.99, final=1))
    return pd.DataFrame(rows)


@pytest.fixture
def lengths(milestones, tmp_path):
    milestones.to_csv(tmp_path / "milestones.csv", index=False)
    networks = [
        {"network": "VAE-MSE-s0", "date": "2026-01-02", "commit": "abc"},
        {"network": "dVAE-MSE-s0", "date": "2026-01-03", "commit": "def"},
    ]
    origin = {"cohort": "real", "patients": 36, "test_patients": 9, "folds": 4, "fold": 0}
    origin |= {"profile": "full", "seeds": [0, 1]}
    (tmp_path / "provenance.json").write_text(json.dumps(origin | {"networks": networks}))
    return training_length.load_lengths(tmp_path)


def test_seeds_are_averaged_and_the_weights_kept_are_no_milestone(milestones):
    table = training_length.row_means(milestones, "pixel_ap")
    assert list(table.index) == [1000, 2000]
    assert table.loc[1000, "VAE-SSIM"] == pytest.approx((0.5 + 0.2 + 0.8) / 3)
    assert table.loc[2000, "dVAE-SSIM"] == pytest.approx(0.2)


def test_a_training_too_short_for_a_milestone_shows_its_end(milestones):
    last = milestones[milestones["final"] == 1]
    table = training_length.row_means(last, "pixel_ap")
    assert table.loc[2004, "dVAE-SSIM"] == 0.99


def test_rows_are_ranked_beside_the_paper(milestones):
    table = training_length.rank_table(milestones, "pixel_ap")
    assert table.loc["dVAE-SSIM"].tolist() == [1, 1, 4]
    assert table.loc["VAE-MSE"].tolist() == [4, 4, 1]
    assert list(table.columns) == ["paper", "1,000", "2,000"]


def test_an_order_that_turns_round_goes_from_one_to_minus_one(milestones):
    tau = training_length.agreement(milestones, "pixel_ap")
    assert tau.to_dict() == pytest.approx({1000: 1.0, 2000: -1.0})


def test_two_rows_have_no_order_to_compare(milestones):
    two = milestones[milestones["loss"] == "MSE"]
    assert training_length.agreement(two, "pixel_ap").isna().all()


def test_contrasts_are_means_over_the_pairs_that_were_trained(milestones):
    table = training_length.contrast_table(milestones, "pixel_ap")
    assert list(table.index) == ["SSIM − MSE", "dVAE − VAE"]
    assert table.loc["SSIM − MSE", 1000] == pytest.approx((0.5 - 0.3 + 0.9 - 0.32) / 2)
    assert table.loc["dVAE − VAE", 2000] == pytest.approx((0.58 - 0.6 + 0.2 - 0.4) / 2)
    assert table.loc["SSIM − MSE", "paper"] == pytest.approx((0.409 - 0.377 + 0.410 - 0.379) / 2)


def test_the_spread_of_seeds_is_of_rows_that_have_several(milestones):
    spread = training_length.seed_spread(milestones, "pixel_ap")
    assert spread.index.tolist() == ["VAE-SSIM"]
    assert spread.loc["VAE-SSIM", 1000] == pytest.approx(0.6)


def test_the_sentences_say_where_the_papers_order_holds(lengths):
    said = training_length.describe(lengths, "pixel_ap")
    assert said[0] == "Highest row: dVAE-SSIM at 1,000; VAE-MSE at 2,000 slice-steps."
    assert said[1] == (
        "SSIM − MSE: paper +0.031; here the paper's sign at 1,000 and the other sign at 2,000 "
        "slice-steps."
    )
    text = " ".join(said)
    assert "tau with the paper's order: +1.00 at best, at 1,000 slice-steps, and -1.00" in text
    assert "Rows above the plain image (0.70): 1 of 4 at 1,000; 0 of 4 at 2,000" in text
    assert "0.60 (VAE-SSIM at 1,000 slice-steps); between all rows there: 0.60" in text


def test_sentences_about_other_measures_leave_the_plain_image_out(lengths):
    assert "plain" not in " ".join(training_length.describe(lengths, "dice"))


def test_one_training_alone_is_described_without_an_order(lengths):
    alone = lengths.milestones[lengths.milestones["network"] == "VAE-MSE-s0"]
    said = training_length.describe(lengths._replace(milestones=alone), "dice")
    assert said == ["Highest row: VAE-MSE at 1,000; VAE-MSE at 2,000 slice-steps."]


def test_what_is_missing_is_named(lengths, tmp_path):
    wanted = ["VAE-MSE-s0", "AAE-MSE-s0"]
    assert training_length.missing_networks(lengths, wanted) == ["AAE-MSE-s0"]
    assert training_length.load_lengths(tmp_path / "nowhere") is None


def test_the_origin_names_the_split_dates_and_commits(lengths):
    text = training_length.describe_origin(lengths)
    assert text == (
        "real, profile full, seeds 0 1, 36 patients, fold 0 of 4, 9 of them tested, FLAIR, "
        "2 trainings, 2026-01-02 to 2026-01-03, commit abc, def"
    )


def test_thin_lines_are_seeds_and_thick_ones_their_mean(milestones):
    figure = figures.plot_rows(milestones, note="phantom")
    panel = next(a for a in figure.axes if a.get_title() == "SSIM: pixel average precision")
    thin = [line for line in panel.lines if line.get_linewidth() < 1]
    thick = [line for line in panel.lines if line.get_marker() == "."]
    assert sorted(line.get_ydata()[0] for line in thin) == pytest.approx([0.2, 0.5, 0.8])
    drawn = {line.get_color(): line.get_ydata().tolist() for line in thick}
    assert drawn[style.MODEL_COLOURS["VAE"]] == pytest.approx([0.5, 0.4])
    assert drawn[style.MODEL_COLOURS["dVAE"]] == pytest.approx([0.9, 0.2])
    levels = [line.get_ydata()[0] for line in panel.lines if line.get_linewidth() == 2.5]
    assert levels == pytest.approx([0.7])


def test_every_model_of_the_paper_has_a_colour_of_its_own():
    assert set(style.MODEL_COLOURS) == {"VAE", "dVAE", "VAE1px", "VAE-CE", "AAE", "BiAAE"}
    assert len({*style.MODEL_COLOURS.values(), style.OTHER_MODEL_COLOUR}) == 7
    assert style.colour_of("VAE") != style.colour_of("something") == style.OTHER_MODEL_COLOUR


def test_contrasts_are_drawn_with_the_papers_difference(milestones):
    figure = figures.plot_contrasts(milestones)
    axis = figure.axes[0]
    drawn = {line.get_label(): line.get_ydata() for line in axis.lines}
    np.testing.assert_allclose(drawn["SSIM − MSE"], [0.39, -0.29])
    levels = [line.get_ydata()[0] for line in axis.lines if line.get_linestyle() == ":"]
    assert levels[0] == pytest.approx(0.0315)


def test_a_run_without_long_trainings_shows_its_own(milestones):
    other = pd.DataFrame([milestone("VAE", "MSE", 0, 1000, 0.9)])
    rows = [milestones, other.assign(sequence="t1ce"), other.assign(fold=1)]
    table = pd.concat(rows).drop(columns="network")
    origin = {
        "cohort": "phantom",
        "profile": "smoke",
        "seeds": [0],
        "patients": 8,
        "folds": 1,
        "networks": [{"pair": "VAE-MSE-f0-s0", "sequence": "flair", "commit": "abc"}],
    }
    slices = pd.DataFrame({"case": [1, 1, 4], "fold": 0})
    found = Evidence(slices, *[pd.DataFrame()] * 3, table, pd.DataFrame(), origin)
    own = training_length.of_run(found)
    assert training_length.row_means(own.milestones, "pixel_ap").loc[1000, "VAE-MSE"] == 0.3
    assert set(own.milestones["network"]) == set(milestones["network"])
    assert training_length.describe_origin(own) == (
        "phantom, profile smoke, seeds 0, 8 patients, one test set, 2 of them tested, FLAIR, "
        "1 trainings, commit abc"
    )
