"""How much the methods beyond the paper need to learn from, as a page shows it."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from paperlib.evaluation import present
from paperlib.evaluation.comparisons import learning
from paperlib.evaluation.comparisons.beyond import CLEAN_UP, SYNTHETIC
from paperlib.evaluation.comparisons.learning import Learning
from paperlib.evaluation.figures import style
from paperlib.evaluation.figures.beyond import absent
from paperlib.evaluation.measures import statistics
from paperlib.evaluation.measures.statistics import Bootstrapped
from paperlib.evaluation.present import Shown
from paperlib.evaluation.tables import Draws

REGIONS = {"WT": "o-", "TC": "s--", "ET": "^:"}
APART = 0.06  # of lines beside each other, so that their bars do not cover one another


def plot_curves(found: Learning | None, *, draws: Draws, note: str = "") -> Figure | Shown:
    """Return the Dice over the number of training patients and over the steps of training.

    Args:
        found: Rows, or None where there are none.
        draws: Of the intervals over test patients.
        note: Data, profile, seed and commit, in words.
    """
    if found is None:
        return absent("make curve")
    dices = found.dices
    tested = dices["case"].nunique()
    note = f"{tested} test patients, bars: 95 % interval over them; {note}"
    figure = style.new_figure(3.2 + style.note_height_in(note), note=note)
    left, right = figure.subplots(1, 2, sharey=True)
    for number, (region, marker) in enumerate(REGIONS.items()):
        more = learning.by_patients(found, SYNTHETIC, region=region, draws=draws)
        longer = learning.by_steps(found, SYNTHETIC, region=region, draws=draws)
        for axis, drawn in ((left, more), (right, longer)):
            _draw(axis, drawn, marker, f"{SYNTHETIC}, {region}", shift=number * APART)
    plain = learning.by_patients(found, CLEAN_UP, draws=draws)
    reading = dices.loc[dices["method"] == CLEAN_UP, "reading"].iloc[0]
    _draw(left, plain, "x-", f"{CLEAN_UP}, {reading}, WT", shift=len(REGIONS) * APART)
    left.set_xlabel("training patients", fontsize=8)
    right.set_xlabel("slice-steps of each network", fontsize=8)
    left.set_ylabel("volume Dice", fontsize=8)
    left.set_ylim(0, 1.03)
    left.legend(fontsize=8, frameon=False, loc="lower right")
    return figure


def show_differences(found: Learning | None, *, draws: Draws, note: str = "") -> Shown:
    """Return what fewer patients and fewer steps cost the networks, patient by patient.

    Arguments as in `plot_curves`.
    """
    if found is None:
        return absent("make curve")
    lines: dict[str, dict[str, str]] = {}
    for ordered, name in ((learning.by_patients, "{} patients"), (learning.by_steps, "{} steps")):
        for region in REGIONS:
            drawn = ordered(found, SYNTHETIC, region=region, draws=draws)
            *fewer, (_, most) = drawn.items()
            for words, one in fewer:
                value, low, high, _ = statistics.interval(statistics.difference(one, most))
                cell = f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"
                lines.setdefault(name.format(words), {})[region] = cell
    frame = pd.DataFrame(lines).T
    frame.index.name = "learnt from"
    caption = (
        "Volume Dice minus that of all training patients at all steps, the same "
        f"{found.dices['case'].nunique()} test patients [95 % interval over them]; {note}."
    )
    return present.show(frame, caption=caption)


def _draw(
    axis: Axes, drawn: dict[str, Bootstrapped], marker: str, name: str, *, shift: float
) -> None:
    cells = [statistics.interval(one) for one in drawn.values()]
    values = [cell.value for cell in cells]
    below, above = ([abs(cell[end] - cell.value) for cell in cells] for end in (1, 2))
    places = [number + shift for number in range(len(cells))]
    axis.errorbar(places, values, [below, above], fmt=marker, markersize=4, capsize=3, label=name)
    axis.set_xticks(range(len(cells)), list(drawn))
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
