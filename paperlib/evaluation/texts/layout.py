"""Tables 2 and 3 and section 5.3 as texts: the paper's number, ours with its interval, grouped."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd
from jaxtyping import Bool
from numpy import ndarray

from paperlib.evaluation import conventions, tables
from paperlib.evaluation.measures.statistics import Interval
from paperlib.labels import REGION_NAMES

MISSING = "–"
NO_NOTES: Mapping[str, str] = MappingProxyType({})
NETWORKS = "networks, {loss} loss"
BASELINES = "no network"
CEILINGS = "made with the truth at hand"
CONVENTION_COLUMNS = {
    "ceiling": "truth (ceiling)",
    "nothing": "empty prediction",
    "brain": "whole brain",
    "gated_brain": "whole brain, gated",
}
READING_NAMES = {
    "both": "as printed (a · W)",
    "neighbourhood": "neighbourhood (W)",
    "weights": "weights (a)",
}


def lay_out_table_2(
    table: pd.DataFrame,
    printed: Mapping[tuple[str, str], float],
    *,
    readings: Sequence[str],
    partly: Mapping[str, str] = NO_NOTES,
) -> tuple[pd.DataFrame, Bool[ndarray, "row column"]]:
    """Return Table 2 as texts, and which cells are the best of their loss.

    Networks that the paper lists and the run lacks are rows without our numbers. A loss that
    the paper does not print, such as L1, is a group of its own below the others.

    Args:
        table: From `tables.table_2`.
        printed: The paper's numbers by model and loss.
        readings: Of equation 1, in the order of the columns.
        partly: What stands behind the name of a network that not every patient has tested yet,
            by key; such a row is never the best.
    """
    whole = pd.concat([table, _untrained(table, printed)])
    whole["group"] = [_group(key, loss) for key, loss in whole["loss"].items()]
    losses = [*(loss for _, loss in printed), *filter(None, table["loss"])]
    groups = [NETWORKS.format(loss=loss) for loss in dict.fromkeys(losses)]
    models = list(dict.fromkeys(model for model, _ in printed))
    order = {name: place for place, name in enumerate([*groups, BASELINES, CEILINGS])}
    rank = {model: place for place, model in enumerate(models)}
    whole = whole.assign(
        place=whole["group"].map(order).fillna(0), rank=whole["row"].map(rank).fillna(0)
    ).sort_values(["place", "rank"], kind="stable")
    cells: dict[tuple[str, str], list[str]] = {("paper", ""): _numbers(whole["paper"], digits=3)}
    values = [whole["paper"]]
    for reading in readings:
        cells["ours, by reading of equation 1", READING_NAMES[reading]] = [
            _cell(line, reading) for _, line in whole.iterrows()
        ]
        values.append(_column(whole, f"{reading}_value"))
    for column, heading in (("volume", "per volume"), ("tumour_slices", "tumour slices")):
        cells["ours, other averages", heading] = _numbers(whole[column])
        values.append(whole[column])
    frame = pd.DataFrame(cells)
    names = [f"{row}{partly.get(key, '')}" for key, row in whole["row"].items()]
    frame.index = pd.MultiIndex.from_arrays([whole["group"], names], names=[None, None])
    compared = np.stack(values, axis=1).astype(float)
    compared[np.ix_(whole.index.isin(list(partly)), np.arange(1, len(values)))] = np.nan
    return frame, _best(compared, whole["group"].to_numpy())


def lay_out_table_3(table: pd.DataFrame) -> pd.DataFrame:
    """Return Table 3 as texts.

    Args:
        table: From `tables.table_3`, with `matched_value`, `matched_low` and `matched_high`
            from `matching.matched_interval` where they are known.
    """
    ours = [_interval(line["value"], line["low"], line["high"]) for _, line in table.iterrows()]
    columns = {
        ("paper", ""): _numbers(table["paper"], digits=3),
        ("ours", ""): ours,
        ("controls", "tumour hidden"): _numbers(table["blind"]),
        ("controls", "height-corrected"): _numbers(table["height_corrected"]),
        ("controls", "mixed heights"): _numbers(table["mixed_heights"]),
        ("controls", "same height"): _numbers(table["same_height"]),
        ("controls", "same height and area"): [_cell(r, "matched") for _, r in table.iterrows()],
    }
    frame = pd.DataFrame(columns)
    kinds = [_kind(key) for key in table.index]
    frame.index = pd.MultiIndex.from_arrays([kinds, table["score"]], names=[None, None])
    return frame


def _kind(score: str) -> str:
    if score not in tables.TABLE_3:
        return "added scores"
    return "scores of the network" if tables.TABLE_3[score][1] else BASELINES


def lay_out_gates(rates: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what every gate does as texts, a group of rows per score.

    Args:
        rates: From `slice_scores.gate_rates`, by name of the score.
    """
    parts = {}
    for name, table in rates.items():
        lines = {}
        for rule, line in table.iterrows():
            lines[rule] = {
                "sensitivity": f"{percent(line['sensitivity'])} ({line['found']:.0f} of "
                f"{line['tumour']:.0f})",
                "false positives": f"{percent(line['false positives'])} ({line['wrong']:.0f} of "
                f"{line['free']:.0f})",
                "specificity": percent(1 - line["false positives"]),
                "slices emptied": percent(line["emptied"]),
                "too few healthy at their height": percent(line["fallback"]),
            }
        parts[name] = pd.DataFrame.from_dict(lines, orient="index")
    return pd.concat(parts, names=[None, None])


def lay_out_conventions(
    gated: pd.DataFrame, plain: pd.DataFrame, printed: Mapping[str, float]
) -> tuple[pd.DataFrame, Bool[ndarray, "row column"]]:
    """Return section 5.3 as texts, a group of rows per region, and the admissible cells.

    Conventions in which an empty pair counts 1 come first: the likeliest reading.

    Args:
        gated: From `conventions.compare_conventions`, with the gate.
        plain: The same without it.
        printed: The paper's number of each region.
    """
    before = plain.set_index(["region", "convention"])["value"]
    order = gated.assign(first=gated["empty"] != 1).sort_values("first", kind="stable")
    rows, index, bold = [], [], []
    for region, number in printed.items():
        for _, line in order[order["region"] == region].iterrows():
            way = line["aggregation"], line["empty"]
            fits = conventions.is_admissible(*way, ceiling=line["ceiling"], printed=number)
            why = (
                "the truth scores less"
                if conventions.gate_can_raise(*way)
                else "a gate only lowers it"
            )
            ungated = before.get((region, line["convention"]), np.nan)
            numbers = (line[name] for name in CONVENTION_COLUMNS)
            rows.append(
                [
                    "yes" if fits else f"no: {why}",
                    _interval(line["value"], line["low"], line["high"]),
                    *_numbers([ungated, *numbers]),
                ]
            )
            index.append((f"{REGION_NAMES[region]}, paper {number:.2f}", line["convention"]))
            bold.append(fits)
    names = ["can be the paper's", "ours, gated", "ours, no gate", *CONVENTION_COLUMNS.values()]
    frame = pd.DataFrame(rows, columns=names, index=pd.MultiIndex.from_tuples(index))
    marked = np.zeros(frame.shape, bool)
    marked[:, 1] = bold
    return frame, marked


def best_rows(table: pd.DataFrame, *, reading: str) -> pd.Series:
    """Return the best network, the best method without one and the ceiling of Table 2, as texts.

    Args:
        table: From `tables.table_2`.
        reading: Of equation 1, for rows with a mixture.
    """
    value = table[f"{reading}_value"]
    networks = value[table["loss"] != ""]
    simple = value[table.index.isin(list(tables.BASELINES))]
    return pd.Series(
        {
            "best network": f"{networks.max():.2f}, {networks.idxmax()}",
            "best without a network": f"{simple.max():.2f}, {table.loc[simple.idxmax(), 'row']}",
            "the truth itself": f"{value['B11 truth']:.2f}",
            "methods without a network at or above the best network": (
                f"{(simple >= networks.max()).sum()} of {len(simple)}"
            ),
        }
    )


def _untrained(table: pd.DataFrame, printed: Mapping[tuple[str, str], float]) -> pd.DataFrame:
    lines = [
        {"key": f"{model}-{loss}", "row": model, "loss": loss, "paper": value}
        for (model, loss), value in printed.items()
        if f"{model}-{loss}" not in table.index
    ]
    columns = ["key", "row", "loss", "paper"]
    return pd.DataFrame(lines, columns=columns).set_index("key").reindex(columns=table.columns)


def _group(key: object, loss: str) -> str:
    if loss:
        return NETWORKS.format(loss=loss)
    return CEILINGS if key in tables.CEILINGS else BASELINES


def _best(values: ndarray, groups: ndarray) -> Bool[ndarray, "row column"]:
    """Return which cells are the highest of a loss; a network alone is no best."""
    best = np.zeros(values.shape, bool)
    for group in np.unique(groups):
        if group in (BASELINES, CEILINGS):
            continue
        rows = np.flatnonzero(groups == group)
        for column in range(values.shape[1]):
            known = rows[np.isfinite(values[rows, column])]
            if known.size > 1:
                found = values[known, column]
                best[known[found == found.max()], column] = True
    return best


def _cell(line: pd.Series, reading: str) -> str:
    parts = [line.get(f"{reading}_{name}", np.nan) for name in ("value", "low", "high")]
    return _interval(*parts)


def _interval(value: float, low: float, high: float) -> str:
    if not np.isfinite(value):
        return MISSING
    return f"{value:.2f} [{low:.2f},\u00a0{high:.2f}]"


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    return table[name] if name in table else pd.Series(np.nan, index=table.index)


def _numbers(values: Iterable[float], *, digits: int = 2) -> list[str]:
    return [f"{value:.{digits}f}" if np.isfinite(value) else MISSING for value in values]


def interval_text(found: Interval) -> str:
    """Return a value with its interval as text."""
    return _interval(found.value, found.low, found.high)


def percent(value: float) -> str:
    """Return a share from 0 to 1 in per cent, as text."""
    return f"{100 * value:.0f}\u00a0%" if np.isfinite(value) else MISSING
