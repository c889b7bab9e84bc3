"""Dice conventions counted by hand, and against scipy and scikit-learn."""

import numpy as np
import pytest
from scipy.spatial.distance import dice as dice_dissimilarity
from sklearn.metrics import average_precision_score, f1_score

from paperlib.evaluation.measures import metrics
from paperlib.evaluation.measures.metrics import RegionCounts, aggregate, dice, pooled_value
from paperlib.labels import REGIONS


def masks(share, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((3, 20, 20)) < share, rng.random((3, 20, 20)) < share


def test_dice_counted_by_hand():
    prediction = np.array([[True, True, False, False]])
    truth = np.array([[False, True, True, True]])
    assert dice(prediction, truth, empty=0) == pytest.approx(2 / 5)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_dice_is_scipys_and_scikit_learns(share):
    prediction, truth = masks(share)
    found = dice(prediction, truth, empty=0)
    assert found == pytest.approx(1 - dice_dissimilarity(prediction.ravel(), truth.ravel()))
    assert found == pytest.approx(f1_score(truth.ravel(), prediction.ravel()))


@pytest.mark.parametrize("empty", [0, 1, np.nan])
def test_two_empty_masks_are_worth_what_the_caller_says(empty):
    nothing = np.zeros((2, 2), bool)
    np.testing.assert_equal(dice(nothing, nothing, empty=empty), float(empty))


@pytest.mark.parametrize("empty", [0, 1, np.nan])
def test_one_empty_mask_is_worth_nothing(empty):
    nothing = np.zeros((2, 2), bool)
    assert dice(nothing, ~nothing, empty=empty) == 0
    assert dice(~nothing, nothing, empty=empty) == 0


def test_what_an_empty_pair_is_worth_has_no_default_and_no_other_value():
    nothing = np.zeros((2, 2), bool)
    with pytest.raises(TypeError, match="empty"):
        dice(nothing, nothing)
    with pytest.raises(ValueError, match=r"empty is 0\.5"):
        dice(nothing, nothing, empty=0.5)


def test_counts_per_slice_and_region_follow_the_codes():
    segmentation = np.array([[[0, 1, 2, 4]], [[2, 2, 2, 2]]], np.uint8)
    labels = np.array([[[1, 4, 2, 4]], [[0, 0, 0, 0]]], np.uint8)
    counts = metrics.region_counts(segmentation, labels)
    assert list(REGIONS) == ["WT", "TC", "ET", "NCR", "ED"]
    np.testing.assert_array_equal(counts.overlap, [[3, 2, 1, 0, 1], [0, 0, 0, 0, 0]])
    np.testing.assert_array_equal(counts.predicted, [[3, 2, 1, 1, 1], [4, 0, 0, 0, 4]])
    np.testing.assert_array_equal(counts.truth, [[4, 3, 2, 1, 1], [0, 0, 0, 0, 0]])


def test_the_gate_empties_predictions_and_leaves_the_truth():
    counts = RegionCounts(*(np.array([[3], [4]]) for _ in range(3)))
    found = metrics.gated(counts, np.array([True, False]))
    np.testing.assert_array_equal(found.overlap, [[3], [0]])
    np.testing.assert_array_equal(found.predicted, [[3], [0]])
    np.testing.assert_array_equal(found.truth, [[3], [4]])


# Patient b: slice Dice 1 (of 2 + 2 pixels), 0 (5 + 0), both empty; patient a: 2/4 (3 + 1).
CASES = np.array(["b", "b", "a", "b"])
COUNTS = RegionCounts(*(np.array([v]).T for v in ([2, 0, 1, 0], [2, 5, 3, 0], [2, 0, 1, 0])))
FLAGGED = np.array([True, False, True, True])


@pytest.mark.parametrize(
    ("aggregation", "empty", "sums", "numbers"),
    [
        ("every_slice", 0, [0.5, 1], [1, 3]),
        ("every_slice", 1, [0.5, 2], [1, 3]),
        ("every_slice", np.nan, [0.5, 1], [1, 2]),
        ("tumour_slices", np.nan, [0.5, 1], [1, 1]),
        ("flagged_slices", 0, [0.5, 1], [1, 2]),
        ("flagged_slices", 1, [0.5, 2], [1, 2]),
        ("flagged_slices", np.nan, [0.5, 1], [1, 1]),
        ("volume", 0, [0.5, 4 / 9], [1, 1]),
        ("pooled_pixels", np.nan, [2, 4], [4, 9]),
    ],
)
def test_aggregations_counted_by_hand(aggregation, empty, sums, numbers):
    found = aggregate(COUNTS, CASES, aggregation=aggregation, empty=empty, flagged=FLAGGED)
    np.testing.assert_array_equal(found.cases, ["a", "b"])
    np.testing.assert_allclose(found.sums[:, 0], sums)
    np.testing.assert_allclose(found.counts[:, 0], numbers)
    value = pooled_value(found.sums, found.counts)
    np.testing.assert_allclose(value, [np.sum(sums) / np.sum(numbers)])


@pytest.mark.parametrize(("empty", "value"), [(0, 0), (1, 1), (np.nan, np.nan)])
def test_an_empty_volume_follows_the_convention(empty, value):
    counts = RegionCounts(*(np.zeros((2, 1), int) for _ in range(3)))
    found = aggregate(counts, np.array([1, 1]), aggregation="volume", empty=empty)
    np.testing.assert_array_equal(pooled_value(found.sums, found.counts), [float(value)])


def random_patients(seed=0):
    rng = np.random.default_rng(seed)
    shape = (30, 12, 12)
    labels, segmentation = (
        rng.choice([0, 1, 2, 4], shape, p=[0.85, 0.05, 0.05, 0.05]).astype(np.uint8)
        for _ in range(2)
    )
    labels[::4], segmentation[::3] = 0, 0
    return segmentation, labels, rng.integers(0, 4, 30)


@pytest.mark.parametrize("empty", [0, 1])
def test_every_slice_is_the_plain_mean_of_slice_dice(empty):
    segmentation, labels, cases = random_patients()
    found = aggregate(
        metrics.region_counts(segmentation, labels), cases, aggregation="every_slice", empty=empty
    )
    expected = [
        np.mean(
            [
                dice(np.isin(s, codes), np.isin(t, codes), empty=empty)
                for s, t in zip(segmentation, labels, strict=True)
            ]
        )
        for codes in REGIONS.values()
    ]
    np.testing.assert_allclose(pooled_value(found.sums, found.counts), expected)


def test_volume_dice_is_scikit_learns_f1_of_each_patient():
    segmentation, labels, cases = random_patients()
    found = aggregate(
        metrics.region_counts(segmentation, labels), cases, aggregation="volume", empty=0
    )
    expected = [
        f1_score(labels[cases == case].ravel() > 0, segmentation[cases == case].ravel() > 0)
        for case in range(4)
    ]
    np.testing.assert_allclose(found.sums[:, 0], expected)


def test_pooled_pixels_are_scikit_learns_f1_of_all_pixels():
    segmentation, labels, cases = random_patients()
    found = aggregate(
        metrics.region_counts(segmentation, labels), cases, aggregation="pooled_pixels", empty=0
    )
    expected = f1_score(labels.ravel() > 0, segmentation.ravel() > 0)
    assert pooled_value(found.sums, found.counts)[0] == pytest.approx(expected)


def test_the_semantic_score_averages_the_three_labels():
    values = np.array([[0.9, 0.8, 0.3, 0.2, 0.1], [1, 1, 1, 1, 1]])
    np.testing.assert_allclose(metrics.semantic(values), [0.2, 1])
    assert float(metrics.semantic(values[0])) == pytest.approx(0.2)


def test_there_are_eleven_conventions_and_each_gives_a_value():
    segmentation, labels, cases = random_patients()
    counts = metrics.region_counts(segmentation, labels)
    assert len(metrics.CONVENTIONS) == 11
    flagged = segmentation.any(axis=(1, 2))
    for aggregation, empty in metrics.CONVENTIONS:
        found = aggregate(counts, cases, aggregation=aggregation, empty=empty, flagged=flagged)
        value = pooled_value(found.sums, found.counts)
        assert ((value >= 0) & (value <= 1)).all()


def test_flagged_slices_without_flags_are_refused():
    with pytest.raises(ValueError, match="needs the flags"):
        aggregate(COUNTS, CASES, aggregation="flagged_slices", empty=0)


def test_an_unknown_aggregation_is_refused():
    with pytest.raises(KeyError, match="per_tumour"):
        aggregate(COUNTS, CASES, aggregation="per_tumour", empty=0)


def test_pixel_metrics_rank_brain_pixels_only():
    anomaly = np.array([[0.9, 0.8, 0.7, 0.1, 99.0]])
    truth = np.array([[True, False, True, False, False]])
    brain = np.array([[True, True, True, True, False]])
    found = metrics.pixel_average_precision(anomaly, truth, brain)
    assert found == pytest.approx((1 + 2 / 3) / 2)
    assert metrics.pixel_auroc(anomaly, truth, brain) == pytest.approx(3 / 4)
    expected = average_precision_score(truth[brain], anomaly[brain])
    assert found == pytest.approx(expected)


def test_slice_auroc_counts_pairs_and_ties_by_half():
    score = np.array([3.0, 1.0, 2.0, 1.0])
    tumour = np.array([True, True, False, False])
    assert metrics.slice_auroc(score, tumour) == pytest.approx(2.5 / 4)


def test_a_ranking_of_one_kind_is_refused():
    everything = np.ones((2, 2), bool)
    with pytest.raises(ValueError, match="4 of 4 brain pixels are tumour"):
        metrics.pixel_average_precision(np.zeros((2, 2)), everything, everything)
    with pytest.raises(ValueError, match="0 of 4 brain pixels are tumour"):
        metrics.pixel_auroc(np.zeros((2, 2)), ~everything, everything)
    with pytest.raises(ValueError, match="0 of 3 slices are tumour"):
        metrics.slice_auroc(np.zeros(3), np.zeros(3, bool))
