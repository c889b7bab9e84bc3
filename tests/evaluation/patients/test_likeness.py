"""What makes a patient unlike others: values by hand, and changed simulated patients."""

import numpy as np
import pytest

from paperlib.evaluation.patients import likeness


def _measured(flair, t1ce, brain, lost=0.0):
    images = {"flair": np.asarray(flair, np.float32), "t1ce": np.asarray(t1ce, np.float32)}
    return likeness.measure(images, np.asarray(brain), lost_brain_share=lost)


def test_values_are_those_counted_by_hand():
    flair = np.arange(-2.0, 3.0).repeat(2).reshape(5, 1, 2)  # -2 -2 -1 -1 ... 2 2
    brain = np.ones((5, 1, 2), bool)
    flair[4, 0, 1] = 99  # outside the brain
    brain[4, 0, 1] = False
    found = _measured(flair, -2 * flair, brain, lost=0.25)
    assert found["FLAIR, 50 % quantile"] == 0
    assert found["FLAIR, 25 % quantile"] == -1
    assert found["T1CE, 99 % quantile"] == 4
    assert found[likeness.DARK] == 0  # FLAIR is darkest in the first slice, T1CE in the last
    assert found["examined slices"] == 5
    assert found["share of brain in an examined slice"] == 0.9
    assert found[likeness.MIRRORED] == pytest.approx(8 / 9)  # one pixel lost its partner
    assert found["share of brain outside the window"] == 0.25
    assert len(found) == 2 * len(likeness.QUANTILES) + 5


@pytest.mark.parametrize("value", [1.51, 2.0, 3.3, 4.49])
def test_a_value_within_a_quarter_of_the_ranges_width_is_usual(value):
    others = {"FLAIR, 1 % quantile": [4.0, 2.0, 3.0]}
    assert likeness.compare({"FLAIR, 1 % quantile": value}, others) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.75, "FLAIR, 1 % quantile: 0.75, 1.2 below the training patients' 2 to 4"),
        (6.0, "FLAIR, 1 % quantile: 6, 2 above the training patients' 2 to 4"),
    ],
)
def test_a_value_further_away_is_named_with_its_distance(value, said):
    others = {"FLAIR, 1 % quantile": [4.0, 2.0, 3.0]}
    (found,) = likeness.compare({"FLAIR, 1 % quantile": value}, others)
    assert found.describe() == said


def test_patients_who_are_all_the_same_leave_room_for_a_little():
    others = {"examined slices": [70.0, 70.0]}
    assert likeness.compare({"examined slices": 67.0}, others) == []
    (found,) = likeness.compare({"examined slices": 66.0}, others)
    assert found.distance == 4


def test_the_most_unusual_comes_first():
    others = {"T1CE, 5 % quantile": [0.0, 1.0], "examined slices": [60.0, 70.0]}
    found = likeness.compare({"T1CE, 5 % quantile": 2.0, "examined slices": 20.0}, others)
    assert [one.what for one in found] == ["examined slices", "T1CE, 5 % quantile"]


def test_a_factor_and_an_offset_are_no_difference_but_a_curve_is():
    """What is compared is z-scored; here 1 % of the brain is bright, as a small tumour is."""
    rng = np.random.default_rng(0)
    brain = np.ones((10, 30, 30), bool)
    raw = rng.gamma(9.0, 20.0, brain.shape)
    raw[0, :9, :10] *= 4

    def measured(flair):
        return _measured((flair - flair.mean()) / flair.std(), raw, brain)

    others = {name: [value] for name, value in measured(raw).items()}
    assert likeness.compare(measured(3 * raw + 50), others) == []
    bent = likeness.compare(measured(raw**3), others)
    turned = likeness.compare(measured(-raw), others)
    assert any(one.what.startswith("FLAIR") for one in bent)
    assert likeness.DARK in [one.what for one in turned]
    assert not any(one.what.startswith("T1CE") for one in bent + turned)
