"""What thresholds promise and keep, by hand."""

import numpy as np
import pytest
from evidence_by_hand import METHOD, make_evidence

from paperlib.evaluation.slices import calibration, slice_scores


def rows(found=None):
    table = calibration.calibrate(found or make_evidence(), METHOD, "mean_residual")
    return table.set_index(["fold", "rule"])


def test_each_fold_has_every_rule_and_every_quantile():
    table = rows()
    assert sorted(set(table.index)) == sorted(
        (fold, rule) for fold in (0, 1) for rule in (*slice_scores.RULES, calibration.QUANTILE)
    )
    assert len(table.loc[(0, calibration.QUANTILE)]) == len(calibration.LEVELS)


def test_the_highest_healthy_score_promises_no_false_positive():
    table = rows()
    # Fold 0: healthy 0, 1, 2; tumour-free test 1, 2, 0.5. Fold 1: to 101; 101, 102, 99.5.
    assert table.loc[(0, "max_healthy"), ["validation", "test"]].tolist() == [0, 0]
    assert table.loc[(1, "max_healthy"), ["validation", "test"]].tolist() == pytest.approx(
        [0, 1 / 3]
    )
    assert table.loc[(1, "max_healthy"), "test_slices"] == 3
    assert table.loc[(1, "max_healthy"), "validation_slices"] == 3


def test_thresholds_rest_on_the_healthy_validation_slices_of_a_fold():
    found = calibration.validation_slices(make_evidence(), METHOD)
    assert found.index.tolist() == [0, 1]
    healthy = make_evidence().scores.query("role == 'validation' and fold == 1")
    assert found.loc[1].tolist() == [3, 1, healthy["z"].min(), healthy["z"].max()]


def test_a_quantile_line_rises_from_none_to_all():
    line = rows().loc[(0, calibration.QUANTILE)]
    half = line.iloc[25]  # the median, 1: one of three healthy above; 2 alone of 1, 2, 0.5
    assert half[["validation", "test"]].tolist() == pytest.approx([1 / 3, 1 / 3])
    assert (np.diff(line["validation"]) >= 0).all()
    assert (np.diff(line["test"]) >= 0).all()


def test_patients_who_are_alike_keep_the_promise():
    found, rng = make_evidence(), np.random.default_rng(0)
    many = found.scores.sample(n=8000, replace=True, random_state=0).reset_index(drop=True)
    many = many.assign(mean_residual=rng.normal(size=8000), z=np.arange(8000), fold=0)
    slices = many[many["role"] == "test"][["case", "z"]].assign(brain_px=1, WT_truth=0)
    line = rows(found._replace(scores=many, slices=slices)).loc[(0, calibration.QUANTILE)]
    np.testing.assert_allclose(line["validation"], line["test"], atol=0.04)
