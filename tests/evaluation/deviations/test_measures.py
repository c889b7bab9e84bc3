"""Effects by hand: Dice of a tumour slice is its overlap over 10, every second slice has none."""

import numpy as np
import pandas as pd
import pytest

from paperlib.evaluation import tables
from paperlib.evaluation.claims.answers import NOT_MEASURED, Absent
from paperlib.evaluation.claims.contrasts import NOT_TESTABLE
from paperlib.evaluation.deviations import measures
from paperlib.evaluation.deviations.measures import Way
from paperlib.labels import TISSUES

DRAWS = tables.Draws(100, 0)
MEAN = np.mean([8, 6, 4, 8]) / 10  # Dice of the tumour slices


def change(found, to, ours=measures.EVERY_SLICE):
    return measures.change_way(found, DRAWS, to=to, ours=ours)


def with_less(found, reading, lost):
    """Take pixels of every overlap of one reading."""
    rows = (found.counts["reading"] == reading) & (found.counts["z"] == 80)
    counts = found.counts.copy()
    counts.loc[rows, "WT_overlap"] -= lost
    return found._replace(counts=counts)


def test_a_reading_is_compared_with_ours_patient_by_patient(a_cohort):
    answer = change(with_less(a_cohort(), "both", 2), Way(reading="both"))
    assert answer == pytest.approx((-0.1, -0.1, -0.1, 4))  # whoever is drawn loses as much


def test_the_same_way_has_no_effect(a_cohort):
    assert change(a_cohort(), Way())[:3] == (0, 0, 0)


def test_other_averages_of_one_prediction(a_cohort):
    found = a_cohort(wrong=10)
    assert change(found, Way(aggregation="tumour_slices")).value == pytest.approx(MEAN / 2)
    volume = np.mean([2 * overlap / 30 for overlap in (8, 6, 4, 8)])
    assert change(found, Way(aggregation="volume")).value == pytest.approx(volume - MEAN / 2)


def test_empty_pairs_count_what_the_way_says(a_cohort):
    assert change(a_cohort(), Way(empty=1.0)).value == pytest.approx(0.5)


def test_regions_are_averaged(a_cohort):
    # WT and ED are found alike; nothing has the other labels.
    answer = change(a_cohort(), Way(regions=("WT", "TC", "ET")), Way(regions=TISSUES))
    assert answer.value == pytest.approx(0)
    assert change(a_cohort(), Way(regions=("WT", "TC"))).value == pytest.approx(-MEAN / 4)


def test_a_gate_empties_what_it_does_not_flag(a_cohort):
    found = a_cohort(wrong=5)
    gated = Way(gate="max_healthy", empty=1.0)
    assert change(found, gated, Way(empty=1.0)).value == pytest.approx(0.5)
    # The other score is low in tumour slices: it keeps the wrong masks and empties the right.
    other = gated._replace(score="residual_variance")
    assert change(found, other, gated).value == pytest.approx(-(MEAN + 1) / 2)


def test_a_baseline_needs_no_reading(a_cohort):
    found = a_cohort()
    plain = found.counts[found.counts["reading"] == "both"].assign(method="B2", reading=None)
    plain.loc[plain["z"] == 80, "WT_overlap"] = 10
    found = found._replace(counts=pd.concat([found.counts, plain]))
    assert change(found, Way(method="B2")).value == pytest.approx((1 - MEAN) / 2)


@pytest.mark.parametrize(
    "way",
    [Way(method="B3"), Way(component="largest_2d"), Way(gate="height", score="t1ce_mean_residual")],
)
def test_what_a_run_does_not_hold_is_not_measured(a_cohort, way):
    answer = change(a_cohort(), way)
    assert isinstance(answer, Absent)
    assert answer.verdict == NOT_MEASURED
    assert way.method in answer.reason
    assert way.gate == "" or "t1ce_mean_residual" in answer.reason


def test_without_the_papers_network_nothing_can_be_asked(a_cohort):
    other = a_cohort(networks={("VAE", "MSE"): [1, 2, 3]})._replace(milestones=pd.DataFrame(
        {"model": ["VAE"], "loss": ["MSE"]}))  # fmt: skip
    for answer in (
        change(other, Way(empty=1.0)),
        measures.change_score(other, DRAWS, to="residual_variance"),
        measures.pool_folds(other, DRAWS),
        measures.stop_elsewhere(other, DRAWS),
    ):
        assert answer == Absent(NOT_TESTABLE, "Not trained here: dVAE-SSIM.")


def test_scores_are_compared_by_their_area(a_cohort):
    same = measures.change_score(a_cohort(), DRAWS, to="mean_residual_image")
    assert same[:3] == (0, 0, 0)
    worst = measures.change_score(a_cohort(), DRAWS, to="residual_variance")
    assert worst[:3] == (-1, -1, -1)
    absent = measures.change_score(a_cohort(), DRAWS, to="t1ce_mean_residual")
    assert absent.verdict == NOT_MEASURED


def test_pooled_folds_rank_networks_with_other_zero_points(a_cohort):
    found = a_cohort()
    second = found.scores["case"].isin([2, 3])
    scores = found.scores.assign(fold=second.astype(int))
    # Tumour slices of fold 0 score 2 and 3, tumour-free ones -1; fold 1 lies 10 higher.
    scores.loc[second, "mean_residual"] += 10
    healthy = scores[scores["role"] == "validation"]
    scores = pd.concat([scores, healthy.assign(fold=1)])
    slices = found.slices.assign(fold=found.slices["case"].isin([2, 3]).astype(int))
    answer = measures.pool_folds(found._replace(slices=slices, scores=scores), DRAWS)
    # Pooled, tumour slices of fold 0 lie below the tumour-free ones of fold 1: 4 of 16 pairs.
    assert answer.value == pytest.approx(12 / 16 - 1)
    assert np.isnan(answer.low)


def test_one_fold_has_nothing_to_pool(a_cohort):
    assert measures.pool_folds(a_cohort(), DRAWS).reason == "This run has one fold."


def test_the_look_that_differs_most_is_taken(a_cohort):
    answer = measures.stop_elsewhere(a_cohort(), DRAWS)
    assert answer.value == pytest.approx(0.5 - 0.3)
    assert np.isnan(answer.low)


def test_only_the_papers_network_and_baselines_stay(a_cohort):
    found = a_cohort(networks={("dVAE", "SSIM"): [8, 6], ("VAE", "MSE"): [1, 2]})
    plain = found.counts[:4].assign(method="B2")
    found = found._replace(counts=pd.concat([found.counts, plain]))
    kept = measures.narrow(found)
    assert set(kept.counts["method"]) == {"dVAE-SSIM-s0", "B2"}
    assert set(kept.scores["method"]) == {"dVAE-SSIM-s0"}
    assert change(kept, Way(empty=1.0)) == change(found, Way(empty=1.0))
