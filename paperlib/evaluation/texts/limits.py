"""The tables of the limits page as texts (section 6): kinds of patients, foci, single patients."""

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.patients import by_patient, strata
from paperlib.evaluation.patients.by_patient import Method
from paperlib.evaluation.patients.strata import AGGREGATIONS, SHOWN
from paperlib.evaluation.tables import Draws
from paperlib.labels import FLAIR, SEQUENCES, T1CE

MISSING = "–"
AGGREGATION_NAMES = {"volume": "volume Dice", "every_slice": "Dice over every slice"}
COMPONENT_NAMES = {
    "all": "all pieces",
    "largest_2d": "largest of slice, change",
    "largest_3d": "largest of volume, change",
}
VALUE = ["value", "low", "high"]
CHANGE = ["difference", "difference_low", "difference_high"]


def lay_out_strata(table: pd.DataFrame) -> pd.DataFrame:
    """Return the Dice of one method by kind of patient: a row per group, a column per region.

    Args:
        table: From `strata.dice_by_stratum`.
    """
    cells = table.assign(cell=[_interval(*line) for line in table[VALUE].to_numpy()])
    wide = cells.pivot(
        index=["stratum", "group", "patients"], columns=["aggregation", "region"], values="cell"
    )
    order = table[["stratum", "group", "patients"]].drop_duplicates()
    wide = wide.reindex(pd.MultiIndex.from_frame(order))
    frame = {("", "n"): order["patients"].astype(str).to_numpy()}
    for aggregation in AGGREGATIONS:
        for region in SHOWN:
            column = wide[aggregation, region].to_numpy()
            frame[AGGREGATION_NAMES[aggregation], region] = column
    index = pd.MultiIndex.from_frame(order[["stratum", "group"]], names=[None, None])
    return pd.DataFrame(frame, index=index)


def lay_out_components(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what keeping one component changes: a row per kind of patient, a column per rule.

    Args:
        parts: By name, such as the method: from `strata.compare_components`.
    """
    lines: dict[tuple[str, str], dict[tuple[str, str], str]] = {}
    for name, table in parts.items():
        for _, line in table.iterrows():
            size = f"(n\u00a0=\u00a0{line['patients']})"
            row = lines.setdefault((name, f"{line['group']} {size}"), {})
            rule, change = line["component"], line["component"] != "all"
            column = AGGREGATION_NAMES[line["aggregation"]], COMPONENT_NAMES[rule]
            columns = CHANGE if change else VALUE
            row[column] = _interval(*(line[c] for c in columns), sign="+" if change else "")
    return _by_two_levels(lines)


def lay_out_false(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what is predicted where the truth has none: a row per method and region.

    Args:
        parts: By name of the method: from `by_patient.find_false_volumes`.
    """
    lines: dict[tuple[str, str], dict[tuple[str, str], str]] = {}
    for name, table in parts.items():
        for _, line in table.iterrows():
            row = lines.setdefault((name, line["region"]), {})
            top = f"{line['where']} without it"
            row |= {(top, "n"): f"{line['number']}", (top, "with some"): f"{line['hit']}"}
            volumes = pd.Series([line["median_ml"], line["largest_ml"]])
            row |= zip([(top, "median, ml"), (top, "most, ml")], _texts(volumes, _ml), strict=True)
    return _by_two_levels(lines)


def lay_out_patients(
    found: Evidence, methods: Mapping[str, Method], cases: Mapping[str, int]
) -> pd.DataFrame:
    """Return all numbers of some patients: a column per patient.

    Args:
        found: Evidence of a run.
        methods: By name.
        cases: Number of each patient by its role, such as "worst".
    """
    lines: dict[tuple[str, str], list[str]] = {}
    order = list(cases.values())
    for name, method in methods.items():
        known = by_patient.measure_patients(found, method).loc[order]
        if not lines:
            lines |= {("truth", what): cells for what, cells in _truth_lines(known).items()}
        lines |= {(name, what): cells for what, cells in _method_lines(known).items()}
        ranking = _ranking_lines(found, method.name, order)
        lines |= {(name, what): cells for what, cells in ranking.items()}
    columns = [f"{role}: patient\u00a0{case}" for role, case in cases.items()]
    frame = pd.DataFrame.from_dict(lines, orient="index", columns=columns)
    frame.index = pd.MultiIndex.from_tuples(frame.index, names=[None, None])
    return frame


def lay_out_correlations(
    found: Evidence, methods: Mapping[str, Method], *, draws: Draws
) -> pd.Series:
    """Return the rank correlation of tumour volume and volume Dice of each method, as texts.

    Args:
        found: Evidence of a run.
        methods: By name.
        draws: Of the intervals over patients.
    """
    cells = {}
    for name, method in methods.items():
        known = by_patient.measure_patients(found, method)
        cells[name] = _interval(
            *strata.correlate_ranks(
                known["WT_ml"].to_numpy(), known["WT_volume"].to_numpy(), draws=draws
            )[:3]
        )
    return pd.Series(cells)


def bound_of_one_focus(largest_share: Float[ndarray, " case"]) -> Float[ndarray, " case"]:
    """Return the volume Dice of a perfect mask of the largest focus alone, 0 to 1.

    Args:
        largest_share: Of the tumour's volume, in its largest focus.
    """
    return 2 * largest_share / (1 + largest_share)


def _by_two_levels(lines: Mapping[tuple[str, str], Mapping]) -> pd.DataFrame:
    frame = pd.DataFrame.from_dict(lines, orient="index")
    frame.index = pd.MultiIndex.from_tuples(frame.index, names=[None, None])
    if isinstance(frame.columns[0], tuple):
        frame.columns = pd.MultiIndex.from_tuples(frame.columns)
    return frame


def _truth_lines(known: pd.DataFrame) -> dict[str, list[str]]:
    return {
        "grade": known["grade"].astype(str).tolist(),
        "foci of the whole tumour / of the core": [
            f"{int(line['foci'])} / {int(line['core_foci'])}" for _, line in known.iterrows()
        ],
        "share of the largest focus": _texts(known["largest_share"], "{:.3f}".format),
        "volume of WT / TC / ET, ml": _triples(known, "{region}_ml", _ml),
        "slices / without tumour": [
            f"{line['slices']:.0f} / {line['WT_empty']:.0f}" for _, line in known.iterrows()
        ],
        "Dice of the truth itself over every slice": _triples(
            known, "{region}_ceiling", "{:.2f}".format
        ),
    }


def _method_lines(known: pd.DataFrame) -> dict[str, list[str]]:
    return {
        "volume Dice of WT / TC / ET": _triples(known, "{region}_volume", "{:.2f}".format),
        "Dice over every slice": _triples(known, "{region}_every_slice", "{:.2f}".format),
        "predicted, ml": _triples(known, "{region}_predicted_ml", _ml),
        "of it wrong, ml": _triples(known, "{region}_false_ml", _ml),
        "in slices without the region, ml": _triples(known, "{region}_empty_ml", _ml),
    }


def _ranking_lines(found: Evidence, method: str, cases: Sequence[int]) -> dict[str, list[str]]:
    rows = found.pixels[found.pixels["method"] == method]
    if rows.empty:
        return {}
    wide = rows.pivot(index="case", columns="sequence", values=["ap", "image_ap"]).loc[cases]
    columns = [(kind, sequence) for kind in ("ap", "image_ap") for sequence in SEQUENCES]
    texts = {column: _texts(wide[column], "{:.2f}".format) for column in columns}
    return {
        f"pixel AP of the {what}, {region}": [
            f"{residual} / {image}"
            for residual, image in zip(texts["ap", seq], texts["image_ap", seq], strict=True)
        ]
        for seq, what, region in (
            (FLAIR, "FLAIR residual / image", "WT"),
            (T1CE, "T1CE residual / image", "ET"),
        )
    }


def _triples(known: pd.DataFrame, column: str, form: Callable[[float], str]) -> list[str]:
    """Return WT / TC / ET of each patient; a Dice of what the truth lacks is no number."""
    is_dice = column.endswith(("_volume", "_every_slice"))
    cells = []
    for region in SHOWN:
        values = known[column.format(region=region)].astype(float)
        cells.append(_texts(values.where(known[f"{region}_ml"] > 0) if is_dice else values, form))
    return [" / ".join(parts) for parts in zip(*cells, strict=True)]


def _texts(values: pd.Series, form: Callable[[float], str]) -> list[str]:
    return [form(value) if np.isfinite(value) else MISSING for value in values]


def _ml(value: float) -> str:
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def _interval(value: float, low: float, high: float, *, sign: str = "") -> str:
    """Return "0.30 [0.24, 0.36]", without limits where there are too few patients for them."""
    if not np.isfinite(value):
        return MISSING
    text = f"{value:{sign}.2f}"
    if np.isfinite(low):
        text += f" [{low:{sign}.2f},\u00a0{high:{sign}.2f}]"
    return re.sub(r"[-+]0\.00", "0.00", text).replace("-", "−")
