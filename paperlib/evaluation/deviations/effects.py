"""The effect of every deviation: measured, sorted, and said where it was not measured.

An effect is the alternative minus ours. Where an ablation row changed the choice, the row is
taken: one network, one change, the phantom. Else the stored rows of the paper's network answer,
of real patients before simulated ones.
"""

import math
from collections.abc import Collection
from itertools import chain, product
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd

from paperlib.evaluation.claims.answers import Absent
from paperlib.evaluation.claims.numbers import Cohorts
from paperlib.evaluation.comparisons import ablations
from paperlib.evaluation.deviations import measures
from paperlib.evaluation.deviations.deviation import OUTLINE, Deviation, Deviations
from paperlib.evaluation.deviations.on_counting import ON_COUNTING
from paperlib.evaluation.deviations.on_data import ON_DATA
from paperlib.evaluation.deviations.on_masks import ON_MASKS
from paperlib.evaluation.deviations.on_networks import ON_NETWORKS
from paperlib.evaluation.deviations.on_scores import ON_SCORES
from paperlib.evaluation.deviations.on_training import ON_TRAINING
from paperlib.evaluation.tables import Draws
from paperlib.labels import REGION_NAMES

ABLATION, REAL, PHANTOM = "ablation", "real", "phantom"  # what leads before what
COLUMNS = (
    *("key", "data", "words", "unit", "value", "low", "high", "patients", "verdict"),
    "beside",
)

DEVIATIONS: Deviations = MappingProxyType(
    {**ON_DATA, **ON_NETWORKS, **ON_TRAINING, **ON_SCORES, **ON_MASKS, **ON_COUNTING}
)


class Ranked(NamedTuple):
    """The deviations by what is known of their effect.

    Attributes:
        measured: Keys, the largest effect first.
        waiting: Keys of those that have ablation rows, none of them here yet.
        unmeasured: Keys of the rest, in the order of the paper.
    """

    measured: list[str]
    waiting: list[str]
    unmeasured: list[str]


def refuse_unknown(known: Collection[str], deviations: Deviations = DEVIATIONS) -> None:
    """Refuse deviations that name an ablation row which does not exist.

    Args:
        known: Names of all ablation rows, finished or not.
        deviations: By key.

    Raises:
        ValueError: If there is one.
    """
    for key, one in deviations.items():
        if missing := [name for name in one.rows if name not in known]:
            raise ValueError(
                f"Deviation {key!r} names the ablation rows {', '.join(missing)}, which do not "
                f"exist; the rows are {', '.join(sorted(known))}."
            )


def measure_effects(
    table: pd.DataFrame, cohorts: Cohorts, *, draws: Draws, deviations: Deviations = DEVIATIONS
) -> pd.DataFrame:
    """Return the effect of every alternative that was measured.

    Args:
        table: From `ablations.compare_rows`; may be empty.
        cohorts: Evidence of real and of simulated patients, as far as it is there.
        draws: Of the intervals.
        deviations: By key.

    Returns:
        One row per alternative and kind of data: `key` of the deviation, `data` (`ABLATION`,
        `REAL` or `PHANTOM`), `words`, `unit`, `value` (alternative minus ours) with `low` and
        `high` (NaN where there is no interval), `patients`, and `verdict` of a training against
        a new seed (empty where nothing was trained), and `beside` as in `Alternative`.
    """
    cohorts = Cohorts(*(measures.narrow(one) if one else None for one in cohorts))
    lines = [
        *chain.from_iterable(_of_rows(key, one, table) for key, one in deviations.items()),
        *chain.from_iterable(
            _of_evidence(key, one, cohorts, draws) for key, one in deviations.items()
        ),
    ]
    return pd.DataFrame(lines, columns=list(COLUMNS))


def rank_deviations(effects: pd.DataFrame, deviations: Deviations = DEVIATIONS) -> Ranked:
    """Return the deviations sorted by their largest effect, those not measured at the end.

    Args:
        effects: From `measure_effects`.
        deviations: By key.
    """
    sizes = {key: largest_effect(effects, key) for key in deviations}
    measured = [key for key, size in sizes.items() if not math.isnan(size)]
    rest = [key for key in deviations if key not in measured]
    return Ranked(
        sorted(measured, key=lambda key: -sizes[key]),
        [key for key in rest if deviations[key].rows],
        [key for key in rest if not deviations[key].rows],
    )


def leading_effects(effects: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return the effects of a deviation that it is sorted by: of ablations, else of evidence."""
    own = effects[(effects["key"] == key) & ~effects["beside"].astype(bool)]
    kinds = [kind for kind in (ABLATION, REAL, PHANTOM) if (own["data"] == kind).any()]
    return own[own["data"] == kinds[0]] if kinds else own


def largest_effect(effects: pd.DataFrame, key: str) -> float:
    """Return the size of a deviation's largest leading effect; NaN where none was measured."""
    return float(leading_effects(effects, key)["value"].abs().max())


def missing_rows(one: Deviation, table: pd.DataFrame) -> list[str]:
    """Return the ablation rows of a deviation that have no difference yet."""
    known = table.index[table["difference"].notna()]
    return [name for name in one.rows if name not in known]


def _of_rows(key: str, one: Deviation, table: pd.DataFrame) -> list[dict[str, object]]:
    missing, lines = missing_rows(one, table), []
    spread = ablations.seed_spread(table)
    for name in (name for name in one.rows if name not in missing):
        line = table.loc[name]
        whole = OUTLINE if line["region"] == "WT" else f"Dice, {REGION_NAMES[line['region']]}"
        lines.append(
            {
                "key": key,
                "data": ABLATION,
                "words": ablations.name_rows(table)[name],
                "unit": whole,
                "value": line["difference"],
                "low": line["difference_low"],
                "high": line["difference_high"],
                "patients": line["patients"],
                "verdict": ablations.judge(line, spread) if line["retrained"] else "",
                "beside": False,
            }
        )
    return lines


def _of_evidence(
    key: str, one: Deviation, cohorts: Cohorts, draws: Draws
) -> list[dict[str, object]]:
    lines: list[dict[str, object]] = []
    known = [(kind, found) for kind, found in zip((REAL, PHANTOM), cohorts, strict=True) if found]
    for (kind, found), other in product(known, one.alternatives):
        answer = other.measure(found, draws)
        if isinstance(answer, Absent) or math.isnan(answer.value):
            continue
        numbers = dict(zip(("value", "low", "high", "patients"), answer, strict=True))
        named = {"key": key, "data": kind, "words": other.words, "unit": other.unit}
        lines.append({**named, **numbers, "verdict": "", "beside": other.beside})
    return lines
