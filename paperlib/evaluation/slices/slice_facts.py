"""What a run says about each slice of one patient: scores, gates and Dice, from the evidence."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from paperlib.evaluation import conventions
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures import metrics
from paperlib.evaluation.slices import slice_scores

SHOWN_REGIONS = ("WT", "TC", "ET")
RULE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "max_healthy": "the highest healthy score",
        "mean_2sd": "healthy mean plus two deviations",
        "2sd_literal": "two healthy deviations, literally",
        "quantile_95": "95 % quantile of healthy slices",
        "height": "95 % quantile at the same height",
    }
)


def slice_counts(found: Evidence, method: str) -> pd.DataFrame:
    """Return the Dice parts of a network under the rules that its segmentation was made with.

    Args:
        found: Evidence of a run.
        method: A network with its seed, such as "VAE-MSE-s0".
    """
    chosen = found.provenance["mixture"]
    rules = {"reading": chosen["reading"], "component": chosen["component"]}
    return conventions.slice_counts(found, method, **rules)


def case_facts(found: Evidence, method: str, case: int) -> dict[int, dict[str, object]]:
    """Return what is known of each examined slice of a patient, as plain values for JSON.

    Args:
        found: Evidence of a run.
        method: A network with its seed.
        case: Number of a test patient.

    Returns:
        By z: `scores` (by score), `gates` (by score and rule: threshold, and whether the score is
        above it so that the slice keeps its prediction) and `regions` (by region: `truth` and
        `predicted` in pixels, `dice`, and `emptied`, the Dice that is left when the gate drops the
        prediction; None where both masks are empty).

    Raises:
        KeyError: If the patient has no test slice in the evidence.
    """
    scored = slice_scores.load_test_slices(found, method)
    own = scored["case"] == case
    if not own.any():
        known = ", ".join(map(str, scored["case"].unique()))
        raise KeyError(f"Patient {case} has no scores of {method}; there are {known}.")
    counts = slice_counts(found, method).set_index(["case", "z"]).loc[case]
    scored = scored[own].set_index("z")
    gates = {score: _gates(found, method, scored, score) for score in slice_scores.GATED_SCORES}
    return {
        int(z): {
            "scores": {score: float(line[score]) for score in gates},
            "gates": {score: rules[place] for score, rules in gates.items()},
            "regions": _regions(counts.loc[z]),
        }
        for place, (z, line) in enumerate(scored.iterrows())
    }


def _gates(found: Evidence, method: str, scored: pd.DataFrame, score: str) -> list[dict]:
    """Return threshold and answer of every rule, one mapping per slice."""
    healthy = slice_scores.load_healthy_slices(found, method)
    places = scored["fold"].to_numpy(), scored.index.to_numpy()
    values = scored[score].to_numpy(float)
    rules = {
        rule: slice_scores.gate_limits(healthy, *places, score=score, rule=rule).thresholds
        for rule in slice_scores.RULES
    }
    return [
        {rule: [float(limits[k]), bool(values[k] > limits[k])] for rule, limits in rules.items()}
        for k in range(len(values))
    ]


def _regions(counts: pd.Series) -> dict[str, dict[str, int | float | None]]:
    found = {}
    for region in SHOWN_REGIONS:
        parts = [
            np.array([int(counts[f"{region}_{part}"])]) for part in metrics.RegionCounts._fields
        ]
        dice = float(metrics.dice_from_counts(*parts, empty=np.nan)[0])
        truth, predicted = (int(counts[f"{region}_{part}"]) for part in ("truth", "predicted"))
        found[region] = {
            "truth": truth,
            "predicted": predicted,
            "dice": None if np.isnan(dice) else dice,
            "emptied": 0.0 if truth else None,
        }
    return found
