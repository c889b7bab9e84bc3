"""The crossed table as a page shows it: figure, intervals, components, the supervised network.

Where a copy of the project holds no crossed table, every function says so in its place.
"""

import pandas as pd
from matplotlib.figure import Figure

from paperlib.evaluation import paper, present
from paperlib.evaluation.comparisons import crossed
from paperlib.evaluation.comparisons.crossed import Crossed
from paperlib.evaluation.figures import crossed as figures
from paperlib.evaluation.present import Shown
from paperlib.evaluation.tables import Draws
from paperlib.labels import REGION_NAMES


def absent() -> Shown:
    """Return what stands in place of a crossed table that is not in this copy."""
    text = (
        "This copy holds no crossed table of these patients. `make ablations` makes that of the "
        "default phantom; `paperlib stage crossed FOLD` for each fold, then `make reference`, that "
        "of a run."
    )
    return Shown(f"<p><em>{text}</em></p>", text)


def describe(found: Crossed | None) -> str:
    """Return of what the table is: patients, slices, folds, healthy slices for thresholds."""
    if found is None:
        return absent().text
    rows = found.supervised
    free = int((rows["WT_truth"] == 0).sum())
    folds = len(found.facts)
    healthy = _span([fold["healthy_validation_slices"] for fold in found.facts])
    return (
        f"n = {rows['case'].nunique()} test patients, {len(rows)} slices, {free} tumour-free; "
        f"{folds} {'fold' if folds == 1 else 'folds'}; thresholds from {healthy} healthy slices"
    )


def show_table(
    found: Crossed | None, *, aggregation: str = "every_slice", note: str = ""
) -> Figure | Shown:
    """Return the crossed table as a map of numbers.

    Args:
        found: A crossed table, or None where there is none.
        aggregation: A key of `metrics.AGGREGATIONS`.
        note: Data, profile, seed and commit, in words.
    """
    if found is None:
        return absent()
    return figures.plot_crossed(
        crossed.dice_table(found, aggregation=aggregation),
        crossed.pixel_precision(found),
        crossed.names(found),
        note=f"{describe(found)}; {note}",
    )


def show_gain(found: Crossed | None, postprocessing: str, *, draws: Draws, note: str = "") -> Shown:
    """Return each residual's Dice and its difference to no reconstruction, with intervals.

    Args:
        found: A crossed table, or None where there is none.
        postprocessing: A key of `crossed.POSTPROCESSINGS`, the same for all rows.
        draws: Of the intervals over patients.
        note: Data, profile, seed and commit, in words.
    """
    if found is None:
        return absent()
    table = crossed.against_no_network(found, postprocessing, draws=draws)
    frame = pd.DataFrame(
        {
            "Dice": [_cell(line["value"], line["low"], line["high"]) for line in _lines(table)],
            "minus r = −x": [
                _cell(line["difference"], line["difference_low"], line["difference_high"], sign="+")
                for line in _lines(table)
            ],
        },
        index=pd.Index([crossed.names(found)[method] for method in table.index], name="residual"),
    )
    frame.loc[crossed.names(found)[crossed.NO_NETWORK], "minus r = −x"] = "–"
    way = crossed.POSTPROCESSINGS[postprocessing]
    caption = (
        f"Dice of the whole tumour, every slice, empty = 0; masks by: {way}. Value and paired "
        f"difference [95 % interval], {draws.number} draws of patients. {describe(found)}; {note}."
    )
    return present.show(frame, caption=caption)


def say_gain(found: Crossed | None, postprocessing: str, *, draws: Draws) -> str:
    """Return in words how many of the paper's networks gain or lose against no reconstruction.

    Args:
        found: A crossed table, or None where there is none.
        postprocessing: A key of `crossed.POSTPROCESSINGS`, the same for all rows.
        draws: Of the intervals over patients.
    """
    if found is None:
        return absent().text
    table = crossed.against_no_network(found, postprocessing, draws=draws)
    table = table.loc[crossed.networks(found)]
    better, worse = (table["difference_low"] > 0).sum(), (table["difference_high"] < 0).sum()
    best = table["value"].idxmax()
    line = table.loc[best]
    gain = _cell(line["difference"], line["difference_low"], line["difference_high"], sign="+")
    return (
        f"Of {len(table)} networks {worse} are below the plain image by an interval without zero, "
        f"{better} above, {len(table) - worse - better} neither. "
        f"The best, {best}, has {line['value']:.2f}: {gain}."
    )


def show_components(found: Crossed | None, *, note: str = "") -> Shown:
    """Return how many components there are and what they explain, and how wide the norm reached."""
    if found is None:
        return absent()
    table = crossed.explained_table(found)
    frame = pd.DataFrame(
        {
            "components": [_span(line) for line in table["components"].to_numpy().tolist()],
            "variance explained": [
                _span([f"{100 * share:.0f} %" for share in sorted(line)])
                for line in table["explained"].to_numpy().tolist()
            ],
        },
        index=pd.Index([f"{wished} wished for" for wished in table.index], name="PCA"),
    )
    slices = _span([fold["component_slices"] for fold in found.facts])
    reach = crossed.norm_reach(found)
    caption = (
        f"Principal components of {slices} healthy training slices. The norm of a height needed "
        f"slices up to {reach.median():.0f} (median) and {reach.max()} (at most) slices away. "
        f"{describe(found)}; {note}."
    )
    return present.show(frame, caption=caption)


def show_supervised(found: Crossed | None, *, draws: Draws, note: str = "") -> Shown:
    """Return the supervised U-Net's Dice beside its ceiling and the published range."""
    if found is None:
        return absent()
    table = crossed.supervised_table(found, draws=draws)
    names = [REGION_NAMES[region] for region in table.index]
    low, high = paper.SUPERVISED
    frame = pd.DataFrame(
        {
            "every slice, empty = 0": [
                _cell(line["value"], line["low"], line["high"]) for line in _lines(table)
            ],
            "ceiling: the truth": [f"{value:.2f}" for value in table["ceiling"]],
            "per volume": [
                _cell(line["volume"], line["volume_low"], line["volume_high"])
                for line in _lines(table)
            ],
            "published, other data": f"{low:.2f} to {high:.2f}",
        },
        index=pd.Index(names, name="region"),
    )
    unet = found.facts[0]["unets"]["supervised"]
    caption = (
        f"Dice of a U-Net with {unet['parameters']:,} weights, trained with the "
        f"labels of {_span([fold['training_patients'] for fold in found.facts])} patients for "
        f"{unet['settings']['slice_steps']:,} slice-steps; value [95 % interval]. The published "
        f"range is the paper's (section 5.3): the best teams of BraTS 2018, per volume, on "
        f"other patients and with four sequences. {describe(found)}; {note}."
    )
    return present.show(frame, caption=caption)


def _lines(table: pd.DataFrame) -> list[pd.Series]:
    return [line for _, line in table.iterrows()]


def _cell(value: float, low: float, high: float, *, sign: str = "") -> str:
    return f"{value:{sign}.2f} [{low:{sign}.2f}, {high:{sign}.2f}]"


def _span(values: list) -> str:
    """Return the lowest and the highest of some numbers or percentages, once if they are equal."""
    low, high = values[0], values[-1]
    if all(isinstance(value, int) for value in values):
        low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"
