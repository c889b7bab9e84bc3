"""What is left of a score without the area of brain, by hand."""

import numpy as np
import pytest
from evidence_by_hand import METHOD, make_evidence

from paperlib.evaluation.slices import brain_area


def test_a_score_that_is_area_has_nothing_left_without_it():
    found = make_evidence()
    np.testing.assert_allclose(
        brain_area.without_area(found, METHOD, "latent_distance"), 0, atol=1e-9
    )
    # Healthy slices of both folds rise by 0.01 a pixel, so 800 pixels cost 6 above 200 pixels.
    rest = brain_area.without_area(found, METHOD, "mean_residual")
    np.testing.assert_allclose(rest[:3], [5 - 7, 4 - 5, 1 - 1], atol=1e-9)


def test_healthy_slices_of_one_area_leave_the_rest_unknown():
    found = make_evidence()
    found.scores.loc[found.scores["role"] == "validation", "brain_area"] = 200.0
    assert np.isnan(brain_area.without_area(found, METHOD, "mean_residual")).all()


def test_the_area_control_sees_that_the_distance_is_area():
    control = brain_area.area_control(make_evidence())
    distance = control.loc[(METHOD, "latent_distance")]
    assert distance["correlation"] == pytest.approx(1)
    assert distance["free"] == pytest.approx(1)
    residual = control.loc[(METHOD, "mean_residual")]
    # Fold 0: 5, 4 and 6 against 1, 2 and 0.5. Fold 1: 104, 105 and 100.5 against 101, 102 and 99.5.
    assert residual["auroc"] == pytest.approx((9 / 9 + 7 / 9) / 2)
    # The rests: -2, -1 and 1 against 0, -5 and -0.5; -2, -1 and -3.5 against -3, 2 and -0.5.
    assert residual["without_area"] == pytest.approx((5 / 9 + 2 / 9) / 2)
