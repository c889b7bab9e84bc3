"""Dice and ranking metrics, with every convention spelt out (section 5).

A Dice is always counted per slice first; how slices become one number is an aggregation, and
what an empty slice is worth has no default, because both decide the paper's numbers.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Integer, Shaped
from numpy import ndarray
from sklearn.metrics import average_precision_score, roc_auc_score

from paperlib.labels import REGIONS, TISSUES, region_mask


class RegionCounts(NamedTuple):
    """Pixels of each slice and region, in the order of `paperlib.labels.REGIONS`.

    Attributes:
        overlap: In the prediction and in the truth.
        predicted: In the prediction.
        truth: In the truth.
    """

    overlap: Integer[ndarray, "slice region"]
    predicted: Integer[ndarray, "slice region"]
    truth: Integer[ndarray, "slice region"]


class PatientRatios(NamedTuple):
    """One row per patient; the value over any patients is sum(sums) / sum(counts).

    Resampling patients and dividing again therefore gives the value of the new sample.

    Attributes:
        cases: Patients, sorted.
        sums: Sum of the Dice over the patient's slices, of its one volume Dice, or twice its
            overlap in pixels.
        counts: Number of slices, 1 volume, or predicted plus true pixels; 0 where the
            aggregation is not defined for the patient.
    """

    cases: Shaped[ndarray, " case"]
    sums: Float[ndarray, "case region"]
    counts: Float[ndarray, "case region"]


def dice(
    prediction: Bool[ndarray, "*shape"], truth: Bool[ndarray, "*shape"], *, empty: float | int
) -> float:
    """Return the Dice overlap of two masks, 0 to 1.

    Args:
        prediction: The predicted mask.
        truth: The reference mask.
        empty: The value when both are empty: 0, 1 or NaN. Section 5.1 takes 0.

    Raises:
        ValueError: If `empty` is another number.
    """
    counts = (np.array(mask.sum()) for mask in (prediction & truth, prediction, truth))
    return float(dice_from_counts(*counts, empty=empty))


def dice_from_counts(
    overlap: Integer[ndarray, "*shape"],
    predicted: Integer[ndarray, "*shape"],
    truth: Integer[ndarray, "*shape"],
    *,
    empty: float | int,
) -> Float[ndarray, "*shape"]:
    """Return the Dice overlap for each entry of three arrays of pixel counts.

    Args:
        overlap: Pixels in both masks.
        predicted: Pixels in the prediction.
        truth: Pixels in the truth.
        empty: The value when both are empty: 0, 1 or NaN.

    Raises:
        ValueError: If `empty` is another number.
    """
    if empty not in (0, 1) and not np.isnan(empty):
        raise ValueError(f"empty is {empty}; an empty pair counts 0, 1 or nan.")
    sizes = predicted + truth
    return np.where(sizes > 0, 2 * overlap / np.maximum(sizes, 1), float(empty))


def region_counts(
    segmentation: Integer[ndarray, "slice height width"],
    labels: Integer[ndarray, "slice height width"],
) -> RegionCounts:
    """Count the pixels of each slice and region.

    Args:
        segmentation: Predicted BraTS 2018 codes.
        labels: Reference codes.
    """
    columns = []
    for region in REGIONS:
        predicted, truth = region_mask(segmentation, region), region_mask(labels, region)
        columns.append([m.sum(axis=(1, 2)) for m in (predicted & truth, predicted, truth)])
    return RegionCounts(*(np.stack(parts, axis=1) for parts in zip(*columns, strict=True)))


def gated(counts: RegionCounts, flagged: Bool[ndarray, " slice"]) -> RegionCounts:
    """Return the counts with the predictions of unflagged slices emptied (section 5.2)."""
    kept = flagged[:, None]
    return RegionCounts(counts.overlap * kept, counts.predicted * kept, counts.truth)


def aggregate(
    counts: RegionCounts,
    cases: Shaped[ndarray, " slice"],
    *,
    aggregation: str,
    empty: float | int,
    flagged: Bool[ndarray, " slice"] | None = None,
) -> PatientRatios:
    """Turn counts per slice into sums per patient.

    Args:
        counts: Of all slices of all patients.
        cases: The patient of each slice.
        aggregation: A key of `AGGREGATIONS`. "every_slice", "tumour_slices" (the truth has the
            region) and "flagged_slices" weigh slices equally, so a patient with more of them
            weighs more; "volume" weighs patients equally; "pooled_pixels" weighs pixels.
        empty: The value of a slice or volume where both are empty: 0, 1 or NaN (left out).
            Tumour slices and pooled pixels do not depend on it.
        flagged: Whether the anomaly score flags each slice; only for "flagged_slices".

    Raises:
        KeyError: If the aggregation is unknown.
        ValueError: If "flagged_slices" is asked for without flags.
    """
    names, patient = np.unique(cases, return_inverse=True)
    if aggregation == "flagged_slices" and flagged is None:
        raise ValueError(
            "flagged_slices needs the flags of the gate; pass flagged=scores > threshold."
        )
    everything = np.ones(len(cases), bool)
    sums, number = AGGREGATIONS[aggregation](
        counts, patient, everything if flagged is None else flagged, empty
    )
    return PatientRatios(names, sums, number)


def pooled_value(
    sums: Float[ndarray, "*draw case region"], counts: Float[ndarray, "*draw case region"]
) -> Float[ndarray, "*draw region"]:
    """Return the value of each region over all patients; NaN where nothing is defined."""
    total, number = sums.sum(axis=-2), counts.sum(axis=-2)
    return np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)


def semantic(values: Float[ndarray, "*draw region"]) -> Float[ndarray, "*draw"]:
    """Return the mean of the three tissue labels, the paper's semantic score (table 2)."""
    columns = [list(REGIONS).index(tissue) for tissue in TISSUES]
    return np.asarray(values[..., columns].mean(axis=-1))


def pixel_average_precision(
    anomaly: Float[ndarray, "*shape"],
    truth: Bool[ndarray, "*shape"],
    brain: Bool[ndarray, "*shape"],
) -> float:
    """Return the average precision of an anomaly map over brain pixels, all slices pooled.

    Args:
        anomaly: Higher is more like a tumour, for example minus the residual.
        truth: The reference tumour.
        brain: True inside the brain; nothing outside is ranked.

    Raises:
        ValueError: If the brain holds only tumour or only other tissue.
    """
    found = _two_classes(truth[brain], "brain pixels")
    return float(average_precision_score(found, anomaly[brain]))


def pixel_auroc(
    anomaly: Float[ndarray, "*shape"],
    truth: Bool[ndarray, "*shape"],
    brain: Bool[ndarray, "*shape"],
) -> float:
    """Return the area under the ROC curve of an anomaly map over brain pixels.

    Args:
        anomaly: Higher is more like a tumour.
        truth: The reference tumour.
        brain: True inside the brain; nothing outside is ranked.

    Raises:
        ValueError: If the brain holds only tumour or only other tissue.
    """
    found = _two_classes(truth[brain], "brain pixels")
    return float(roc_auc_score(found, anomaly[brain]))


def slice_auroc(score: Float[ndarray, " slice"], tumour: Bool[ndarray, " slice"]) -> float:
    """Return how often a tumour slice scores above a tumour-free one (table 3).

    Args:
        score: Of slices scored by one network; networks have different zero points.
        tumour: Whether the reference has tumour in the slice.

    Raises:
        ValueError: If all slices are of one kind.
    """
    return float(roc_auc_score(_two_classes(tumour, "slices"), score))


def _two_classes(truth: Bool[ndarray, " n"], what: str) -> Bool[ndarray, " n"]:
    positive = int(truth.sum())
    if positive in (0, truth.size):
        raise ValueError(
            f"{positive} of {truth.size} {what} are tumour; a ranking needs both kinds, so give "
            "patients or folds that have both."
        )
    return truth


def _sums_per_patient(
    values: Shaped[ndarray, "slice region"], patient: Integer[ndarray, " slice"]
) -> Float[ndarray, "case region"]:
    totals = np.zeros((patient.max(initial=-1) + 1, values.shape[1]))
    np.add.at(totals, patient, values)
    return totals


def _slice_mean(
    counts: RegionCounts,
    patient: Integer[ndarray, " slice"],
    chosen: Bool[ndarray, "slice #region"],
    empty: float | int,
) -> tuple[ndarray, ndarray]:
    values = dice_from_counts(*counts, empty=empty)
    defined = chosen & ~np.isnan(values)
    sums = _sums_per_patient(np.where(defined, values, 0), patient)
    return sums, _sums_per_patient(defined, patient)


def _volume(
    counts: RegionCounts, patient: Integer[ndarray, " slice"], _: ndarray, empty: float | int
) -> tuple[ndarray, ndarray]:
    voxels = (_sums_per_patient(part, patient).astype(int) for part in counts)
    values = dice_from_counts(*voxels, empty=empty)
    return np.nan_to_num(values), (~np.isnan(values)).astype(float)


def _pooled_pixels(
    counts: RegionCounts, patient: Integer[ndarray, " slice"], _: ndarray, __: float | int
) -> tuple[ndarray, ndarray]:
    sizes = _sums_per_patient(counts.predicted + counts.truth, patient)
    return 2 * _sums_per_patient(counts.overlap, patient), sizes


AGGREGATIONS: Mapping[str, Callable[..., tuple[ndarray, ndarray]]] = MappingProxyType(
    {
        "every_slice": lambda counts, patient, _, empty: _slice_mean(
            counts, patient, np.ones((len(patient), 1), bool), empty
        ),
        "tumour_slices": lambda counts, patient, _, empty: _slice_mean(
            counts, patient, counts.truth > 0, empty
        ),
        "flagged_slices": lambda counts, patient, flagged, empty: _slice_mean(
            counts, patient, flagged[:, None], empty
        ),
        "volume": _volume,
        "pooled_pixels": _pooled_pixels,
    }
)
EMPTY_MATTERS = ("every_slice", "flagged_slices", "volume")
# Section 5.3 leaves open which of these eleven it reports.
CONVENTIONS: tuple[tuple[str, float], ...] = tuple(
    (name, empty)
    for name in AGGREGATIONS
    for empty in ((0.0, 1.0, np.nan) if name in EMPTY_MATTERS else (np.nan,))
)
