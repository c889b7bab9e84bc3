"""Table 3 of three patients whose cells are worked out by hand, see `tables_by_hand`."""

import numpy as np
import pandas as pd
import pytest
from tables_by_hand import (
    DRAWS,
    make_evidence,
    make_three_patients,
    network_counts,
    score_rows,
    slice_rows,
)

from paperlib import scores as paperlib_scores
from paperlib.evaluation import tables


@pytest.fixture
def found():
    return make_three_patients()


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
    counts = [*network_counts("VAE-MSE-s0")]
    both = make_evidence(
        counts,
        slices=pd.concat([slice_rows(), slice_rows(fold=1, first=10)]),
        scores=pd.concat([score_rows(), score_rows(fold=1, first=10, offset=100.0)]),
    )
    one = tables.table_3(make_evidence(counts), "VAE-MSE-s0", draws=DRAWS)
    two = tables.table_3(both, "VAE-MSE-s0", draws=DRAWS)
    columns = ["value", "blind", "mixed_heights", "gate_sensitivity", "gate_false_positives"]
    for column in [*columns, "height_corrected", "same_height"]:
        np.testing.assert_allclose(two[column], one[column], err_msg=column)
    assert two.loc["mean_residual", "tumour_slices"] == 4


def test_other_methods_scores_take_no_part(found):
    other = score_rows("VAE-SSIM-s0").assign(mean_residual=0.0)
    both = found._replace(scores=pd.concat([found.scores, other]))
    pd.testing.assert_frame_equal(
        tables.table_3(both, "VAE-MSE-s0", draws=DRAWS),
        tables.table_3(found, "VAE-MSE-s0", draws=DRAWS),
    )


def test_an_added_score_is_a_row_of_table_3_where_the_evidence_has_it(monkeypatch):
    monkeypatch.setattr(paperlib_scores, "SCORES", {**paperlib_scores.SCORES, "mine": None})
    columns = [*tables.TABLE_3, *tables.LEFT_OUT_OF_TABLE_3]
    before = tables.table_3_rows(pd.DataFrame(columns=columns))
    after = tables.table_3_rows(pd.DataFrame(columns=[*columns, "mine"]))
    assert list(before) == list(tables.TABLE_3)
    assert after == before | {"mine": "mine"}
