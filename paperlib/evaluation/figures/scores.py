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

BINS = 40
SHOWN_QUANTILES = (0.005, 0.995)  # of a score; what lies beyond is counted in the last bin
LINES = ("-", "--", "-.", ":")
CURVE_COLOURS = ("#0072B2", "#D55E00", style.BASELINE_COLOUR, style.BASELINE_COLOUR)


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


def plot_roc(
    curves: Mapping[str, Float[ndarray, " point"]],
    false_positives: Float[ndarray, " point"],
    *,
    gates: Mapping[str, tuple[float, float]] | None = None,
    note: str = "",
) -> Figure:
    """Return ROC curves, and where gates lie in the plane.

    Args:
        curves: Sensitivity at the given rates, by name; the area is part of the name.
        false_positives: From 0 to 1.
        gates: False-positive rate and sensitivity of each gate, by name.
        note: Line under the figure.
    """
    figure = style.new_figure(4.4 + style.note_height_in(note), note=note)
    axis = figure.subplots()
    axis.plot([0, 1], [0, 1], color="#BBBBBB", linewidth=1)
    for number, (name, sensitivity) in enumerate(curves.items()):
        (curve,) = axis.plot(false_positives, sensitivity, label=name, linewidth=1.6)
        curve.set(color=CURVE_COLOURS[number % 4], linestyle=LINES[number % 4])
    markers = zip("osD^v", (gates or {}).items(), strict=False)
    for marker, (name, (wrong, right)) in markers:
        axis.plot(wrong, right, marker, color="black", markersize=6, label=f"gate {name}")
    _tidy(axis)
    axis.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    axis.set_box_aspect(1)
    axis.set_xlabel("false-positive rate: share of the tumour-free slices flagged", fontsize=8)
    axis.set_ylabel("sensitivity: share of the tumour slices flagged", fontsize=8)
    figure.legend(loc="outside right center", fontsize=8, frameon=False)
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
