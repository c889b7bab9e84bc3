"""Figures of the page on training length: every row along 32,000 slice-steps, and the contrasts."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from paperlib.evaluation.figures import style
from paperlib.evaluation.networks import training_length

CONTRAST_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")


def plot_rows(milestones: pd.DataFrame, *, note: str = "") -> Figure:
    """Return all measures of all rows along the training: a line per measure, a column per loss.

    Thick: mean over the seeds of a row; thin: each seed where there are several. Grey: the plain
    image.

    Args:
        milestones: Of `training_length.Lengths`.
        note: Line under the figure.
    """
    found = training_length.on_the_way(milestones)
    losses, measures = list(dict.fromkeys(found["loss"])), training_length.MEASURES
    height = 1.5 * len(measures) + 0.7 + style.note_height_in(note)
    figure = style.new_figure(height, note=note)
    axes = figure.subplots(len(measures), len(losses), squeeze=False, sharex=True, sharey="row")
    plain = {"pixel_ap": training_length.plain_level(milestones), "input_correlation": 1.0}
    for line, (measure, title) in zip(axes, measures.items(), strict=True):
        for axis, loss in zip(line, losses, strict=True):
            for model, part in found[found["loss"] == loss].groupby("model", sort=False):
                _draw_seeds(axis, part, measure, style.colour_of(str(model)))
            if measure in plain:
                axis.axhline(plain[measure], color=style.BASELINE_COLOUR, linewidth=2.5, alpha=0.5)
            axis.set_title(f"{loss}: {title}", fontsize=8.5)
    for axis in axes.flat:
        _steps_axis(axis, found["slice_steps"])
    for axis in axes[-1]:
        axis.set_xlabel("slice-steps, thousands", fontsize=8)
    handles = [
        Line2D([], [], color=style.colour_of(model), label=model)
        for model in dict.fromkeys(found["model"])
    ]
    handles.append(Line2D([], [], color=style.BASELINE_COLOUR, lw=2.5, alpha=0.5,
                          label="plain image"))  # fmt: skip
    figure.legend(handles=handles, loc="outside upper center", ncols=7, fontsize=8, frameon=False)
    return figure


def plot_contrasts(milestones: pd.DataFrame, *, note: str = "") -> Figure:
    """Return the paper's comparisons along the training, with the paper's own differences.

    Args:
        milestones: Of `training_length.Lengths`.
        note: Line under the figure.
    """
    measures = training_length.FIGURES
    figure = style.new_figure(3.0 + style.note_height_in(note), note=note)
    axes = figure.subplots(1, len(measures), squeeze=False)[0]
    for axis, (measure, title) in zip(axes, measures.items(), strict=True):
        table = training_length.contrast_table(milestones, measure)
        for (name, line), colour in zip(table.iterrows(), CONTRAST_COLOURS, strict=False):
            ours = line.drop("paper")
            axis.plot(ours.index.astype(int), ours, "o-", color=colour, ms=4, label=str(name))
            axis.axhline(line["paper"], color=colour, linewidth=1, linestyle=":")
        axis.axhline(0, color="black", linewidth=0.8)
        axis.set_title(f"difference in {title}", fontsize=9)
        axis.set_xlabel("slice-steps, thousands", fontsize=8)
        _steps_axis(axis, training_length.on_the_way(milestones)["slice_steps"])
    handles, _ = axes[0].get_legend_handles_labels()
    handles.append(Line2D([], [], color="black", lw=1, ls=":", label="paper, Dice of Table 2"))
    figure.legend(handles=handles, loc="outside upper center", ncols=5, fontsize=8, frameon=False)
    return figure


def _draw_seeds(axis: Axes, part: pd.DataFrame, measure: str, colour: str) -> None:
    seeds = part.groupby("seed")
    if len(seeds) > 1:
        for _, seed in seeds:
            axis.plot(seed["slice_steps"], seed[measure], color=colour, linewidth=0.6, alpha=0.8)
    means = part.groupby("slice_steps")[measure].mean()
    axis.plot(means.index, means, marker=".", markersize=4, color=colour, linewidth=1.6)


def _steps_axis(axis: Axes, steps: pd.Series) -> None:
    axis.set_xscale("log", base=2)
    axis.set_xlim(steps.min() / 1.3, steps.max() * 1.3)
    axis.xaxis.set_major_locator(FixedLocator([1000.0 * 2.0**power for power in range(-4, 12)]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step / 1000:g}"))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)
