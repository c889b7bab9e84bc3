"""The rows of `make ablations` against what they change: paired by patient, and against a seed.

An interval over patients says what other patients would give, not what another training would:
a difference also has to exceed what a new seed alone makes of the same network.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from paperlib import artifacts
from paperlib.evaluation.measures import metrics, statistics
from paperlib.evaluation.measures.statistics import Bootstrapped
from paperlib.evaluation.tables import Draws

SEED = "seed"  # group of the rows in which nothing but the seed differs
HIGHER, LOWER = "higher", "lower"
AS_A_SEED, UNDECIDED = "no more than a new seed", "undecided"
NO_SEED = "unknown, no other seed was trained"
MISSING = "–"
LIKE_THE_IMAGE = 0.05  # of pixel AP below that of the plain image, or less
_SAID = ("group", "change", "against", "region", "empty", "date", "seconds")  # in the record
_ENDS = ("", "_low", "_high")
COLUMNS = (
    *_SAID,
    "commit",
    "value",
    "low",
    "high",
    "ap",
    "image_ap",
    *(f"difference{end}" for end in _ENDS),
    *(f"ap_difference{end}" for end in _ENDS),
    "retrained",
    "patients",
    "slices",
)


class Row(NamedTuple):
    """One finished row.

    Attributes:
        record: What it is and where it comes from, see `pipeline.studies.ablations`.
        counts: Per test slice: case, z, pixels of truth, overlap and prediction of its region.
        pixels: Per test patient: case, pixel AP of the residual (ap) and the image (image_ap).
    """

    record: Mapping[str, Any]
    counts: pd.DataFrame
    pixels: pd.DataFrame


def load_rows(folder: Path) -> dict[str, Row]:
    """Return the finished rows of a folder by name; none where there is no folder."""
    found = {}
    for file in sorted(folder.glob("*.json")):
        record = artifacts.read_json(file)
        counts = artifacts.load_table(folder, record["name"])
        found[record["name"]] = Row(record, counts, pd.DataFrame(record["pixels"]))
    return found


def compare_rows(rows: Mapping[str, Row], *, draws: Draws) -> pd.DataFrame:
    """Return Dice and pixel AP of every row and their paired differences, best difference first.

    Args:
        rows: From `load_rows`.
        draws: Of the intervals.

    Returns:
        Index name; group, change, against, region, empty, `retrained` (whether its network or its
        slices differ from those it is compared with), `value` (Dice, every slice, with `low` and
        `high`), `ap`, `image_ap` (of the plain image), and on the slices that both rows have
        `difference` and `ap_difference` with `_low` and `_high`; patients, slices (compared),
        date, commit, seconds. Without the row that it is compared with, a row has no difference.
    """
    if not rows:
        return pd.DataFrame(columns=list(COLUMNS))
    lines = [_line(row, rows, draws) for row in rows.values()]
    table = pd.DataFrame(lines).set_index("name")[list(COLUMNS)]
    return table.sort_values("difference", ascending=False, na_position="first", kind="stable")


def seed_spread(table: pd.DataFrame) -> float:
    """Return the largest difference that a new seed alone made; NaN where no seed was tried."""
    return float(table.loc[table["group"] == SEED, "difference"].abs().max())


def judge(line: pd.Series, spread: float) -> str:
    """Say what a row's difference is worth.

    Args:
        line: Of `compare_rows`.
        spread: From `seed_spread`; counts only where a network was trained anew.
    """
    if np.isnan(line["difference"]):
        return MISSING
    if line["difference_low"] <= 0 <= line["difference_high"]:
        return UNDECIDED
    if line["retrained"] and np.isnan(spread):
        return NO_SEED
    if line["retrained"] and abs(line["difference"]) <= spread:
        return AS_A_SEED
    return HIGHER if line["difference"] > 0 else LOWER


def name_rows(table: pd.DataFrame) -> pd.Series:
    """Return each row in words, with what it is compared with where that is not the base."""
    names = table["change"].copy()
    for name, line in table.iterrows():
        notes = ["empty = 1"] if line["empty"] == 1 else []
        if line["against"] in table.index and line["against"] not in ("base", "core"):
            notes.append(f"against {table.loc[line['against'], 'change']}")
        names[name] += f" ({'; '.join(notes)})" if notes else ""
    return names


def lay_out(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as texts, in its order."""
    spread = seed_spread(table)
    frame = pd.DataFrame({"kind": table["group"]})
    frame["Dice"] = [_text(line, "value", "low", "high") for _, line in table.iterrows()]
    for column, title in (("difference", "difference"), ("ap_difference", "difference, pixel AP")):
        ends = _ends(column)
        frame[title] = [_text(line, column, *ends, sign="+") for _, line in table.iterrows()]
    frame["Dice is"] = [judge(line, spread) for _, line in table.iterrows()]
    frame.insert(3, "pixel AP", [_number(value) for value in table["ap"]])
    frame["date, commit"] = table["date"] + ", " + table["commit"]
    frame.index = pd.Index(name_rows(table), name="changed")
    return frame


def lay_out_adversaries(rows: Mapping[str, Row], table: pd.DataFrame) -> pd.DataFrame:
    """Return how hard the discriminator pulled in every adversarial row, and what Dice did.

    Returns:
        Texts: weight of the adversarial term, ratio of its gradient to that of the reconstruction
        at the output (mean over the training), Dice and difference. Empty without such rows.
    """
    lines = {}
    for name, line in table.iterrows():
        record = rows[str(name)].record
        if "gradient_ratio" in record["facts"]:
            lines[name_rows(table)[name]] = {
                "weight": f"{record['network']['gan_weight']:g}",
                "gradient ratio": f"{record['facts']['gradient_ratio']:.3f}",
                "Dice": _text(line, "value", "low", "high"),
                "difference": _text(line, "difference", *_ends("difference"), sign="+"),
            }
    return pd.DataFrame.from_dict(lines, orient="index")


def summarise(table: pd.DataFrame) -> list[str]:
    """Return what the table says, as sentences with its numbers."""
    spread = seed_spread(table)
    known = table[table["difference"].notna() & (table["group"] != SEED)]
    if known.empty:
        return ["No row stands beside the row that it changes yet."]
    verdicts = known.apply(judge, axis=1, spread=spread)
    beyond = verdicts.isin([HIGHER, LOWER]).sum()
    said = [
        f"{len(known)} changes were compared; {beyond} move Dice, {(verdicts == AS_A_SEED).sum()} "
        f"no more than a new seed, {(verdicts == UNDECIDED).sum()} are undecided."
    ]
    if unknown := (verdicts == NO_SEED).sum():
        said.append(f"{unknown} more were trained anew, and no other seed to compare with was.")
    if not np.isnan(spread):
        seeds = (table["group"] == SEED).sum()
        said.append(
            f"A new seed alone moved Dice by up to {spread:.3f} (trainings with another seed: "
            f"{seeds})."
        )
    names = name_rows(table)
    for retrained, words in ((False, "segmentation only"), (True, "a new training")):
        part = known[known["retrained"] == retrained]
        if len(part):
            largest = part["difference"].abs().idxmax()
            value = part.loc[largest, "difference"]
            said.append(f"Largest change by {words}: {names[largest]}, {value:+.3f}.")
    copies = table["retrained"] & (table["image_ap"] - table["ap"] < LIKE_THE_IMAGE)
    if copies.any():
        said.append(
            "Residual that ranks pixels about as the plain image does, so that hardly anything "
            f"was reconstructed: {', '.join(names[copies])}. Their Dice is that of the image."
        )
    return said


def missing_rows(rows: Mapping[str, Row], wanted: Iterable[str]) -> list[str]:
    """Return the names of the rows that were not run yet."""
    return [name for name in wanted if name not in rows]


def describe_origin(rows: Mapping[str, Row]) -> str:
    """Return data, profile, dates and commits of all rows in one line."""
    if not rows:
        return "no row is in this copy; run `make ablations`"
    records = [row.record for row in rows.values()]
    origins = [record["provenance"] for record in records]
    dates = sorted(record["date"] for record in records)
    commits = ", ".join(dict.fromkeys(str(origin["commit"]) for origin in origins))
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    steps = max(record["facts"]["slice_steps"] for record in records)
    first = origins[0]
    return (
        f"{first['cohort']}, profile {first['profile']}, {steps:,} slice-steps, measured {when}, "
        f"commit {commits}"
    )


def _line(row: Row, rows: Mapping[str, Row], draws: Draws) -> dict[str, object]:
    record = row.record
    line: dict[str, object] = {field: record[field] for field in ("name", *_SAID)}
    line["commit"] = str(record["provenance"]["commit"])
    value = statistics.interval(_dice(row.counts, record["empty"], draws))
    line |= {"value": value.value, "low": value.low, "high": value.high}
    line |= {"patients": value.patients}
    line |= {name: float(row.pixels[name].mean()) for name in ("ap", "image_ap")}
    other = rows.get(record["against"])
    names = ("difference", "ap_difference")
    line |= {f"{name}{end}": np.nan for name in names for end in _ENDS}
    line |= {"retrained": False, "slices": len(row.counts)}
    if other is None or record["name"] == record["against"] or _not_comparable(record, other):
        return line
    kept = row.counts[["case", "z"]].merge(other.counts[["case", "z"]])
    both = [
        _dice(kept.merge(one.counts, on=["case", "z"]), record["empty"], draws)
        for one in (row, other)
    ]
    ranked = [_precision(one.pixels, draws) for one in (row, other)]
    for name, (first, second) in zip(names, (both, ranked), strict=True):
        found = statistics.interval(statistics.difference(first, second))
        line |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    line["retrained"] = any(record[k] != other.record[k] for k in ("network", "prepare"))
    return line | {"slices": len(kept)}


def _not_comparable(record: Mapping[str, Any], other: Row) -> bool:
    """Return whether the two rows count different regions: the base of the core is no change."""
    return bool(record["region"] != other.record["region"])


def _dice(counts: pd.DataFrame, empty: float, draws: Draws) -> Bootstrapped:
    parts = (counts[name].to_numpy(int)[:, None] for name in ("overlap", "predicted", "truth"))
    ratios = metrics.aggregate(
        metrics.RegionCounts(*parts),
        counts["case"].to_numpy(),
        aggregation="every_slice",
        empty=empty,
    )
    return _drawn(ratios, draws)


def _precision(pixels: pd.DataFrame, draws: Draws) -> Bootstrapped:
    known = pixels.dropna(subset="ap").sort_values("case")
    values = known["ap"].to_numpy(float)[:, None]
    ratios = metrics.PatientRatios(known["case"].to_numpy(), values, np.ones_like(values))
    return _drawn(ratios, draws)


def _drawn(ratios: metrics.PatientRatios, draws: Draws) -> Bootstrapped:
    one_fold = np.zeros(len(ratios.cases), int)
    return statistics.bootstrap_ratio(
        ratios, one_fold, region=0, draws=draws.number, seed=draws.seed
    )


def _text(line: pd.Series, value: str, low: str, high: str, *, sign: str = "") -> str:
    if np.isnan(line[value]):
        return MISSING
    form = f"{{:{sign}.3f}} [{{:{sign}.3f}}, {{:{sign}.3f}}]"
    return form.format(line[value], line[low], line[high])


def _ends(column: str) -> tuple[str, str]:
    return f"{column}_low", f"{column}_high"


def _number(value: float) -> str:
    return MISSING if np.isnan(value) else f"{value:.3f}"
