"""Figures of the mixture on one slice: Gaussians, posterior and iteration limit (section 4.3)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray
from scipy import stats

from paperlib.evaluation.figures import style
from paperlib.postprocessing.mixture import MixtureFit

BINS = 60
FIRST_COLOUR, SECOND_COLOUR = "#0072B2", "#D55E00"
LOOKS = (("#0072B2", "-", "o"), ("#D55E00", "--", "s"), ("#009E73", ":", "^"))


def plot_fits(
    residual: Float[ndarray, "height width"],
    brain: Bool[ndarray, "height width"],
    fits: Mapping[str, MixtureFit],
    *,
    note: str = "",
) -> Figure:
    """Return for each fit the residuals with the two Gaussians, and the posterior as a map.

    Args:
        residual: Reconstruction minus image, in z units.
        brain: Where it was fitted.
        fits: By name.
        note: Line under the figure.
    """
    figure = style.new_figure(4.6 + style.note_height_in(note), note=note)
    axes = figure.subplots(2, len(fits), squeeze=False, height_ratios=(1, 1.35), sharey="row")
    values = residual[brain]
    for (above, below), (name, fit) in zip(axes.T, fits.items(), strict=True):
        _plot_gaussians(above, values, fit)
        above.set_title(f"{name}\n{fit.iterations} steps", fontsize=9)
        shown = below.imshow(fit.posterior, cmap="gray", vmin=0, vmax=1)
        below.set(xticks=[], yticks=[])
        below.set_xlabel(f"{int((fit.posterior > 0.5).sum())} of {values.size} px", fontsize=8)
    axes[0, 0].set_ylabel("density", fontsize=8)
    axes[0, -1].legend(fontsize=7, frameon=False)
    scale = figure.colorbar(shown, ax=axes[1], shrink=0.8, pad=0.01)
    scale.ax.tick_params(labelsize=8)
    scale.set_label("probability of cluster 2", fontsize=8)
    return figure


def plot_iteration_limit(table: pd.DataFrame, *, note: str = "") -> Figure:
    """Return the size of the tumour cluster and its Dice against the iteration limit.

    Args:
        table: Columns `reading`, `limit`, `share` (of the brain in the tumour cluster), `dice`.
        note: Line under the figure.
    """
    figure = style.new_figure(2.9 + style.note_height_in(note), note=note)
    left, right = figure.subplots(1, 2)
    for (colour, line, marker), (reading, part) in zip(
        LOOKS, table.groupby("reading", sort=False), strict=False
    ):
        look = {"color": colour, "linestyle": line, "marker": marker, "markersize": 4}
        left.plot(part["limit"], 100 * part["share"], label=reading, **look)
        right.plot(part["limit"], part["dice"], label=reading, **look)
    for axis, label in ((left, "tumour cluster, % of the brain"), (right, "Dice in this slice")):
        axis.set(xscale="log", ylim=(0, None))
        axis.xaxis.set_major_formatter("{x:.0f}")
        axis.set_xlabel("iteration limit", fontsize=8)
        axis.set_ylabel(label, fontsize=8)
        axis.tick_params(labelsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    right.set_ylim(0, 1)
    left.legend(title="reading", fontsize=8, title_fontsize=8, frameon=False)
    return figure


def _plot_gaussians(axis: Axes, values: Float[ndarray, " pixel"], fit: MixtureFit) -> None:
    low, high = np.quantile(values, (0.002, 0.998))
    edges = np.linspace(low, high, BINS)
    axis.hist(values, bins=edges.tolist(), density=True, color="#CCCCCC")
    looks = ((FIRST_COLOUR, "-", "cluster 1"), (SECOND_COLOUR, "--", "cluster 2"))
    for k, (colour, line, name) in enumerate(looks):
        # Without a fit all three are NaN, and so is the curve.
        height = fit.weights[k] * stats.norm.pdf(edges, fit.means[k], fit.variances[k] ** 0.5)
        axis.plot(edges, height, color=colour, linestyle=line, linewidth=1.6, label=name)
    axis.set_xlabel("residual, z units", fontsize=8)
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
