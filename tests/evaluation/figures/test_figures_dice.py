"""What the figures of Dice show."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from paperlib.evaluation.figures import dice

SLICES = pd.DataFrame(
    {
        "z": [65, 66, 95, 105, 106, 125],
        "WT_truth": [100, 200, 300, 50, 0, 0],
        "dice": [0.2, 0.4, 0.6, 0.8, 0.0, 0.0],
    }
)


def conventions_table():
    lines = []
    for place, name in enumerate(("every slice, empty = 0", "volume, empty = 1")):
        for region in ("WT", "TC"):
            value = 0.1 * place + (0.3 if region == "WT" else 0.2)
            bounds = {"low": value - 0.1, "high": value + 0.1, "ceiling": 0.8, "nothing": 0.05}
            bounds["gated_brain"] = value / 2
            lines.append({"convention": name, "region": region, "value": value, **bounds})
    return pd.DataFrame(lines)


def test_slices_with_tumour_are_drawn_by_area_in_square_centimetres():
    left = dice.plot_size_and_height(SLICES, pixel_mm=2.0).axes[0]
    low, high = left.collections
    np.testing.assert_allclose(low.get_offsets(), [[4, 0.2], [8, 0.4], [12, 0.6]])
    np.testing.assert_allclose(high.get_offsets(), [[2, 0.8]])
    assert left.get_title(loc="left") == "4 slices with tumour"
    assert tuple(low.get_facecolor()[0][:3]) == to_rgba(dice.LOW_COLOUR)[:3]


def test_heights_show_both_means_and_the_share_without_tumour():
    right = dice.plot_size_and_height(SLICES, pixel_mm=2.0).axes[1]
    bars = {bar.get_x() + bar.get_width() / 2: bar.get_height() for bar in right.patches}
    assert bars == pytest.approx({65: 0, 95: 0, 105: 0.5, 125: 1})
    every, tumour = right.lines[:2]
    assert dict(every.get_xydata().tolist()) == pytest.approx({65: 0.3, 95: 0.6, 105: 0.4, 125: 0})
    assert dict(tumour.get_xydata().tolist()) == pytest.approx({65: 0.3, 95: 0.6, 105: 0.8})


def test_groups_by_area_are_about_equally_large():
    groups = dice.size_groups(pd.Series([5.0] * 7 + [1.0, 9.0, 9.0, 9.0, 9.0]))
    assert groups.value_counts().tolist() == [2] * dice.SIZE_GROUPS
    assert dice.size_groups(pd.Series([3.0, 1.0])).tolist() == [1, 0]


def test_each_convention_has_value_interval_bounds_and_the_papers_line():
    figure = dice.plot_conventions(conventions_table(), paper={"WT": 0.64, "TC": 0.61}, name="ours")
    assert [axis.get_title(loc="left") for axis in figure.axes] == [
        "whole tumour\npaper 0.64",
        "tumour core\npaper 0.61",
    ]
    whole = figure.axes[0]
    assert [text.get_text() for text in whole.get_yticklabels()] == [
        "every slice, empty = 0",
        "volume, empty = 1",
    ]
    lines = {line.get_label(): line for line in whole.lines}
    np.testing.assert_allclose(lines["ours"].get_xdata(), [0.3, 0.4])
    np.testing.assert_allclose(lines["ceiling: truth"].get_xdata(), [0.8, 0.8])
    np.testing.assert_allclose(lines["empty prediction"].get_xdata(), [0.05, 0.05])
    np.testing.assert_allclose(lines["whole brain, gated"].get_xdata(), [0.15, 0.2])
    assert set(lines["paper"].get_xdata()) == {0.64}
    np.testing.assert_allclose(
        [segment[:, 0] for segment in whole.collections[0].get_segments()], [[0.2, 0.4], [0.3, 0.5]]
    )
