"""Slices in the latent space of a network, coloured by distance and by height (section 4.2)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.evaluation.figures import style
from paperlib.evaluation.networks.latent_space import PrincipalAxes

COLOURS = "cividis"  # even steps for any common colour vision
KINDS = ((False, "o", "no tumour"), (True, "x", "tumour"))


def plot_latent_space(axes: PrincipalAxes, slices: pd.DataFrame, *, note: str = "") -> Figure:
    """Return the slices twice on the same two axes: by latent distance and by height.

    Args:
        axes: From `latent_space.principal_axes`.
        slices: The same slices with `tumour`, `latent_distance` and `z`.
        note: Line under the figure.
    """
    figure = style.new_figure(4.3 + style.note_height_in(note), note=note)
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    correlation = np.corrcoef(slices["latent_distance"], slices["z"])[0, 1]
    height = f"height of the slice; correlation with the distance {correlation:.2f}"
    shown = {"latent_distance": "latent distance", "z": height}
    for axis, (column, name) in zip(panels, shown.items(), strict=True):
        _scatter(figure, axis, axes, slices, column, name)
        share = axes.explained[0]
        axis.set_xlabel(f"axis 1, {share:.0%} of the variance", fontsize=8)
    panels[0].set_ylabel(f"axis 2, {axes.explained[1]:.0%} of the variance", fontsize=8)
    legend = panels[0].legend(fontsize=8, frameon=False, loc="best")
    for handle in legend.legend_handles:
        handle.set_color("black")  # colours mean distance and height, not the kind
    return figure


def _scatter(
    figure: Figure,
    axis: Axes,
    axes: PrincipalAxes,
    slices: pd.DataFrame,
    column: str,
    name: str,
) -> None:
    values = slices[column].to_numpy(float)
    limits = {"vmin": values.min(), "vmax": values.max(), "cmap": COLOURS}
    for kind, marker, label in KINDS:
        own = slices["tumour"].to_numpy() == kind
        x, y = axes.places[own].T
        points = axis.scatter(x, y, c=values[own], marker=marker, s=14, label=label, **limits)
    scale = figure.colorbar(points, ax=axis, location="bottom", pad=0.02, aspect=30)
    scale.ax.tick_params(labelsize=8)
    axis.set_title(name, fontsize=9, loc="left")
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)
