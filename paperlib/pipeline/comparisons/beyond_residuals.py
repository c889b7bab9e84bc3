"""The paper's residuals with a volume clean-up, so that no other method is credited with it.

A stage of its own, one fold each: it reads what networks of the paper left behind. `reading` says
what made a mask: the mixture per slice as everywhere, one mixture per "volume", or the "smoothed"
residual drawn as the methods without one. The plain image stands beside the networks as "B3": its
residual is -x.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy import ndarray

from paperlib import artifacts
from paperlib.config import MixtureSettings, TrainingSettings
from paperlib.labels import ENHANCING, FLAIR, SEQUENCES, T1CE
from paperlib.pipeline.comparisons import beyond_rows
from paperlib.pipeline.comparisons.beyond_rows import Scored
from paperlib.pipeline.method import clustering, patients, segments
from paperlib.pipeline.new_patients.beyond_method import Limits, Score, smooth_maps
from paperlib.pipeline.run import Run, run_stage
from paperlib.postprocessing import mixture, morphology, neighbours, outline, regions, thresholds

RESIDUAL_CODE = (
    *segments.METHOD_CODE,
    "paperlib.evaluation.measures.foci",
    "paperlib.postprocessing.outline",
    "paperlib.postprocessing.thresholds",
    "paperlib.postprocessing.volume",
    "paperlib.pipeline.comparisons.beyond_residuals",
    "paperlib.pipeline.comparisons.beyond_rows",
    "paperlib.pipeline.new_patients.beyond_method",
)
VOLUME, SMOOTHED = "volume", "smoothed"
IMAGE = "B3"


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


def segment_residuals(run: Run, fold: int) -> bool:
    """Clean up the residuals of every pair of a fold that is segmented.

    Returns:
        Whether anything was segmented anew; not if no pair of the fold is finished.
    """
    settings, pairs = run.profile.beyond, finished_pairs(run, fold)
    if not pairs:
        return False
    upstream = {name: run.stage(name) for name in ("prepare", "split")}
    for pair, chosen in pairs.items():
        upstream[f"segments {pair}"] = run.folder / "segments" / pair
        upstream |= {f"{n.pair} {n.sequence}": run.reconstruction_folder(n) for n in chosen}

    def make(folder: Path, _key: str) -> Mapping[str, object]:
        limits = {pair: residual_limits(run, fold, chosen) for pair, chosen in pairs.items()}
        cases, counts = sorted(patients.load_fold(run, fold).test), []
        for patient in segments.load_patients(run, cases):
            counts += _count_residuals(run, patient, pairs, limits)
        all_counts = pd.concat(counts)
        tables = {
            "volumes": beyond_rows.volumes(all_counts),
            "counts": beyond_rows.slices(all_counts, settings),
        }
        for name, table in tables.items():
            table.insert(0, "fold", fold)
            artifacts.save_table(folder, name, table)
        return {"thresholds": limits}

    mixture_settings = dataclasses.asdict(run.profile.mixture)
    return run_stage(
        residuals_folder(run, fold),
        settings={**dataclasses.asdict(settings), "fold": fold, "mixture": mixture_settings},
        upstream=upstream,
        code=RESIDUAL_CODE,
        make=make,
    )


def residuals_folder(run: Run, fold: int) -> Path:
    """Return where the rows of a fold lie."""
    return run.folder / "beyond-residuals" / f"f{fold}"


def finished_pairs(run: Run, fold: int) -> dict[str, list[TrainingSettings]]:
    """Return the networks of each pair of a fold that is segmented, by the pair's name.

    A pair that was segmented with networks other than those there now is left out.
    """
    found: dict[str, list[TrainingSettings]] = {}
    for network in run.networks():
        segmented = artifacts.read_manifest(run.folder / "segments" / network.pair)
        shown = artifacts.read_manifest(run.reconstruction_folder(network))
        if network.fold != fold or segmented is None or shown is None:
            continue
        if segmented["upstream"][f"reconstruction_{network.sequence}"] == shown["content"]:
            found.setdefault(network.pair, []).append(network)
    return {pair: networks for pair, networks in found.items() if len(networks) == len(SEQUENCES)}


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


def _count_residuals(
    run: Run,
    patient: segments.Patient,
    pairs: Mapping[str, list[TrainingSettings]],
    limits: Mapping[str, Limits],
) -> list[pd.DataFrame]:
    counts = []
    for scored in smoothed_residuals(run, patient, pairs, limits):
        counts += beyond_rows.count_score(run, patient, scored)
    for masks in masks_of_residuals(run, patient, pairs):
        named = {"method": masks.method, "reading": masks.reading, "enhancing": "mixture"}
        for rule in outline.RULES:
            kept = outline.keep(masks.bright, patient.brain, rule=rule)
            codes = regions.label_tissues(kept, masks.enhancing, hull=run.profile.beyond.hull)
            counts.append(beyond_rows.count(run, patient, codes, component=rule, **named))
    return counts


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
        rules, prefix = outline.RULES, f"{SMOOTHED} "
        yield Scored(_method(networks), score, smooth[T1CE], limits[pair], rules, prefix)


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
    codes = beyond_rows.load_stored(run.folder / "segments" / pair, "segmentation", patient)
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
