"""How much the methods beyond the paper need to learn from: rows of `make curve`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from paperlib import artifacts
from paperlib.evaluation.comparisons import beyond
from paperlib.evaluation.measures.statistics import Bootstrapped
from paperlib.evaluation.tables import Draws


class Learning(NamedTuple):
    """Rows of one cohort.

    Attributes:
        dices: One row per patient, method and point: "fold", "case", "method", "reading",
            "patients", "slice_steps"; volume Dice "WT", "TC", "ET", NaN where truth and result
            hold nothing.
        provenance: Where they come from.
    """

    dices: pd.DataFrame
    provenance: Mapping[str, Any]


def load_learning(folder: Path) -> Learning | None:
    """Return the rows beside those of `make beyond`, None where this copy has none.

    Args:
        folder: Under `results/reference/beyond`.
    """
    home = folder / "curve"
    if not (home / artifacts.PROVENANCE).exists():
        return None
    slices = artifacts.load_table(folder, "slices")
    dices = beyond.volume_dice(artifacts.load_table(home, "volumes"), slices)
    return Learning(dices, artifacts.read_json(home / artifacts.PROVENANCE))


def by_patients(
    found: Learning, method: str, *, region: str = "WT", draws: Draws
) -> dict[str, Bootstrapped]:
    """Return the mean Dice by the number of training patients, with all steps.

    Args:
        found: All rows.
        method: "clean-up" or "synthetic".
        region: "WT", "TC" or "ET".
        draws: Of test patients.

    Returns:
        By the number of patients in words, the largest last: the Dice, with draws.
    """
    own = _of(found, method)
    own = own[own["slice_steps"] == own["slice_steps"].max()]
    whole = _with_all_patients(own)
    fewer = sorted(own.loc[~whole, "patients"].unique())
    parts = {f"{number}": own[own["patients"] == number] for number in fewer}
    parts[f"all: {own['patients'].max()}"] = own[whole]
    return {words: _mean(part, region, draws) for words, part in parts.items()}


def by_steps(
    found: Learning, method: str, *, region: str = "WT", draws: Draws
) -> dict[str, Bootstrapped]:
    """Return the mean Dice by the slice-steps of each network, with all patients.

    Arguments and result as in `by_patients`.
    """
    own = _of(found, method)
    own = own[_with_all_patients(own)]
    return {
        f"{steps:,}": _mean(part, region, draws)
        for steps, part in own.groupby("slice_steps", sort=True)
    }


def _of(found: Learning, method: str) -> pd.DataFrame:
    return found.dices[found.dices["method"] == method]


def _with_all_patients(own: pd.DataFrame) -> pd.Series:
    return own["patients"] == own.groupby("fold")["patients"].transform("max")


def _mean(part: pd.DataFrame, region: str, draws: Draws) -> Bootstrapped:
    own = part.set_index("case").sort_index()
    return beyond.mean_over_patients(own[region], own["fold"], draws=draws)
