"""Whether a method beyond the paper knows when it is wrong: signs that need no truth.

What warns is compared with what only the truth says: the Dice of a patient, whether there is a
tumour at all, and how many of its foci are found.
"""

import numpy as np
import pandas as pd
from scipy import stats

from paperlib.evaluation.comparisons.beyond import (
    AGREED,
    CLEAN_UP,
    NEAR,
    OTSU,
    RULES,
    SYNTHETIC,
    WAY,
    Beyond,
)
from paperlib.evaluation.comparisons.choices import chosen_way
from paperlib.evaluation.tables import Draws

SIGNS = {
    "networks": "the networks' own outlines agree (Dice)",
    "methods": "with and without networks agree (Dice)",
    f"{SYNTHETIC}_ball_mm": "radius of the widest ball, mm",
    "unlike": "number of ways to be unlike the training patients",
}
POOR = 0.6  # volume Dice under which a patient should have been warned of
CAUGHT = 0.95  # share of the tumours that a threshold has to flag


def by_patient(found: Beyond) -> pd.DataFrame:
    """Return the true Dice "WT" of the chosen way beside the signs, a row a patient."""
    own = found.volumes.set_index(WAY).sort_index().loc[[chosen_way(found)]].set_index("case")
    return found.doubts[list(SIGNS)].join(own[["WT", "foci_found"]])


def rank_correlation(found: Beyond, sign: str, *, draws: Draws) -> tuple[float, float, float]:
    """Return Spearman's correlation of a sign with the true Dice, and its 95 % interval.

    Args:
        found: All rows.
        sign: A key of `SIGNS`.
        draws: Of patients.
    """
    table = by_patient(found)[[sign, "WT"]].dropna().to_numpy()
    rng = np.random.default_rng(draws.seed)
    drawn = [table[rng.integers(len(table), size=len(table))] for _ in range(draws.number)]
    values = [value for sample in drawn if np.isfinite(value := _spearman(sample))]
    low, high = np.quantile(values, [0.025, 0.975]) if values else (np.nan, np.nan)
    return _spearman(table), float(low), float(high)


def count_warnings(found: Beyond, *, limit: float) -> dict[str, int]:
    """Return whom a warning reaches that is given where the networks agree less than a limit.

    Args:
        found: All rows.
        limit: Of the agreement, 0 to 1.

    Returns:
        Numbers of patients: "poor" (Dice under `POOR`), "poor, warned", "good", "good, warned".
    """
    table = by_patient(found)
    poor, warned = table["WT"] < POOR, table["networks"] < limit
    return {
        "poor": int(poor.sum()),
        "poor, warned": int((poor & warned).sum()),
        "good": int((~poor).sum()),
        "good, warned": int((~poor & warned).sum()),
    }


def flagged_without_tumour(found: Beyond, method: str) -> dict[str, float]:
    """Return how often tumour-free volumes and slices are flagged.

    A volume is flagged by the radius of the widest ball in what the method starts from: from the
    radius on that `CAUGHT` of the volumes with a tumour reach. A slice is flagged where the
    outline has an area in a flagged volume.

    Args:
        found: Rows of a run with tumour-free patients.
        method: "clean-up" or "synthetic".

    Returns:
        Radius in mm, numbers and flagged shares of volumes and slices with and without tumour.

    Raises:
        ValueError: If every patient has a tumour.
    """
    reading = {CLEAN_UP: NEAR, SYNTHETIC: AGREED}[method]
    radius = found.doubts[f"{method}_ball_mm"]
    ill = found.evidence.slices.groupby("case")["WT_truth"].sum().reindex(radius.index) > 0
    if ill.all():
        raise ValueError("Every patient has a tumour; simulate some with `tumour_free_share`.")
    limit = float(np.quantile(radius[ill], 1 - CAUGHT, method="lower"))
    counts = found.evidence.counts
    own = counts[(counts["method"] == method) & (counts["reading"] == reading)]
    joined = own.merge(found.evidence.slices, on=["case", "z"], validate="one_to_one")
    hit = (joined["WT_predicted"] > 0) & joined["case"].map(radius >= limit)
    shows = joined["WT_truth"] > 0
    return {
        "radius": limit,
        "volumes with tumour": int(ill.sum()),
        "of them flagged": float((radius[ill] >= limit).mean()),
        "volumes without": int((~ill).sum()),
        "of those flagged": float((radius[~ill] >= limit).mean()),
        "slices with tumour flagged": float(hit[shows].mean()),
        "slices without flagged": float(hit[~shows].mean()),
    }


def foci_by_rule(found: Beyond, foci: pd.Series) -> pd.DataFrame:
    """Return the share of foci found and the Dice under each rule for components.

    Args:
        found: All rows.
        foci: True foci of each patient, see `measures.foci`.

    Returns:
        One row per rule that keeps whole components: Dice of patients with one focus, of those
        with more, and the share of the latter's foci that is touched.
    """
    rows = found.volumes
    own = rows[
        (rows["method"] == SYNTHETIC) & (rows["reading"] == AGREED) & (rows["enhancing"] == OTSU)
    ].set_index("case")
    lines = {}
    for rule, word in RULES.items():
        shown = own[own["component"] == rule]
        if shown.empty:
            continue
        several = foci.reindex(shown.index) > 1
        lines[word] = {
            "patients, one focus": int((~several).sum()),
            "Dice, one focus": float(shown["WT"][~several].mean()),
            "patients, more foci": int(several.sum()),
            "Dice, more foci": float(shown["WT"][several].mean()),
            "share of these foci found": float(
                shown["foci_found"][several].sum() / foci[several[several].index].sum()
            ),
        }
    return pd.DataFrame(lines).T


def _spearman(table: np.ndarray) -> float:
    if len(np.unique(table[:, 0])) < 2 or len(np.unique(table[:, 1])) < 2:
        return float("nan")  # one value has no order
    return float(stats.spearmanr(table[:, 0], table[:, 1]).statistic)
