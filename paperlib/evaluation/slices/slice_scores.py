"""Slice scores of a run's evidence: test slices, gates and ROC curves (section 4.2).

Each fold has a network of its own, and two networks have different zero points: a curve is drawn
per fold and averaged, and scores are pooled only in units of the fold's healthy slices.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Real, Shaped
from numpy import ndarray
from sklearn.metrics import roc_curve

from paperlib import scores
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures import metrics, ranking, statistics

HEIGHT = "height"  # the gate that compares a slice with healthy ones of about its height
RULES = (*scores.GATES, HEIGHT)
GATED_SCORES: Mapping[str, str] = {
    "mean_residual": "mean residual",
    "latent_distance": "latent distance",
    "t1ce_mean_residual": "mean residual of T1CE",
}


class Limits(NamedTuple):
    """The thresholds of a gate.

    Attributes:
        thresholds: One per slice, from the healthy validation slices of its fold.
        fallback: Which slices had too few healthy ones at their height and got the threshold
            of all heights; none under other rules than "height".
    """

    thresholds: Float[ndarray, " slice"]
    fallback: Bool[ndarray, " slice"]


def first_seed(found: Evidence, model: str, loss: str) -> str:
    """Return a network as the rows name it, with the first seed that was tested.

    Args:
        found: Evidence of a run.
        model: Such as "VAE".
        loss: Such as "MSE".

    Raises:
        KeyError: If no seed of it has scores.
    """
    known = set(found.scores["method"])
    names = [f"{model}-{loss}-s{seed}" for seed in found.provenance["seeds"]]
    tested = [name for name in names if name in known]
    if not tested:
        raise KeyError(f"No scores of {', '.join(names)}; there are {', '.join(sorted(known))}.")
    return tested[0]


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


def load_healthy_slices(found: Evidence, method: str) -> pd.DataFrame:
    """Return the scores of the healthy slices of each fold's validation patients.

    Args:
        found: Evidence of a run.
        method: A network with its seed.

    Raises:
        KeyError: If the evidence has no scores of the method.
    """
    return _rows(found, method, "validation")


def in_healthy_units(found: Evidence, method: str, score: str) -> Float[ndarray, " slice"]:
    """Return a score in standard deviations above the fold's healthy validation slices.

    Args:
        found: Evidence of a run.
        method: A network with its seed.
        score: A column of the scores.

    Returns:
        In the order of `load_test_slices`; NaN where the fold's healthy slices are all alike.
    """
    healthy = load_healthy_slices(found, method).groupby("fold")[score]
    test = load_test_slices(found, method)
    spread = healthy.std(ddof=0).replace(0, np.nan)
    scaled = (test[score] - test["fold"].map(healthy.mean())) / test["fold"].map(spread)
    return scaled.to_numpy(float)


def gate_limits(
    healthy: pd.DataFrame,
    folds: Shaped[ndarray, " slice"],
    heights: Real[ndarray, " slice"],
    *,
    score: str,
    rule: str,
) -> Limits:
    """Return the threshold of each slice, from healthy slices of its fold.

    Args:
        healthy: Healthy validation slices with `fold`, `z` and the score.
        folds: The fold of each slice to be gated.
        heights: Its index in its volume.
        score: A column of the scores.
        rule: One of `RULES`; "height" takes the healthy 95 % quantile at about that height.
    """
    thresholds, fallback = np.full(len(folds), np.nan), np.zeros(len(folds), bool)
    for fold in np.unique(folds):
        free, own = healthy[healthy["fold"] == fold], folds == fold
        values = free[score].to_numpy(float)
        if rule != HEIGHT:
            thresholds[own] = scores.gate_threshold(values, rule=rule)
            continue
        levels = free["z"].to_numpy()
        thresholds[own] = scores.height_gate(values, levels, heights[own]).thresholds
        for z in np.unique(heights[own]):
            one = scores.height_gate(values, levels, np.array([z]))
            fallback[own & (heights == z)] = one.fallback_share > 0
    return Limits(thresholds, fallback)


def flag_slices(found: Evidence, method: str, *, score: str, rule: str) -> Bool[ndarray, " slice"]:
    """Return which test slices exceed the threshold taken from healthy validation slices.

    Args:
        found: Evidence of a run.
        method: A network with its seed.
        score: A column of the scores.
        rule: One of `RULES`.

    Returns:
        In the order of `load_test_slices`.
    """
    test = load_test_slices(found, method)
    limits = _test_limits(found, method, test, score=score, rule=rule)
    return test[score].to_numpy(float) > limits.thresholds


def gate_rates(found: Evidence, method: str, score: str) -> pd.DataFrame:
    """Return what each gate does to the test slices.

    Returns:
        One row per rule: `sensitivity` (share of the tumour slices flagged, `found` of
        `tumour`), `false positives` (share of the tumour-free slices flagged, `wrong` of
        `free`), `emptied` (share of all slices not flagged), `fallback` (share of all slices
        that got the threshold of all heights; missing where the rule looks at none).
    """
    test = load_test_slices(found, method)
    tumour = test["tumour"].to_numpy()
    lines = []
    for rule in RULES:
        limits = _test_limits(found, method, test, score=score, rule=rule)
        flagged = test[score].to_numpy(float) > limits.thresholds
        lines.append(
            {
                "rule": rule,
                "sensitivity": float(flagged[tumour].mean()),
                "false positives": float(flagged[~tumour].mean()),
                "emptied": float(1 - flagged.mean()),
                "fallback": float(limits.fallback.mean()) if rule == HEIGHT else np.nan,
                "found": int(flagged[tumour].sum()),
                "tumour": int(tumour.sum()),
                "wrong": int(flagged[~tumour].sum()),
                "free": int((~tumour).sum()),
            }
        )
    return pd.DataFrame(lines).set_index("rule")


def _test_limits(
    found: Evidence, method: str, test: pd.DataFrame, *, score: str, rule: str
) -> Limits:
    places = (test[column].to_numpy() for column in ("fold", "z"))
    return gate_limits(load_healthy_slices(found, method), *places, score=score, rule=rule)


def auroc_interval(
    found: Evidence, method: str, score: str, *, draws: int, seed: int
) -> statistics.Interval:
    """Return the area under the ROC curve of a score with its 95 % interval over patients.

    Args:
        found: Evidence of a run.
        method: A network with its seed.
        score: A column of the scores.
        draws: Number of samples of patients.
        seed: Of the draws.
    """
    test = load_test_slices(found, method)
    columns = (test[name].to_numpy() for name in ("tumour", "case"))
    ranked = ranking.slice_ranking(test[score].to_numpy(float), *columns)
    folds = test.groupby("case")["fold"].first().sort_index().to_numpy()
    drawn = statistics.bootstrap_ranking(ranked, folds, measure="auroc", draws=draws, seed=seed)
    return statistics.interval(drawn)


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
