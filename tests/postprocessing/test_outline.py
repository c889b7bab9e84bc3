"""From maps of a volume to outlines: the sum of two maps, three rules, one mixture per volume."""

from functools import partial

import numpy as np
import pytest

from paperlib.postprocessing import mixture, morphology, outline, volume

BRAIN = np.zeros((24, 40, 40), bool)
BRAIN[:, 4:36, 4:36] = True


def test_a_network_adds_at_most_one_and_takes_at_most_one():
    for logit, added in ((0.0, 0.0), (4.0, 0.5), (8.0, 1.0), (99.0, 1.0), (-99.0, -1.0)):
        found = outline.network_part(
            np.full(BRAIN.shape, logit), BRAIN, sigma_px=1.0, logit_limit=8.0
        )
        np.testing.assert_allclose(found[BRAIN], added)
        assert (found[~BRAIN] == 0).all()


def test_a_single_voxel_of_the_network_is_smoothed_before_it_counts():
    logit = np.zeros(BRAIN.shape)
    logit[12, 20, 20] = 8.0
    found = outline.network_part(logit, BRAIN, sigma_px=1.0, logit_limit=8.0)
    assert found[12, 20, 20] == pytest.approx((2 * np.pi) ** -1.5, rel=1e-2)
    assert found[12, 20, 21] == pytest.approx(found[13, 20, 20])


def long_and_round():
    """A thin blob of more voxels, a round one of fewer with a hole in one slice, and a speck."""
    rows = np.mgrid[:24, :40, :40]
    away = np.sqrt(sum((axis - at) ** 2 for axis, at in zip(rows, (12, 26, 26), strict=True)))
    ball = away <= 5
    thin = np.zeros(BRAIN.shape, bool)
    thin[:, 8:12, 6:34] = True
    speck = np.zeros(BRAIN.shape, bool)
    speck[2, 30:33, 8:11] = True
    assert thin.sum() > 2 * ball.sum()
    return thin, ball, speck


def test_each_rule_keeps_what_it_says():
    thin, ball, speck = long_and_round()
    found = outline.under_each_rule(thin | ball | speck, BRAIN)
    assert tuple(found) == ("all", "largest_3d", "ball", "foci")
    np.testing.assert_array_equal(found["all"], thin | ball | speck)
    np.testing.assert_array_equal(found["largest_3d"], thin)
    np.testing.assert_array_equal(found["ball"], ball)
    np.testing.assert_array_equal(found["foci"], ball)  # the others are too thin


def two_balls(small_mm):
    """A ball of 11 mm and another of a given radius, apart."""
    rows = np.mgrid[:40, :64, :64] * np.array([1.0, 180 / 128, 180 / 128])[:, None, None, None]
    balls = [
        np.sqrt(sum((axis - at) ** 2 for axis, at in zip(rows, centre, strict=True))) <= radius
        for centre, radius in (((14, 25, 25), 11.0), ((26, 64, 64), small_mm))
    ]
    return balls[0], balls[1], np.ones(balls[0].shape, bool)


@pytest.mark.parametrize(("small_mm", "kept"), [(8.5, True), (5.0, False)])
def test_a_second_focus_stays_if_it_is_nearly_as_wide(small_mm, kept):
    large, small, brain = two_balls(small_mm)
    found = outline.keep(large | small, brain, rule="foci")
    np.testing.assert_array_equal(found, large | small if kept else large)
    np.testing.assert_array_equal(outline.keep(large | small, brain, rule="ball"), large)


def test_the_widest_ball_is_measured_in_mm():
    large, small, _ = two_balls(6.0)
    assert outline.ball_mm(large | small) == pytest.approx(11.0, abs=1.5)
    assert outline.ball_mm(small) == pytest.approx(6.0, abs=1.5)
    assert outline.ball_mm(small & large) == 0


def test_holes_are_filled_within_a_slice_and_only_in_the_brain():
    _, ball, _ = long_and_round()
    with_tunnel = ball.copy()
    with_tunnel[:, 26, 26] = False  # open in 3-D, closed in every slice but the two ends
    for found in outline.under_each_rule(with_tunnel, BRAIN).values():
        np.testing.assert_array_equal(found[8:17], ball[8:17])
    hollow = BRAIN.copy()
    hollow[12, 26, 26] = False
    for found in outline.under_each_rule(with_tunnel & hollow, hollow).values():
        assert not found[12, 26, 26]


def test_the_ball_is_what_the_plain_clean_up_finds():
    thin, ball, speck = long_and_round()
    flair = np.where(thin | ball | speck, 3.0, 0.0)
    score = volume.smooth(flair, BRAIN, sigma_px=1.0) - 1.0
    bright = morphology.open_close((score > 0) & BRAIN, BRAIN)
    expected = volume.segment_smoothed(
        flair, BRAIN, threshold=1.0, spacing_mm=morphology.SPACING_MM
    )
    np.testing.assert_array_equal(outline.under_each_rule(bright, BRAIN)["ball"], expected)
    assert expected.any()


FIT = partial(mixture.fit_mixture, reading="neighbourhood", max_iterations=30)
CHOOSE = partial(mixture.tumour_mask, cluster="smallest", tail="both")


def residual(slices, tumours):
    made = np.random.default_rng(2).normal(0, 0.3, (slices, 40, 40))
    for number in tumours:
        made[number, 15:25, 15:25] -= 3.0
    return made


def test_one_slice_is_fitted_as_it_is_alone():
    noise, brain = residual(1, (0,)), BRAIN[:1]
    found = outline.cluster_volume(noise, brain, fit=FIT, choose=CHOOSE)
    alone = CHOOSE(FIT(noise[0], brain[0]), noise[0], brain[0])
    np.testing.assert_array_equal(found[0], alone)
    assert 90 < found.sum() < 130


def test_slices_do_not_touch_even_where_the_brain_reaches_the_edge():
    brain = np.ones((5, 40, 40), bool)
    seen = []

    def fit(image, inside, **_):
        seen.append(inside)
        return FIT(image, inside)

    outline.cluster_volume(residual(5, (2,)), brain, fit=fit, choose=CHOOSE)
    (inside,) = seen
    assert inside.shape == (5 * 41, 40)
    assert not inside[40::41].any()
    assert inside.sum() == brain.sum()


def test_a_slice_without_tumour_stays_empty_when_all_slices_share_a_fit():
    made, brain = residual(6, (2, 3)), BRAIN[:6]
    together = outline.cluster_volume(made, brain, fit=FIT, choose=CHOOSE)
    alone = np.stack([CHOOSE(FIT(r, b), r, b) for r, b in zip(made, brain, strict=True)])
    healthy = [0, 1, 4, 5]
    assert together[[2, 3], 15:25, 15:25].mean() > 0.95
    assert together[healthy].mean() < 0.01
    assert alone[healthy].mean() > 0.05  # a fit to a healthy slice divides it anyway


def blurred_ball(peak, *, at=(12, 20, 20), background=0.0):
    """A ball of radius 6 as a scanner shows it: its rim, half the peak, lies at the radius."""
    rows = np.mgrid[:24, :40, :40]
    ball = np.sqrt(sum((axis - a) ** 2 for axis, a in zip(rows, at, strict=True))) <= 6
    sharp = np.where(ball, peak, background) * BRAIN
    return ball, volume.smooth(sharp, BRAIN, sigma_px=1.5)


def dice(one, other):
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@pytest.mark.parametrize("peak", [0.9, 1.5, 2.4])
def test_the_clearest_outline_is_the_rim_however_bright_the_tumour_is(peak):
    ball, score = blurred_ball(peak)
    for level in (0.3 * peak, 0.8 * peak):
        found = outline.clearest_outline(score, BRAIN, score > level)
        assert dice(found, ball) > 0.9
        assert dice(found, ball) > dice(score > level, ball)


def test_a_shifted_score_moves_the_level_with_it():
    ball, score = blurred_ball(1.2, background=-0.6)
    found = outline.clearest_outline(score, BRAIN, score > 0.9)
    assert dice(found, ball) > 0.9


def test_a_second_lesion_elsewhere_changes_nothing():
    _, score = blurred_ball(1.5, at=(12, 12, 12))
    other, second = blurred_ball(2.4, at=(12, 28, 28))
    start = (score > 0.9) & ~other
    alone = outline.clearest_outline(score, BRAIN, start)
    np.testing.assert_array_equal(
        outline.clearest_outline(np.maximum(score, second), BRAIN, start), alone
    )


def test_without_a_first_outline_or_without_contrast_the_first_outline_stays():
    nothing = np.zeros(BRAIN.shape, bool)
    _, score = blurred_ball(1.5)
    assert not outline.clearest_outline(score, BRAIN, nothing).any()
    flat = np.ones(BRAIN.shape) * BRAIN
    start = nothing.copy()
    start[10:14, 18:22, 18:22] = True
    np.testing.assert_array_equal(outline.clearest_outline(flat, BRAIN, start), start)


def test_the_clearest_outline_stays_in_the_brain_and_reaches_the_edge_of_the_volume():
    ball, score = blurred_ball(1.5, at=(0, 8, 20))
    found = outline.clearest_outline(score, BRAIN, score > 0.7)
    assert found[0].any()
    assert not (found & ~BRAIN).any()
    assert dice(found, ball & BRAIN) > 0.85


def test_each_focus_gets_its_own_level():
    faint, dim = blurred_ball(0.9, at=(12, 12, 12))
    other, bright = blurred_ball(2.4, at=(12, 28, 28))
    score = np.maximum(dim, bright)
    found = outline.clearest_outline(score, BRAIN, score > 0.4)
    assert dice(found, faint | other) > 0.9


def test_agreement_is_the_mean_dice_of_all_pairs():
    one, half, none = (np.zeros((2, 4, 4), bool) for _ in range(3))
    one[0, :, :2] = True
    half[0, :2, :2] = True
    assert outline.agreement([one, one]) == 1
    assert outline.agreement([one, half]) == pytest.approx(2 * 4 / 12)
    assert outline.agreement([one, one, half]) == pytest.approx((1 + 2 * 8 / 12) / 3)
    assert outline.agreement([one, none]) == 0
    assert outline.agreement([none, none]) == outline.agreement([one]) == 1


def test_a_threshold_draws_the_level_below_itself():
    rows = np.mgrid[:24, :40, :40]
    away = np.sqrt(sum((axis - at) ** 2 for axis, at in zip(rows, (12, 20, 20), strict=True)))
    core, whole = away <= 4, away <= 9
    score = np.where(whole, 0.8, 0.0) + np.where(core, 1.2, 0.0)
    for threshold, expected in ((None, core), (2.0, core), (0.4, whole)):
        found = outline.clearest_outline(score, BRAIN, core, threshold=threshold)
        assert dice(found, expected) > 0.95


def test_levels_at_which_the_networks_disagree_count_less():
    """The rim alone is clearest at a high level; both networks agree on the larger outline."""
    rows = np.mgrid[:24, :40, :40]
    away = np.sqrt(sum((axis - at) ** 2 for axis, at in zip(rows, (12, 20, 20), strict=True)))
    core, whole = away <= 4, away <= 9
    members = []
    for side in (-3, 3):  # the bright core lies elsewhere in each
        moved = np.roll(core, side, axis=2)
        members.append(np.where(whole, 0.8, 0.0) + np.where(moved, 1.6, 0.0))
    score = np.where(whole, 0.8, 0.0) + np.where(core, 1.6, 0.0)
    alone = outline.clearest_outline(score, BRAIN, core)
    agreed = outline.clearest_outline(score, BRAIN, core, members=members)
    assert dice(alone, core) > 0.95
    assert dice(agreed, whole) > 0.95
