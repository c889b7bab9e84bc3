"""What the figures of the error show."""

import numpy as np
import pandas as pd
from matplotlib.colors import to_rgba

from paperlib.evaluation.figures import attribution

STEPS = [("reconstruction", "perfect", 0.2, 0.5), ("truth", "true core", 0.5, 0.4)]


def waterfall():
    lines = [
        {"view": view, "region": region, "change": change, "name": name, "before": before + shift}
        | {"after": after + shift, "effect": after - before}
        | {"low": after - before - 0.05, "high": after - before + 0.05}
        for view, shift in (("every_slice", 0.0), ("volume", 0.3))
        for region in ("WT", "TC", "ET")
        for change, name, before, after in STEPS
    ]
    return pd.DataFrame(lines)


def test_bars_start_where_the_last_one_ended_and_end_at_the_truth():
    figure = attribution.plot_waterfall({"one": waterfall()}, view="volume")
    assert len(figure.axes) == 3
    axis = figure.axes[0]
    bars = sorted(axis.patches, key=lambda bar: bar.get_y())
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars]
    np.testing.assert_allclose(spans, [(0, 0.5), (0.5, 0.8), (0.8, 0.7), (0, 0.7)])
    colours = ("TOTAL", "GAIN", "LOSS", "TOTAL")
    expected = [to_rgba(getattr(attribution, f"{name}_COLOUR")) for name in colours]
    assert [bar.get_facecolor() for bar in bars] == expected
    intervals = axis.collections[0].get_segments()
    np.testing.assert_allclose([s[:, 0] for s in intervals], [(0.75, 0.85), (0.65, 0.75)])
    names = [text.get_text() for text in axis.get_yticklabels()]
    assert names == ["ours", "perfect", "true core", "the truth"]
    assert {text.get_text() for text in axis.texts} == {"0.50", "+0.30", "−0.10", "0.70"}
    assert axis.get_ylim()[0] > axis.get_ylim()[1]  # ours on top


def test_each_order_has_a_row_of_panels_and_its_name():
    orders = {"network first": waterfall(), "network last": waterfall()}
    figure = attribution.plot_waterfall(orders, view="every_slice", note="phantom")
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert titles[0] == "network first\nwhole tumour"
    assert titles[3:5] == ["network last\nwhole tumour", "\ntumour core"]
    assert figure.get_supxlabel() == "phantom"


def test_each_patient_is_a_dot_in_the_panel_of_its_network():
    patients = pd.DataFrame(
        {
            "row": ["VAE-MSE", "VAE-MSE", "AAE-MSE", "dVAE-MSE", "VAE-L1"],
            "sequence": ["flair", "t1ce", "flair", "flair", "t1ce"],
            "ap": [0.1, 0.2, 0.3, 0.4, 0.5],
            "image_ap": [0.6, 0.7, 0.8, 0.9, 1.0],
        }
    )
    figure = attribution.plot_against_input(patients)
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert titles == ["VAE-MSE", "AAE-MSE", "dVAE-MSE", "VAE-L1"]
    flair, t1ce = figure.axes[0].collections
    np.testing.assert_allclose(flair.get_offsets(), [[0.6, 0.1]])
    np.testing.assert_allclose(t1ce.get_offsets(), [[0.7, 0.2]])
    assert flair.get_label() == "FLAIR, whole tumour"
    np.testing.assert_allclose(figure.axes[0].lines[0].get_xydata(), [[0, 0], [1, 1]])
