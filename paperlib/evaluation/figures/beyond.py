"""What would beat the paper as a page shows it: rules for components, patients, the last table.

Where a copy of the project holds no such rows, every function says so in its place.
"""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from paperlib.evaluation import paper, present
from paperlib.evaluation.comparisons import beyond
from paperlib.evaluation.comparisons.beyond import SCORED, Beyond, Way
from paperlib.evaluation.figures import style
from paperlib.evaluation.measures import statistics
from paperlib.evaluation.present import Shown
from paperlib.evaluation.tables import Draws

PAPER = "the paper prints"
EMPTY_1 = "WT / TC / ET, every slice, empty = 1"
COLOURS = (
    "#999999", "#D55E00", "#E69F00", "#A6761D", "#56B4E9",
    "#0072B2", "#CC79A7", "#009E73", "#000000",
)  # fmt: skip


def absent(command: str = "make beyond") -> Shown:
    """Return what stands in place of rows that are not in this copy, and what makes them."""
    text = "This copy holds no such rows of these patients; {} makes them."
    code = f"<code>{command}</code>"
    return Shown(f"<p><em>{text.format(code)}</em></p>", text.format(f"`{command}`"))


def describe(found: Beyond | None) -> str:
    """Return of what the rows are: patients, slices, folds, training patients, seeds."""
    if found is None:
        return absent().text
    known = found.provenance
    trained = [fold["training_patients"] for fold in known["segmented"]]
    seeds = len(known["settings"]["averaged"])
    done = "" if len(trained) == known["folds"] else f" of {known['folds']}"
    return (
        f"n = {found.evidence.patients} test patients, {len(found.evidence.slices)} slices; "
        f"{len(trained)}{done} {'fold' if known['folds'] == 1 else 'folds'}, "
        f"{min(trained)} training patients, {seeds} networks of synthetic lesions a fold"
    )


def show_rules(found: Beyond | None, *, note: str = "") -> Shown:
    """Return the volume Dice of each method under each rule for components.

    Args:
        found: Rows, or None where there are none.
        note: Data, profile, seed and commit, in words.
    """
    if found is None:
        return absent()
    table = beyond.compare_rules(found)
    frame = table[list(beyond.RULES)].map(lambda value: "–" if np.isnan(value) else f"{value:.2f}")
    frame = frame.rename(columns=beyond.RULES).assign(n=table["n"])
    frame.index = frame.index.set_names(["method", "masks by"])
    caption = (
        "Volume Dice of the whole tumour, mean over patients, by the components that are kept: "
        "all, the largest, the one with the widest ball inside, or all that are nearly as wide. "
        f"{describe(found)}; {note}."
    )
    return present.show(frame, caption=caption)


def show_last(found: Beyond | None, *, draws: Draws, note: str = "") -> Shown:
    """Return the paper's numbers, its method, plain FLAIR and the others side by side.

    Args:
        found: Rows, or None where there are none.
        draws: Of the intervals over patients.
        note: Data, profile, seed and commit, in words.
    """
    if found is None:
        return absent()
    ways = beyond.ways(found)
    recipe = next((way for way in reversed(ways) if way.method == beyond.SYNTHETIC), None)
    lines = {way.name: _line(found, way, recipe, draws) for way in ways}
    printed = dict.fromkeys(next(iter(lines.values())), "–")
    printed["WT, every slice, empty = 0"] = f"{paper.OUTLINE[paper.PAPERS_CHOICE]:.2f}"
    printed[EMPTY_1] = " / ".join(f"{paper.GATED[region]:.2f}" for region in SCORED)
    frame = pd.DataFrame({PAPER: printed, **lines}).T
    frame.index.name = "method"
    caption = (
        "Dice [95 % interval over patients]; volume: one Dice a patient, those without the region "
        "in truth and result left out. Minus plain, minus agreed: paired difference to "
        f"{beyond.PLAIN.name} and to the last row of synthetic lesions, on the n patients of the "
        "row; the paper's networks may have rows of fewer. CPU seconds of a patient without "
        "reading its files. What the paper prints is of other patients, and the convention of its "
        "last three numbers is not stated. WT, TC, ET: whole tumour, core, enhancing tumour. "
        f"{describe(found)}; {draws.number} draws; {note}."
    )
    return present.show(frame, caption=caption)


def plot_patients(found: Beyond | None, *, note: str = "") -> Figure | Shown:
    """Return the volume Dice of every patient under each way, patients in the order of the first.

    Of the methods without a residual only the last of their ways is drawn.

    Args:
        found: Rows, or None where there are none.
        note: Line under the figure.
    """
    if found is None:
        return absent()
    drawn = {way.method if way.method in beyond.OURS else way: way for way in beyond.ways(found)}
    ways = list(drawn.values())
    table = pd.concat(
        [beyond.by_patient(found, way).rename(i) for i, way in enumerate(ways)], axis=1
    )
    table = table.sort_values(0, ignore_index=True)
    figure = style.new_figure(3.6 + style.note_height_in(note), note=note)
    axis = figure.subplots()
    for number, way in enumerate(ways):
        name = f"{way.name}, mean {table[number].mean():.2f}"
        marker = "s" if number == 0 else "o"
        axis.plot(table[number], marker, color=COLOURS[number], markersize=4, alpha=0.8, label=name)
    axis.set_ylim(-0.03, 1.03)
    axis.set_xlabel(f"patients, by the Dice of {ways[0].name}", fontsize=8)
    axis.set_ylabel("volume Dice of the whole tumour", fontsize=8)
    axis.set_xticks([])
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=2, fontsize=8, frameon=False)
    return figure


def _line(whole: Beyond, way: Way, recipe: Way | None, draws: Draws) -> dict[str, str]:
    found = beyond.restrict(whole, way)

    def drawn(region: str, aggregation: str, empty: float, way: Way = way):
        return beyond.dice(found, way, region, aggregation=aggregation, empty=empty, draws=draws)

    cells = {"n": str(found.evidence.patients)}
    cells |= {
        f"{region}, volume": "–"
        if beyond.by_patient(found, way, region=region).isna().all()
        else _cell(drawn(region, "volume", np.nan))
        for region in SCORED
    }
    own = drawn("WT", "volume", np.nan)
    for name, other in {"plain": beyond.PLAIN, "agreed": recipe}.items():
        cells[f"WT, volume, minus {name}"] = (
            "–"
            if other is None or other == way
            else _cell(statistics.difference(own, drawn("WT", "volume", np.nan, other)), sign="+")
        )
    truth = found.evidence.slices
    cells["WT / TC / ET, tumour slices"] = " / ".join(
        f"{drawn(region, 'tumour_slices', 0.0).value:.2f}"
        if truth[f"{region}_truth"].any()
        else "–"
        for region in SCORED
    )
    cells["WT, every slice, empty = 0"] = _cell(drawn("WT", "every_slice", 0.0))
    cells[EMPTY_1] = " / ".join(
        f"{drawn(region, 'every_slice', 1.0).value:.2f}" for region in SCORED
    )
    seconds = beyond.patient_seconds(whole, way)
    cells["CPU s"] = "–" if seconds is None else f"{seconds:.1f}"
    return cells


def _cell(drawn: statistics.Bootstrapped, *, sign: str = "") -> str:
    value, low, high, _ = statistics.interval(drawn)
    return f"{value:{sign}.2f} [{low:{sign}.2f}, {high:{sign}.2f}]"
