"""The paper's residuals with a volume clean-up, so that no other method is credited with it.

`reading` says what made a mask: the mixture per slice as everywhere, one mixture per "volume", or
the "smoothed" residual as the methods without one. The plain image stands beside the
networks as "B3": its residual is -x.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy import ndarray

from paperlib import artifacts
from paperlib.config import MixtureSettings, TrainingSettings
from paperlib.labels import ENHANCING, FLAIR, SEQUENCES, T1CE
from paperlib.pipeline.method import clustering, patients, segments
from paperlib.pipeline.new_patients.beyond_method import Limits, Score, smooth_maps
from paperlib.pipeline.run import Run
from paperlib.postprocessing import mixture, morphology, neighbours, outline, thresholds

VOLUME, SMOOTHED = "volume", "smoothed"
IMAGE = "B3"
RULES = ("all", "largest_3d", "ball")  # of `outline.RULES`, for residuals


class Scored(NamedTuple):
    """A score of one patient, under which name its rows stand, and how it is counted.

    Attributes:
        method: Name in the rows.
        score: Where the method sees tumour.
        t1ce: What the enhancing tumour is taken from, brighter is higher.
        limits: Thresholds.
        rules: For components, from `outline.RULES`.
        prefix: Before the reading's name.
    """

    method: str
    score: Score
    t1ce: ndarray
    limits: Limits
    rules: Sequence[str]
    prefix: str = ""


class Masks(NamedTuple):
    """What one method says about one patient before components are chosen.

    Attributes:
        method: Its name in the rows.
        reading: What made the masks; empty without a residual.
        bright: Pixels of the tumour outline, opened and closed.
        enhancing: Pixels of the enhancing tumour.
    """

    method: str
    reading: str
    bright: ndarray
    enhancing: ndarray


def residual_limits(run: Run, fold: int, networks: list[TrainingSettings]) -> Limits:
    """Return the healthy quantile of each smoothed residual, brighter tissue being higher.

    It is taken from the validation patients: networks reconstruct no slice they learnt from.
    """
    settings, slices = run.profile.beyond, patients.load_slices(run)
    residuals = {n.sequence: segments.load_residual(run, n) for n in networks}
    brain = artifacts.load_array(run.stage("prepare"), "brain")
    values: dict[str, list[ndarray]] = {sequence: [] for sequence in SEQUENCES}
    for case in patients.load_fold(run, fold).validation:
        healthy = patients.healthy_of(slices, [case])
        # Only neighbours are smoothed together: the tumour slices between them are not shown.
        for places in np.split(healthy, np.flatnonzero(np.diff(healthy) > 1) + 1):
            inside = brain[places]
            maps = {sequence: -residual.of(places) for sequence, residual in residuals.items()}
            for sequence, smooth in smooth_maps(maps, inside, settings).items():
                values[sequence].append(smooth[inside])
    shares = {FLAIR: settings.clean_up_share, T1CE: settings.t1ce_share}
    return {
        sequence: thresholds.false_positive_threshold(np.concatenate(found), share=shares[sequence])
        for sequence, found in values.items()
    }


def masks_of_residuals(
    run: Run, patient: segments.Patient, pairs: Mapping[str, list[TrainingSettings]]
) -> Iterator[Masks]:
    """Yield what the paper's mixture makes of the plain image and of each pair's residuals.

    Args:
        run: Whose networks they are.
        patient: A test patient.
        pairs: Networks of each pair, by its name.
    """
    settings = run.profile.mixture
    image = {sequence: -patient.images[sequence] for sequence in SEQUENCES}
    yield _per_slice(image, patient, settings)
    yield _per_volume(IMAGE, image, patient, settings)
    for pair, networks in pairs.items():
        yield _stored_masks(run, pair, _method(networks), patient, settings)
        residuals = _residuals(run, patient, networks)
        yield _per_volume(_method(networks), residuals, patient, settings)


def smoothed_residuals(
    run: Run,
    patient: segments.Patient,
    pairs: Mapping[str, list[TrainingSettings]],
    limits: Mapping[str, Limits],
) -> Iterator[Scored]:
    """Yield each pair's residuals with the same smoothing as FLAIR and T1CE, brighter is higher.

    Args:
        run: Whose networks they are.
        patient: A test patient.
        pairs: Networks of each pair, by its name.
        limits: Of each pair, see `residual_limits`.
    """
    for pair, networks in pairs.items():
        maps = {name: -found for name, found in _residuals(run, patient, networks).items()}
        smooth = smooth_maps(maps, patient.brain, run.profile.beyond)
        score = Score(smooth[FLAIR], (), limits[pair][FLAIR])
        yield Scored(_method(networks), score, smooth[T1CE], limits[pair], RULES, f"{SMOOTHED} ")


def _method(networks: list[TrainingSettings]) -> str:
    return f"{networks[0].model}-{networks[0].loss}-s{networks[0].seed}"


def _residuals(
    run: Run, patient: segments.Patient, networks: list[TrainingSettings]
) -> dict[str, ndarray]:
    places = patient.slices.index.to_numpy()
    return {n.sequence: segments.load_residual(run, n).of(places) for n in networks}


def _per_slice(
    image: Mapping[str, ndarray], patient: segments.Patient, settings: MixtureSettings
) -> Masks:
    tables = [neighbours.neighbour_table(inside) for inside in patient.brain]
    bright, enhancing = (
        clustering.cluster(
            image[sequence], patient.brain, tables, settings, reading=settings.reading
        ).mask
        for sequence in SEQUENCES
    )
    return Masks(IMAGE, settings.reading, bright, enhancing)


def _stored_masks(
    run: Run, pair: str, method: str, patient: segments.Patient, settings: MixtureSettings
) -> Masks:
    """Return the masks behind the segmentation that a pair left behind."""
    codes = load_slices(run.folder / "segments" / pair, "segmentation", patient)
    return Masks(method, settings.reading, codes > 0, codes == ENHANCING)


def _per_volume(
    method: str,
    residuals: Mapping[str, ndarray],
    patient: segments.Patient,
    settings: MixtureSettings,
) -> Masks:
    fit = partial(
        mixture.fit_mixture,
        reading=settings.reading,
        max_iterations=settings.max_iterations,
        tolerance=settings.tolerance,
        start=settings.start,
    )
    choose = partial(mixture.tumour_mask, cluster=settings.cluster, tail=settings.tail)
    found = {
        sequence: outline.cluster_volume(residuals[sequence], patient.brain, fit=fit, choose=choose)
        for sequence in SEQUENCES
    }
    cleaned = {name: morphology.open_close(mask, patient.brain) for name, mask in found.items()}
    return Masks(method, VOLUME, cleaned[FLAIR], cleaned[T1CE])


def load_slices(folder: Path, name: str, patient: segments.Patient) -> ndarray:
    """Return a patient's slices of an array that a stage wrote for all test patients."""
    of_patient = np.isin(artifacts.load_array(folder, "place"), patient.slices.index)
    return artifacts.load_array(folder, name)[of_patient]
