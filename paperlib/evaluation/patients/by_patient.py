"""Each patient on its own: what is known of it, and what a method makes of it (section 6).

A Dice of an empty pair counts 0, per slice (section 5.1) and per volume, as in Table 2.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy import ndarray

from paperlib.evaluation import evidence as rows
from paperlib.evaluation import examples
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures import foci, metrics
from paperlib.evaluation.measures.metrics import PatientRatios
from paperlib.labels import REGIONS


class Method(NamedTuple):
    """Whose rows of the evidence: a network or a baseline.

    Attributes:
        name: "dVAE-SSIM-s0" for a network, "B3" and so on for a baseline.
        reading: Of equation 1; empty where there is no mixture.
        component: Which components were kept.
    """

    name: str
    reading: str = ""
    component: str = "all"


def choose_methods(
    found: Evidence, model: str | None = None, loss: str | None = None
) -> dict[str, Method]:
    """Return the network to look at and what needs none, by name: B3 and the plain threshold.

    Args:
        found: Evidence of a run.
        model: Name of the model; None for the paper's choice where it was trained.
        loss: Name of the loss; None for any.

    Raises:
        ValueError: If no trained network fits.
    """
    reading = str(found.provenance["mixture"]["reading"])
    network = "-".join(examples.choose_network(found, model, loss))
    name = f"{network}-s{found.provenance['seeds'][0]}"
    methods = {name: Method(name, reading), "B3": Method("B3", reading)}
    methods["B2 fixed"] = Method("B2 fixed")
    return {name: method for name, method in methods.items() if name in set(found.counts["method"])}


def only_tested(found: Evidence, method: Method) -> Evidence:
    """Return the evidence of the patients that a method was tested on.

    A network may be tested in some folds only; beside it, others are shown on the same patients.

    Args:
        found: Evidence of a run.
        method: Network or baseline.
    """
    tested = found.counts.loc[found.counts["method"] == method.name, "case"].unique()
    tables = {
        name: table[table["case"].isin(tested)] if "case" in table else table
        for name in ("slices", "counts", "pixels", "cases")
        for table in [getattr(found, name)]
    }
    return found._replace(**tables)


def patient_ratios(
    found: Evidence, method: Method, aggregation: str
) -> tuple[PatientRatios, ndarray]:
    """Return sums and counts per patient, an empty pair as 0, and the fold of each patient.

    Args:
        found: Evidence of a run.
        method: Network or baseline.
        aggregation: A key of `metrics.AGGREGATIONS`.

    Raises:
        KeyError: If the evidence has no such rows.
        ValueError: If the table of patients has others than the method was tested on.
    """
    counted = _counted(found, method)
    ratios = metrics.aggregate(counted.counts, counted.cases, aggregation=aggregation, empty=0.0)
    return ratios, counted.folds


def measure_patients(found: Evidence, method: Method) -> pd.DataFrame:
    """Return what is known of each patient and of a method's prediction.

    Args:
        found: Evidence of a run.
        method: Network or baseline.

    Returns:
        The table of cases, indexed by case, with `slices` and per region `<region>_volume` and
        `<region>_every_slice` (Dice), `<region>_ceiling` (the truth, every slice),
        `<region>_predicted_ml`, `<region>_false_ml` (predicted, not true), and of the slices
        whose truth has none of the region their number `<region>_empty`, how many of them have
        a prediction, `<region>_empty_hit`, and how much of it, `<region>_empty_ml`.

    Raises:
        KeyError: If the evidence has no such rows.
        ValueError: If the table of patients has others than the method was tested on.
    """
    counts, cases, _ = _counted(found, method)
    prepared = found.provenance["prepare"]
    ml = foci.voxel_ml(prepared["window"], prepared["size"])
    empty = counts.truth == 0
    sums = {
        "predicted_ml": counts.predicted * ml,
        "false_ml": (counts.predicted - counts.overlap) * ml,
        "empty": empty,
        "empty_hit": empty & (counts.predicted > 0),
        "empty_ml": counts.predicted * empty * ml,
    }
    known = found.cases.set_index("case").sort_index()
    parts = [known.assign(slices=pd.Series(cases).value_counts())]
    for name, values in sums.items():
        columns = [f"{region}_{name}" for region in REGIONS]
        parts.append(pd.DataFrame(values, columns=columns).groupby(cases).sum())
    for name, of, aggregation in (
        ("volume", method, "volume"),
        ("every_slice", method, "every_slice"),
        ("ceiling", Method(rows.TRUTH), "every_slice"),
    ):
        ratios, _ = patient_ratios(found, of, aggregation)
        columns = [f"{region}_{name}" for region in REGIONS]
        parts.append(pd.DataFrame(ratios.sums / ratios.counts, ratios.cases, columns))
    return pd.concat(parts, axis=1)


def find_false_volumes(found: Evidence, method: Method) -> pd.DataFrame:
    """Return how much core and enhancing tumour is predicted where the truth has none.

    Args:
        found: Evidence of a run.
        method: Network or baseline.

    Returns:
        Two rows per region: `where` = "patients" (nothing of it in any slice) and "slices" (none
        in the slice, of any patient), with `number` of them, in how many something is predicted,
        `hit`, and the ml predicted there per patient, `median_ml` and `largest_ml` (NaN where
        `number` is 0).

    Raises:
        KeyError: If the evidence has no such rows.
        ValueError: If the table of patients has others than the method was tested on.
    """
    known = measure_patients(found, method)
    lines = []
    for region in ("TC", "ET"):
        without = known[known[f"{region}_ml"] == 0]
        free = known[known[f"{region}_empty"] > 0]
        patients_ml, slices_ml = without[f"{region}_predicted_ml"], free[f"{region}_empty_ml"]
        hit = int((patients_ml > 0).sum())
        lines.append(_false_line(region, "patients", len(without), hit, patients_ml))
        number, hit = (int(free[f"{region}_{name}"].sum()) for name in ("empty", "empty_hit"))
        lines.append(_false_line(region, "slices", number, hit, slices_ml))
    return pd.DataFrame(lines)


def spread_heights(slices: pd.DataFrame, case: int, *, count: int) -> list[int]:
    """Return the heights of some slices of a patient, evenly over those that hold tumour.

    Args:
        slices: One row per test slice with `case`, `z` and `WT_truth`.
        case: Number of the patient.
        count: How many at most. A patient without tumour is shown over all slices.
    """
    own = slices[slices["case"] == case].sort_values("z")
    heights = own.loc[own["WT_truth"] > 0, "z"] if own["WT_truth"].any() else own["z"]
    places = np.linspace(0, len(heights) - 1, min(count, len(heights))).round().astype(int)
    return heights.iloc[places].tolist()


def _counted(found: Evidence, method: Method) -> rows.MethodCounts:
    counted = rows.method_counts(
        found, method.name, reading=method.reading, component=method.component
    )
    tested = np.unique(counted.cases)
    if not np.array_equal(tested, np.sort(found.cases["case"])):
        raise ValueError(
            f"{method.name} was tested on {len(tested)} patients, the table of patients has "
            f"{len(found.cases)}. Of a network not tested in every fold take "
            "`only_tested(found, method)`; evidence older than the table (cases.csv) has to be "
            "made again with `make book` or `make reference`."
        )
    return counted


def _false_line(
    region: str, where: str, number: int, hit: int, volumes: pd.Series
) -> dict[str, object]:
    counted = {"region": region, "where": where, "number": number, "hit": hit}
    return {**counted, "median_ml": volumes.median(), "largest_ml": volumes.max()}
