"""Slice scores of a run's evidence: test slices, gates and ROC curves (section 4.2).

Each fold has a network of its own, and two networks have different zero points: a curve is drawn
per fold and averaged, and scores are pooled only in units of the fold's healthy slices.
"""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Shaped
from numpy import ndarray
from sklearn.metrics import roc_curve

from paperlib import scores
from paperlib.evaluation import metrics
from paperlib.evaluation.evidence import Evidence

HEIGHT = "height"  # the gate that compares a slice with healthy ones of about its height


def load_test_slices(found: Evidence, method: str) -> pd.DataFrame:
    """Return every test slice with its scores and whether the reference has tumour in it.

    Args:
        found: Evidence of a run.
        method: A network with its seed, such as "VAE-MSE-s0".

    Returns:
        One row per slice, sorted by case and z: the columns of the scores, `brain_px`, `tumour`.

    Raises:
        KeyError: If the evidence has no scores of the method.
    """
    scored = _rows(found, method, "test")
    truth = found.slices[["case", "z", "brain_px", "WT_truth"]]
    joined = scored.merge(truth, on=["case", "z"], validate="one_to_one")
    joined = joined.assign(tumour=joined["WT_truth"] > 0)
    return joined.sort_values(["case", "z"], ignore_index=True)


def in_healthy_units(found: Evidence, method: str, score: str) -> Float[ndarray, " slice"]:
    """Return a score in standard deviations above the fold's healthy validation slices.

    Args:
        found: Evidence of a run.
        method: A network with its seed.
        score: A column of the scores.

    Returns:
        In the order of `load_test_slices`; NaN where the fold's healthy slices are all alike.
    """
    healthy = _rows(found, method, "validation").groupby("fold")[score]
    test = load_test_slices(found, method)
    spread = healthy.std(ddof=0).replace(0, np.nan)
    scaled = (test[score] - test["fold"].map(healthy.mean())) / test["fold"].map(spread)
    return scaled.to_numpy(float)


def without_area(found: Evidence, method: str, score: str) -> Float[ndarray, " slice"]:
    """Return a score minus what the area of brain in the slice says about it in healthy slices.

    A line is fitted to the fold's healthy validation slices, score over area.

    Args:
        found: Evidence of a run.
        method: A network with its seed.
        score: A column of the scores.

    Returns:
        In the order of `load_test_slices`; NaN where the fold's healthy slices have one area.
    """
    healthy, test = _rows(found, method, "validation"), load_test_slices(found, method)
    rest = np.full(len(test), np.nan)
    for fold, part in test.groupby("fold"):
        free = healthy[healthy["fold"] == fold]
        if free["brain_area"].nunique() > 1:
            line = np.polyfit(free["brain_area"], free[score], 1)
            rest[part.index] = part[score] - np.polyval(line, part["brain_area"])
    return rest


def area_control(found: Evidence) -> pd.DataFrame:
    """Return how far the paper's two scores follow the area of brain, for each network.

    Returns:
        One row per network and score: `correlation` with the area over all test slices, `free`
        over those without tumour (scores in healthy units), `auroc`, and `without_area`, the
        area under the curve after `without_area`.
    """
    lines = []
    for model, loss in found.networks:
        method = f"{model}-{loss}-s{found.provenance['seeds'][0]}"
        test = load_test_slices(found, method)
        tumour, area = test["tumour"].to_numpy(), test["brain_px"].to_numpy(float)
        of = [test[column].to_numpy() for column in ("tumour", "case", "fold")]
        for score in ("mean_residual", "latent_distance"):
            scaled = in_healthy_units(found, method, score)
            line: dict[str, object] = {"method": method, "score": score}
            line["correlation"] = float(np.corrcoef(scaled, area)[0, 1])
            line["free"] = float(np.corrcoef(scaled[~tumour], area[~tumour])[0, 1])
            line["auroc"] = mean_auroc(test[score].to_numpy(float), *of)
            line["without_area"] = mean_auroc(without_area(found, method, score), *of)
            lines.append(line)
    return pd.DataFrame(lines).set_index(["method", "score"])


def flag_slices(found: Evidence, method: str, *, score: str, rule: str) -> Bool[ndarray, " slice"]:
    """Return which test slices exceed the threshold taken from healthy validation slices.

    Args:
        found: Evidence of a run.
        method: A network with its seed.
        score: A column of the scores.
        rule: A key of `scores.GATES`, or "height": the healthy 95 % quantile at that height.

    Returns:
        In the order of `load_test_slices`.
    """
    test = load_test_slices(found, method)
    healthy = _rows(found, method, "validation")
    flagged = np.zeros(len(test), bool)
    for fold, part in test.groupby("fold"):
        free = healthy[healthy["fold"] == fold]
        values = free[score].to_numpy(float)
        limit: float | ndarray
        if rule == HEIGHT:
            heights = part["z"].to_numpy()
            limit = scores.height_gate(values, free["z"].to_numpy(), heights).thresholds
        else:
            limit = scores.gate_threshold(values, rule=rule)
        flagged[part.index] = part[score].to_numpy(float) > limit
    return flagged


def gate_rates(found: Evidence, method: str, score: str) -> pd.DataFrame:
    """Return what each gate does to the test slices.

    Returns:
        One row per rule: `sensitivity` (share of the tumour slices flagged), `false positives`
        (share of the tumour-free slices flagged), `emptied` (share of all slices not flagged).
    """
    tumour = load_test_slices(found, method)["tumour"].to_numpy()
    lines = []
    for rule in (*scores.GATES, HEIGHT):
        flagged = flag_slices(found, method, score=score, rule=rule)
        lines.append(
            {
                "rule": rule,
                "sensitivity": float(flagged[tumour].mean()),
                "false positives": float(flagged[~tumour].mean()),
                "emptied": float(1 - flagged.mean()),
            }
        )
    return pd.DataFrame(lines).set_index("rule")


def mean_roc(
    score: Float[ndarray, " slice"],
    tumour: Bool[ndarray, " slice"],
    cases: Shaped[ndarray, " slice"],
    folds: Shaped[ndarray, " slice"],
    *,
    false_positives: Float[ndarray, " point"],
) -> Float[ndarray, " point"]:
    """Return the sensitivity at given false-positive rates, averaged over folds.

    Args:
        score: Higher is more anomalous.
        tumour: Whether the reference has tumour in the slice.
        cases: The patient of each slice.
        folds: The test fold of each slice; a fold counts as often as it has patients.
        false_positives: Rates from 0 to 1 at which the curves are read.

    Raises:
        ValueError: If a fold has slices of one kind only.
    """
    parts, weights = _by_fold(tumour, cases, folds)
    curves = [roc_curve(tumour[part], score[part])[:2] for part in parts]
    read = [np.interp(false_positives, wrong, right) for wrong, right in curves]
    return np.average(read, axis=0, weights=weights)


def mean_auroc(
    score: Float[ndarray, " slice"],
    tumour: Bool[ndarray, " slice"],
    cases: Shaped[ndarray, " slice"],
    folds: Shaped[ndarray, " slice"],
) -> float:
    """Return the area under the ROC curve, averaged over folds as in `mean_roc`.

    Raises:
        ValueError: If a fold has slices of one kind only.
    """
    parts, weights = _by_fold(tumour, cases, folds)
    areas = [metrics.slice_auroc(score[part], tumour[part]) for part in parts]
    return float(np.average(areas, weights=weights))


def _by_fold(
    tumour: Bool[ndarray, " slice"],
    cases: Shaped[ndarray, " slice"],
    folds: Shaped[ndarray, " slice"],
) -> tuple[list[ndarray], list[int]]:
    """Return the slices of each fold and its number of patients."""
    parts = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    for part in parts:
        positives = int(tumour[part].sum())
        if positives in (0, part.size):
            raise ValueError(
                f"Fold {folds[part[0]]} has {positives} tumour slices among {part.size}; a ROC "
                "curve needs both kinds, so use fewer folds."
            )
    return parts, [np.unique(cases[part]).size for part in parts]


def _rows(found: Evidence, method: str, role: str) -> pd.DataFrame:
    rows = found.scores[(found.scores["method"] == method) & (found.scores["role"] == role)]
    if rows.empty:
        known = ", ".join(sorted(found.scores["method"].unique()))
        raise KeyError(f"No {role} scores of {method!r}; there are {known}.")
    return rows
