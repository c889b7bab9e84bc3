"""Figures of slice scores: along one brain, as distributions, as ROC curves (section 4.2).

Every score is drawn so that higher means more anomalous.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Real
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray

from paperlib.evaluation.figures import style
from paperlib.evaluation.slices.roc import FALSE_POSITIVES, RocPanel

BINS = 40
SHOWN_QUANTILES = (0.005, 0.995)  # of a score; what lies beyond is counted in the last bin
LINES = ("-", "--", "-.", ":", (0, (6, 1)), (0, (1, 3)))
CURVE_COLOURS = ("#0072B2", "#D55E00", "#009E73", *(style.BASELINE_COLOUR,) * 3)


def plot_along_brain(
    heights: Real[ndarray, " slice"],
    scores: Mapping[str, Float[ndarray, " slice"]],
    tumour: Bool[ndarray, " slice"],
    *,
    note: str = "",
) -> Figure:
    """Return the scores of one patient from the feet upwards, tumour slices shaded.

    Args:
        heights: Index of each slice in its volume, rising.
        scores: By name; each gets its own axis.
        tumour: Whether the reference has tumour in the slice.
        note: Line under the figure.
    """
    figure = style.new_figure(0.5 + 1.35 * len(scores) + style.note_height_in(note), note=note)
    axes = figure.subplots(len(scores), 1, sharex=True, squeeze=False)[:, 0]
    for axis, (name, values) in zip(axes, scores.items(), strict=True):
        axis.plot(heights, values, color="black", linewidth=1.2)
        axis.fill_between(
            heights,
            0,
            1,
            where=tumour,
            transform=axis.get_xaxis_transform(),
            color=style.TUMOUR_COLOUR,
            alpha=0.18,
            linewidth=0,
            label="slice with tumour",
        )
        _tidy(axis, title=name)
    axes[0].legend(fontsize=8, frameon=False, loc="best")
    axes[-1].set_xlabel("slice, counted from the feet", fontsize=8)
    return figure


def plot_distributions(
    scores: Mapping[str, Float[ndarray, " slice"]],
    tumour: Bool[ndarray, " slice"],
    *,
    note: str = "",
) -> Figure:
    """Return how healthy and tumour slices spread over each score.

    Args:
        scores: By name, in standard deviations above healthy slices; NaN is left out.
        tumour: Whether the reference has tumour in the slice.
        note: Line under the figure.
    """
    figure = style.new_figure(2.6 + style.note_height_in(note), note=note)
    axes = figure.subplots(1, len(scores), squeeze=False)[0]
    for axis, (name, values) in zip(axes, scores.items(), strict=True):
        low, high = np.nanquantile(values, SHOWN_QUANTILES)
        edges = np.linspace(low, max(high, low + 1e-9), BINS + 1)
        for kind, colour, style_name in (
            (~tumour, style.HEALTHY_COLOUR, "no tumour"),
            (tumour, style.TUMOUR_COLOUR, "tumour"),
        ):
            shown = values[kind & np.isfinite(values)]
            axis.hist(
                np.clip(shown, low, edges[-1]),
                bins=edges,
                weights=np.full(shown.size, 1 / max(shown.size, 1)),
                color=colour,
                alpha=0.45,
                label=f"{style_name} (n = {shown.size})",
            )
        _tidy(axis, title=name)
        axis.set_xlabel("healthy sd above the healthy mean", fontsize=8)
    axes[0].set_ylabel("share of the slices of a kind", fontsize=8)
    axes[0].legend(fontsize=7, frameon=False)
    return figure


def plot_roc(panels: Mapping[str, RocPanel], *, note: str = "") -> Figure:
    """Return ROC curves, and where gates lie in the plane.

    Args:
        panels: By name of the data.
        note: Line under the figure.
    """
    figure = style.new_figure(6.3 + style.note_height_in(note), note=note)
    axes = figure.subplots(1, len(panels), squeeze=False, sharey=True)[0]
    for axis, (name, panel) in zip(axes, panels.items(), strict=True):
        axis.plot([0, 1], [0, 1], color="#BBBBBB", linewidth=1)
        looks = zip(CURVE_COLOURS, LINES, panel.curves.items(), strict=False)
        for colour, line, (label, sensitivity) in looks:
            axis.plot(
                FALSE_POSITIVES,
                sensitivity,
                color=colour,
                linestyle=line,
                linewidth=1.6,
                label=label,
            )
        for marker, (rule, place) in zip("osD^v", panel.gates.items(), strict=False):
            axis.plot(*place, marker, color="black", markersize=5, label=f"gate {rule}")
        _tidy(axis, title=name)
        axis.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
        axis.set_box_aspect(1)
        axis.set_anchor("N")
        axis.set_xlabel("false-positive rate", fontsize=8)
        counts = f"n = {panel.tumour} slices with, {panel.free} without tumour"
        axis.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, -0.13),
            fontsize=7.5,
            frameon=False,
            title=counts,
            title_fontsize=8,
        )
    axes[0].set_ylabel("sensitivity", fontsize=8)
    return figure


def plot_against_area(slices: pd.DataFrame, score: str, *, name: str, note: str = "") -> Figure:
    """Return a score against the area of brain in the slice.

    Args:
        slices: With `brain_px`, `tumour` and the score.
        score: Column of the score.
        name: What the axis calls it.
        note: Line under the figure.
    """
    figure = style.new_figure(3.4 + style.note_height_in(note), note=note)
    axis = figure.subplots()
    for tumour, colour, marker, label in (
        (False, style.HEALTHY_COLOUR, "o", "no tumour"),
        (True, style.TUMOUR_COLOUR, "x", "tumour"),
    ):
        part = slices[slices["tumour"] == tumour]
        axis.scatter(
            part["brain_px"], part[score], s=12, c=colour, marker=marker, alpha=0.6, label=label
        )
    correlation = slices["brain_px"].corr(slices[score])
    _tidy(axis, title=f"correlation {correlation:.2f}, n = {len(slices)} slices")
    axis.set_xlabel("brain area of the slice, pixels", fontsize=8)
    axis.set_ylabel(name, fontsize=8)
    axis.legend(fontsize=8, frameon=False)
    return figure


def _tidy(axis: Axes, *, title: str = "") -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)
    axis.set_title(title, fontsize=9, loc="left")
