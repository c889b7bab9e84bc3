"""The seven contrasts as intervals around no difference (section 5)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.evaluation.figures import style

REAL_COLOUR, PHANTOM_COLOUR, PAPER_COLOUR = "#0072B2", style.BASELINE_COLOUR, "#D55E00"
OFFSET = 0.17  # of real patients above and the phantom below their line


def plot_contrasts(
    real: pd.DataFrame, phantom: pd.DataFrame, *, margin: float, note: str = ""
) -> Figure:
    """Return differences in Dice with their intervals, the paper's beside them.

    Args:
        real: From `contrasts.evaluate_contrasts` on real patients.
        phantom: The same on simulated patients.
        margin: Half width of what counts as "on a par", drawn as a band.
        note: Line under the figure.
    """
    figure = style.new_figure(3.7 + style.note_height_in(note), note=note)
    axis = figure.subplots()
    places = np.arange(len(real))
    axis.axvspan(-margin, margin, color="#EEEEEE", zorder=0)
    axis.axvline(0, color="#999999", linewidth=0.8)
    _draw(axis, real, places - OFFSET, "o", REAL_COLOUR, "real patients")
    _draw(axis, phantom.loc[real.index], places + OFFSET, "s", PHANTOM_COLOUR, "phantom")
    axis.plot(real["paper"], places, "D", color=PAPER_COLOUR, markersize=5, label="paper")
    for place in places[real["value"].isna()]:
        right = axis.get_yaxis_transform()
        axis.text(1, place - OFFSET, "no real run", transform=right, ha="right", fontsize=7)
    axis.set_yticks(places, list(real["name"]), fontsize=8)
    axis.invert_yaxis()
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.tick_params(labelsize=8, left=False)
    axis.set_xlabel("difference in Dice, 95 % interval; grey: on a par", fontsize=8)
    figure.legend(loc="outside upper center", ncols=3, fontsize=8, frameon=False)
    return figure


def _draw(
    axis: Axes, table: pd.DataFrame, places: np.ndarray, marker: str, colour: str, name: str
) -> None:
    axis.hlines(places, table["low"], table["high"], color=colour, linewidth=2)
    axis.plot(table["value"], places, marker, color=colour, markersize=5, label=name)
