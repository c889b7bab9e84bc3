"""Where the error comes from: what a prediction gains when one decision is made perfect.

Each change alone, and all of them on top of each other from ours to the truth. What a change gains
depends on what went before it, so the order is part of every waterfall.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from paperlib.evaluation.comparisons.variants import NAMES, SINGLE, TRUTH, variant_counts
from paperlib.evaluation.evidence import Evidence, MethodCounts
from paperlib.evaluation.measures import metrics, statistics
from paperlib.evaluation.measures.statistics import Bootstrapped
from paperlib.evaluation.tables import Draws
from paperlib.labels import REGION_NAMES, REGIONS

SHOWN = ("WT", "TC", "ET")
OURS = "ours"


class View(NamedTuple):
    """One way to average: slices of which one without tumour counts 0, or volumes."""

    aggregation: str
    empty: float
    name: str


VIEWS: Mapping[str, View] = MappingProxyType(
    {
        "every_slice": View("every_slice", 0.0, "mean over every slice, empty = 0"),
        "volume": View("volume", 1.0, "mean over volumes, empty = 1"),
    }
)
_GAIN = ["difference", "difference_low", "difference_high"]
Values = Mapping[tuple[str, str], Bootstrapped]  # by view and region


def single_changes(
    found: Evidence, rows: pd.DataFrame, method: str, *, draws: Draws
) -> pd.DataFrame:
    """Return what each change does alone.

    Args:
        found: Evidence of a run.
        rows: From `variants.load_rows` of the same run.
        method: A network with its seed.
        draws: Of the intervals over patients.

    Returns:
        One row per view, region and variant, ours first and the truth last: `change` (empty for
        ours), `name`, `value` with `low` and `high`, `difference` to ours with `difference_low`
        and `difference_high`, paired by patient.

    Raises:
        KeyError: If the rows lack the network.
    """
    ours = _values(found, rows, method, (), draws)
    lines = []
    for change in ("", *SINGLE, TRUTH):
        changed = _values(found, rows, method, (change,) if change else (), draws)
        for (view, region), value in changed.items():
            own = statistics.interval(value)
            gain = statistics.interval(statistics.difference(value, ours[view, region]))
            lines.append(
                {
                    "view": view,
                    "region": region,
                    "change": change,
                    "name": NAMES.get(change, OURS) if change != TRUTH else "the truth: ceiling",
                    **_fields(own, "value", ""),
                    **_fields(gain, "difference", "difference_"),
                }
            )
    return pd.DataFrame(lines)


def waterfall(
    found: Evidence, rows: pd.DataFrame, method: str, *, order: Sequence[str], draws: Draws
) -> pd.DataFrame:
    """Return how the changes add up from ours to the truth, each on top of those before.

    Args:
        found: Evidence of a run.
        rows: From `variants.load_rows` of the same run.
        method: A network with its seed.
        order: `variants.NETWORK_FIRST` or `variants.NETWORK_LAST`; what a change gains depends on
            what went before.
        draws: Of the intervals over patients.

    Returns:
        One row per view, region and step: `change`, `name`, `before` and `after`, and their
        difference `effect` with `low` and `high`, paired by patient. The effects add up to the
        truth minus ours.

    Raises:
        KeyError: If the rows lack the network.
    """
    steps = [
        _values(found, rows, method, order[:number], draws) for number in range(len(order) + 1)
    ]
    lines = []
    for change, (earlier, later) in zip(order, pairwise(steps), strict=True):
        for view, region in later:
            before, after = earlier[view, region], later[view, region]
            effect = statistics.interval(statistics.difference(after, before))
            lines.append(
                {
                    "view": view,
                    "region": region,
                    "change": change,
                    "name": NAMES[change],
                    "before": before.value,
                    "after": after.value,
                    **_fields(effect, "effect", ""),
                }
            )
    return pd.DataFrame(lines)


def lay_out_single(table: pd.DataFrame, *, view: str) -> pd.DataFrame:
    """Return single changes as texts: Dice, and what it gains with its paired 95 % interval.

    Args:
        table: From `single_changes`.
        view: A key of `VIEWS`.
    """
    shown = table[table["view"] == view]
    columns: dict[tuple[str, str], pd.Series] = {}
    for region in SHOWN:
        part = shown[shown["region"] == region].set_index("name")
        gain = [signed(*line) for line in part[_GAIN].itertuples(index=False)]
        columns[REGION_NAMES[region], "Dice"] = part["value"].map("{:.2f}".format)
        columns[REGION_NAMES[region], "gain"] = pd.Series(["", *gain[1:]], index=part.index)
    return pd.DataFrame(columns).rename_axis(None)


def largest_steps(table: pd.DataFrame, *, view: str) -> dict[str, str]:
    """Return for each region the step of a waterfall that gains most, and how much, as texts.

    Args:
        table: From `waterfall`.
        view: A key of `VIEWS`.
    """
    shown = table[table["view"] == view].set_index("name")
    parts = {region: shown.loc[shown["region"] == region, "effect"] for region in SHOWN}
    return {
        REGION_NAMES[region]: f"{effect.idxmax()}, {signed(effect.max())} of {effect.sum():.2f}"
        for region, effect in parts.items()
    }


def signed(value: float, low: float | None = None, high: float | None = None) -> str:
    """Return a difference as a text with its sign, and its interval if there is one."""
    known = [round(part, 2) + 0.0 for part in (value, low, high) if part is not None]  # no −0.00
    parts = [f"{part:+.2f}".replace("-", "−") for part in known]
    return parts[0] if len(parts) == 1 else f"{parts[0]} [{parts[1]},\u00a0{parts[2]}]"


def _values(
    found: Evidence, rows: pd.DataFrame, method: str, changes: Collection[str], draws: Draws
) -> Values:
    counted = variant_counts(found, rows, method, changes)
    return dict(_bootstrap(counted, draws))


def _bootstrap(
    counted: MethodCounts, draws: Draws
) -> Iterator[tuple[tuple[str, str], Bootstrapped]]:
    for key, view in VIEWS.items():
        ratios = metrics.aggregate(
            counted.counts, counted.cases, aggregation=view.aggregation, empty=view.empty
        )
        for region in SHOWN:
            yield (
                (key, region),
                statistics.bootstrap_ratio(
                    ratios,
                    counted.folds,
                    region=list(REGIONS).index(region),
                    draws=draws.number,
                    seed=draws.seed,
                ),
            )


def _fields(found: statistics.Interval, value: str, prefix: str) -> dict[str, float]:
    return {value: found.value, f"{prefix}low": found.low, f"{prefix}high": found.high}
