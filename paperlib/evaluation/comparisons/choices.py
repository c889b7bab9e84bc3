"""What was tried beside the methods beyond the paper, and what choosing among it costs.

A recipe that was chosen with the labels in view is fitted to them. So the choice is repeated
without each fold: the patients of the other folds choose, those of the fold report. Networks are
not trained again for that: those of the choosing patients have seen healthy slices of the others.
"""

from typing import NamedTuple

import pandas as pd

from paperlib.evaluation.comparisons.beyond import (
    AGREED,
    CLEAN_UP,
    NEAR,
    OTSU,
    OURS,
    SCORED,
    SYNTHETIC,
    WAY,
    Beyond,
    counted_rule,
    mean_over_patients,
)
from paperlib.evaluation.measures import statistics
from paperlib.evaluation.measures.statistics import Bootstrapped
from paperlib.evaluation.tables import Draws

Key = tuple[str, str, str, str]  # as `beyond.WAY`


class Again(NamedTuple):
    """What another training gave: mean Dice, and the paired difference to the tables' rows."""

    mean: float
    difference: Bootstrapped


def chosen_way(found: Beyond) -> Key:
    """Return the way that a new patient gets from `paperlib segment --method synthetic`."""
    return (SYNTHETIC, AGREED, counted_rule(found, SYNTHETIC, AGREED), OTSU)


def tried(found: Beyond) -> pd.DataFrame:
    """Return the volume Dice of every way without a residual.

    Returns:
        Index `beyond.WAY`, columns region and patient.
    """
    own = found.volumes[found.volumes["method"].str.match(f"{CLEAN_UP}|{SYNTHETIC}")]
    return own.pivot(index=WAY, columns="case", values=list(SCORED))


def one_change(found: Beyond, *, draws: Draws) -> dict[Key, dict[str, Bootstrapped]]:
    """Return what each single change of the chosen way gains or costs, paired.

    Args:
        found: All rows.
        draws: Of patients.

    Returns:
        By way, the way itself first: the difference in volume Dice by region; of the way itself
        the Dice. Another method (other networks, another weight) is one change, too.
    """
    table, chosen = tried(found), chosen_way(found)
    without = (CLEAN_UP, NEAR, counted_rule(found, CLEAN_UP, NEAR), OTSU)
    base = {region: _bootstrap(found, table.loc[chosen][region], draws) for region in SCORED}
    changed = {chosen: base}
    for way in table.index:
        differing = [new != old for new, old in zip(way, chosen, strict=True)]
        single = sum(differing) == 1 and way[0] != CLEAN_UP
        if single or way == without:
            changed[way] = {
                region: _bootstrap(found, table.loc[way][region] - table.loc[chosen][region], draws)
                for region in SCORED
            }
    return changed


def nested(found: Beyond, *, draws: Draws) -> tuple[dict[str, Bootstrapped], dict[int, str]]:
    """Return the Dice of the way that other folds choose, and which that is.

    The mean of the three regions' mean Dice decides.

    Args:
        found: All rows, of at least two folds.
        draws: Of patients.

    Returns:
        Dice by region over the patients of all folds, and the way chosen for each fold, in words.

    Raises:
        ValueError: If there is one fold: nobody is left to choose.
    """
    table, folds = tried(found), _folds(found)
    if folds.nunique() < 2:
        raise ValueError("All patients are of one fold, so none are left to choose a way.")
    chosen, parts = {}, []
    for fold in sorted(folds.unique()):
        outside = folds.index[folds != fold]
        score = sum(table[region][outside].mean(axis=1) for region in SCORED)
        way = score.idxmax()
        chosen[int(fold)] = ", ".join(way)
        parts.append(table.loc[way].unstack(level=0)[list(SCORED)].loc[folds.index[folds == fold]])
    values = pd.concat(parts).sort_index()
    return {region: _bootstrap(found, values[region], draws) for region in SCORED}, chosen


def by_fold(found: Beyond) -> pd.DataFrame:
    """Return the mean volume Dice of the whole tumour in each fold.

    Returns:
        One row per method and reading, with the rule for components whose rows per slice are
        kept; one column per fold.
    """
    rules = found.evidence.counts.groupby("method")["component"].first()
    own = found.volumes[found.volumes["method"].isin(OURS) & (found.volumes["enhancing"] == OTSU)]
    kept = own[own["component"] == own["method"].map(rules)]
    return kept.assign(fold=kept["case"].map(_folds(found))).pivot_table(
        index=["method", "reading"], columns="fold", values="WT", sort=False
    )


def trained_again(found: Beyond, *, draws: Draws) -> dict[Key, dict[str, Again]]:
    """Return what other trainings by the same code and seeds gave, on other processors.

    Args:
        found: All rows, with those of other trainings.
        draws: Of patients.

    Returns:
        By way and training: mean volume Dice of the whole tumour, and the paired difference to
        the rows of the tables.

    Raises:
        ValueError: If there are no rows of another training.
    """
    if not found.trainings:
        raise ValueError("No rows of another training are kept of these patients.")
    known = tried(found)["WT"]
    again: dict[Key, dict[str, Again]] = {}
    for name, volumes in found.trainings.items():
        for way, row in volumes.pivot(index=WAY, columns="case", values="WT").iterrows():
            difference = _bootstrap(found, row - known.loc[way], draws)
            again.setdefault(way, {})[name] = Again(float(row.mean()), difference)
    return again


def summarise(found: Beyond, *, prefix: str, draws: Draws) -> dict[str, float]:
    """Return the Dice of the way that other folds choose for prose; nothing of one fold.

    Keys read like `real36.beyond.nested.WT.value`.
    """
    if _folds(found).nunique() < 2:
        return {}
    values, _ = nested(found, draws=draws)
    return {
        f"{prefix}.beyond.nested.{region}.{end}": value
        for region, drawn in values.items()
        for end, value in statistics.interval(drawn)._asdict().items()
    }


def _folds(found: Beyond) -> pd.Series:
    return found.evidence.slices.groupby("case")["fold"].first().sort_index()


def _bootstrap(found: Beyond, values: pd.Series, draws: Draws) -> Bootstrapped:
    return mean_over_patients(values.sort_index(), _folds(found), draws=draws)
