"""Sentences about residuals and scores, measured (sections 4, 4.1, 4.2 and 5.2).

Each function takes evidence and draws first. Networks that it needs must have been trained.
What needs pixels is read from the numbers per patient in the evidence's `pixels`, where a run
has them: the fields of `paperlib.evaluation.measures.reconstruction.TissueFacts`.
"""

from collections.abc import Sequence

import pandas as pd

from paperlib.evaluation.claims.answers import (
    Absent,
    Answer,
    mean_over_patients,
    ratio_over_patients,
    seeds_of,
    unmeasured,
)
from paperlib.evaluation.claims.numbers import score_auroc
from paperlib.evaluation.claims.pairing import Network
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.examples import PAPERS_CHOICE
from paperlib.evaluation.measures import statistics
from paperlib.evaluation.slices import slice_scores
from paperlib.evaluation.tables import Draws
from paperlib.labels import FLAIR, T1CE

IMAGE = "z"  # the plain image in the table of pixels
MEANS = (
    "healthy_mean_image",
    "tumour_mean_image",
    "healthy_mean_residual",
    "tumour_mean_residual",
)


def auroc_of(found: Evidence, draws: Draws, *, score: str) -> Answer:
    """Return the AUROC of one slice score of the paper's network."""
    return statistics.interval(score_auroc(found, score, draws=draws))


def auroc_difference(found: Evidence, draws: Draws, *, first: str, second: str) -> Answer:
    """Return the AUROC of one slice score of the paper's network minus that of another."""
    both = [score_auroc(found, score, draws=draws) for score in (first, second)]
    return statistics.interval(statistics.difference(*both))


def slice_residual(found: Evidence, draws: Draws, *, kind: str) -> Answer:
    """Return the mean FLAIR residual of a slice in z units, averaged within patients first.

    Args:
        found: Evidence of a run.
        draws: Of the interval.
        kind: "tumour-free" slices, or "difference": tumour minus tumour-free slices of one
            patient; patients that lack one of them are left out.
    """
    parts = []
    for method in seeds_of(found):
        test = slice_scores.load_test_slices(found, method)
        # The score is minus the mean residual, so that higher is more anomalous.
        parts.append((-test["mean_residual"]).groupby([test["case"], test["tumour"]]).mean())
    means = pd.concat(parts, axis=1).mean(axis=1).unstack().reindex(columns=[False, True])
    free, tumour = means[False], means[True]
    return mean_over_patients(found, free if kind == "tumour-free" else tumour - free, draws)


def pixel_gain(found: Evidence, draws: Draws) -> Answer:
    """Return the pixel AP of the FLAIR residual minus that of the FLAIR image it is made from."""
    columns = _on_flair(found, PAPERS_CHOICE, ("ap", "image_ap"))
    if isinstance(columns, Absent):
        return columns
    return mean_over_patients(found, columns["ap"] - columns["image_ap"], draws)


def pixel_mean(found: Evidence, draws: Draws, *, column: str) -> Answer:
    """Return the mean over patients of one field of `TissueFacts`, FLAIR, paper's network."""
    columns = _on_flair(found, PAPERS_CHOICE, (column,))
    if isinstance(columns, Absent):
        return columns
    return mean_over_patients(found, columns[column], draws)


def copied_share(found: Evidence, draws: Draws) -> Answer:
    """Return how much of the tumour's extra FLAIR brightness is in the reconstruction.

    Mean of the tumour minus mean of healthy tissue, reconstruction over image: 1 is a copy, 0
    is tissue as bright as healthy one. Sums over patients are divided: one patient without
    contrast would make any mean of ratios meaningless.
    """
    columns = _on_flair(found, PAPERS_CHOICE, MEANS)
    if isinstance(columns, Absent):
        return columns
    image = columns["tumour_mean_image"] - columns["healthy_mean_image"]
    residual = columns["tumour_mean_residual"] - columns["healthy_mean_residual"]
    return ratio_over_patients(found, image + residual, image, draws)


def sharpness(
    found: Evidence, draws: Draws, *, network: Network, minus: Network | None = None
) -> Answer:
    """Return the gradient energy of FLAIR reconstructions relative to their input.

    Args:
        found: Evidence of a run.
        draws: Of the interval.
        network: Model and loss.
        minus: Another network whose ratio is subtracted, patient by patient.
    """
    ratios = []
    for one in (network, minus) if minus else (network,):
        columns = _on_flair(found, one, ("gradient_energy", "image_gradient_energy"))
        if isinstance(columns, Absent):
            return columns
        ratios.append(columns["gradient_energy"] / columns["image_gradient_energy"])
    return mean_over_patients(found, ratios[0] - ratios[1] if minus else ratios[0], draws)


def sequence_difference(found: Evidence, draws: Draws, *, region: str) -> Answer:
    """Return how much better the sequence said to show a region separates it than the other.

    Of the plain images: distance of the pixel AUROC from one half, whichever way round, so that
    a region darker than the rest counts as visible, too.

    Args:
        found: Evidence of a run.
        draws: Of the interval.
        region: "WT" (FLAIR minus T1CE) or "ET" (T1CE minus FLAIR).
    """
    needed = ["auroc", "other_region_auroc"]
    if not set(needed) <= set(found.pixels):
        return unmeasured("other_region_auroc")
    rows = found.pixels[found.pixels["method"] == IMAGE].set_index(["sequence", "case"])
    seen = (rows[needed] - 0.5).abs()
    own, other = (FLAIR, T1CE) if region == "WT" else (T1CE, FLAIR)
    values = seen.loc[own]["auroc"] - seen.loc[other]["other_region_auroc"]
    return mean_over_patients(found, values, draws)


def _on_flair(found: Evidence, network: Network, needed: Sequence[str]) -> pd.DataFrame | Absent:
    """Return numbers per patient, seeds averaged, or why there are none."""
    if not set(needed) <= set(found.pixels):
        return unmeasured(*(column for column in needed if column not in found.pixels))
    own = found.pixels["method"].isin(seeds_of(found, network))
    rows = found.pixels[own & (found.pixels["sequence"] == FLAIR)]
    means = rows.groupby("case")[list(needed)].mean()
    # Networks that were evaluated before a column existed have none of it.
    empty = [column for column in needed if means[column].isna().all()]
    return unmeasured(*empty) if empty else means
