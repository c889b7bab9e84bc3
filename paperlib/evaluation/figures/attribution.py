"""Figures of the error: a waterfall from ours to the truth, and the residual against its input."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from paperlib.evaluation.comparisons.attribution import OURS, SHOWN, VIEWS
from paperlib.evaluation.figures import style
from paperlib.labels import REGION_NAMES, SHOWN_REGION

GAIN_COLOUR, LOSS_COLOUR, TOTAL_COLOUR = "#0072B2", "#D55E00", "#999999"
TOP = "the truth"
COLUMNS = 3  # of the scatter
LOOKS = {"flair": ("#0072B2", "o"), "t1ce": ("#D55E00", "^")}


def plot_waterfall(orders: Mapping[str, pd.DataFrame], *, view: str, note: str = "") -> Figure:
    """Return how perfect decisions add up from ours to the truth, a panel per region.

    Args:
        orders: From `attribution.waterfall`, by name of the order; one row of panels each.
        view: A key of `attribution.VIEWS`.
        note: Line under the figure.
    """
    steps = max(table["change"].nunique() for table in orders.values())
    height = 0.5 + len(orders) * (0.75 + 0.23 * (steps + 2)) + style.note_height_in(note)
    figure = style.new_figure(height, note=note)
    grid = figure.subplots(len(orders), len(SHOWN), sharex=True, squeeze=False)
    for axes, (name, table) in zip(grid, orders.items(), strict=True):
        for column, (axis, region) in enumerate(zip(axes, SHOWN, strict=True)):
            part = table[(table["view"] == view) & (table["region"] == region)]
            _draw_steps(axis, part, labelled=column == 0)
            title = (
                f"{name}\n{REGION_NAMES[region]}" if column == 0 else f"\n{REGION_NAMES[region]}"
            )
            axis.set_title(title, fontsize=9, loc="left")
    for axis in grid[-1]:
        axis.set_xlabel("Dice", fontsize=8)
    handles = [
        Patch(color=TOTAL_COLOUR, label=VIEWS[view].name),
        Patch(color=GAIN_COLOUR, label="gain"),
        Patch(color=LOSS_COLOUR, label="worse"),
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=3, fontsize=8, frameon=False)
    return figure


def plot_against_input(patients: pd.DataFrame, *, note: str = "") -> Figure:
    """Return how the residual ranks the pixels of each patient against how the image does.

    Args:
        patients: From `input_share.per_patient`; a panel per row of Table 2.
        note: Line under the figure.
    """
    rows = list(dict.fromkeys(patients["row"]))
    lines = int(np.ceil(len(rows) / COLUMNS))
    figure = style.new_figure(0.5 + 2.6 * lines + style.note_height_in(note), note=note)
    axes = figure.subplots(lines, COLUMNS, sharex=True, sharey=True, squeeze=False).ravel()
    for number, (axis, row) in enumerate(zip(axes, rows, strict=False)):
        axis.plot([0, 1], [0, 1], color="#BBBBBB", linewidth=1)
        for sequence, (colour, marker) in LOOKS.items():
            part = patients[(patients["row"] == row) & (patients["sequence"] == sequence)]
            region = REGION_NAMES[SHOWN_REGION[sequence]]
            label = f"{sequence.upper()}, {region}" if number == 0 else None
            axis.scatter(
                part["image_ap"], part["ap"], s=16, c=colour, marker=marker, alpha=0.6, label=label
            )
        _bare(axis)
        axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axis.set_title(row, fontsize=9, loc="left")
        if number % COLUMNS == 0:
            axis.set_ylabel("AP of −residual", fontsize=8)
        if number + COLUMNS >= len(rows):
            axis.set_xlabel("AP of the image", fontsize=8)
            axis.tick_params(labelbottom=True)
    for axis in axes[len(rows) :]:
        axis.remove()
    figure.legend(loc="outside upper center", ncols=2, fontsize=8, frameon=False)
    return figure


def _draw_steps(axis: Axes, part: pd.DataFrame, *, labelled: bool) -> None:
    """Draw ours, a bar per step from where the last one ended, and the truth."""
    first, last = part["before"].iloc[0], part["after"].iloc[-1]
    ends = len(part) + 1
    axis.barh([0, ends], [first, last], color=TOTAL_COLOUR, height=0.7)
    places = np.arange(1, ends)
    effect, before = part["effect"].to_numpy(), part["before"].to_numpy()
    colours = np.where(effect < 0, LOSS_COLOUR, GAIN_COLOUR)
    axis.barh(places, effect, left=before, color=colours, height=0.7)
    axis.hlines(places, before + part["low"], before + part["high"], color="black", linewidth=0.9)
    after = part["after"].to_numpy()
    axis.vlines(np.append(first, after), np.arange(ends), np.arange(1, ends + 1), color="#777777",
                linewidth=0.6)  # fmt: skip
    for place, value in ((0, first), (ends, last)):
        axis.text(0.02, place, f"{value:.2f}", va="center", fontsize=7)
    for step, gain, right in zip(
        places, effect, np.fmax(after, before + part["high"]), strict=True
    ):
        if abs(gain) >= 0.005:
            _write_beside(axis, int(step), f"{gain:+.2f}".replace("-", "−"), right)
    names = [OURS, *part["name"], TOP] if labelled else []
    axis.set_yticks(np.arange(ends + 1) if labelled else [], names, fontsize=7.5)
    axis.set_ylim(ends + 0.6, -0.6)
    axis.set_xlim(0, 1.02)
    _bare(axis)


def _write_beside(axis: Axes, place: int, text: str, right: float) -> None:
    """Write a number right of its bar; where that leaves the panel, at the panel's left end."""
    where = right + 0.02 if right < 0.8 else 0.02
    readable = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    axis.text(where, place, text, va="center", fontsize=7, color="#333333", bbox=readable)


def _bare(axis: Axes) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=7.5)
