"""Do thresholds from healthy validation slices keep their promise on test patients?"""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.evaluation.figures import style
from paperlib.evaluation.slices.calibration import QUANTILE

MARKERS = "osD^v"
PANEL_IN = 2.5


def plot_calibration(rows: Mapping[str, Mapping[str, pd.DataFrame]], *, note: str = "") -> Figure:
    """Return the share of tumour-free test slices above each threshold against its promise.

    Args:
        rows: From `calibration.calibrate`, by name of the data and by name of the score.
        note: Line under the figure.
    """
    height = PANEL_IN * len(rows) + 0.9 + style.note_height_in(note)
    figure = style.new_figure(height, note=note)
    columns = max(map(len, rows.values()))
    grid = figure.subplots(len(rows), columns, squeeze=False, sharex=True, sharey=True)
    for axes, (name, tables) in zip(grid, rows.items(), strict=True):
        for axis, (score, table) in zip(axes, tables.items(), strict=True):
            _draw(axis, table)
            axis.set_title(score, fontsize=9, loc="left")
        axes[0].set_ylabel(f"{name}:\ntest slices flagged", fontsize=8)
    for axis in grid[-1]:
        axis.set_xlabel("validation slices flagged", fontsize=8)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, fontsize=8, frameon=False)
    return figure


def _draw(axis: Axes, table: pd.DataFrame) -> None:
    axis.plot([0, 1], [0, 1], color="#BBBBBB", linewidth=1, label="kept promise")
    label = "quantiles, one line a fold"
    for _, fold in table[table["rule"] == QUANTILE].groupby("fold"):
        axis.plot(fold["validation"], fold["test"], color=style.HEALTHY_COLOUR, linewidth=1.1,
                  label=label)  # fmt: skip
        label = "_"
    rules = table[table["rule"] != QUANTILE]
    for marker, (rule, part) in zip(MARKERS, rules.groupby("rule", sort=False), strict=False):
        axis.plot(part["validation"], part["test"], marker, color="black", markersize=4.5,
                  markerfacecolor="none", label=str(rule))  # fmt: skip
    axis.set(xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    axis.set_box_aspect(1)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)
