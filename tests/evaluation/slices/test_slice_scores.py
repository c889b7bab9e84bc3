"""Gates, curves and scaled scores against answers by hand and scikit-learn."""

import numpy as np
import pandas as pd
import pytest
from evidence_by_hand import HEALTHY, METHOD, make_evidence
from sklearn.metrics import auc, roc_auc_score

from paperlib.evaluation.slices import slice_scores

# In the order of load_test_slices: cases 0 to 3, each at z = 70, 90, 110.
TUMOUR = [True, True, False, False, True, False, True, False, False, True, True, False]


def test_test_slices_are_sorted_and_know_their_tumour():
    test = slice_scores.load_test_slices(make_evidence(), METHOD)
    assert list(zip(test["case"], test["z"], strict=True)) == [
        (case, z) for case in range(4) for z in (70, 90, 110)
    ]
    assert test["tumour"].tolist() == TUMOUR
    assert test["mean_residual"].tolist()[:3] == [5.0, 4.0, 1.0]


def test_an_unknown_method_names_those_there_are():
    with pytest.raises(KeyError, match=r"No test scores of 'dVAE-MSE-s0'; there are VAE-MSE-s0"):
        slice_scores.load_test_slices(make_evidence(), "dVAE-MSE-s0")


def test_each_fold_is_scaled_by_its_own_healthy_slices():
    scaled = slice_scores.in_healthy_units(make_evidence(), METHOD, "mean_residual")
    spread = np.std(HEALTHY[0])
    np.testing.assert_allclose(scaled[:3], np.array([4.0, 3.0, 0.0]) / spread)
    np.testing.assert_allclose(scaled[6:9], np.array([4.0, 1.0, 2.0]) / spread)


def test_healthy_slices_that_are_all_alike_give_no_unit():
    found = make_evidence()
    found.scores.loc[found.scores["role"] == "validation", "mean_residual"] = 1.0
    assert np.isnan(slice_scores.in_healthy_units(found, METHOD, "mean_residual")).all()


def test_the_highest_healthy_score_of_the_fold_is_the_gate():
    flagged = slice_scores.flag_slices(
        make_evidence(), METHOD, score="mean_residual", rule="max_healthy"
    )
    assert flagged[:6].tolist() == [True, True, False, False, True, False]  # above 2
    assert flagged[6:].tolist() == [True, False, True, True, False, False]  # above 101


def test_with_few_healthy_slices_the_height_gate_is_the_overall_quantile():
    found = make_evidence()
    by_height = slice_scores.flag_slices(found, METHOD, score="mean_residual", rule="height")
    overall = slice_scores.flag_slices(found, METHOD, score="mean_residual", rule="quantile_95")
    assert by_height.tolist() == overall.tolist()


def test_rates_of_a_gate_are_shares_of_their_own_kind():
    rates = slice_scores.gate_rates(make_evidence(), METHOD, "mean_residual").loc["max_healthy"]
    assert rates["sensitivity"] == pytest.approx(5 / 6)
    assert rates["false positives"] == pytest.approx(1 / 6)
    assert rates["emptied"] == pytest.approx(6 / 12)


def curve_input(seed=0, n=120):
    rng = np.random.default_rng(seed)
    tumour = rng.random(n) < 0.4
    return rng.normal(size=n) + tumour, tumour, rng.integers(0, 6, n)


def test_one_fold_is_scikit_learns_curve():
    score, tumour, cases = curve_input()
    rates = np.linspace(0, 1, 5001)
    curve = slice_scores.mean_roc(score, tumour, cases, np.zeros(120, int), false_positives=rates)
    assert auc(rates, curve) == pytest.approx(roc_auc_score(tumour, score), abs=1e-3)
    assert np.all(np.diff(curve) >= 0)


def test_folds_count_by_their_patients_whatever_their_zero_point():
    score, tumour, cases = curve_input()
    folds = (cases > 1).astype(int)  # two patients against four
    parts = [roc_auc_score(tumour[folds == fold], score[folds == fold]) for fold in (0, 1)]
    expected = (2 * parts[0] + 4 * parts[1]) / 6
    shifted = score + 50.0 * folds
    assert slice_scores.mean_auroc(shifted, tumour, cases, folds) == pytest.approx(expected)
    rates = np.linspace(0, 1, 5001)
    curve = slice_scores.mean_roc(shifted, tumour, cases, folds, false_positives=rates)
    assert auc(rates, curve) == pytest.approx(expected, abs=1e-3)


def test_a_fold_of_one_kind_has_no_curve():
    score, tumour, cases = curve_input()
    folds = np.where(tumour, 0, 1)
    with pytest.raises(ValueError, match=r"Fold 0 has \d+ tumour slices among \d+; a ROC curve"):
        slice_scores.mean_auroc(score, tumour, cases, folds)


def test_rates_carry_their_numbers_and_the_height_rule_says_how_often_it_falls_back():
    found = make_evidence()
    rates = slice_scores.gate_rates(found, METHOD, "mean_residual")
    assert rates.index.tolist() == list(slice_scores.RULES)
    line = rates.loc["max_healthy"]
    assert line[["found", "tumour", "wrong", "free"]].tolist() == [5, 6, 1, 6]
    assert np.isnan(line["fallback"])
    assert rates.loc["height", "fallback"] == 1  # three healthy slices a fold are never enough


def test_a_height_with_enough_healthy_slices_needs_no_fallback():
    healthy = pd.DataFrame({"fold": 0, "z": [70] * 10 + [90] * 9, "a": np.arange(19.0)})
    folds, heights = np.array([0, 0, 0]), np.array([73, 74, 90])
    found = slice_scores.gate_limits(healthy, folds, heights, score="a", rule="height")
    assert found.fallback.tolist() == [False, True, True]
    overall = np.quantile(np.arange(19.0), 0.95)
    assert found.thresholds.tolist() == [np.quantile(np.arange(10.0), 0.95), overall, overall]


def test_a_network_is_named_by_the_first_seed_that_was_tested():
    found = make_evidence()
    found.provenance["seeds"] = [7, 0]
    assert slice_scores.first_seed(found, "VAE", "MSE") == METHOD
    with pytest.raises(KeyError, match=r"No scores of AAE-MSE-s7, AAE-MSE-s0; there are VAE-MSE"):
        slice_scores.first_seed(found, "AAE", "MSE")


def test_the_interval_of_an_area_holds_it_and_is_the_mean_over_folds():
    found = slice_scores.auroc_interval(make_evidence(), METHOD, "mean_residual", draws=50, seed=0)
    assert found.value == pytest.approx((9 / 9 + 7 / 9) / 2)
    assert found.low <= found.value <= found.high
    assert found.patients == 4
