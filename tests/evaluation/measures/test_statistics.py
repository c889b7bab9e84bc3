"""Bootstraps against scipy, verdicts by hand."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from paperlib.evaluation.measures import statistics
from paperlib.evaluation.measures.metrics import PatientRatios
from paperlib.evaluation.measures.ranking import Ranking, slice_ranking
from paperlib.evaluation.measures.statistics import Interval, bootstrap_ranking, bootstrap_ratio


def patients(n=30, seed=0):
    rng = np.random.default_rng(seed)
    counts = rng.integers(20, 70, (n, 1)).astype(float)
    return PatientRatios(np.arange(n), counts * rng.beta(2, 3, (n, 1)), counts)


def one_fold(n):
    return np.zeros(n, int)


def drawn(ratios, folds=None, seed=0, draws=1000):
    folds = one_fold(len(ratios.cases)) if folds is None else folds
    return bootstrap_ratio(ratios, folds, region=0, draws=draws, seed=seed)


def test_the_interval_is_scipys_percentile_bootstrap_within_chance():
    ratios = patients()
    found = statistics.interval(drawn(ratios, draws=4000))
    other = stats.bootstrap(
        (ratios.sums[:, 0], ratios.counts[:, 0]),
        lambda sums, counts, axis: sums.sum(axis) / counts.sum(axis),
        paired=True,
        vectorized=True,
        method="percentile",
        n_resamples=4000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    assert found.value == pytest.approx(ratios.sums.sum() / ratios.counts.sum())
    width = other.high - other.low
    assert found.low == pytest.approx(other.low, abs=0.06 * width)
    assert found.high == pytest.approx(other.high, abs=0.06 * width)
    assert found.patients == 30


def test_a_lower_level_gives_a_narrower_interval():
    result = drawn(patients())
    wide, narrow = (statistics.interval(result, level=level) for level in (0.95, 0.5))
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


def test_the_same_seed_draws_the_same_patients_and_another_one_others():
    first, again, other = (drawn(patients(), seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.draws, again.draws)
    assert not np.array_equal(first.draws, other.draws)


def test_patients_are_drawn_within_their_fold():
    folds = np.array([0, 1] * 15)
    result = drawn(patients(), folds)
    np.testing.assert_array_equal(result.drawn[:, folds == 0].sum(axis=1), 15)
    np.testing.assert_array_equal(result.drawn[:, folds == 1].sum(axis=1), 15)
    assert result.drawn.max() > 2


def test_a_sample_without_any_defined_value_is_drawn_again_and_counted():
    ratios = PatientRatios(np.arange(3), np.array([[0.7], [0], [0]]), np.array([[1.0], [0], [0]]))
    result = drawn(ratios)
    np.testing.assert_allclose(result.draws, 0.7)
    # A sample misses the one patient with probability (2/3)^3, so 8/19 redraws per draw.
    assert result.redrawn / 1000 == pytest.approx(8 / 19, abs=0.1)


def test_a_value_defined_for_no_patient_is_refused():
    ratios = PatientRatios(np.arange(3), np.zeros((3, 1)), np.zeros((3, 1)))
    with pytest.raises(ValueError, match="With all 3 patients of 1 folds the value is not defined"):
        drawn(ratios)


def test_a_value_that_is_almost_never_defined_does_not_draw_for_ever(monkeypatch):
    monkeypatch.setattr(statistics, "_REDRAWN_AT_MOST", 1)
    ratios = PatientRatios(np.arange(60), np.zeros((60, 1)), np.zeros((60, 1)))
    ratios.counts[0] = 1
    folds = np.repeat(np.arange(20), 3)
    ranking = Ranking(np.arange(60), np.eye(60)[:, :1] + 0.0, np.ones((60, 1)))
    ranking.positive[::3] = 1
    with pytest.raises(ValueError, match="samples of 60 patients had no value; use fewer folds"):
        bootstrap_ranking(ranking, folds, measure="auroc", draws=100, seed=0)


def scored_slices(n_cases=12, seed=0):
    rng = np.random.default_rng(seed)
    cases = np.repeat(np.arange(n_cases), 20)
    tumour = rng.random(cases.size) < 0.6
    return rng.normal(size=cases.size) + tumour, tumour, cases


def test_auroc_is_scikit_learns_and_its_draws_repeat_the_slices_of_drawn_patients():
    scores, tumour, cases = scored_slices()
    result = bootstrap_ranking(
        slice_ranking(scores, tumour, cases), one_fold(12), measure="auroc", draws=20, seed=0
    )
    assert result.value == pytest.approx(roc_auc_score(tumour, scores))
    for draw in range(20):
        again = np.repeat(np.arange(cases.size), result.drawn[draw][cases])
        expected = roc_auc_score(tumour[again], scores[again])
        assert result.draws[draw] == pytest.approx(expected)


def test_folds_are_ranked_apart_and_weighted_by_their_patients():
    scores, tumour, cases = scored_slices()
    folds = np.array([0] * 4 + [1] * 8)
    first = folds[cases] == 0
    shifted = np.where(first, scores + 100, scores)  # another network, another zero point
    expected = (
        4 * roc_auc_score(tumour[first], scores[first])
        + 8 * roc_auc_score(tumour[~first], scores[~first])
    ) / 12
    for values in (scores, shifted):
        result = bootstrap_ranking(
            slice_ranking(values, tumour, cases), folds, measure="auroc", draws=10, seed=0
        )
        assert result.value == pytest.approx(expected)


def test_samples_without_both_classes_are_drawn_again_and_counted():
    scores = np.arange(8.0)
    tumour = np.array([0, 1, 1, 1, 1, 1, 1, 1], bool)
    ranking = slice_ranking(scores, tumour, np.arange(8) // 2)
    result = bootstrap_ranking(ranking, one_fold(4), measure="auroc", draws=500, seed=0)
    assert np.isfinite(result.draws).all()
    assert (result.drawn[:, 0] > 0).all()
    missed = 0.75**4
    assert result.redrawn / 500 == pytest.approx(missed / (1 - missed), abs=0.1)


def test_a_fold_without_healthy_slices_is_refused():
    ranking = slice_ranking(np.arange(4.0), np.ones(4, bool), np.arange(4))
    with pytest.raises(ValueError, match="each fold needs both classes"):
        bootstrap_ranking(ranking, one_fold(4), measure="auroc", draws=10, seed=0)


def test_an_unknown_measure_is_refused():
    ranking = slice_ranking(np.arange(2.0), np.array([True, False]), np.arange(2))
    with pytest.raises(KeyError, match="f1"):
        bootstrap_ranking(ranking, one_fold(2), measure="f1", draws=10, seed=0)


def test_a_paired_difference_is_narrower_than_its_parts():
    first = patients()
    second = first._replace(sums=first.sums + 0.05 * first.counts)
    found = statistics.interval(statistics.difference(drawn(second), drawn(first)))
    assert found.value == pytest.approx(0.05)
    assert found.high - found.low < 1e-9


def test_a_difference_of_other_patients_is_refused():
    with pytest.raises(ValueError, match="same patients, folds, draws and seed"):
        statistics.difference(drawn(patients(), seed=0), drawn(patients(), seed=1))


def test_the_mean_of_results_is_taken_draw_by_draw():
    first, second = drawn(patients(seed=0)), drawn(patients(seed=1))
    found = statistics.mean_of([first, second])
    assert found.value == pytest.approx((first.value + second.value) / 2)
    np.testing.assert_allclose(found.draws, (first.draws + second.draws) / 2)
    with pytest.raises(ValueError, match="0 results"):
        statistics.mean_of([])


def test_seeds_are_averaged_within_a_patient_and_add_no_patients():
    first, second = patients(seed=0), patients(seed=0)
    second = second._replace(sums=second.sums / 2)
    found = statistics.mean_over_seeds([first, second])
    np.testing.assert_allclose(found.sums, first.sums * 0.75)
    np.testing.assert_array_equal(found.counts, first.counts)
    with pytest.raises(ValueError, match="every seed must be tested on the same"):
        statistics.mean_over_seeds([first, patients(n=29)])


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.36, 0.46, "agrees"),
        (0.40, 0.42, "agrees"),
        (0.35, 0.42, "undecided"),
        (0.30, 0.50, "undecided"),
        (0.47, 0.60, "differs"),
        (0.10, 0.35, "differs"),
    ],
)
def test_verdicts_of_a_value(low, high, verdict):
    found = Interval((low + high) / 2, low, high, 30)
    assert statistics.value_verdict(found, 0.41, margin=0.0501) == verdict


@pytest.mark.parametrize(
    ("low", "high", "sign", "verdict"),
    [
        (0.01, 0.05, 1, "the paper's sign"),
        (0.01, 0.05, -1, "the other sign"),
        (-0.05, -0.01, -1, "the paper's sign"),
        (-0.05, -0.01, 1, "the other sign"),
        (-0.01, 0.05, 1, "undecided"),
        (0.0, 0.05, 1, "undecided"),
    ],
)
def test_verdicts_of_a_comparison(low, high, sign, verdict):
    found = Interval((low + high) / 2, low, high, 30)
    assert statistics.comparison_verdict(found, paper_sign=sign) == verdict


def test_a_comparison_without_a_sign_is_refused():
    with pytest.raises(ValueError, match="paper_sign is 0"):
        statistics.comparison_verdict(Interval(0.0, -1.0, 1.0, 30), paper_sign=0)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-0.02, 0.03, "on a par"), (-0.02, 0.04, "undecided"), (0.04, 0.06, "differs")],
)
def test_verdicts_of_on_a_par(low, high, verdict):
    found = Interval((low + high) / 2, low, high, 30)
    assert statistics.on_a_par_verdict(found, margin=0.03) == verdict


def test_margins_have_no_default():
    found = Interval(0.0, -0.01, 0.01, 30)
    with pytest.raises(TypeError, match="margin"):
        statistics.on_a_par_verdict(found)
    with pytest.raises(TypeError, match="margin"):
        statistics.value_verdict(found, 0.41)


def test_holm_counted_by_hand():
    found = statistics.holm(np.array([0.04, 0.01, 0.03, 0.5]))
    np.testing.assert_allclose(found, [0.09, 0.04, 0.09, 0.5])


def test_holm_never_exceeds_one():
    np.testing.assert_array_equal(statistics.holm(np.array([0.9, 0.8])), [1, 1])


def test_the_smallest_p_is_that_of_all_signs_alike():
    assert statistics.smallest_p(6) == pytest.approx(2 / 64)
    found = statistics.signed_rank_p(np.arange(1, 7) / 10)
    assert found == pytest.approx(statistics.smallest_p(6))


def test_no_difference_at_all_has_p_one():
    assert statistics.signed_rank_p(np.zeros(5)) == 1


def test_a_hundredth_needs_the_patients_the_design_names():
    needed = [statistics.patients_needed(sd, 0.01, power=0.8, alpha=0.05) for sd in (0.11, 0.19)]
    assert needed == [950, 2834]
