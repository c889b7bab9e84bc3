"""The crossed table as a map of numbers (method: residual x post-processing)."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from paperlib.evaluation.comparisons import crossed
from paperlib.evaluation.figures import style

ROW_IN = 0.25
TOP_IN = 1.75


def plot_crossed(
    dice: pd.DataFrame, precision: pd.Series, names: dict[str, str], *, note: str = ""
) -> Figure:
    """Return the Dice of each residual and post-processing, and its pixel average precision.

    Lines divide networks from what is no network of the paper, and clusterings of one slice from
    thresholds of all.

    Args:
        dice: From `crossed.dice_table`.
        precision: From `crossed.pixel_precision`.
        names: From `crossed.names`.
        note: Line under the figure.
    """
    height = TOP_IN + ROW_IN * len(names) + style.note_height_in(note)
    figure = style.new_figure(height, note=note)
    left, right = figure.subplots(1, 2, width_ratios=(len(dice.columns), 1.1))
    look = {"annot": True, "fmt": ".2f", "cmap": "cividis", "annot_kws": {"size": 7}}
    shown = dice.rename(index=names, columns=crossed.POSTPROCESSINGS)
    sns.heatmap(shown, ax=left, cbar=False, **look)
    ranked = precision.loc[dice.index].to_frame("pixel average precision")
    sns.heatmap(ranked, ax=right, cbar=False, vmin=0, vmax=1, yticklabels=False, **look)
    networks = sum(key == name for key, name in names.items())
    for axis in (left, right):
        axis.axhline(networks, color="white", linewidth=3)
        axis.xaxis.tick_top()
        axis.tick_params(labelsize=7.5, length=0)
        axis.tick_params(axis="x", rotation=55)
        for label in axis.get_xticklabels():
            label.set(ha="left", rotation_mode="anchor")
        axis.set(xlabel="", ylabel="")
    left.axvline(crossed.CLUSTERINGS, color="white", linewidth=3)
    return figure
