"""Which network and patients a page shows: by rule, so that nobody picks the pretty ones."""

import pandas as pd

from paperlib.evaluation import conventions
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.paper import PAPERS_CHOICE


def choose_network(
    found: Evidence, model: str | None = None, loss: str | None = None
) -> tuple[str, str]:
    """Return model and loss of the network to show.

    Args:
        found: Evidence of a run.
        model: Name of the model; None for any.
        loss: Name of the loss; None for any.

    Returns:
        The paper's choice where it was trained and fits, else the first network that fits.

    Raises:
        ValueError: If no trained network fits.
    """
    fitting = [
        pair for pair in found.networks if model in (None, pair[0]) and loss in (None, pair[1])
    ]
    if not fitting:
        trained = ", ".join("-".join(pair) for pair in found.networks)
        raise ValueError(
            f"No network with model {model!r} and loss {loss!r} in this run; choose one of "
            f"{trained}."
        )
    return PAPERS_CHOICE if PAPERS_CHOICE in fitting else fitting[0]


def choose_case(slices: pd.DataFrame, case: int | None = None) -> int:
    """Return the test patient to look at.

    Args:
        slices: One row per test slice with `case` and `tumour`.
        case: The number asked for; None for the patient whose rarer kind of slice (with or
            without tumour) is the most frequent.

    Raises:
        ValueError: If the patient is not among the test patients.
    """
    kinds = slices.groupby("case")["tumour"].agg(["sum", "count"])
    if case is None:
        rarer = kinds["sum"].combine(kinds["count"] - kinds["sum"], min)
        return int(rarer.idxmax())
    if case not in kinds.index:
        known = ", ".join(map(str, kinds.index))
        raise ValueError(f"Patient {case} is not tested in this run; choose one of {known}.")
    return case


def choose_slice(
    slices: pd.DataFrame, case: int | None = None, z: int | None = None
) -> tuple[int, int]:
    """Return patient and height of the test slice to follow through the post-processing.

    Args:
        slices: One row per test slice with `case`, `z`, `ET_truth` and `WT_truth`.
        case: The patient; None for the one in the middle by volume of enhancing tumour, among
            those that have any.
        z: The slice; None for the one with the most enhancing tumour, or with the most tumour
            where nothing enhances.

    Raises:
        ValueError: If the slice is not among the test slices.
    """
    if case is None:
        volumes = slices.groupby("case")[["ET_truth", "WT_truth"]].sum()
        volumes = volumes[volumes["ET_truth"] > 0] if volumes["ET_truth"].any() else volumes
        ranked = volumes.sort_values(["ET_truth", "WT_truth"]).index
        case = int(ranked[len(ranked) // 2])
    of_case = slices[slices["case"] == case]
    if z is None and len(of_case):
        z = int(of_case.sort_values(["ET_truth", "WT_truth"])["z"].iloc[-1])
    if z is None or z not in of_case["z"].to_numpy():
        heights = of_case["z"]
        known = (
            f"slices {heights.min()} to {heights.max()} of this patient are"
            if len(heights)
            else f"its patients are {', '.join(map(str, sorted(slices['case'].unique())))}"
        )
        raise ValueError(f"Slice {z} of patient {case} is not tested in this run; {known}.")
    return case, int(z)


def choose_extremes(found: pd.DataFrame) -> dict[str, int]:
    """Return the patients with the best, the median and the worst Dice.

    Args:
        found: One row per patient with `case` and `dice`. Of an even number, the median is the
            lower of the two in the middle; of equal ones, the smaller number comes first. Fewer
            than three patients fill fewer places.
    """
    ranked = found.sort_values(["dice", "case"], ascending=[False, True])["case"].to_list()
    places = {"best": 0, "median": len(ranked) // 2, "worst": len(ranked) - 1}
    named: dict[str, int] = {}
    for name, place in places.items():
        if ranked[place] not in named.values():
            named[name] = int(ranked[place])
    return named


def choose_viewed(counts: pd.DataFrame) -> dict[int, str]:
    """Return the patients of the slice viewer, each with the reason in words.

    Args:
        counts: From `conventions.slice_counts`.

    Returns:
        Best, median and worst Dice of the whole tumour over the volume, and of patients whose
        tumour does not enhance, and of those without tumour, the first number, unless one of
        the former is such a patient.
    """
    volumes = conventions.volume_dice(counts).set_index("case")["dice"]
    truth = counts.groupby("case")[["WT_truth", "ET_truth"]].sum()
    kinds = {
        "no enhancing tumour": truth.index[(truth["WT_truth"] > 0) & (truth["ET_truth"] == 0)],
        "no tumour": truth.index[truth["WT_truth"] == 0],
    }
    ranked = volumes.drop(kinds["no tumour"]).reset_index()
    viewed = {}
    if len(ranked):
        extremes = choose_extremes(ranked)
        viewed = {case: f"{name} Dice, {volumes[case]:.2f}" for name, case in extremes.items()}
    for kind, cases in kinds.items():
        chosen = [case for case in cases if case in viewed] or [int(case) for case in cases[:1]]
        for case in chosen:
            viewed[case] = f"{viewed[case]}, {kind}" if case in viewed else kind
    return viewed
