"""Figures of the limits page: Dice by kind of patient, and against the volume of the tumour."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy import ndarray

from paperlib.evaluation.figures import style
from paperlib.evaluation.patients.strata import ALL, HULL
from paperlib.labels import REGION_NAMES

ROW_IN = 0.27  # height of a group
LOOKS = ("o", "#0072B2"), ("^", "#E69F00"), ("s", "#009E73")  # of methods in their order


def plot_strata(
    cohorts: Mapping[str, Mapping[str, pd.DataFrame]], *, aggregation: str, note: str = ""
) -> Figure:
    """Return the Dice of several methods by kind of patient: a row per cohort, a column per region.

    Args:
        cohorts: By name of the cohort, then of the method: from `strata.dice_by_stratum`. Up to
            three methods have a colour, `HULL` is a black bar.
        aggregation: "volume" or "every_slice".
        note: Line under the figure.
    """
    places = {name: _rows(next(iter(parts.values()))) for name, parts in cohorts.items()}
    heights = [ROW_IN * (len(rows) + 1) for rows in places.values()]
    extra = 0.5 + 0.45 * len(cohorts) + style.note_height_in(note)
    figure = style.new_figure(sum(heights) + extra, note=note)
    axes = figure.subplots(len(cohorts), 3, sharey="row", squeeze=False, height_ratios=heights)
    for line, (cohort, parts) in zip(axes, cohorts.items(), strict=True):
        for axis, region in zip(line, ("WT", "TC", "ET"), strict=True):
            chosen = {
                name: table[(table["aggregation"] == aggregation) & (table["region"] == region)]
                for name, table in parts.items()
            }
            _plot_groups(axis, chosen)
            _tidy(axis, REGION_NAMES[region])
            axis.set(xlim=(-0.03, 1.03), xlabel="Dice")
            axis.xaxis.label.set_size(8)
        line[0].set_yticks(np.arange(len(places[cohort])), places[cohort], fontsize=7.5)
        line[0].invert_yaxis()
        line[0].set_title(f"{cohort}\n{REGION_NAMES['WT']}", fontsize=9, loc="left")
    handles = {
        label: handle
        for axis in axes[:, 0]
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(), handles, loc="outside upper center", ncols=4, fontsize=8, frameon=False
    )
    return figure


def plot_volume(cohorts: Mapping[str, Mapping[str, pd.DataFrame]], *, note: str = "") -> Figure:
    """Return the volume Dice of each patient against the volume of its tumour: a panel per cohort.

    Args:
        cohorts: By name of the cohort, then of the method: from `by_patient.measure_patients`.
            A ring marks patients of the first method whose truth has no enhancing tumour.
        note: Line under the figure.
    """
    figure = style.new_figure(3.7 + style.note_height_in(note), note=note)
    axes = figure.subplots(1, len(cohorts), sharey=True, sharex=True, squeeze=False)[0]
    for axis, (cohort, parts) in zip(axes, cohorts.items(), strict=True):
        for (name, table), (marker, colour) in zip(parts.items(), LOOKS, strict=False):
            ill = table[table["WT_ml"] > 0]
            axis.scatter(
                ill["WT_ml"], ill["WT_volume"], s=16, c=colour, marker=marker, alpha=0.8, label=name
            )
        first = next(iter(parts.values()))
        ill = first[first["WT_ml"] > 0]
        bare = ill[ill["ET_ml"] == 0]
        axis.scatter(
            bare["WT_ml"],
            bare["WT_volume"],
            s=75,
            facecolors="none",
            edgecolors="black",
            linewidths=1,
            label="no enhancing tumour",
        )
        axis.set_xscale("log")
        axis.set_xticks([5, 10, 20, 50, 100, 200], ["5", "10", "20", "50", "100", "200"])
        axis.minorticks_off()
        axis.set_xlabel("true volume of the whole tumour, ml", fontsize=8)
        _tidy(axis, f"{cohort}, n = {len(ill)} patients with tumour")
    axes[0].set_ylabel("volume Dice of the whole tumour", fontsize=8)
    axes[0].set_ylim(-0.02, 1.02)
    handles = {
        label: handle
        for axis in axes
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        handles.values(), handles, loc="outside upper center", ncols=5, fontsize=8, frameon=False
    )
    return figure


def _rows(table: pd.DataFrame) -> list[str]:
    """Return the label of each group, the name of its stratum before the first."""
    groups = table[["stratum", "group", "patients"]].drop_duplicates()
    rows = []
    for (stratum, group, patients), starts in zip(
        groups.itertuples(index=False, name=None), ~groups["stratum"].duplicated(), strict=True
    ):
        name = f"{stratum}: {group}" if starts else group
        rows.append(f"{ALL if stratum == ALL else name} ({patients})")
    return rows


def _plot_groups(axis: Axes, chosen: Mapping[str, pd.DataFrame]) -> None:
    drawn = [name for name in chosen if name != HULL]
    shifts = np.linspace(-0.22, 0.22, len(drawn)) if len(drawn) > 1 else [0.0]
    for name, shift, (marker, colour) in zip(drawn, shifts, LOOKS, strict=False):
        table = chosen[name]
        places = np.arange(len(table)) + shift
        axis.hlines(places, table["low"], table["high"], color=colour, linewidth=1.3)
        axis.plot(
            table["value"], places, marker, color=colour, markersize=4, label=name, linestyle=""
        )
    if HULL in chosen:
        table = chosen[HULL]
        axis.plot(
            table["value"],
            np.arange(len(table)),
            "|",
            color="black",
            markersize=9,
            label="hull of the true ET",
        )
    starts = _starts(next(iter(chosen.values())))
    for place in starts[1:]:
        axis.axhline(place - 0.5, color="#DDDDDD", linewidth=0.7)


def _starts(table: pd.DataFrame) -> ndarray:
    return np.flatnonzero(~table["stratum"].duplicated().to_numpy())


def _tidy(axis: Axes, title: str) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=8)
    axis.set_title(title, fontsize=9, loc="left")
