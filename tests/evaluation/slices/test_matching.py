"""Slices matched in height and brain area, by hand and on made-up patients."""

import numpy as np
import pandas as pd
import pytest
from evidence_by_hand import METHOD, make_evidence

from paperlib.evaluation.slices import matching
from paperlib.evaluation.tables import Draws

DRAWS = Draws(200, 0)
ONE = np.ones((1, 2), np.int64)


def count(scores, tumour, heights, areas, cases):
    arrays = (np.array(part) for part in (tumour, heights, areas, cases))
    return matching.match_pairs(np.array(scores, float), *arrays)


def made_up(seed=0, patients=30, slices=70):
    """Return slices whose tumours grow rarer with height, in brains that shrink with height."""
    rng = np.random.default_rng(seed)
    heights = np.tile(np.arange(60, 60 + slices), patients)
    cases = np.repeat(np.arange(patients), slices)
    areas = (8000 - 90 * (heights - 60) + rng.normal(0, 300, heights.size)).round()
    tumour = rng.random(heights.size) < (135 - heights) / 80 + (areas - 5000) / 20000
    return tumour, heights, areas, cases


def made_up_evidence(scores, tumour, heights, areas, cases):
    found = make_evidence()
    table = pd.DataFrame({"case": cases, "z": heights, "fold": cases % 2})
    scored = table.assign(method=METHOD, role="test", mean_residual=scores)
    truth = table.assign(brain_px=areas, WT_truth=tumour.astype(int))
    return found._replace(scores=scored, slices=truth)


def test_a_pair_is_near_in_height_and_area_and_of_two_patients():
    tumour = np.array([True, False, False, False, False])
    heights = np.array([80, 82, 83, 80, 80])
    areas = np.array([1000, 1000, 1000, 1052, 1000])
    cases = np.array([0, 1, 1, 1, 0])
    # 83 is too high; 52 of 1,026 pixels are more than a twentieth; the last is the same patient.
    assert matching.near(tumour, heights, areas, cases).tolist() == [[True, False, False, False]]
    areas[3] = 1051
    assert matching.near(tumour, heights, areas, cases).tolist() == [[True, False, True, False]]


def test_opposite_cells_weigh_the_same_by_hand():
    # Patient 0 has tumour at z = 80; patient 1 three slices below and one above, none at 80.
    matched = count(
        [5, 4, 6, 6, 9],
        [True, False, False, False, False],
        [80, 79, 79, 78, 81],
        [1000] * 5,
        [0, 1, 1, 1, 1],
    )
    assert matched.pairs.sum() == 4
    # Higher than three partners, of which one is beaten; lower than one, which is not.
    # Each side counts n n' / (n + n') = 3/4: (3/4 * 1/3 + 3/4 * 0) / (3/2).
    assert matching.matched_auroc(matched, ONE)[0] == pytest.approx(1 / 6)


def test_a_cell_without_an_opposite_counts_nothing_and_level_pairs_do():
    lone = count([5, 1], [True, False], [80, 79], [1000, 1000], [0, 1])
    assert np.isnan(matching.matched_auroc(lone, ONE)).all()
    level = count([5, 1, 5], [True, False, False], [80, 80, 80], [1000] * 3, [0, 1, 1])
    assert matching.matched_auroc(level, ONE)[0] == pytest.approx(0.75)  # a tie counts half


def test_a_patient_drawn_twice_counts_twice_and_one_not_drawn_not_at_all():
    matched = count([5, 1, 9], [True, False, False], [80] * 3, [1000] * 3, [0, 1, 2])
    drawn = np.array([[1, 1, 1], [1, 2, 1], [1, 1, 0], [0, 1, 2]])
    np.testing.assert_allclose(matching.matched_auroc(matched, drawn), [1 / 2, 2 / 3, 1, np.nan])


@pytest.mark.parametrize("name", ["height", "area", "falling in height"])
def test_a_score_that_is_position_gives_one_half_for_every_sample_of_patients(name):
    tumour, heights, areas, cases = made_up()
    score = {"height": heights, "area": areas, "falling in height": -(heights**3.0)}[name]
    found = made_up_evidence(score.astype(float), tumour, heights, areas, cases)
    drawn = matching.bootstrap_matched(found, METHOD, "mean_residual", draws=DRAWS)
    np.testing.assert_allclose(drawn.draws, 0.5, atol=1e-12)
    assert drawn.value == pytest.approx(0.5)


def test_a_score_of_both_and_noise_is_near_one_half_and_one_that_sees_tumours_is_not():
    tumour, heights, areas, cases = made_up()
    rng = np.random.default_rng(1)
    blind = areas / 1000 - heights / 10 + rng.normal(0, 1, heights.size)
    found = made_up_evidence(blind, tumour, heights, areas, cases)
    nothing = matching.matched_interval(found, METHOD, "mean_residual", draws=DRAWS)
    assert nothing.low < 0.5 < nothing.high
    assert nothing.value == pytest.approx(0.5, abs=0.03)
    # Two normal distributions two sd apart: Phi(2 / sqrt(2)) = 0.921, position or not.
    seeing = rng.normal(0, 1, heights.size) + 2 * tumour
    found = made_up_evidence(seeing, tumour, heights, areas, cases)
    something = matching.matched_interval(found, METHOD, "mean_residual", draws=DRAWS)
    assert something.value == pytest.approx(0.921, abs=0.02)
    assert something.low > 0.5


def test_unmatched_the_same_blind_score_would_have_looked_good():
    tumour, heights, areas, _ = made_up()
    score = areas / 1000 - heights / 10
    above = score[tumour][:, None] > score[~tumour]
    assert above.mean() > 0.7


def test_folds_are_matched_in_themselves_and_averaged_by_patients():
    tumour, heights, areas, cases = made_up(patients=6)
    score = np.random.default_rng(2).normal(size=heights.size) + tumour
    found = made_up_evidence(score, tumour, heights, areas, cases)
    found.slices.loc[:, "fold"] = found.scores["fold"] = (cases > 1).astype(int)
    folds = []
    for own in (cases <= 1, cases > 1):
        matched = count(*(part[own] for part in (score, tumour, heights, areas, cases)))
        ones = np.ones((1, matched.cases.size), np.int64)
        folds.append(matching.matched_auroc(matched, ones)[0])
    drawn = matching.bootstrap_matched(found, METHOD, "mean_residual", draws=DRAWS)
    assert drawn.value == pytest.approx((2 * folds[0] + 4 * folds[1]) / 6)
    shifted = made_up_evidence(score + 50.0 * (cases > 1), tumour, heights, areas, cases)
    shifted.slices.loc[:, "fold"] = shifted.scores["fold"] = (cases > 1).astype(int)
    again = matching.bootstrap_matched(shifted, METHOD, "mean_residual", draws=DRAWS)
    assert again.value == pytest.approx(drawn.value)


def test_without_a_pair_there_is_no_number_and_no_crash():
    found = make_evidence()  # all of one height have one area, but each height has one kind only
    far = found.slices.assign(brain_px=np.arange(len(found.slices)) * 1000 + 1000)
    found = found._replace(slices=far)
    cell = matching.matched_interval(found, METHOD, "mean_residual", draws=DRAWS)
    assert np.isnan([cell.value, cell.low, cell.high]).all()
    counted = matching.count_matched(found, METHOD)
    assert counted[:4] == (0, 0, 0, 6)
    assert np.isnan(counted.tumour_px)
    (line,) = matching.describe_position(found, METHOD, draws=DRAWS)
    assert line.startswith("No two slices match")


def test_matched_slices_are_counted_once_each():
    # By hand: at z = 70 tumour in cases 0, 2, 3 and none in 1; at 90 in 0, 1, 3 and none in 2.
    # Folds 0 (cases 0, 1) and 1 (2, 3): (0, 70) with (1, 70); (3, 90) with (2, 90).
    counted = matching.count_matched(make_evidence(), METHOD)
    assert counted == matching.MatchedSlices(2, 2, 2, 4, 70.0, 55.0)  # 100, 40; 50, 80, 60, 40


def described(scores, drawn=DRAWS):
    tumour, heights, areas, cases = made_up()
    found = made_up_evidence(scores(tumour), tumour, heights, areas, cases)
    noise = np.random.default_rng(3).normal(size=heights.size)
    for name in ("mean_residual_blind", "latent_distance", "mean_image"):
        found.scores[name] = noise
    return matching.describe_position(found, METHOD, draws=drawn)


def test_sentences_follow_the_intervals():
    rng = np.random.default_rng(4)
    seeing = described(lambda tumour: rng.normal(0, 1, tumour.size) + 2 * tumour)
    assert "pairs match" in seeing[0]
    assert seeing[1].endswith("knows more than position.")
    assert "undecided with 30 patients" in seeing[2]
    assert "undecided" not in seeing[-1]
    wrong = described(lambda tumour: rng.normal(0, 1, tumour.size) - 2 * tumour)
    assert wrong[1].endswith("below others at the same position.")
