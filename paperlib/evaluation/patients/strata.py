"""For whom a method works: Dice by kind of patient, and what it finds where nothing is (section 6).

Kinds of patients are made from the truth alone; their limits were fixed before any Dice of a kind
was seen. A Dice of an empty pair counts 0, per slice (section 5.1) and per volume, as in Table 2:
where the truth has no enhancing tumour no method can score, so that ml say more there.
"""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Shaped
from numpy import ndarray
from scipy import stats

from paperlib.evaluation import evidence
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures import metrics, statistics
from paperlib.evaluation.measures.metrics import PatientRatios
from paperlib.evaluation.measures.statistics import Bootstrapped
from paperlib.evaluation.patients import by_patient
from paperlib.evaluation.patients.by_patient import Method
from paperlib.evaluation.tables import Draws
from paperlib.labels import REGIONS

SMALL_ET_ML = 5.0  # a ball of about 2 cm; decided
MIN_PATIENTS = 5  # with fewer an interval would say more than they know; decided
ALL = "all patients"
ENHANCING = "enhancing tumour"
WHOLE_FOCI, CORE_FOCI = "foci, whole tumour", "foci, core"
VOLUME = "tumour volume"
SHOWN = ("WT", "TC", "ET")
AGGREGATIONS = ("volume", "every_slice")
HULL = "B11 hull of the true ET"  # what the idea of the core gives with perfect masks
NUMBERS = ("none", "one", "two or more")
COMPONENTS = ("all", "largest_2d", "largest_3d")


def group_patients(cases: pd.DataFrame) -> pd.DataFrame:
    """Return the group of each patient in every stratum.

    Args:
        cases: Of the evidence.

    Returns:
        One row per patient, in the order of their numbers, and one ordered categorical column
        per stratum. Thirds are by rank of the true volume, their limits those of their patients.

    Raises:
        ValueError: If there is no patient, as in a reference older than the table.
    """
    if cases.empty:
        raise ValueError(
            "This evidence has no table of its patients (cases.csv); make it again with "
            "`make book`, a reference with `make reference`."
        )
    known = cases.set_index("case").sort_index()
    enhancing = known["ET_ml"]
    kind = np.select([enhancing == 0, enhancing < SMALL_ET_ML], [0, 1], 2)
    limits = ("absent", f"under {SMALL_ET_ML:g} ml", f"{SMALL_ET_ML:g} ml or more")
    grade, number = np.unique(known["grade"].fillna("unknown").astype(str), return_inverse=True)
    return pd.DataFrame(
        {
            ALL: _named(np.zeros(len(known), int), ("all",)),
            "grade": _named(number, tuple(grade)),
            ENHANCING: _named(kind, limits),
            WHOLE_FOCI: _named(known["foci"].clip(0, 2), NUMBERS),
            CORE_FOCI: _named(known["core_foci"].clip(0, 2), NUMBERS),
            VOLUME: _thirds(known["WT_ml"]),
        },
        index=known.index,
    )


def dice_by_stratum(found: Evidence, method: Method, *, draws: Draws) -> pd.DataFrame:
    """Return the Dice of one method in every group of patients.

    Args:
        found: Evidence of a run.
        method: Network or baseline.
        draws: Of the intervals over patients.

    Returns:
        One row per stratum, group, aggregation ("volume", "every_slice") and region: `patients`,
        `value`, `low`, `high` and `ceiling` (the truth scored as a prediction). Without any
        patient who has the region, the value is NaN; under `MIN_PATIENTS` patients the interval
        is.

    Raises:
        KeyError: If the evidence has no such rows.
        ValueError: If the table of patients has others than the method was tested on.
    """
    groups = group_patients(found.cases)
    lines = []
    for aggregation in AGGREGATIONS:
        ratios, folds = by_patient.patient_ratios(found, method, aggregation)
        truth, _ = by_patient.patient_ratios(found, Method(evidence.TRUTH), aggregation)
        for stratum in groups:
            for group, members in _members(groups[stratum]):
                ceilings = metrics.pooled_value(truth.sums[members], truth.counts[members])
                named = {"stratum": stratum, "group": group, "aggregation": aggregation}
                for region in SHOWN:
                    ceiling = float(ceilings[list(REGIONS).index(region)])
                    cell = _cell(_draw(ratios, folds, members, region, draws))
                    cell = cell if ceiling > 0 else dict.fromkeys(cell, float("nan"))
                    line = {**named, "region": region, "patients": int(members.sum())}
                    lines.append({**line, **cell, "ceiling": ceiling})
    return pd.DataFrame(lines)


def count_groups_won(first: pd.DataFrame, second: pd.DataFrame) -> tuple[int, int]:
    """Return in how many groups the first method's volume Dice of the whole tumour is higher.

    Args:
        first: From `dice_by_stratum`.
        second: The same of another method on the same patients.

    Returns:
        The number of such groups, and of all groups. Groups overlap.
    """
    own, other = (
        table.loc[(table["aggregation"] == "volume") & (table["region"] == "WT"), "value"]
        for table in (first, second)
    )
    return int((own.to_numpy() > other.to_numpy()).sum()), len(own)


def compare_components(
    found: Evidence, method: Method, *, stratum: str, region: str, draws: Draws
) -> pd.DataFrame:
    """Return what keeping one component only does, by kind of patient.

    Args:
        found: Evidence of a run.
        method: A method with rows of every component.
        stratum: A column of `group_patients`, such as `WHOLE_FOCI`.
        region: Such as "WT".
        draws: Of the intervals over patients.

    Returns:
        One row per aggregation, group and component: `patients`, `value`, `low`, `high`, and
        `difference`, `difference_low`, `difference_high`: against all components, the same
        patients drawn.

    Raises:
        KeyError: If the evidence has no such rows.
    """
    groups = group_patients(found.cases)[stratum]
    lines = []
    for aggregation in AGGREGATIONS:
        parts = {
            component: by_patient.patient_ratios(
                found, method._replace(component=component), aggregation
            )
            for component in COMPONENTS
        }
        for group, members in _members(groups):
            drawn = {
                component: _draw(ratios, folds, members, region, draws)
                for component, (ratios, folds) in parts.items()
            }
            named = {"aggregation": aggregation, "group": group, "patients": int(members.sum())}
            for component, result in drawn.items():
                change = _cell(statistics.difference(result, drawn["all"]))
                names = ("difference", "difference_low", "difference_high")
                paired = dict(zip(names, change.values(), strict=True))
                lines.append({**named, "component": component, **_cell(result), **paired})
    return pd.DataFrame(lines)


def correlate_ranks(
    first: Float[ndarray, " case"], second: Float[ndarray, " case"], *, draws: Draws
) -> statistics.Interval:
    """Return Spearman's rank correlation with its interval over patients.

    Args:
        first: One value per patient.
        second: Another value of the same patients.
        draws: Number and seed. Samples in which either value is constant have no correlation
            and are left out.

    Returns:
        NaN for value and limits under `MIN_PATIENTS` patients.
    """
    patients = first.size
    if patients < MIN_PATIENTS:
        return statistics.Interval(float("nan"), float("nan"), float("nan"), patients)
    rng = np.random.default_rng(draws.seed)
    drawn = np.vstack([np.arange(patients), rng.integers(patients, size=(draws.number, patients))])
    ranks = [stats.rankdata(values[drawn], axis=1) for values in (first, second)]
    centred = [rank - rank.mean(axis=1, keepdims=True) for rank in ranks]
    spread = np.sqrt((centred[0] ** 2).sum(axis=1) * (centred[1] ** 2).sum(axis=1))
    product = (centred[0] * centred[1]).sum(axis=1)
    found = np.divide(product, spread, out=np.full(len(drawn), np.nan), where=spread > 0)
    drawn_values = found[1:][np.isfinite(found[1:])]
    limits = np.quantile(drawn_values, [0.025, 0.975]) if drawn_values.size else [np.nan] * 2
    low, high = (float(limit) for limit in limits)
    return statistics.Interval(float(found[0]), low, high, patients)


def _draw(
    ratios: PatientRatios,
    folds: Shaped[ndarray, " case"],
    members: Bool[ndarray, " case"],
    region: str,
    draws: Draws,
) -> Bootstrapped:
    """Draw the members; within folds only where each fold has enough of them to vary."""
    own = folds[members]
    if np.unique(own, return_counts=True)[1].min() < MIN_PATIENTS:
        own = np.zeros_like(own)
    part = PatientRatios(*(values[members] for values in ratios))
    column = list(REGIONS).index(region)
    return statistics.bootstrap_ratio(part, own, region=column, draws=draws.number, seed=draws.seed)


def _cell(result: Bootstrapped) -> dict[str, float]:
    value, low, high, patients = statistics.interval(result)
    if patients < MIN_PATIENTS:
        low = high = float("nan")
    return {"value": value, "low": low, "high": high}


def _members(groups: pd.Series) -> list[tuple[str, Bool[ndarray, " case"]]]:
    names = groups.cat.categories
    return [(name, found) for name in names if (found := (groups == name).to_numpy()).any()]


def _named(number: Shaped[ndarray, " case"] | pd.Series, names: tuple[str, ...]) -> pd.Categorical:
    return pd.Categorical.from_codes(np.asarray(number), names, ordered=True)


def _thirds(volume: pd.Series) -> pd.Categorical:
    """Return thirds of the patients with tumour; those without are a group of their own."""
    ill = volume[volume > 0]
    third = ((ill.rank(method="first") - 1) * 3 // max(len(ill), 1)).astype(int)
    names = ["none"]
    for number, label in enumerate(("lower", "middle", "upper")):
        own = ill[third == number]
        limits = f", {own.min():.0f} to {own.max():.0f} ml" if len(own) else ""
        names.append(f"{label} third{limits}")
    return _named((third + 1).reindex(volume.index, fill_value=0), tuple(names))
