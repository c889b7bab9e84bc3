"""What the figure of calibration shows."""

import numpy as np
import pandas as pd

from paperlib.evaluation.figures import calibration
from paperlib.evaluation.slices.calibration import QUANTILE


def table(folds):
    lines = []
    for fold in range(folds):
        ways = [(QUANTILE, share, share**2) for share in (0.0, 0.5, 1.0)]
        ways += [(rule, 0.1, 0.2) for rule in ("max_healthy", "height")]
        lines += [(fold, rule, nominal, share + fold / 10) for rule, nominal, share in ways]
    return pd.DataFrame(lines, columns=["fold", "rule", "validation", "test"])


def test_a_row_per_data_a_panel_per_score_and_a_line_per_fold():
    def of(folds):
        return {"mean residual": table(folds), "latent distance": table(folds)}

    figure = calibration.plot_calibration({"this run": of(1), "real": of(3)}, note="here")
    assert [axis.get_title(loc="left") for axis in figure.axes] == [
        "mean residual", "latent distance",
    ] * 2  # fmt: skip
    assert [axis.get_ylabel().partition(":")[0] for axis in figure.axes] == [
        "this run", "", "real", "",
    ]  # fmt: skip
    diagonal, *lines = figure.axes[2].lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    assert [line.get_ydata().tolist() for line in lines[:3]] == [
        [fold / 10, 0.25 + fold / 10, 1 + fold / 10] for fold in range(3)
    ]
    marks = {line.get_label(): line for line in lines[3:]}
    np.testing.assert_allclose(marks["height"].get_xydata(), [[0.1, 0.2], [0.1, 0.3], [0.1, 0.4]])
    assert marks["height"].get_marker() != marks["max_healthy"].get_marker()
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["kept promise", "quantiles, one line a fold", "max_healthy", "height"]
