"""Figures of the training page: losses, the latent, and what training length does (section 4.1)."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from paperlib.evaluation.figures import style

ROWS_APART = 1.05  # factor on the axis of slice-steps, from one row to the next
ALL_ROWS_APART = 1.25  # at most, from the first to the last
LATENT = {"kl_nats": "KL divergence, nats a slice", "active_units": "active units"}


def plot_losses(epochs: pd.DataFrame, *, note: str = "") -> Figure:
    """Return the losses of every network against slice-steps, a panel per sequence and loss.

    Solid: validation (clean slices, z = mean). Dotted: training (disturbed input, z drawn), so
    the two differ by more than overfitting.

    Args:
        epochs: Of some evidence; one thin line per network.
        note: Line under the figure.
    """
    sequences, objectives = epochs["sequence"].unique(), epochs["objective"].unique()
    figure = style.new_figure(2.3 * len(sequences) + 0.5 + style.note_height_in(note), note=note)
    axes = figure.subplots(len(sequences), len(objectives), squeeze=False, sharex=True)
    for (row, sequence), (column, objective) in product(
        enumerate(sequences), enumerate(objectives)
    ):
        axis = axes[row, column]
        chosen = epochs[(epochs["sequence"] == sequence) & (epochs["objective"] == objective)]
        for model, network in _networks(chosen):
            colour = style.MODEL_COLOURS.get(model, style.OTHER_MODEL_COLOUR)
            steps = network["slice_steps"]
            axis.plot(steps, network["validation_loss"], color=colour, linewidth=1.3)
            axis.plot(steps, network["reconstruction"], ":", color=colour, linewidth=1.1)
        axis.set_title(f"{sequence.upper()}, {objective} loss", fontsize=9)
        _steps_axis(axis, chosen["slice_steps"])
        _bare(axis, bottom=row == len(sequences) - 1)
    handles = _model_handles(epochs["model"].unique().tolist())
    handles += [
        Line2D([], [], color="black", label="validation"),
        Line2D([], [], color="black", linestyle=":", label="training"),
    ]
    _legend(figure, handles)
    return figure


def plot_latent(epochs: pd.DataFrame, *, note: str = "") -> Figure:
    """Return the KL divergence and the active units of every network, a row per sequence.

    Args:
        epochs: Of some evidence; one line per network.
        note: Line under the figure.
    """
    sequences = epochs["sequence"].unique()
    figure = style.new_figure(2.1 * len(sequences) + 0.5 + style.note_height_in(note), note=note)
    axes = figure.subplots(len(sequences), 2, squeeze=False, sharex=True)
    for (row, sequence), (column, measure) in product(enumerate(sequences), enumerate(LATENT)):
        axis = axes[row, column]
        chosen = epochs[epochs["sequence"] == sequence]
        for (model, objective), pair in chosen.groupby(["model", "objective"], sort=False):
            for _, network in _networks(pair):
                axis.plot(network["slice_steps"], network[measure], **_line(model, objective))
        if measure == "kl_nats":
            axis.set_yscale("log")
        else:
            axis.set_ylim(bottom=0)
        axis.set_title(f"{sequence.upper()}, {LATENT[measure]}", fontsize=9)
        _steps_axis(axis, chosen["slice_steps"])
        _bare(axis, bottom=row == len(sequences) - 1)
    _legend(figure, _row_handles(epochs[["model", "objective"]].drop_duplicates()))
    return figure


def plot_training_length(
    table: pd.DataFrame,
    plain: Mapping[str, float],
    *,
    measures: Mapping[str, str],
    note: str = "",
) -> Figure:
    """Return what every network shows along its training, against the plain image.

    Lines are means over networks of a row, bars reach from the lowest to the highest of them (the
    rows are moved apart a little along the axis for that); diamonds are the weights that were kept,
    hollow where the line is not solid.

    Args:
        table: From `trainings.over_networks`.
        plain: Level of the image itself for some of the measures, drawn as a grey line.
        measures: Column of `table` and title of each panel.
        note: Line under the figure.
    """
    figure = style.new_figure(5.0 + style.note_height_in(note), note=note)
    axes = figure.subplots(2, (len(measures) + 1) // 2, sharex=True)
    rows = list(dict.fromkeys(table.index.get_level_values("row")))
    step = min(ROWS_APART, ALL_ROWS_APART ** (1 / max(len(rows) - 1, 1)))
    for number, (axis, (measure, title)) in enumerate(
        zip(axes.flat, measures.items(), strict=False)
    ):
        for place, row in enumerate(rows):
            apart = step ** (place - (len(rows) - 1) / 2)
            _draw_row(axis, table.loc[row, measure], row, apart)
        if measure in plain:
            axis.axhline(plain[measure], color=style.BASELINE_COLOUR, linewidth=2.5, alpha=0.5)
        axis.set_title(title, fontsize=9)
        _steps_axis(axis, table.index.get_level_values("slice_steps"))
        _bare(axis, bottom=number >= axes.shape[1])
    named = pd.DataFrame([row.rsplit("-", 1) for row in rows], columns=["model", "objective"])
    handles = _row_handles(named)
    handles.append(
        Line2D([], [], color=style.BASELINE_COLOUR, linewidth=2.5, alpha=0.5, label="plain image")
    )
    handles.append(
        Line2D([], [], color="black", marker="D", linestyle="", markersize=5, label="weights kept")
    )
    _legend(figure, handles)
    return figure


def _draw_row(axis: Axes, values: pd.DataFrame, row: str, apart: float) -> None:
    """Draw one row of Table 2; `values` has the index (final, slice_steps)."""
    look = _line(*row.rsplit("-", 1))
    steps = values.index.get_level_values("slice_steps") * apart
    axis.vlines(steps, values["min"], values["max"], color=look["color"], linewidth=0.9, alpha=0.7)
    final = values.index.get_level_values("final") == 1
    order = steps[~final].argsort()
    means = values["mean"].to_numpy()
    axis.plot(steps[~final][order], means[~final][order], marker=".", markersize=4, **look)
    inside = look["color"] if look["linestyle"] == "-" else "white"
    axis.plot(steps[final], means[final], "D", color=look["color"], markerfacecolor=inside, ms=5)


def _networks(epochs: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the model and the rows of each network."""
    parts = epochs.groupby(["model", "fold", "seed"], sort=False)
    return [(str(model), part.sort_values("slice_steps")) for (model, _, _), part in parts]


def _line(model: str, objective: str) -> dict[str, Any]:
    colour = style.MODEL_COLOURS.get(model, style.OTHER_MODEL_COLOUR)
    return {"color": colour, "linestyle": style.LOSS_LINES.get(objective, "-."), "linewidth": 1.3}


def _row_handles(rows: pd.DataFrame) -> list[Line2D]:
    return [
        Line2D([], [], label=f"{model}-{objective}", **_line(model, objective))
        for model, objective in rows.itertuples(index=False)
    ]


def _model_handles(models: list[str]) -> list[Line2D]:
    return [
        Line2D([], [], color=style.MODEL_COLOURS.get(model, style.OTHER_MODEL_COLOUR), label=model)
        for model in models
    ]


def _legend(figure: Figure, handles: list[Line2D]) -> None:
    columns = min(len(handles), 6)
    figure.legend(
        handles=handles, loc="outside upper center", ncols=columns, fontsize=8, frameon=False
    )


def _steps_axis(axis: Axes, steps: pd.Series | pd.Index) -> None:
    axis.set_xscale("log", base=2)
    axis.set_xlim(steps.min() / 1.3, steps.max() * 1.3)
    axis.xaxis.set_major_locator(FixedLocator([1000.0 * 2.0**power for power in range(-4, 12)]))
    axis.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step / 1000:g}"))
    axis.xaxis.set_minor_locator(NullLocator())


def _bare(axis: Axes, *, bottom: bool) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)
    if bottom:
        axis.set_xlabel("slice-steps, thousands", fontsize=8)
