import numpy as np
import pandas as pd
import pytest

from paperlib.data.preprocess import Window
from paperlib.evaluation.figures import data

WINDOW = Window(x_low=1, y_low=2, z_low=3, z_high=5, side=4)


def test_a_slice_is_shown_at_three_stages_with_its_window():
    rng = np.random.default_rng(0)
    volume = rng.integers(1, 9, (6, 8, 7))
    cropped = np.zeros((2, 4, 4)) + 3
    zscores = rng.normal(size=(2, 2, 2))
    figure = data.plot_slice_steps(volume, cropped, zscores, WINDOW, z=4, note="phantom")
    stored, crop, final, histogram = figure.axes
    np.testing.assert_array_equal(stored.images[0].get_array(), volume[:, :, 4].T)
    assert stored.patches[0].get_xy() == (0.5, 1.5)
    assert stored.get_title() == "stored, 8 × 6"
    assert crop.get_title() == "cropped, 4 × 4"
    np.testing.assert_array_equal(final.images[0].get_array(), zscores[1])
    assert sum(bar.get_height() for bar in histogram.patches) == zscores.size
    assert figure.get_supxlabel() == "phantom"


def test_a_slice_outside_the_window_is_refused():
    volume, stack = np.ones((6, 8, 7)), np.ones((2, 4, 4))
    with pytest.raises(ValueError, match="z = 5 is cropped away; give 3 to 4"):
        data.plot_slice_steps(volume, stack, stack, WINDOW, z=5)


def test_tumour_free_slices_are_stacked_on_those_with_tumour():
    counts = pd.DataFrame({"tumour": [3, 1], "healthy": [0, 2]}, index=pd.Index([60, 61], name="z"))
    axis = data.plot_heights(counts).axes[0]
    bars = [(bar.get_y(), bar.get_height()) for bar in axis.patches]
    assert bars == [(0, 3), (0, 1), (3, 0), (1, 2)]
    assert [text.get_text() for text in axis.get_legend().get_texts()] == [
        "with tumour",
        "tumour-free",
    ]


def position(values):
    names = ["slice height", "brain area", "mean FLAIR"]
    frame = pd.DataFrame({"AUROC": values, "n": 3}, index=names)
    return frame.assign(low=frame["AUROC"] - 0.1, high=frame["AUROC"] + 0.1)


def test_every_cohort_has_its_dots_and_the_papers_number_is_a_line():
    tables = {"this run": position([0.9, 0.8, 0.5]), "real": position([0.7, 0.7, 0.7])}
    axis = data.plot_position_scores(tables, paper=0.835).axes[0]
    dots = [container.lines[0].get_xdata().tolist() for container in axis.containers]
    assert dots == [[0.9, 0.8, 0.5], [0.7, 0.7, 0.7]]
    assert any(line.get_xdata()[0] == 0.835 for line in axis.lines if len(line.get_xdata()) == 2)
    legend = [text.get_text() for text in axis.get_legend().get_texts()]
    assert legend == ["paper, mean residual", "this run, n = 3", "real, n = 3"]


def test_one_cohort_stands_on_the_names_of_the_scores():
    axis = data.plot_position_scores({"this run": position([0.9, 0.8, 0.5])}, paper=0.8).axes[0]
    assert axis.containers[0].lines[0].get_ydata().tolist() == [0, 1, 2]
