"""What a cohort is like before any network sees it (section 3).

Slice height, brain area and mean brightness already tell tumour slices from others; a phantom
is accepted only if it shows that as real patients do. The bands are design, fixed in advance.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from paperlib import artifacts
from paperlib.data.split import Fold
from paperlib.evaluation import evidence
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures import metrics, statistics
from paperlib.evaluation.measures.ranking import slice_ranking
from paperlib.evaluation.slices import slice_scores
from paperlib.labels import FLAIR, REGIONS

NO_NETWORK = "B10"  # rows of scores that need no network
FEW_HEALTHY = 10  # slices; with fewer a patient sets no threshold
POSITION_SCORES: Mapping[str, str] = MappingProxyType(
    {"slice_height": "slice height", "brain_area": "brain area", "mean_image": "mean FLAIR"}
)


class Band(NamedTuple):
    """What a phantom cohort must measure to be accepted; both ends allowed."""

    name: str
    low: float
    high: float


BANDS: Mapping[str, Band] = MappingProxyType(
    {
        "tumour_free_share": Band("tumour-free slices, share", 0.15, 0.33),
        "auroc_brain_area": Band("AUROC of brain area", 0.70, 0.93),
        "auroc_mean_image": Band("AUROC of mean FLAIR", 0.66, 0.90),
        "plain_dice": Band("FLAIR z > 1, Dice over every slice", 0.40, 0.60),
        "plain_volume_dice": Band("FLAIR z > 1, volume Dice", 0.58, 0.78),
        "flair_pixel_ap": Band("pixel average precision of FLAIR", 0.62, 0.85),
        "b3_dice": Band("r = −x, reading “neighbourhood”, Dice over every slice", 0.25, 0.52),
        "b3_both_below": Band("the same minus reading “both”", 0.0, 1.0),
        "perfect_volume_dice": Band("perfect reconstruction, plain mixture, volume", 0.85, 0.97),
    }
)


def by_grade(cases: pd.DataFrame) -> pd.DataFrame:
    """Return patients and slices per grade, with a row for all.

    Args:
        cases: One row per patient: grade, usable_slices, healthy_slices.
    """
    groups = [(str(grade), part) for grade, part in cases.groupby("grade")]
    rows = []
    for grade, part in [*groups, ("all", cases)]:
        slices, healthy = part["usable_slices"].sum(), part["healthy_slices"].sum()
        rows.append(
            {
                "grade": grade,
                "patients": len(part),
                "slices": int(slices),
                "tumour-free slices": int(healthy),
                "share tumour-free": healthy / slices,
                f"patients with under {FEW_HEALTHY} of them": int(
                    (part["healthy_slices"] < FEW_HEALTHY).sum()
                ),
            }
        )
    return pd.DataFrame(rows).set_index("grade").rename_axis(None)


def split_table(cases: pd.DataFrame, folds: Sequence[Fold]) -> pd.DataFrame:
    """Return who trains, sets thresholds and is tested in each fold.

    Args:
        cases: One row per patient, in the order of the case numbers.
        folds: Case numbers of each fold.
    """
    rows = []
    for number, fold in enumerate(folds):
        for role, members in fold._asdict().items():
            part = cases.iloc[members]
            grades = part["grade"].value_counts().sort_index()
            rows.append(
                {
                    "who": f"fold {number}, {role}" if len(folds) > 1 else role,
                    "patients": len(part),
                    "grades": ", ".join(f"{count} {grade}" for grade, count in grades.items()),
                    "slices": int(part["usable_slices"].sum()),
                    "tumour-free slices": int(part["healthy_slices"].sum()),
                }
            )
    return pd.DataFrame(rows).set_index("who").rename_axis(None)


def slices_per_height(slices: pd.DataFrame) -> pd.DataFrame:
    """Return how many usable slices with and without tumour lie at each height.

    Args:
        slices: One row per slice: z, usable, healthy.

    Returns:
        Columns `tumour` and `healthy`, one row per z.
    """
    usable = slices[slices["usable"]]
    counted = usable.groupby("z")["healthy"].agg(healthy="sum", all="size")
    return pd.DataFrame(
        {"tumour": counted["all"] - counted["healthy"], "healthy": counted["healthy"]}
    ).astype(int)


def position_auroc(found: Evidence, *, draws: int, seed: int = 0) -> pd.DataFrame:
    """Return how well what no network is needed for tells tumour slices from others.

    Args:
        found: Evidence of a run.
        draws: Of the bootstrap over patients.
        seed: Of the draws.

    Returns:
        One row per score: AUROC with its 95 % interval and the number of patients.
    """
    test = slice_scores.load_test_slices(found, NO_NETWORK)
    cases, tumour = test["case"].to_numpy(), test["tumour"].to_numpy()
    # The same score for all: there is no network per fold, so that all patients are one group.
    together = np.zeros(np.unique(cases).size, int)
    rows = []
    for column, name in POSITION_SCORES.items():
        ranking = slice_ranking(test[column].to_numpy(float), tumour, cases)
        drawn = statistics.bootstrap_ranking(
            ranking, together, measure="auroc", draws=draws, seed=seed
        )
        value, low, high, patients = statistics.interval(drawn)
        rows.append({"score": name, "AUROC": value, "low": low, "high": high, "n": patients})
    return pd.DataFrame(rows).set_index("score")


def measure(found: Evidence) -> dict[str, float]:
    """Return what `BANDS` asks for, under its keys, from the test patients of a run."""
    test = slice_scores.load_test_slices(found, NO_NETWORK)
    tumour = test["tumour"].to_numpy()
    aurocs = {
        f"auroc_{score}": metrics.slice_auroc(test[score].to_numpy(float), tumour)
        for score in ("brain_area", "mean_image")
    }
    flair = found.pixels[(found.pixels["method"] == "z") & (found.pixels["sequence"] == FLAIR)]
    neighbourhood = _dice(found, "B3", "every_slice", reading="neighbourhood")
    return {
        "tumour_free_share": float((~tumour).mean()),
        **aurocs,
        "plain_dice": _dice(found, "B2 fixed", "every_slice"),
        "plain_volume_dice": _dice(found, "B2 fixed", "volume"),
        "flair_pixel_ap": float(flair["ap"].mean()),
        "b3_dice": neighbourhood,
        "b3_both_below": neighbourhood - _dice(found, "B3", "every_slice", reading="both"),
        "perfect_volume_dice": _dice(
            found, "B11 perfect reconstruction", "volume", reading="weights"
        ),
    }


def compare(phantom: Evidence | None, real: Evidence | None) -> pd.DataFrame:
    """Return phantom and real patients side by side, with the bands of the phantom.

    Args:
        phantom: Evidence of simulated patients, if there is any.
        real: Evidence of real patients, if there is any.

    Returns:
        One row per quantity: `from` and `to` of the band, `phantom`, `real`, and whether the
        phantom lies `inside`; a column without evidence is missing.
    """
    table = pd.DataFrame(
        [{"key": key, "quantity": b.name, "from": b.low, "to": b.high} for key, b in BANDS.items()]
    ).set_index("key")
    for name, found in (("phantom", phantom), ("real", real)):
        if found is not None:
            table[name] = pd.Series(measure(found))
    if phantom is not None:
        inside = table["phantom"].between(table["from"], table["to"])
        table["inside"] = inside.map({True: "yes", False: "no"})
    return table.set_index("quantity").rename_axis(None)


def pick_slice(slices: pd.DataFrame, case: int, z: int | None) -> int:
    """Return the place of a usable slice in the stacks.

    Args:
        slices: The slice table of a run.
        case: Number of the patient.
        z: Height of the slice; None takes the one with most tumour.

    Raises:
        ValueError: If the patient has no such slice; names those it has.
    """
    usable = slices[(slices["case"] == case) & slices["usable"]]
    if usable.empty:
        raise ValueError(f"There is no patient {case}; give 0 to {slices['case'].max()}.")
    if z is None:
        return int(usable["tumour_px"].idxmax())
    if z not in set(usable["z"]):
        low, high = usable["z"].min(), usable["z"].max()
        raise ValueError(f"Patient {case} has no usable slice at z = {z}; give {low} to {high}.")
    return int(usable.index[usable["z"] == z][0])


def refused_patients(check: Path) -> pd.DataFrame:
    """Return the patients that a check refused or that have no segmentation, with the reasons.

    Args:
        check: Folder of the finished check stage.
    """
    rows = []
    for patient in artifacts.read_json(check / "report.json")["patients"]:
        reasons = [f"{p['found']}; expected {p['expected']}" for p in patient["problems"]]
        if not reasons and patient["labels"] is None:
            reasons = ["no segmentation: can be segmented, not trained on or scored"]
        rows += [{"patient": patient["id"], "left out because": reason} for reason in reasons]
    return pd.DataFrame(rows, columns=["patient", "left out because"])


def _dice(found: Evidence, method: str, aggregation: str, *, reading: str = "") -> float:
    counted = evidence.method_counts(found, method, reading=reading)
    ratios = metrics.aggregate(counted.counts, counted.cases, aggregation=aggregation, empty=0.0)
    values = metrics.pooled_value(ratios.sums, ratios.counts)
    return float(values[list(REGIONS).index("WT")])
