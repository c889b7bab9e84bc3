"""Tables 2 and 3 of three patients whose cells are worked out by hand.

Patient 0 has a tumour slice and a healthy one, patient 1 a tumour slice, patient 2 two healthy
slices. Pixels of the truth: edema 6 + enhancing 4, and edema 8 + necrotic core 2.
"""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from paperlib import scores as paperlib_scores
from paperlib.config import MixtureSettings
from paperlib.evaluation import evidence, tables
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.texts import summary

DRAWS = tables.Draws(number=200, seed=0)
PLACES = [(0, 80), (0, 81), (1, 80), (2, 80), (2, 100)]
TRUTH = {"WT": [10, 0, 10, 0, 0], "TC": [4, 0, 2, 0, 0], "ET": [4, 0, 0, 0, 0],
         "NCR": [0, 0, 2, 0, 0], "ED": [6, 0, 8, 0, 0]}  # fmt: skip
# Half of the outline of patient 0, 4 false pixels beside it, patient 1 whole but all edema.
FOUND = {
    "overlap": {"WT": [5, 0, 10, 0, 0], "TC": [4, 0, 0, 0, 0], "ET": [4, 0, 0, 0, 0],
                "NCR": [0, 0, 0, 0, 0], "ED": [3, 0, 8, 0, 0]},
    "predicted": {"WT": [10, 4, 10, 0, 0], "TC": [4, 0, 0, 0, 0], "ET": [4, 0, 0, 0, 0],
                  "NCR": [0, 0, 0, 0, 0], "ED": [6, 4, 10, 0, 0]},
}  # fmt: skip
NOTHING = {part: {region: [0] * 5 for region in TRUTH} for part in FOUND}
PERFECT = dict.fromkeys(FOUND, TRUTH)
OUTLINE = (0.5 + 0 + 1 + 0 + 0) / 5
SEMANTIC = (0 + (0.5 + 0 + 16 / 18 + 0 + 0) / 5 + (1 + 0 + 0 + 0 + 0) / 5) / 3
READINGS = ("both", "neighbourhood", "weights")


def _slices(fold=0, first=0):
    columns = {f"{region}_truth": pixels for region, pixels in TRUTH.items()}
    cases, heights = zip(*PLACES, strict=True)
    return pd.DataFrame(
        {"case": np.add(cases, first), "fold": fold, "z": heights, "brain_px": 5000, **columns}
    )


def _counts(method, parts, reading=np.nan, component="all", first=0):
    cases, heights = zip(*PLACES, strict=True)
    columns = {f"{r}_{part}": pixels for part, by in parts.items() for r, pixels in by.items()}
    named = {"method": method, "reading": reading, "component": component}
    return pd.DataFrame(named | {"case": np.add(cases, first), "z": heights, **columns})


def _network_counts(method, **by_reading):
    parts = {"both": NOTHING, "neighbourhood": FOUND, "weights": PERFECT} | by_reading
    return [_counts(method, parts[reading], reading) for reading in READINGS]


SCORE = [0.9, 0.5, 0.4, 0.1, 0.2]  # of PLACES; the first and the third hold tumour
HEALTHY = {80: 0.45, 100: -0.5}  # height and score of the slices that set thresholds


def _scores(method="VAE-MSE-s0", fold=0, first=0, offset=0.0):
    cases, heights = zip(*PLACES, strict=True)
    test = pd.DataFrame({"role": "test", "case": np.add(cases, first), "z": heights})
    values = np.array(SCORE) + offset
    for name in tables.TABLE_3:
        test[name] = values
    test["mean_residual_blind"] = np.array([0.3, 0.5, np.nan, 0.1, 0.2]) + offset
    free = pd.DataFrame({"role": "validation", "case": first + 99, "z": list(HEALTHY)})
    for name in tables.TABLE_3:
        free[name] = np.array(list(HEALTHY.values())) + offset
    return pd.concat([test, free]).assign(method=method, fold=fold)


def _evidence(counts, *, slices=None, scores=None, models=("VAE",), seeds=(0,)):
    milestones = pd.DataFrame({"model": models, "loss": "MSE"})
    provenance = {
        "seeds": list(seeds),
        "mixture": dataclasses.asdict(MixtureSettings()),
        "patients": 11,
        "folds": 1,
        "profile": "hand",
        "commit": "abc1234",
        "networks": [{"slice_steps": 64}],
    }
    return Evidence(
        slices=_slices() if slices is None else slices,
        counts=pd.concat(counts),
        scores=_scores() if scores is None else scores,
        pixels=pd.DataFrame(),
        milestones=milestones,
        epochs=pd.DataFrame(),
        provenance=provenance,
    )


@pytest.fixture
def found():
    return _evidence(
        [*_network_counts("VAE-MSE-s0"), _counts("B2", FOUND), _counts("B11 truth", PERFECT)]
    )


def test_the_outline_counts_every_slice_and_one_without_tumour_as_0(found):
    table = tables.table_2(found, "outline", draws=DRAWS)
    assert table.loc["VAE-MSE", "neighbourhood_value"] == pytest.approx(OUTLINE)
    assert table.loc["VAE-MSE", "both_value"] == 0
    assert table.loc["VAE-MSE", "weights_value"] == pytest.approx(2 / 5)


def test_even_the_truth_reaches_only_the_share_of_slices_with_tumour(found):
    table = tables.table_2(found, "outline", draws=DRAWS)
    assert table.loc["B11 truth", "neighbourhood_value"] == pytest.approx(2 / 5)
    assert table.loc["B11 truth", "tumour_slices"] == 1
    table = tables.table_2(found, "semantic", draws=DRAWS)
    assert table.loc["B11 truth", "neighbourhood_value"] == pytest.approx((1 + 2 + 1) / 5 / 3)


def test_the_semantic_score_is_the_mean_of_the_three_labels(found):
    table = tables.table_2(found, "semantic", draws=DRAWS)
    assert table.loc["VAE-MSE", "neighbourhood_value"] == pytest.approx(SEMANTIC)
    assert table.loc["VAE-MSE", "tumour_slices"] == pytest.approx((0 + (0.5 + 16 / 18) / 2 + 1) / 3)
    edema = (2 * 3 / (10 + 6) + 2 * 8 / (10 + 8) + 0) / 3
    assert table.loc["VAE-MSE", "volume"] == pytest.approx((0 + edema + 1 / 3) / 3)


def test_volume_and_tumour_slice_dice_of_the_outline(found):
    table = tables.table_2(found, "outline", draws=DRAWS)
    assert table.loc["VAE-MSE", "tumour_slices"] == pytest.approx((0.5 + 1) / 2)
    volume = (2 * 5 / (14 + 10) + 1 + 0) / 3
    assert table.loc["VAE-MSE", "volume"] == pytest.approx(volume)


def test_the_papers_numbers_stand_beside_networks_alone(found):
    for target, number in (("outline", 0.377), ("semantic", 0.232)):
        table = tables.table_2(found, target, draws=DRAWS)
        assert table.loc["VAE-MSE", "paper"] == number
        assert table["paper"].drop("VAE-MSE").isna().all()


def test_a_row_without_a_mixture_stands_once_with_the_reading_taken_downstream(found):
    line = tables.table_2(found, "outline", draws=DRAWS).loc["B2"]
    assert line["neighbourhood_value"] == pytest.approx(OUTLINE)
    assert np.isnan(line["both_value"])
    assert np.isnan(line["weights_value"])


def test_rows_come_in_the_order_networks_baselines_ceilings(found):
    rows = tables.table_2_rows(found)
    assert [row.key for row in rows] == ["VAE-MSE", "B2", "B11 truth"]
    assert [row.mixture for row in rows] == [True, False, False]
    mixed = _evidence([*_network_counts("VAE-MSE-s0"), *_network_counts("B3")])
    assert [(row.key, row.mixture) for row in tables.table_2_rows(mixed)] == [
        ("VAE-MSE", True),
        ("B3", True),
    ]


def test_an_interval_holds_its_value_and_is_drawn_over_patients(found):
    line = tables.table_2(found, "outline", draws=tables.Draws(4000)).loc["VAE-MSE"]
    assert line["neighbourhood_value"] == pytest.approx(OUTLINE)
    # One sample in 27 is three times patient 2 (0), one in 27 three times patient 1 (1).
    assert line["neighbourhood_low"] == pytest.approx(0)
    assert line["neighbourhood_high"] == pytest.approx(1)
    (row, *_) = tables.table_2_rows(found)
    cell = tables.dice_interval(found, row, "outline", reading="neighbourhood", draws=DRAWS)
    assert cell.patients == 3


def test_seeds_are_averaged_within_patients_and_add_none():
    found = _evidence(
        [
            *_network_counts("VAE-MSE-s0"),
            *_network_counts("VAE-MSE-s1", neighbourhood=NOTHING),
        ],
        seeds=(0, 1),
    )
    (row,) = tables.table_2_rows(found)
    assert row.methods == ("VAE-MSE-s0", "VAE-MSE-s1")
    cell = tables.dice_interval(found, row, "outline", reading="neighbourhood", draws=DRAWS)
    assert cell.value == pytest.approx((OUTLINE + 0) / 2)
    assert cell.patients == 3
    table = tables.table_2(found, "outline", draws=DRAWS)
    assert table.loc["VAE-MSE", "volume"] == pytest.approx((2 * 5 / (14 + 10) + 1 + 0) / 3 / 2)


def test_a_network_that_lacks_a_seed_is_averaged_over_those_there_are():
    counts = [*_network_counts("VAE-MSE-s0"), *_network_counts("VAE-MSE-s1")]
    found = _evidence(
        [*counts, *_network_counts("dVAE-MSE-s0")], models=("VAE", "dVAE"), seeds=(0, 1)
    )
    rows = {row.key: row.methods for row in tables.table_2_rows(found)}
    assert rows["VAE-MSE"] == ("VAE-MSE-s0", "VAE-MSE-s1")
    assert rows["dVAE-MSE"] == ("dVAE-MSE-s0",)
    table = tables.table_2(found, "outline", draws=DRAWS)
    assert table.loc["dVAE-MSE", "neighbourhood_value"] == pytest.approx(OUTLINE)


def test_a_reading_without_rows_is_named(found):
    without = found.counts[~(found.counts["reading"] == "both")]
    with pytest.raises(KeyError, match="No counts for 'VAE-MSE-s0', reading 'both', component 'al"):
        tables.table_2(found._replace(counts=without), "outline", draws=DRAWS)


def test_a_component_rule_without_rows_is_named(found):
    with pytest.raises(KeyError, match="component 'largest_3d'"):
        evidence.method_counts(found, "VAE-MSE-s0", reading="neighbourhood", component="largest_3d")


def test_rows_of_the_other_component_rules_take_no_part():
    largest = _counts("VAE-MSE-s0", PERFECT, "neighbourhood", "largest_3d")
    found = _evidence([*_network_counts("VAE-MSE-s0"), largest])
    table = tables.table_2(found, "outline", draws=DRAWS)
    assert table.loc["VAE-MSE", "neighbourhood_value"] == pytest.approx(OUTLINE)


def test_a_slice_counted_twice_is_refused(found):
    twice = pd.concat([found.counts, found.counts])
    with pytest.raises(pd.errors.MergeError, match="one-to-one"):
        evidence.method_counts(found._replace(counts=twice), "VAE-MSE-s0", reading="neighbourhood")


def test_the_order_of_the_rows_does_not_matter(found):
    mixed = found._replace(
        counts=found.counts.sample(frac=1, random_state=0),
        slices=found.slices.sample(frac=1, random_state=1),
    )
    for target in ("outline", "semantic"):
        pd.testing.assert_frame_equal(
            tables.table_2(mixed, target, draws=DRAWS), tables.table_2(found, target, draws=DRAWS)
        )


def test_table_3_of_three_patients_by_hand(found):
    table = tables.table_3(found, "VAE-MSE-s0", draws=DRAWS)
    line = table.loc["mean_residual"]
    assert line["value"] == pytest.approx(5 / 6)  # only 0.4 against 0.5 is the wrong way round
    assert line["low"] <= line["value"] <= line["high"]
    # Without patient 1, whose brain is nearly all tumour: 0.3 against 0.5, 0.1 and 0.2.
    assert line["blind"] == pytest.approx(2 / 3)
    # Minus 0.45 near z = 80, plus 0.5 near z = 100: 0.45, -0.05 against 0.05, -0.35, 0.7.
    assert line["height_corrected"] == pytest.approx(3 / 6)
    assert line["mixed_heights"] == 1  # only z = 80 has both kinds: 0.9, 0.4 against 0.1
    # Pairs of two patients near z = 80: 0.9 against 0.1, 0.4 against 0.5 and 0.1.
    assert line["same_height"] == pytest.approx(2 / 3)
    assert (line["tumour_slices"], line["tumour_free_slices"]) == (2, 3)
    assert line["paper"] == 0.835
    assert table.loc["latent_distance", "paper"] == 0.471
    assert np.isnan(table.loc["brain_area", "paper"])
    assert np.isnan(table.loc["latent_distance", "blind"])


def test_the_gate_is_the_largest_healthy_score_of_validation_patients(found):
    line = tables.table_3(found, "VAE-MSE-s0", draws=DRAWS).loc["mean_residual"]
    assert line["gate_sensitivity"] == pytest.approx(1 / 2)  # above 0.45: 0.9, not 0.4
    assert line["gate_false_positives"] == pytest.approx(1 / 3)  # 0.5 is


def test_the_truth_of_the_test_slices_moves_no_gate(found):
    altered = found.slices.assign(WT_truth=[0, 10, 10, 10, 0])
    flagged = []
    for slices in (found.slices, altered):
        line = tables.table_3(found._replace(slices=slices), "VAE-MSE-s0", draws=DRAWS).loc[
            "mean_residual"
        ]
        flagged.append(
            line["gate_sensitivity"] * line["tumour_slices"]
            + line["gate_false_positives"] * line["tumour_free_slices"]
        )
    assert flagged == pytest.approx([2, 2])


def test_scores_of_test_slices_move_no_gate_of_the_others(found):
    scores = found.scores.copy()
    healthiest = (scores["role"] == "test") & (scores["case"] == 2)
    scores.loc[healthiest, "mean_residual"] = 50.0  # were it part of the gate, none would pass
    line = tables.table_3(found._replace(scores=scores), "VAE-MSE-s0", draws=DRAWS).loc[
        "mean_residual"
    ]
    assert line["gate_sensitivity"] == pytest.approx(1 / 2)


def test_folds_are_ranked_gated_and_corrected_with_their_own_network():
    """Two folds of the same patients, the scores of the second 100 higher."""
    counts = [*_network_counts("VAE-MSE-s0")]
    both = _evidence(
        counts,
        slices=pd.concat([_slices(), _slices(fold=1, first=10)]),
        scores=pd.concat([_scores(), _scores(fold=1, first=10, offset=100.0)]),
    )
    one = tables.table_3(_evidence(counts), "VAE-MSE-s0", draws=DRAWS)
    two = tables.table_3(both, "VAE-MSE-s0", draws=DRAWS)
    columns = ["value", "blind", "mixed_heights", "gate_sensitivity", "gate_false_positives"]
    for column in [*columns, "height_corrected", "same_height"]:
        np.testing.assert_allclose(two[column], one[column], err_msg=column)
    assert two.loc["mean_residual", "tumour_slices"] == 4


def test_other_methods_scores_take_no_part(found):
    other = _scores("VAE-SSIM-s0").assign(mean_residual=0.0)
    both = found._replace(scores=pd.concat([found.scores, other]))
    pd.testing.assert_frame_equal(
        tables.table_3(both, "VAE-MSE-s0", draws=DRAWS),
        tables.table_3(found, "VAE-MSE-s0", draws=DRAWS),
    )


def test_the_summary_holds_every_cell_as_a_plain_number_under_its_key(found):
    facts = summary.summarise(found, prefix="run", draws=DRAWS)
    assert facts["run.outline.VAE-MSE.neighbourhood_value"] == pytest.approx(OUTLINE)
    assert facts["run.semantic.VAE-MSE.neighbourhood_value"] == pytest.approx(SEMANTIC)
    assert facts["run.outline.B11_truth.neighbourhood_value"] == pytest.approx(0.4)
    assert facts["run.score.VAE-MSE.mean_residual.value"] == pytest.approx(5 / 6)
    assert facts["run.score.VAE-MSE.mean_residual.tumour_slices"] == 2
    assert (facts["run.patients"], facts["run.test_patients"]) == (11, 3)
    assert (facts["run.test_slices"], facts["run.tumour_free_slices"]) == (5, 3)
    assert facts["run.tumour_free_share"] == pytest.approx(0.6)
    assert not [key for key, value in facts.items() if isinstance(value, float) and np.isnan(value)]
    assert not [key for key in facts if " " in key]


def test_the_papers_summary_holds_its_printed_numbers():
    facts = summary.paper_summary()
    assert facts["paper.outline.dVAE-SSIM"] == 0.410
    assert facts["paper.semantic.VAE-CE-SSIM"] == 0.260
    assert facts["paper.score.latent_distance"] == 0.471
    assert facts["paper.gated.TC"] == 0.61
    assert len(facts) == 1 + 2 * 12 + 2 + 3


def test_an_added_score_is_a_row_of_table_3_where_the_evidence_has_it(monkeypatch):
    monkeypatch.setattr(paperlib_scores, "SCORES", {**paperlib_scores.SCORES, "mine": None})
    columns = [*tables.TABLE_3, *tables.LEFT_OUT_OF_TABLE_3]
    before = tables.table_3_rows(pd.DataFrame(columns=columns))
    after = tables.table_3_rows(pd.DataFrame(columns=[*columns, "mine"]))
    assert list(before) == list(tables.TABLE_3)
    assert after == before | {"mine": "mine"}
