"""One test slice, or all of a patient, with everything that a page shows of it."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, UInt8
from numpy import ndarray

from paperlib import artifacts
from paperlib.config import TrainingSettings
from paperlib.labels import SEQUENCES
from paperlib.pipeline.method import patients, segments
from paperlib.pipeline.run import Run


class SliceView(NamedTuple):
    """A slice of a test patient, from image to labels.

    Attributes:
        images: Z-scored FLAIR and T1CE by sequence.
        residuals: Reconstruction minus image of the pair's two networks by sequence, 0 outside
            the brain.
        brain: True inside the brain.
        labels: Reference codes.
        segmentation: Predicted codes.
    """

    images: Mapping[str, Float[ndarray, "height width"]]
    residuals: Mapping[str, Float[ndarray, "height width"]]
    brain: Bool[ndarray, "height width"]
    labels: UInt8[ndarray, "height width"]
    segmentation: UInt8[ndarray, "height width"]


class VolumeView(NamedTuple):
    """All prepared slices of a test patient, from the feet upwards.

    Attributes:
        z: Index of each slice in its volume.
        examined: Whether the networks were shown the slice; the others have too little brain.
        images: Z-scored FLAIR and T1CE by sequence.
        residuals: By sequence, 0 outside the brain and in slices that were not examined.
        brain: True inside the brain.
        labels: Reference codes.
        segmentation: Predicted codes, 0 in slices that were not examined.
    """

    z: Int[ndarray, " slice"]
    examined: Bool[ndarray, " slice"]
    images: Mapping[str, Float[ndarray, "slice height width"]]
    residuals: Mapping[str, Float[ndarray, "slice height width"]]
    brain: Bool[ndarray, "slice height width"]
    labels: UInt8[ndarray, "slice height width"]
    segmentation: UInt8[ndarray, "slice height width"]


def load_slice(run: Run, pair: str, case: int, z: int) -> SliceView:
    """Return one test slice of a finished run.

    Args:
        run: The run.
        pair: Model, loss, fold and seed, such as "dVAE-SSIM-f0-s0".
        case: Number of the patient, tested in the pair's fold.
        z: Index of the slice in its volume.

    Raises:
        ValueError: If the pair is unknown or did not segment the slice.
        FileNotFoundError: If a stage is missing; names the command that makes it.
    """
    chosen = _networks(run, pair)
    table = patients.load_slices(run)
    found = np.flatnonzero((table["case"] == case) & (table["z"] == z))
    folder = run.require(f"segments/{pair}")
    row = np.flatnonzero(np.isin(artifacts.load_array(folder, "place"), found))
    if not row.size:
        raise ValueError(
            f"{pair} has not segmented slice {z} of patient {case}; choose a usable slice of a "
            "patient tested in its fold."
        )
    prepared = run.require("prepare")
    place = int(found[0])
    brain, labels, *images = (
        np.asarray(artifacts.load_array(prepared, name)[place])
        for name in ("brain", "labels", *SEQUENCES)
    )
    residuals = {
        sequence: np.where(brain, segments.load_residual(run, network).of(found)[0], 0)
        for sequence, network in chosen.items()
    }
    segmentation = np.asarray(artifacts.load_array(folder, "segmentation")[row[0]])
    by_sequence = dict(zip(SEQUENCES, images, strict=True))
    return SliceView(by_sequence, residuals, brain, labels, segmentation)


def load_volume(run: Run, pair: str, case: int) -> VolumeView:
    """Return every prepared slice of one test patient of a finished run.

    Args:
        run: The run.
        pair: Model, loss, fold and seed, such as "dVAE-SSIM-f0-s0".
        case: Number of the patient, tested in the pair's fold.

    Raises:
        ValueError: If the pair is unknown or has not segmented the patient.
        FileNotFoundError: If a stage is missing; names the command that makes it.
    """
    chosen = _networks(run, pair)
    table = patients.load_slices(run)
    places = np.flatnonzero(table["case"] == case)
    examined = table["usable"].to_numpy(bool)[places]
    folder = run.require(f"segments/{pair}")
    segmented = np.asarray(artifacts.load_array(folder, "place"))
    rows = np.flatnonzero(np.isin(segmented, places))
    if not rows.size:
        raise ValueError(
            f"{pair} has not segmented patient {case}; choose a patient tested in its fold."
        )
    prepared = run.require("prepare")
    brain, labels, *images = (
        np.asarray(artifacts.load_array(prepared, name)[places])
        for name in ("brain", "labels", *SEQUENCES)
    )
    residuals = {sequence: np.zeros(brain.shape, np.float32) for sequence in chosen}
    for sequence, network in chosen.items():
        shown = segments.load_residual(run, network).of(places[examined])
        residuals[sequence][examined] = np.where(brain[examined], shown, 0)
    segmentation = np.zeros_like(labels)
    at = np.searchsorted(places, segmented[rows])
    segmentation[at] = artifacts.load_array(folder, "segmentation")[rows]
    z = table["z"].to_numpy()[places]
    by_sequence = dict(zip(SEQUENCES, images, strict=True))
    return VolumeView(z, examined, by_sequence, residuals, brain, labels, segmentation)


def _networks(run: Run, pair: str) -> dict[str, TrainingSettings]:
    """Return the networks of a pair by sequence."""
    chosen = {network.sequence: network for network in run.networks() if network.pair == pair}
    if not chosen:
        raise ValueError(f"This run has no pair {pair!r}; its pairs are {', '.join(run.pairs())}.")
    return chosen
