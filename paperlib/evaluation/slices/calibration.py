"""Do thresholds keep their promise? Healthy validation slices against tumour-free test slices.

A threshold that a share of the healthy validation slices exceeds should be exceeded by the same
share of the tumour-free test slices. Both come from other patients than those trained on.
"""

import numpy as np
import pandas as pd

from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.slices import slice_scores

LEVELS = tuple(np.linspace(0, 1, 51).round(2))  # shares that a threshold promises
QUANTILE = "quantile"


def calibrate(found: Evidence, method: str, score: str) -> pd.DataFrame:
    """Return what each threshold promises and what becomes of it, fold by fold.

    Args:
        found: Evidence of a run.
        method: A network with its seed, such as "VAE-MSE-s0".
        score: A column of the scores.

    Returns:
        One row per fold and threshold: `rule` (`QUANTILE` for those of `LEVELS`, else one of
        `slice_scores.RULES`), `validation` and `test` (shares of tumour-free slices above it),
        `validation_slices` and `test_slices` (tumour-free ones). Sorted by fold and rule; the
        quantiles from the highest threshold to the lowest.
    """
    test = slice_scores.load_test_slices(found, method)
    free = test[~test["tumour"]]
    healthy = slice_scores.load_healthy_slices(found, method)
    lines = []
    for fold in sorted(free["fold"].unique()):
        kinds = [part[part["fold"] == fold] for part in (healthy, free)]
        for rule, thresholds in _thresholds(kinds[0], kinds[1], score):
            above = [
                float((part[score].to_numpy(float) > limit).mean())
                for part, limit in zip(kinds, thresholds, strict=True)
            ]
            line = {"fold": fold, "rule": rule, "validation": above[0], "test": above[1]}
            line |= {"validation_slices": len(kinds[0]), "test_slices": len(kinds[1])}
            lines.append(line)
    return pd.DataFrame(lines)


def validation_slices(found: Evidence, method: str) -> pd.DataFrame:
    """Return on what the thresholds of each fold rest.

    Args:
        found: Evidence of a run.
        method: A network with its seed.

    Returns:
        Index fold; tumour-free validation slices, their patients, lowest and highest z.
    """
    healthy = slice_scores.load_healthy_slices(found, method).groupby("fold")
    return pd.DataFrame(
        {
            "tumour-free slices": healthy.size(),
            "patients": healthy["case"].nunique(),
            "lowest z": healthy["z"].min(),
            "highest z": healthy["z"].max(),
        }
    )


def _thresholds(healthy: pd.DataFrame, free: pd.DataFrame, score: str):
    """Yield rule and the thresholds of the validation and of the test slices of one fold."""
    values = healthy[score].to_numpy(float)
    for level in LEVELS:
        limit = np.quantile(values, 1 - level)
        yield QUANTILE, (limit, limit)
    for rule in slice_scores.RULES:
        yield (
            rule,
            [
                slice_scores.gate_limits(
                    healthy, part["fold"].to_numpy(), part["z"].to_numpy(), score=score, rule=rule
                ).thresholds
                for part in (healthy, free)
            ],
        )
