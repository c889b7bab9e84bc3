"""Tables 2 and 3 as texts: the paper's number, ours with its interval, grouped for a reader."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool
from numpy import ndarray

from paperlib.evaluation import tables

MISSING = "–"
NETWORKS = "networks, {loss} loss"
BASELINES = "no network"
CEILINGS = "made with the truth at hand"
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
) -> tuple[pd.DataFrame, Bool[ndarray, "row column"]]:
    """Return Table 2 as texts, and which cells are the best of their loss.

    Networks that the paper lists and the run lacks are rows without our numbers.

    Args:
        table: From `tables.table_2`.
        printed: The paper's numbers by model and loss.
        readings: Of equation 1, in the order of the columns.
    """
    whole = pd.concat([table, _untrained(table, printed)])
    whole["group"] = [_group(key, loss) for key, loss in whole["loss"].items()]
    groups = [NETWORKS.format(loss=loss) for loss in dict.fromkeys(loss for _, loss in printed)]
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
    frame.index = pd.MultiIndex.from_frame(whole[["group", "row"]], names=[None, None])
    return frame, _best(np.stack(values, axis=1).astype(float), whole["group"].to_numpy())


def lay_out_table_3(table: pd.DataFrame) -> pd.DataFrame:
    """Return Table 3 as texts.

    Args:
        table: From `tables.table_3`.
    """
    ours = [_interval(line["value"], line["low"], line["high"]) for _, line in table.iterrows()]
    columns = {
        ("paper", ""): _numbers(table["paper"], digits=3),
        ("ours", ""): ours,
        ("controls", "tumour hidden"): _numbers(table["blind"]),
        ("controls", "height-corrected"): _numbers(table["height_corrected"]),
        ("controls", "mixed heights"): _numbers(table["mixed_heights"]),
        ("controls", "same height"): _numbers(table["same_height"]),
        ("gate at the healthy maximum", "sensitivity"): _percent(table["gate_sensitivity"]),
        ("gate at the healthy maximum", "false positives"): _percent(table["gate_false_positives"]),
    }
    frame = pd.DataFrame(columns)
    kinds = [
        "scores of the network" if tables.TABLE_3[key][1] else BASELINES for key in table.index
    ]
    frame.index = pd.MultiIndex.from_arrays([kinds, table["score"]], names=[None, None])
    return frame


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


def _numbers(values: pd.Series, *, digits: int = 2) -> list[str]:
    return [f"{value:.{digits}f}" if np.isfinite(value) else MISSING for value in values]


def _percent(values: pd.Series) -> list[str]:
    return [f"{100 * value:.0f}\u00a0%" if np.isfinite(value) else MISSING for value in values]
