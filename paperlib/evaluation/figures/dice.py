"""Figures of Dice: against size and height of the tumour, under every convention (section 5)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.evaluation.conventions import MIDDLE_Z
from paperlib.evaluation.figures import style
from paperlib.labels import REGION_NAMES

SIZE_GROUPS = 6
HEIGHT_STEP = 10  # slices
LOW_COLOUR, HIGH_COLOUR = "#0072B2", "#E69F00"


def plot_size_and_height(slices: pd.DataFrame, *, pixel_mm: float, note: str = "") -> Figure:
    """Return the Dice of the whole tumour against its area and against the height of the slice.

    Args:
        slices: One row per slice with `z`, `dice` and `WT_truth` in pixels.
        pixel_mm: Side of a pixel in mm.
        note: Line under the figure.
    """
    figure = style.new_figure(3.6 + style.note_height_in(note), note=note)
    left, right = figure.subplots(1, 2, sharey=True)
    tumour = slices[slices["WT_truth"] > 0]
    _against_size(left, tumour.assign(area=tumour["WT_truth"] * pixel_mm**2 / 100))
    _against_height(right, slices, tumour)
    left.set_ylabel("Dice of the whole tumour in the slice", fontsize=8)
    left.set_ylim(-0.02, 1.02)
    figure.legend(loc="outside upper center", ncols=3, fontsize=8, frameon=False)
    return figure


def size_groups(area: pd.Series) -> pd.Series:
    """Return for each area the group of about equally many slices that it belongs to."""
    return pd.qcut(area.rank(method="first"), min(SIZE_GROUPS, len(area)), labels=False)


def plot_conventions(
    table: pd.DataFrame, *, paper: Mapping[str, float], name: str, note: str = ""
) -> Figure:
    """Return one prediction under every convention: value, interval, and what bounds or lifts it.

    Args:
        table: From `conventions.compare_conventions`.
        paper: The paper's number of each region.
        name: What was predicted.
        note: Line under the figure.
    """
    names = list(dict.fromkeys(table["convention"]))
    height = 1.3 + 0.27 * len(names) + style.note_height_in(note)
    figure = style.new_figure(height, note=note)
    axes = figure.subplots(1, len(paper), sharey=True, squeeze=False)[0]
    for axis, (region, printed) in zip(axes, paper.items(), strict=True):
        part = table[table["region"] == region].set_index("convention").loc[names]
        places = np.arange(len(names))
        axis.hlines(places, part["low"], part["high"], color=LOW_COLOUR, linewidth=2)
        axis.plot(part["value"], places, "o", color=LOW_COLOUR, markersize=5, label=name)
        axis.plot(
            part["ceiling"], places, "|", color="black", markersize=11, label="ceiling: truth"
        )
        axis.plot(
            part["nothing"], places, "x", color="black", markersize=5, label="empty prediction"
        )
        axis.plot(
            part["gated_brain"],
            places,
            "s",
            color="black",
            markerfacecolor="none",
            markersize=5,
            label="whole brain, gated",
        )
        axis.axvline(printed, color=HIGH_COLOUR, linewidth=1.6, linestyle="--", label="paper")
        _tidy(axis, f"{REGION_NAMES[region]}\npaper {printed:.2f}")
        axis.set(xlim=(-0.03, 1.03), xlabel="Dice")
        axis.xaxis.label.set_size(8)
    axes[0].set_yticks(np.arange(len(names)), names, fontsize=8)
    axes[0].invert_yaxis()
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=5, fontsize=8, frameon=False)
    return figure


def _against_size(axis: Axes, tumour: pd.DataFrame) -> None:
    for kind, colour, marker, label in (
        (tumour["z"] < MIDDLE_Z, LOW_COLOUR, "o", f"slice z < {MIDDLE_Z}"),
        (tumour["z"] >= MIDDLE_Z, HIGH_COLOUR, "^", f"slice z ≥ {MIDDLE_Z}"),
    ):
        part = tumour[kind]
        axis.scatter(
            part["area"], part["dice"], s=9, c=colour, marker=marker, alpha=0.5, label=label
        )
    if len(tumour):
        means = tumour.groupby(size_groups(tumour["area"]))[["area", "dice"]].mean()
        axis.plot(
            means["area"],
            means["dice"],
            color="black",
            linewidth=1.6,
            label="mean of groups by area",
        )
    _tidy(axis, f"{len(tumour)} slices with tumour")
    axis.set_xlabel("area of the tumour in the slice, cm²", fontsize=8)


def _against_height(axis: Axes, slices: pd.DataFrame, tumour: pd.DataFrame) -> None:
    steps = slices["z"] // HEIGHT_STEP * HEIGHT_STEP + HEIGHT_STEP / 2
    free = (slices["WT_truth"] == 0).groupby(steps).mean()
    axis.bar(free.index, free, width=0.9 * HEIGHT_STEP, color="#DDDDDD", label="share tumour-free")
    every = slices["dice"].groupby(steps).mean()
    axis.plot(
        every.index, every, "s--", color="black", markersize=4, label="mean, every slice, empty = 0"
    )
    shown = tumour["dice"].groupby(steps[tumour.index]).mean()
    axis.plot(
        shown.index, shown, "o-", color="black", markersize=4, label="mean, slices with tumour"
    )
    axis.axvline(MIDDLE_Z, color="#999999", linewidth=0.8)
    _tidy(axis, f"all {len(slices)} slices")
    axis.set_xlabel("slice, counted from the feet", fontsize=8)


def _tidy(axis: Axes, title: str) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)
    axis.set_title(title, fontsize=9, loc="left")
