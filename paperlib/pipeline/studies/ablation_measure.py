"""One row of `make ablations` from residuals to counts per slice: sections 4.2 and 4.3 once more.

Unlike `pipeline.method.segments` it can leave out a step, and it needs no T1CE where none is
judged.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy import ndarray

from paperlib import artifacts, scores
from paperlib.config import MixtureSettings, TrainingSettings
from paperlib.labels import FLAIR, region_mask
from paperlib.pipeline.method import patients, segments
from paperlib.pipeline.run import Run
from paperlib.pipeline.studies.ablation_rows import OutlineSettings
from paperlib.postprocessing import mixture, morphology, neighbours, regions

MEASURE_CODE = (*segments.METHOD_CODE, "paperlib.pipeline.studies.ablation_measure")


class Shown(NamedTuple):
    """A network and the run in which it and its slices lie."""

    run: Run
    network: TrainingSettings


class Measured(NamedTuple):
    """What one row gives.

    Attributes:
        counts: Per test slice: case, z, pixels of truth, overlap and prediction of the region.
        pixels: Per test patient: case, pixel AP of the residual and of the FLAIR image.
        facts: Shares of fits that converged and were degenerate, and of slices that the gate kept.
    """

    counts: pd.DataFrame
    pixels: pd.DataFrame
    facts: dict[str, float]


def measure(
    shown: Mapping[str, Shown],
    settings: MixtureSettings,
    options: OutlineSettings,
    *,
    region: str,
) -> Measured:
    """Segment the test patients of a row and count one region.

    Args:
        shown: The network of each sequence; FLAIR always, T1CE for another region than WT.
        settings: Of the mixture.
        options: Which steps are taken.
        region: That is counted.
    """
    run, fold = shown[FLAIR].run, shown[FLAIR].network.fold
    residuals = {sequence: _Residuals(one) for sequence, one in shown.items()}
    threshold = _threshold(run, residuals[FLAIR], options.gate, fold)
    counts, pixels, fits, kept = [], [], [], []
    for patient in _patients(run, residuals[FLAIR], patients.load_fold(run, fold).test):
        places = patient.slices.index.to_numpy()
        found = {sequence: one.of(places) for sequence, one in residuals.items()}
        masks = {}
        for sequence, residual in found.items():
            masks[sequence], fitted = outline(residual, patient.brain, settings, options)
            fits += fitted
        mask = _region(masks, region, settings)
        flagged = _flagged(found[FLAIR], patient, threshold)
        kept.append(flagged)
        counts.append(_count(mask & flagged[:, None, None], patient, region))
        pixels.append(segments.pixel_row(patient, FLAIR, -found[FLAIR]))
    facts = {
        "converged": float(np.mean([fit.converged for fit in fits])),
        "degenerate": float(np.mean([fit.degenerate for fit in fits])),
        "kept_by_gate": float(np.concatenate(kept).mean()),
    }
    columns = ["case", "ap", "image_ap"]
    return Measured(pd.concat(counts), pd.DataFrame(pixels)[columns], facts)


def outline(
    residual: ndarray, brain: ndarray, settings: MixtureSettings, options: OutlineSettings
) -> tuple[ndarray, list[mixture.MixtureFit]]:
    """Return the tumour cluster of every slice of a patient, cleaned, and the fits.

    Raises:
        ValueError: If what is to be clustered is unknown.
    """
    if options.mask not in ("brain", "image"):
        raise ValueError(f"Clustered is the brain or the image, not {options.mask!r}.")
    inside = brain if options.mask == "brain" else np.ones_like(brain)
    fit = partial(
        mixture.fit_mixture,
        reading=settings.reading,
        max_iterations=settings.max_iterations,
        tolerance=settings.tolerance,
        start=settings.start,
    )
    masks, fits = [], []
    for image, chosen in zip(residual, inside, strict=True):
        table = neighbours.neighbour_table(chosen, neighbours=options.neighbours)
        fits.append(fit(image, chosen, table=table))
        masks.append(
            mixture.tumour_mask(
                fits[-1], image, chosen, cluster=settings.cluster, tail=settings.tail
            )
        )
    mask = np.stack(masks)
    if options.morphology:
        mask = morphology.open_close(mask, inside)
    return morphology.keep_component(mask, rule=settings.component), fits


class _Residuals:
    """Residuals of one sequence; of a joint network those of the FLAIR channel."""

    def __init__(self, shown: Shown) -> None:
        self._stored = segments.load_residual(shown.run, shown.network)

    def of(self, places: ndarray) -> ndarray:
        found = self._stored.of(places)
        return found[:, 0] if found.ndim == 4 else found

    def images_of(self, places: ndarray) -> ndarray:
        images = self._stored.images[places]
        return images[:, 0] if images.ndim == 4 else images


def _patients(run: Run, residuals: _Residuals, cases: list[int]) -> Iterator[segments.Patient]:
    table = patients.load_slices(run)
    brain, labels = (artifacts.load_array(run.stage("prepare"), n) for n in ("brain", "labels"))
    for case in sorted(cases):
        places = patients.usable_of(table, [case])
        images = {FLAIR: residuals.images_of(places)}
        yield segments.Patient(table.iloc[places], images, brain[places], labels[places])


def _region(masks: Mapping[str, ndarray], region: str, settings: MixtureSettings) -> ndarray:
    whole, *rest = masks.values()
    if region == "WT":
        return whole
    enhancing = morphology.keep_component(rest[0] & whole, rule=settings.component)
    return region_mask(regions.label_tissues(whole, enhancing, hull=settings.hull), region)


def _count(mask: ndarray, patient: segments.Patient, region: str) -> pd.DataFrame:
    truth = region_mask(patient.labels, region)
    counted = {"truth": truth, "overlap": mask & truth, "predicted": mask}
    columns = {name: part.sum(axis=(1, 2)) for name, part in counted.items()}
    return patient.slices[["case", "z"]].assign(**columns)


Threshold = float | tuple[ndarray, ndarray] | None  # healthy scores and heights, for "height"


def _threshold(run: Run, residuals: _Residuals, gate: str, fold: int) -> Threshold:
    if not gate:
        return None
    table = patients.load_slices(run)
    places = patients.healthy_of(table, patients.load_fold(run, fold).validation)
    brain = artifacts.load_array(run.stage("prepare"), "brain")[places]
    healthy = scores.mean_residual_score(residuals.of(places), brain)
    if gate == "height":
        return healthy, table["z"].to_numpy()[places]
    return scores.gate_threshold(healthy, rule=gate)


def _flagged(residual: ndarray, patient: segments.Patient, threshold: Threshold) -> ndarray:
    if threshold is None:
        return np.ones(len(residual), bool)
    score = scores.mean_residual_score(residual, patient.brain)
    if isinstance(threshold, tuple):
        return score > scores.height_gate(*threshold, patient.slices["z"].to_numpy()).thresholds
    return score > threshold
