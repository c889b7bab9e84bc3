"""The forest plot of ablations: every change with its paired interval, beside that of a seed."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.evaluation.comparisons import ablations
from paperlib.evaluation.figures import style

ROW_IN = 0.19
LOOKS = {  # of a verdict
    ablations.HIGHER: ("o", "#0072B2", "#0072B2"),
    ablations.LOWER: ("o", "#D55E00", "#D55E00"),
    ablations.AS_A_SEED: ("o", "#555555", "#BBBBBB"),
    ablations.UNDECIDED: ("o", "#555555", "white"),
}
PANELS = {False: "segmentation only, the same network", True: "another training"}


def plot_differences(table: pd.DataFrame, *, note: str = "") -> Figure:
    """Return the paired difference of every row with its interval, a panel per kind of change.

    Args:
        table: From `ablations.compare_rows`; rows without a difference are left out.
        note: Line under the figure.
    """
    spread = ablations.seed_spread(table)
    known = table[table["difference"].notna()]
    parts = {kind: known[known["retrained"] == kind] for kind in PANELS}
    parts = {kind: part for kind, part in parts.items() if len(part)}
    heights = [len(part) + 1.5 for part in parts.values()]
    height = ROW_IN * sum(heights) + 0.9 + style.note_height_in(note)
    figure = style.new_figure(height, note=note)
    if not parts:
        return figure
    axes = figure.subplots(len(parts), 1, sharex=True, squeeze=False, height_ratios=heights)
    for axis, (kind, part) in zip(axes[:, 0], parts.items(), strict=True):
        if kind and not np.isnan(spread):
            axis.axvspan(-spread, spread, color="#DDDDDD", label="largest change by a new seed")
        _draw(axis, part, spread)
        axis.set_yticks(range(len(part)), ablations.name_rows(table)[part.index], fontsize=7)
        axis.set_ylim(len(part) - 0.4, -0.6)
        axis.set_title(PANELS[kind], fontsize=9, loc="left")
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(axis="x", labelsize=8)
    axes[-1, 0].set_xlabel("difference in Dice, 95 % interval over patients", fontsize=8)
    found = {
        label: handle
        for axis in axes[:, 0]
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        found.values(), found, loc="outside upper center", ncols=5, fontsize=7.5, frameon=False
    )
    return figure


def _draw(axis: Axes, part: pd.DataFrame, spread: float) -> None:
    verdicts = [ablations.judge(line, spread) for _, line in part.iterrows()]
    axis.axvline(0, color="black", linewidth=0.8)
    for verdict, (marker, edge, face) in LOOKS.items():
        chosen = np.array([one == verdict for one in verdicts])
        if not chosen.any():
            continue
        rows, places = part[chosen], np.flatnonzero(chosen)
        ends = rows["difference_low"], rows["difference_high"]
        axis.hlines(places, *ends, color=edge, linewidth=1.4)
        axis.plot(rows["difference"], places, marker, color=edge, markerfacecolor=face,
                  markersize=5, label=verdict)  # fmt: skip
