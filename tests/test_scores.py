"""Slice scores, gates and their controls, counted by hand."""

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis

from paperlib import scores
from paperlib.scores import LatentStatistics, Slices


def two_slices():
    """Slice 0 has the brain values -3, 1, 2, slice 1 has -1, -1; the background is 100."""
    residual = np.full((2, 2, 2), 100.0)
    brain = np.zeros((2, 2, 2), bool)
    residual[0].ravel()[:3] = -3, 1, 2
    residual[1].ravel()[:2] = -1, -1
    brain[0].ravel()[:3] = True
    brain[1].ravel()[:2] = True
    return residual, brain


def test_the_mean_residual_is_taken_inside_the_brain_and_its_sign_flipped():
    np.testing.assert_allclose(scores.mean_residual_score(*two_slices()), [0, 1])


def test_the_mean_over_the_image_counts_the_background():
    residual, _ = two_slices()
    np.testing.assert_allclose(scores.mean_residual_image_score(residual), [-25, -49.5])


def test_the_variance_is_taken_inside_the_brain():
    np.testing.assert_allclose(scores.residual_variance_score(*two_slices()), [14 / 3, 0])


def test_the_top_mean_averages_the_most_negative_residuals():
    residual, brain = two_slices()
    found = scores.top_mean_score(residual, brain, share=0.67)
    np.testing.assert_allclose(found, [(3 - 1) / 2, 1])
    np.testing.assert_allclose(scores.top_mean_score(residual, brain), [3, 1])


@pytest.mark.parametrize("name", list(scores.SCORES))
def test_every_score_rates_a_slice_with_a_bright_tumour_higher(name):
    rng = np.random.default_rng(0)
    residual = rng.normal(0, 0.3, (2, 20, 20))
    brain = np.zeros(residual.shape, bool)
    brain[:, 4:16, 4:16] = True
    brain[0, 5:9, 2:18] = True  # a tumour slice lies lower and holds more brain
    residual[0, 6:9, 6:9] = -4
    slices = Slices(-residual, residual, brain, np.array([20, 60]))
    found = scores.SCORES[name](slices)
    assert found.shape == (2,)
    assert found[0] > found[1]


def test_scores_without_a_network_are_what_their_names_say():
    residual, brain = two_slices()
    slices = Slices(-2 * residual, residual, brain, np.array([64, 3]))
    expected = {
        "mean_absolute": [2, 1],
        "brain_area": [3, 2],
        "mean_image": [0, 2],
        "slice_height": [-64, -3],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(scores.SCORES[name](slices), values)


@pytest.mark.parametrize("name", ["mean_residual", "residual_variance", "top_mean", "mean_image"])
def test_a_slice_without_brain_is_refused_by_its_number(name):
    residual, brain = two_slices()
    brain[1] = False
    with pytest.raises(ValueError, match=r"Slices \[1\] have no brain pixel"):
        scores.SCORES[name](Slices(residual, residual, brain, np.arange(2)))


def test_the_latent_distance_is_mahalanobis_with_a_diagonal_covariance():
    rng = np.random.default_rng(0)
    healthy = rng.normal(2, [0.5, 1, 2, 3], (200, 4))
    statistics = scores.latent_statistics(healthy)
    probe = rng.normal(size=(5, 4))
    inverse = np.diag(1 / healthy.var(axis=0))
    expected = [mahalanobis(point, healthy.mean(axis=0), inverse) for point in probe]
    np.testing.assert_allclose(scores.latent_distance(probe, statistics), expected)


def test_latent_maps_are_read_as_one_vector():
    maps = np.random.default_rng(0).normal(size=(30, 2, 3, 3)).astype(np.float32)
    statistics = scores.latent_statistics(maps)
    assert statistics.mean.shape == (18,)
    flat = scores.latent_distance(maps.reshape(30, 18), statistics)
    np.testing.assert_array_equal(scores.latent_distance(maps, statistics), flat)


def test_the_variance_of_a_silent_unit_stops_at_a_thousandth_of_the_median():
    latent = np.array([[0.0, 0, 5], [2, 4, 5], [4, 8, 5]])
    statistics = scores.latent_statistics(latent)
    np.testing.assert_allclose(statistics.variance, [8 / 3, 32 / 3, 0])
    found = scores.latent_distance(np.array([[2.0, 4, 6]]), statistics)
    np.testing.assert_allclose(found, np.sqrt(1 / (8 / 3e3)))


def test_a_collapsed_latent_is_refused():
    latent = np.zeros((5, 3))
    latent[:, 0] = np.arange(5)
    with pytest.raises(ValueError, match=r"median variance of 3 latent units is 0\.0"):
        scores.latent_distance(latent, scores.latent_statistics(latent))


def test_statistics_of_another_network_are_refused():
    statistics = LatentStatistics(np.zeros(4), np.ones(4))
    with pytest.raises(ValueError, match="latent has 3 units, the statistics 4"):
        scores.latent_distance(np.zeros((2, 3)), statistics)


def test_each_gate_is_its_formula():
    healthy = np.array([1.0, 2, 3, 6])
    expected = {
        "max_healthy": 6,
        "mean_2sd": 3 + 2 * np.sqrt(3.5),
        "2sd_literal": 2 * np.sqrt(3.5),
        "quantile_95": 3 + 0.85 * 3,
    }
    assert set(expected) == set(scores.GATES)
    for rule, value in expected.items():
        assert scores.gate_threshold(healthy, rule=rule) == pytest.approx(value)


def test_an_unknown_gate_is_refused():
    with pytest.raises(KeyError, match="loose"):
        scores.gate_threshold(np.ones(3), rule="loose")


def test_the_height_gate_uses_healthy_slices_of_about_the_same_height():
    healthy_heights = np.repeat([10, 13, 50], [6, 6, 9])
    healthy_scores = np.concatenate([np.arange(6.0), np.arange(6.0) + 6, np.full(9, 100.0)])
    gate = scores.height_gate(
        healthy_scores, healthy_heights, np.array([11, 50, 12, 90]), quantile=0.5
    )
    # 12 slices around 11 and 12; 9 around 50 and none around 90 are too few.
    np.testing.assert_allclose(gate.thresholds, [5.5, 10, 5.5, 10])
    assert gate.fallback_share == 0.5


def test_the_height_gate_takes_the_95_percent_quantile_from_ten_slices_on():
    gate = scores.height_gate(np.arange(11.0)[:10], np.full(10, 7), np.array([4, 10, 11]))
    np.testing.assert_allclose(gate.thresholds, [8.55, 8.55, 8.55])
    assert gate.fallback_share == pytest.approx(1 / 3)


def test_thresholds_without_healthy_slices_are_refused():
    none, heights = np.array([]), np.arange(3)
    with pytest.raises(ValueError, match="No healthy slice"):
        scores.gate_threshold(none, rule="max_healthy")
    with pytest.raises(ValueError, match="No healthy slice"):
        scores.height_gate(none, np.array([]), heights)
    with pytest.raises(ValueError, match="No healthy slice"):
        scores.height_corrected(np.ones(3), heights, none, np.array([]))


def test_the_tumour_blind_brain_leaves_out_a_disk_around_the_tumour():
    brain = np.ones((2, 15, 15), bool)
    brain[:, :, 0] = False
    tumour = np.zeros_like(brain)
    tumour[0, 7, 7] = True
    blind = scores.tumour_blind_brain(brain, tumour)
    rows, columns = np.mgrid[:15, :15]
    near = (rows - 7) ** 2 + (columns - 7) ** 2 <= 9
    np.testing.assert_array_equal(blind[0], brain[0] & ~near)
    np.testing.assert_array_equal(blind[1], brain[1])


def test_no_margin_leaves_out_the_tumour_alone():
    brain = np.ones((1, 9, 9), bool)
    tumour = np.zeros_like(brain)
    tumour[0, 4, 4] = True
    np.testing.assert_array_equal(scores.tumour_blind_brain(brain, tumour, margin_px=0), ~tumour)


def test_the_blind_score_can_not_see_the_tumour():
    rng = np.random.default_rng(0)
    residual = rng.normal(size=(1, 20, 20))
    brain = np.ones(residual.shape, bool)
    tumour = np.zeros_like(brain)
    tumour[0, 5:10, 5:10] = True
    blind = scores.tumour_blind_brain(brain, tumour)
    darker = np.where(tumour, residual - 9, residual)
    kept, changed = (scores.mean_residual_score(r, blind) for r in (residual, darker))
    np.testing.assert_array_equal(kept, changed)


def test_the_height_correction_subtracts_the_healthy_mean_around():
    corrected = scores.height_corrected(
        scores=np.array([5.0, 5.0, 5.0]),
        heights=np.array([10, 13, 40]),
        healthy_scores=np.array([1.0, 2.0, 6.0]),
        healthy_heights=np.array([8, 14, 30]),
    )
    # Around 10 lies one healthy slice, around 13 another, nearest to 40 the one at 30.
    np.testing.assert_allclose(corrected, [5 - 1, 5 - 2, 5 - 6])


def test_a_score_that_only_knows_the_height_is_nothing_after_the_correction():
    heights = np.repeat(np.arange(30), 4)
    found = scores.height_corrected(-heights * 1.0, heights, -heights * 1.0, heights)
    np.testing.assert_allclose(found[12:-12], 0, atol=1e-12)


def test_mixed_heights_have_slices_of_both_kinds():
    heights = np.array([1, 1, 2, 2, 3, 4, 4, 4])
    tumour = np.array([1, 0, 1, 1, 0, 0, 1, 1], bool)
    expected = np.array([1, 1, 0, 0, 0, 1, 1, 1], bool)
    np.testing.assert_array_equal(scores.at_mixed_heights(heights, tumour), expected)
