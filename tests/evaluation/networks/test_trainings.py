import pandas as pd
import pytest

from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.networks import trainings
from paperlib.labels import REGIONS


def milestone(loss, fold, steps, ap, *, final=0, sequence="flair"):
    return {
        "model": "VAE",
        "loss": loss,
        "seed": 0,
        "fold": fold,
        "sequence": sequence,
        "slice_steps": steps,
        "final": final,
        "validation_loss": 0.1,
        "pixel_ap": ap,
        "input_pixel_ap": 0.7 + 0.1 * fold,
        "dice": ap / 2,
        "auroc": 0.8,
        "input_correlation": 0.9,
    }


@pytest.fixture
def milestones():
    rows = [
        milestone("MSE", 0, 1000, 0.6),
        milestone("MSE", 1, 1000, 0.8),
        milestone("MSE", 0, 1504, 0.3, final=1),
        milestone("MSE", 1, 1500, 0.5, final=1),
        milestone("SSIM", 0, 1000, 0.5),
        milestone("SSIM", 1, 1000, 0.6),
        milestone("SSIM", 0, 1504, 0.5, final=1),
        milestone("SSIM", 1, 1504, 0.7, final=1),
        milestone("MSE", 0, 1000, 0.1, sequence="t1ce"),
    ]
    return pd.DataFrame(rows)


def test_folds_become_a_mean_and_a_spread(milestones):
    table = trainings.over_networks(milestones, "flair")
    early = table.loc[("VAE-MSE", 0, 1000), "pixel_ap"]
    assert early.tolist() == pytest.approx([0.7, 0.6, 0.8])
    assert table.loc[("VAE-MSE", 0, 1000), ("dice", "mean")] == pytest.approx(0.35)


def test_networks_that_ended_at_different_steps_are_one_last_point(milestones):
    table = trainings.over_networks(milestones, "flair")
    last = table.loc["VAE-MSE"].loc[1]
    assert last.index.tolist() == [1502]
    assert last["pixel_ap"].iloc[0].tolist() == pytest.approx([0.4, 0.3, 0.5])


def test_other_sequences_do_not_count(milestones):
    assert len(trainings.over_networks(milestones, "t1ce")) == 1


def test_the_order_of_the_rows_changes_with_the_length(milestones):
    table = trainings.order_table(milestones, "flair", "pixel_ap")
    assert list(table.index) == ["1,000", trainings.KEPT]
    assert table["best network"].tolist() == ["VAE-MSE", "VAE-SSIM"]
    assert table["VAE-MSE"].tolist() == pytest.approx([0.7, 0.4])
    assert table["plain"].tolist() == pytest.approx([0.75, 0.75])


def test_only_pixel_precision_is_set_against_the_plain_image(milestones):
    assert "plain" not in trainings.order_table(milestones, "flair", "dice")


def test_a_measure_that_no_network_has_leads_nowhere(milestones):
    milestones["auroc"] = float("nan")
    assert set(trainings.order_table(milestones, "flair", "auroc")["best network"]) == {"-"}


def network(pair, sequence, stopped_by, steps, seconds):
    return {
        "pair": pair,
        "sequence": sequence,
        "stopped_by": stopped_by,
        "converged": stopped_by == "patience",
        "slice_steps": steps,
        "seconds": seconds,
        "training_slices": 88,
    }


@pytest.fixture
def found(milestones):
    networks = [
        network("VAE-MSE-f0-s0", "flair", "budget", 800, 30.0),
        network("VAE-MSE-f1-s0", "flair", "patience", 640, 50.0),
        network("VAE-SSIM-f0-s0", "flair", "patience", 640, 10.0),
    ]
    epochs = pd.DataFrame(
        [
            ("VAE", "MSE", 0, 0, "flair", 200.0, 0.3),
            ("VAE", "MSE", 0, 0, "flair", 400.0, 0.1),
            ("VAE", "MSE", 0, 0, "flair", 800.0, 0.2),
            ("VAE", "MSE", 0, 1, "flair", 600.0, 0.1),
            ("VAE", "SSIM", 0, 0, "flair", 640.0, 0.1),
        ],
        columns=[
            "model",
            "objective",
            "seed",
            "fold",
            "sequence",
            "slice_steps",
            "validation_loss",
        ],
    )
    slices = pd.DataFrame({"case": [0, 0], "z": [70, 71], "fold": 0, "brain_px": 9})
    counts = slices[["case", "z"]].assign(method="B2", reading="", component="all")
    for region in REGIONS:
        slices[f"{region}_truth"] = [10, 0]
        counts[f"{region}_overlap"], counts[f"{region}_predicted"] = [5, 0], [10, 3]
    scores = slices[["case", "z", "fold"]].assign(
        method="B10", role="test", mean_image=[0.2, 0.4], brain_area=1.0
    )
    return Evidence(slices, counts, scores, slices, milestones, epochs, {"networks": networks})


def test_a_row_is_converged_only_if_all_its_networks_are(found):
    table = trainings.length_table(found)
    assert table["converged"].to_dict() == {
        "VAE-MSE flair": "not converged",
        "VAE-SSIM flair": "yes",
    }
    line = table.loc["VAE-MSE flair"]
    assert line["stopped by"] == "budget spent, validation loss no longer fell"
    assert line["slice-steps"] == "640 to 800"
    assert line["networks"] == 2
    assert line["seconds each"] == 40
    assert line["lowest validation loss at"] == 500  # the median of 400 and 600


def test_the_plain_image_needs_no_network(found):
    levels = trainings.plain_levels(found, "flair")
    assert levels["pixel_ap"] == pytest.approx(0.75)
    assert levels["dice"] == pytest.approx(0.25)  # .5 in one slice, 0 in the empty one
    assert levels["auroc"] == 0.0
    assert levels["input_correlation"] == 1.0


def test_for_t1ce_only_what_has_a_baseline_is_given(found):
    assert set(trainings.plain_levels(found, "t1ce")) == {"pixel_ap", "input_correlation"}
