"""Curves and gates of one network as a figure gets them."""

import numpy as np
import pytest
from evidence_by_hand import METHOD, make_evidence

from paperlib.evaluation.slices import roc


def panel():
    found = make_evidence()
    for name in roc.SHOWN:
        if name not in found.scores:
            found.scores[name] = found.scores["mean_residual"]
    return roc.roc_panel(found, METHOD)


def test_every_score_has_a_curve_named_with_its_area():
    found = panel()
    assert next(iter(found.curves)) == "mean residual: 0.89"  # (9/9 + 7/9) / 2
    assert len(found.curves) == len(roc.SHOWN)
    curve = found.curves["mean residual: 0.89"]
    assert curve.shape == roc.FALSE_POSITIVES.shape
    assert np.trapezoid(curve, roc.FALSE_POSITIVES) == pytest.approx(8 / 9, abs=0.01)


def test_gates_are_false_positive_rate_before_sensitivity_and_n_is_per_kind():
    found = panel()
    assert found.gates["max_healthy"] == pytest.approx((1 / 6, 5 / 6))
    assert (found.tumour, found.free) == (6, 6)
