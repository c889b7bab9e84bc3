"""What the figures of scores show."""

import numpy as np
import pandas as pd
import pytest

from paperlib.evaluation.figures import scores, style
from paperlib.evaluation.slices import roc

TUMOUR = np.array([True, True, False, False])


def labels_of(legend):
    return [text.get_text() for text in legend.get_texts()]


def test_a_curve_per_score_over_the_height_with_tumour_slices_shaded():
    heights = np.arange(70, 74)
    values = {"mean residual": np.array([1.0, 2.0, 0.0, 0.5]), "area": np.arange(4.0)}
    figure = scores.plot_along_brain(heights, values, TUMOUR, note="here")
    assert [axis.get_title(loc="left") for axis in figure.axes] == list(values)
    for axis, expected in zip(figure.axes, values.values(), strict=True):
        np.testing.assert_array_equal(axis.lines[0].get_xydata()[:, 1], expected)
        shaded = axis.collections[0].get_paths()[0].vertices[:, 0]
        assert (shaded.min(), shaded.max()) == (70, 71)
    assert figure.get_supxlabel() == "here"


def test_histograms_are_shares_of_each_kind_and_say_how_many():
    values = np.array([0.0, 10.0, 1.0, np.nan])
    figure = scores.plot_distributions({"a": values}, TUMOUR)
    (axis,) = figure.axes
    assert labels_of(axis.get_legend()) == ["no tumour (n = 1)", "tumour (n = 2)"]
    healthy, tumour = axis.containers
    assert sum(bar.get_height() for bar in healthy) == pytest.approx(1)
    assert sum(bar.get_height() for bar in tumour) == pytest.approx(1)
    first = next(bar for bar in tumour if bar.get_height())
    assert first.get_height() == pytest.approx(0.5)
    assert first.get_x() == pytest.approx(0.0, abs=0.1)


def test_a_constant_score_can_be_drawn():
    figure = scores.plot_distributions({"a": np.ones(4)}, TUMOUR)
    assert sum(bar.get_height() for bar in figure.axes[0].containers[0]) == pytest.approx(1)


def test_roc_curves_and_gates_lie_where_they_belong():
    rates = roc.FALSE_POSITIVES
    curves = {"first: 0.75": np.sqrt(rates), "second: 0.50": rates}
    panel = roc.RocPanel(curves, {"max_healthy": (0.1, 0.6)}, 12, 7)
    figure = scores.plot_roc({"this run": panel, "real": panel._replace(free=9)})
    first, second = figure.axes
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["this run", "real"]
    lines = {line.get_label(): line for line in first.lines}
    np.testing.assert_array_equal(lines["first: 0.75"].get_ydata(), np.sqrt(rates))
    assert lines["gate max_healthy"].get_xydata().tolist() == [[0.1, 0.6]]
    assert labels_of(first.get_legend()) == [*curves, "gate max_healthy"]
    assert first.get_legend().get_title().get_text() == "n = 12 slices with, 7 without tumour"
    assert second.get_legend().get_title().get_text() == "n = 12 slices with, 9 without tumour"
    looks = {(lines[name].get_linestyle(), lines[name].get_color()) for name in curves}
    assert len({look[0] for look in looks}) == 2  # not by colour alone


def test_kinds_differ_in_colour_and_marker_and_the_correlation_is_printed():
    slices = pd.DataFrame(
        {"brain_px": [1.0, 2.0, 3.0, 4.0], "d": [2.0, 4.0, 6.0, 8.0], "tumour": TUMOUR}
    )
    figure = scores.plot_against_area(slices, "d", name="distance")
    (axis,) = figure.axes
    assert axis.get_title(loc="left") == "correlation 1.00, n = 4 slices"
    assert axis.get_ylabel() == "distance"
    healthy, tumour = axis.collections
    assert healthy.get_offsets().tolist() == [[3, 6], [4, 8]]
    assert tumour.get_offsets().tolist() == [[1, 2], [2, 4]]
    assert style.HEALTHY_COLOUR != style.TUMOUR_COLOUR
