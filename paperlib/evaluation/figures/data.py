"""Figures of the data page: how a slice is made, and what its position gives away (section 3)."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from jaxtyping import Float, Real, Shaped
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy import ndarray

from paperlib.data.preprocess import Window
from paperlib.evaluation.figures import slices, style

HISTOGRAM_BINS = 80
DOT_COLOURS = (style.HEALTHY_COLOUR, style.TUMOUR_COLOUR)


def plot_slice_steps(
    volume: Real[ndarray, "x y z"],
    cropped: Real[ndarray, "slice rows columns"],
    zscores: Float[ndarray, "slice height width"],
    window: Window,
    *,
    z: int,
    note: str = "",
) -> Figure:
    """Return one slice on its way: the stored volume, the crop, the small z-scored slice.

    Args:
        volume: Stored intensities, LPS voxels; background is 0.
        cropped: The window of it, as `preprocess.crop` returns it.
        zscores: The finished slices of the same patient.
        window: The crop.
        z: Height of the slice shown, in voxels of the volume.
        note: Line under the figure.

    Raises:
        ValueError: If the height lies outside the window.
    """
    if not window.z_low <= z < window.z_high:
        raise ValueError(
            f"Slice z = {z} is cropped away; give {window.z_low} to {window.z_high - 1}."
        )
    figure = style.new_figure(4.6, note=note)
    axes = figure.subplot_mosaic("abc;ddd", height_ratios=[2.0, 1.0])
    place = z - window.z_low
    _grey(axes["a"], volume[:, :, z].T, "stored")
    corner = (window.x_low - 0.5, window.y_low - 0.5)
    axes["a"].add_patch(
        Rectangle(corner, window.side, window.side, fill=False, edgecolor="#F0E442", linewidth=1.5)
    )
    _grey(axes["b"], cropped[place], "cropped")
    low, high = slices.FLAIR_WINDOW
    shown = np.where(zscores[place] == 0, low, zscores[place])
    _grey(axes["c"], shown, "resized, z-scored", (low, high))
    inside = zscores[zscores != 0]
    sns.histplot(
        x=inside, bins=HISTOGRAM_BINS, color=style.HEALTHY_COLOUR, linewidth=0, ax=axes["d"]
    )
    axes["d"].axvline(0, color="black", linewidth=0.8)
    axes["d"].set(
        xlabel="z-score of the brain's pixels, all slices of this patient", ylabel="", yticks=[]
    )
    _bare(axes["d"])
    return figure


def plot_heights(counts: pd.DataFrame, *, note: str = "") -> Figure:
    """Return how many slices with and without tumour lie at each height.

    Args:
        counts: Columns `tumour` and `healthy`, index z, as `cohort.slices_per_height` returns.
        note: Line under the figure.
    """
    figure = style.new_figure(3.0, note=note)
    axis = figure.subplots()
    z = counts.index.to_numpy()
    width: dict[str, Any] = {"width": 1.0, "edgecolor": "white", "linewidth": 0.3}
    axis.bar(z, counts["tumour"], color=style.TUMOUR_COLOUR, label="with tumour", **width)
    axis.bar(
        z,
        counts["healthy"],
        bottom=counts["tumour"],
        color=style.HEALTHY_COLOUR,
        label="tumour-free",
        **width,
    )
    axis.set(xlabel="height z in mm, from the feet upwards", ylabel="usable slices")
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False, fontsize=9)
    _bare(axis)
    return figure


def plot_position_scores(
    tables: Mapping[str, pd.DataFrame], *, paper: float, note: str = ""
) -> Figure:
    """Return the AUROC of scores without any network, with intervals over patients.

    Args:
        tables: Of each cohort by name, as `cohort.position_auroc` returns them; at most two.
        paper: The paper's AUROC of the mean residual, drawn as a line.
        note: Line under the figure.
    """
    figure = style.new_figure(2.5, note=note)
    axis = figure.subplots()
    axis.axvline(0.5, color=style.BASELINE_COLOUR, linewidth=0.8)
    axis.axvline(paper, color="black", linestyle="--", linewidth=1.2, label="paper, mean residual")
    for number, ((name, table), colour) in enumerate(
        zip(tables.items(), DOT_COLOURS, strict=False)
    ):
        place = np.arange(len(table)) + 0.22 * (number - 0.5 * (len(tables) - 1))
        reach = [table["AUROC"] - table["low"], table["high"] - table["AUROC"]]
        label = f"{name}, n = {int(table['n'].iloc[0])}"
        axis.errorbar(
            table["AUROC"], place, xerr=reach, fmt="o", color=colour, capsize=3, label=label
        )
        axis.set_yticks(np.arange(len(table)), table.index)
    axis.set(xlabel="AUROC of “this slice holds tumour”, 95 % interval", ylim=(2.5, -0.5))
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, frameon=False, fontsize=8)
    _bare(axis)
    return figure


def _grey(
    axis: Axes,
    image: Shaped[ndarray, "height width"],
    title: str,
    window: tuple[float, float] | None = None,
) -> None:
    low, high = window or (0.0, float(np.percentile(image[image > 0], 99.5)))
    axis.imshow(image, cmap="gray", vmin=low, vmax=high)
    axis.set_title(f"{title}, {image.shape[0]} × {image.shape[1]}", fontsize=9, pad=3)
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)


def _bare(axis: Axes) -> None:
    axis.spines[["top", "right"]].set_visible(False)
