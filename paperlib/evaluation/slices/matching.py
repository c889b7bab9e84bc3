"""Slices with and without tumour matched in height and brain area (control of Table 3).

Position explains much of any slice score. Here a tumour slice meets only tumour-free slices of
other patients that lie about as high and hold about as much brain. What differences are left
are balanced by weights, so that height or area as a score gives exactly one half.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Integer, Real, Shaped
from numpy import ndarray

from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures import metrics, statistics
from paperlib.evaluation.measures.statistics import Bootstrapped, Interval
from paperlib.evaluation.slices import slice_scores
from paperlib.evaluation.tables import Draws

HEIGHT_REACH = 2  # slices; decided
AREA_SHARE = 0.05  # of the mean area of the two slices; decided
DESCRIBED: Mapping[str, str] = {
    "mean_residual": "mean residual",
    "mean_residual_blind": "mean residual, tumour hidden",
    "latent_distance": "latent distance",
    "mean_image": "mean FLAIR, no network",
}
CELLS = 9  # tumour slice lower, level or higher, times smaller, equal or larger


class MatchedPairs(NamedTuple):
    """Pairs of a tumour slice and a tumour-free slice, counted per pair of patients.

    Cell c and cell `CELLS - 1 - c` are opposites: higher and larger against lower and smaller.

    Attributes:
        cases: Patients, sorted.
        pairs: Number of pairs by cell, patient of the tumour slice, patient of the other.
        wins: Pairs in which the tumour slice scores higher; ties count half.
    """

    cases: Shaped[ndarray, " case"]
    pairs: Float[ndarray, "cell case case"]
    wins: Float[ndarray, "cell case case"]


def near(
    tumour: Bool[ndarray, " slice"],
    heights: Real[ndarray, " slice"],
    areas: Real[ndarray, " slice"],
    cases: Shaped[ndarray, " slice"],
) -> Bool[ndarray, "tumour free"]:
    """Return which tumour slice and which tumour-free slice match.

    Args:
        tumour: Whether the reference has tumour in the slice.
        heights: Index of each slice in its volume.
        areas: Brain of each slice, in pixels.
        cases: The patient of each slice; two slices of one patient never match.
    """
    high, area, case = (_differences(values, tumour) for values in (heights, areas, cases))
    mean = (areas[tumour][:, None] + areas[~tumour]) / 2
    return (np.abs(high) <= HEIGHT_REACH) & (np.abs(area) <= AREA_SHARE * mean) & (case != 0)


def match_pairs(
    scores: Float[ndarray, " slice"],
    tumour: Bool[ndarray, " slice"],
    heights: Real[ndarray, " slice"],
    areas: Real[ndarray, " slice"],
    cases: Integer[ndarray, " slice"],
) -> MatchedPairs:
    """Count the matched pairs of slices that one network scored.

    Args:
        scores: Higher is more anomalous.
        tumour: Whether the reference has tumour in the slice.
        heights: Index of each slice in its volume.
        areas: Brain of each slice, in pixels.
        cases: The patient of each slice.
    """
    names, owner = np.unique(cases, return_inverse=True)
    ill, free = np.nonzero(near(tumour, heights, areas, cases))
    signs = [np.sign(_differences(of, tumour)[ill, free]).astype(int) for of in (heights, areas)]
    cell = 3 * (signs[0] + 1) + signs[1] + 1
    above = _differences(scores, tumour)[ill, free]
    shape = (CELLS, names.size, names.size)
    place = np.ravel_multi_index((cell, owner[tumour][ill], owner[~tumour][free]), shape)
    counted = (
        np.bincount(place, weights=weights, minlength=CELLS * names.size**2).reshape(shape)
        for weights in (np.ones(place.size), (above > 0) + 0.5 * (above == 0))
    )
    return MatchedPairs(names, *counted)


def matched_auroc(
    matched: MatchedPairs, drawn: Integer[ndarray, "draw case"]
) -> Float[ndarray, " draw"]:
    """Return how often the tumour slice of a matched pair scores higher.

    A cell and its opposite weigh the same: each pair counts n' / (n + n') with n pairs in its
    cell and n' in the opposite one. A cell without an opposite counts nothing.

    Args:
        matched: From `match_pairs`.
        drawn: How often each patient of `matched.cases` is in the sample.

    Returns:
        From 0 to 1; NaN for a sample without any balanced pair.
    """
    number, wins = (
        np.einsum("dcq,dq->dc", np.einsum("dp,cpq->dcq", drawn, part), drawn)
        for part in (matched.pairs, matched.wins)
    )
    both = number + number[:, ::-1]
    weight = np.divide(number[:, ::-1], both, out=np.zeros(both.shape), where=both > 0)
    total = (weight * number).sum(axis=1)
    return np.divide(
        (weight * wins).sum(axis=1), total, out=np.full(total.shape, np.nan), where=total > 0
    )


def bootstrap_matched(found: Evidence, method: str, score: str, *, draws: Draws) -> Bootstrapped:
    """Return the matched AUROC of a score and what it would be with other patients.

    Each fold has its own network and is matched in itself; folds are averaged with their
    numbers of patients as weights, those without a pair left out.

    Args:
        found: Evidence of a run.
        method: A network with its seed, such as "VAE-MSE-s0".
        score: A column of the scores; slices where it is missing are left out.
        draws: Of patients within folds, the same as of every other interval.

    Returns:
        All NaN where no two slices match; a sample without a pair is a NaN among the draws.
    """
    test = slice_scores.load_test_slices(found, method)
    folds = test.groupby("case")["fold"].first().sort_index()
    drawn = _draw(folds.to_numpy(), draws)
    samples = np.vstack([np.ones(len(folds), np.int64), drawn])
    top, bottom = np.zeros((2, len(samples)))
    for fold, part in test[test[score].notna()].groupby("fold"):
        columns = [part[name].to_numpy() for name in ("tumour", "z", "brain_px", "case")]
        matched = match_pairs(part[score].to_numpy(float), *columns)
        members = folds.index.get_indexer(matched.cases)
        values = matched_auroc(matched, samples[:, members])
        weight = np.where(np.isnan(values), 0, (folds == fold).sum())
        top, bottom = top + weight * np.nan_to_num(values), bottom + weight
    values = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)
    return Bootstrapped(float(values[0]), values[1:], drawn, 0)


def matched_interval(found: Evidence, method: str, score: str, *, draws: Draws) -> Interval:
    """Return the matched AUROC of a score with its 95 % interval over patients."""
    return interval(bootstrap_matched(found, method, score, draws=draws))


def interval(result: Bootstrapped) -> Interval:
    """Return the interval of the draws that have a value; NaN where none has."""
    known = result.draws[np.isfinite(result.draws)]
    if not known.size:
        return Interval(result.value, np.nan, np.nan, result.drawn.shape[1])
    return statistics.interval(result._replace(draws=known))


class MatchedSlices(NamedTuple):
    """Which slices take part in the matched control.

    Attributes:
        pairs: Number of pairs.
        tumour: Tumour slices with a partner.
        free: Tumour-free slices with a partner.
        alone: Tumour slices without a partner.
        tumour_px: Median tumour of those with a partner, in pixels; NaN without any.
        alone_px: The same of those without.
    """

    pairs: int
    tumour: int
    free: int
    alone: int
    tumour_px: float
    alone_px: float


def count_matched(found: Evidence, method: str) -> MatchedSlices:
    """Return how many slices of a network's test patients have a partner, and which."""
    test = slice_scores.load_test_slices(found, method)
    pairs, free, parts = 0, 0, []
    for _, part in test.groupby("fold"):
        columns = [part[name].to_numpy() for name in ("tumour", "z", "brain_px", "case")]
        matches = near(*columns)
        pairs, free = pairs + int(matches.sum()), free + int(matches.any(axis=0).sum())
        parts.append(part[part["tumour"]].assign(paired=matches.any(axis=1)))
    ill = pd.concat(parts)
    sizes = [ill.loc[ill["paired"] == kind, "WT_truth"] for kind in (True, False)]
    medians = (float(size.median()) for size in sizes)
    return MatchedSlices(pairs, len(sizes[0]), free, len(sizes[1]), *medians)


def describe_position(found: Evidence, method: str, *, draws: Draws) -> list[str]:
    """Return in sentences whether the scores of a network know more than position.

    Args:
        found: Evidence of a run.
        method: A network with its seed.
        draws: Of the intervals.
    """
    counted = count_matched(found, method)
    if not counted.pairs:
        return ["No two slices match: too few patients to say anything."]
    lines = [
        f"{counted.pairs:,} pairs match: {counted.tumour:,} slices with tumour (median "
        f"{counted.tumour_px:.0f} px of it) and {counted.free:,} without; {counted.alone:,} with "
        f"tumour (median {counted.alone_px:.0f} px) have no partner."
    ]
    drawn = {key: bootstrap_matched(found, method, key, draws=draws) for key in DESCRIBED}
    for key, name in DESCRIBED.items():
        one = interval(drawn[key])
        lines.append(f"{name}: {one.value:.2f} [{one.low:.2f}, {one.high:.2f}]: {_verdict(one)}")
    beyond = interval(statistics.difference(drawn["mean_residual"], drawn["mean_image"]))
    sure = "" if beyond.low > 0 or beyond.high < 0 else ", undecided"
    lines.append(
        f"mean residual minus mean FLAIR: {beyond.value:+.2f} [{beyond.low:+.2f}, "
        f"{beyond.high:+.2f}]{sure}."
    )
    return lines


def _verdict(found: Interval) -> str:
    if np.isnan(found.low):
        return "no balanced pair."
    if found.low > 0.5:
        return "knows more than position."
    if found.high < 0.5:
        return "ranks tumour slices below others at the same position."
    return f"undecided with {found.patients} patients whether it knows more than position."


def _differences(values: ndarray, tumour: ndarray) -> ndarray:
    return values[tumour][:, None] - values[~tumour]


def _draw(folds: ndarray, draws: Draws) -> ndarray:
    """Return the patients that every other interval with these folds and draws is made of."""
    ones = np.ones((folds.size, 1))
    votes = metrics.PatientRatios(np.arange(folds.size), ones, ones)
    return statistics.bootstrap_ratio(
        votes, folds, region=0, draws=draws.number, seed=draws.seed
    ).drawn
