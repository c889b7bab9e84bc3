"""The largest effects of the deviations at a glance: one line a choice, largest first."""

import math

import pandas as pd
from matplotlib.figure import Figure

from paperlib.evaluation.deviations.deviation import Deviations
from paperlib.evaluation.deviations.effects import (
    ABLATION,
    DEVIATIONS,
    PHANTOM,
    REAL,
    Ranked,
    leading_effects,
)
from paperlib.evaluation.figures import style

ROW_IN = 0.24
LOOKS = {
    ABLATION: ("D", "#009E73", "phantom, ablation row"),
    REAL: ("o", "#0072B2", "real patients"),
    PHANTOM: ("s", style.BASELINE_COLOUR, "phantom"),
}


def plot_effects(
    effects: pd.DataFrame, ranked: Ranked, *, note: str = "", deviations: Deviations = DEVIATIONS
) -> Figure:
    """Return the alternative of each deviation that moves most, with its interval.

    Args:
        effects: From `effects.measure_effects`.
        ranked: From `effects.rank_deviations`.
        note: Line under the figure.
        deviations: By key.
    """
    height = ROW_IN * len(ranked.measured) + 0.9 + style.note_height_in(note)
    figure = style.new_figure(height, note=note)
    if not ranked.measured:
        return figure
    axis, labels = figure.subplots(), []
    axis.axvline(0, color="black", linewidth=0.8)
    for place, key in enumerate(ranked.measured):
        own = leading_effects(effects, key)
        line = own.loc[own["value"].abs().idxmax()]
        marker, colour, name = LOOKS[line["data"]]
        if not math.isnan(line["low"]):
            axis.hlines(place, line["low"], line["high"], color=colour, linewidth=1.5)
        axis.plot(line["value"], place, marker, color=colour, markersize=5, label=name)
        labels.append(f"{deviations[key].title}: {line['words']}")
    axis.set_yticks(range(len(labels)), labels, fontsize=7.5)
    axis.set_ylim(len(labels) - 0.4, -0.6)
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(axis="x", labelsize=8)
    axis.set_xlabel("alternative − ours: Dice or AUROC, 95 % interval over patients", fontsize=8)
    handles, names = axis.get_legend_handles_labels()
    once = dict(zip(names, handles, strict=True))
    figure.legend(
        once.values(), once, loc="outside upper center", ncols=3, fontsize=8, frameon=False
    )
    return figure
