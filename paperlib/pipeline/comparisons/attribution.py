"""The stage that asks where the error of a pair comes from: one decision at a time made perfect.

Same test slices, same residuals and same post-processing as `pipeline.method.segments`. A variant
is a set of changes; rows are counts per slice, as everywhere. What follows from counts alone, the
gates, is left to `evaluation.comparisons.variants`; ours, the plain mixture on a perfect
reconstruction and the ceilings are rows of `segments` and `baselines` already.
"""

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy import ndarray

from paperlib import artifacts
from paperlib.config import MixtureSettings
from paperlib.evaluation.comparisons.variants import (
    CLUSTER,
    ENHANCING,
    MORPHOLOGY,
    OUTLINE,
    POOLED,
    RECONSTRUCTION,
    THRESHOLD,
    VARIANTS,
    name_of,
)
from paperlib.labels import FLAIR, SEQUENCES, SHOWN_REGION, T1CE, region_mask
from paperlib.pipeline.comparisons import baselines
from paperlib.pipeline.method import patients, rows, segments
from paperlib.pipeline.run import Run, run_stage
from paperlib.postprocessing import mixture, morphology, neighbours, oracles, thresholds

ATTRIBUTION_CODE = (
    *baselines.BASELINE_CODE,
    "paperlib.postprocessing.oracles",
    "paperlib.pipeline.comparisons.attribution",
)
CHANGES = (RECONSTRUCTION, CLUSTER, THRESHOLD, POOLED, MORPHOLOGY, OUTLINE, ENHANCING)
Limits = Mapping[str, float]  # by sequence


@dataclasses.dataclass(frozen=True)
class Material:
    """All that the variants of one test patient are made of.

    Attributes:
        patient: Its usable slices.
        network: Residuals of the pair's two networks, by sequence.
        perfect: Residuals of a perfect reconstruction, by sequence.
        settings: Of the post-processing.
        pooled: The one best threshold of all test patients of the fold on minus the residual, by
            sequence.
    """

    patient: segments.Patient
    network: Mapping[str, ndarray]
    perfect: Mapping[str, ndarray]
    settings: MixtureSettings
    pooled: Limits
    _clusters: dict[tuple[str, bool], tuple[ndarray, ndarray]] = dataclasses.field(
        default_factory=dict
    )

    def truth(self, sequence: str) -> ndarray:
        """Return the region that a sequence is meant to show."""
        return region_mask(self.patient.labels, SHOWN_REGION[sequence])

    def residual(self, sequence: str, changes: Collection[str]) -> ndarray:
        """Return the residual that a variant starts from."""
        return (self.perfect if RECONSTRUCTION in changes else self.network)[sequence]

    def clusters(self, sequence: str, changes: Collection[str]) -> tuple[ndarray, ndarray]:
        """Return the chosen and the other cluster of each slice, as the mixture left them."""
        key = (sequence, RECONSTRUCTION in changes)
        if key not in self._clusters:
            residual = self.residual(sequence, changes)
            self._clusters[key] = _cluster(residual, self.patient.brain, self.settings)
        return self._clusters[key]


def attribute_pair(run: Run, pair: str) -> bool:
    """Segment the test slices of a pair again under every variant of `variants`."""
    chosen = {n.sequence: n for n in run.networks() if n.pair == pair}
    folders = {f"reconstruction_{seq}": run.reconstruction_folder(n) for seq, n in chosen.items()}
    network = chosen[FLAIR]

    def make(folder: Path, _key: str) -> Mapping[str, object]:
        cases = patients.load_fold(run, network.fold).test
        limits = pooled_thresholds(run, pair, cases)
        tables = [
            segment_variant(material, variant)[1].assign(changes=name_of(variant))
            for material in load_materials(run, pair, cases, limits)
            for variant in VARIANTS
        ]
        table = pd.concat(tables)
        table.insert(0, "changes", table.pop("changes"))
        table.insert(0, "method", f"{network.model}-{network.loss}-s{network.seed}")
        artifacts.save_table(folder, "rows", table)
        return {"pooled_thresholds": limits}

    return run_stage(
        attribution_folder(run, pair),
        settings=dataclasses.asdict(run.profile.mixture) | {"variants": VARIANTS},
        upstream={**folders, "prepare": run.stage("prepare")},
        code=ATTRIBUTION_CODE,
        make=make,
    )


def attribution_folder(run: Run, pair: str) -> Path:
    """Return where the rows of a pair lie."""
    return run.folder / "attribution" / pair


def load_materials(
    run: Run, pair: str, cases: Collection[int], pooled: Limits
) -> Iterator[Material]:
    """Yield what the variants of each test patient are made of, one in memory at a time.

    Args:
        run: The run.
        pair: Model, loss, fold and seed, such as "dVAE-SSIM-f0-s0".
        cases: Patients tested in the pair's fold.
        pooled: From `pooled_thresholds`; empty where no variant needs them.
    """
    networks = [network for network in run.networks() if network.pair == pair]
    residuals = {n.sequence: segments.load_residual(run, n) for n in networks}
    for patient in segments.load_patients(run, sorted(cases)):
        places = patient.slices.index.to_numpy()
        shown = {sequence: residual.of(places) for sequence, residual in residuals.items()}
        perfect = {seq: baselines.perfect_residual(run, patient, seq) for seq in SEQUENCES}
        yield Material(patient, shown, perfect, run.profile.mixture, pooled)


def segment_variant(material: Material, changes: Collection[str]) -> tuple[ndarray, pd.DataFrame]:
    """Segment one patient with some decisions made by an oracle.

    Args:
        material: Of the patient.
        changes: Any of `CHANGES`; none is the method as it is. "reconstruction": the residual of
            a perfect reconstruction. "cluster": in each slice the cluster with the better overlap.
            "threshold": in place of clusters, the best threshold of each volume; that of T1CE is
            taken inside the outline. "pooled": the same for all patients of the fold together.
            "morphology": no opening, no closing. "outline", "enhancing": the true whole tumour,
            the true enhancing tumour.

    Returns:
        Segmentation and the Dice parts of each slice.

    Raises:
        ValueError: If a change is unknown.
    """
    unknown = sorted(set(changes) - set(CHANGES))
    if unknown:
        raise ValueError(f"There is no change {unknown}; choose from {', '.join(CHANGES)}.")
    patient, settings = material.patient, material.settings
    outline = _region(material, FLAIR, changes, patient.brain, known=OUTLINE in changes)
    enhancing = _region(material, T1CE, changes, outline, known=ENHANCING in changes)
    segmentations, counted = rows.tissue_rows(
        outline,
        enhancing,
        patient.labels,
        patient.slices,
        components=(settings.component,),
        hull=settings.hull,
    )
    return segmentations[settings.component], counted


def pooled_thresholds(run: Run, pair: str, cases: Collection[int]) -> Limits:
    """Return the best threshold of all test patients together, FLAIR first, T1CE inside it."""
    limits: dict[str, float] = {}
    for sequence in SEQUENCES:
        values, found, missed = [], [], 0
        for material in load_materials(run, pair, cases, limits):
            inside = material.patient.brain
            if sequence == T1CE:
                inside = _region(material, FLAIR, (POOLED,), inside, known=False)
            truth = material.truth(sequence)
            values.append(-material.network[sequence][inside])
            found.append(truth[inside])
            missed += int((truth & ~inside).sum())
        limits[sequence] = oracles.best_threshold(
            np.concatenate(values), np.concatenate(found), missed=missed
        )
    return limits


def _region(
    material: Material, sequence: str, changes: Collection[str], inside: ndarray, *, known: bool
) -> ndarray:
    """Return the mask of the region that a sequence shows; `inside` is where it will be kept."""
    brain, truth = material.patient.brain, material.truth(sequence)
    if known:
        return truth
    tidy = _leave if MORPHOLOGY in changes else morphology.open_close
    if THRESHOLD in changes or POOLED in changes:
        anomaly = -material.residual(sequence, changes)
        limit = (
            material.pooled[sequence]
            if POOLED in changes
            else oracles.best_threshold(
                anomaly[inside], truth[inside], missed=int((truth & ~inside).sum())
            )
        )
        return tidy(thresholds.above(anomaly, brain, threshold=limit), brain)
    chosen, other = (tidy(mask, brain) for mask in material.clusters(sequence, changes))
    return (
        oracles.best_of([chosen & inside, other & inside], truth) if CLUSTER in changes else chosen
    )


def _leave(mask: ndarray, _: ndarray) -> ndarray:
    return mask


def _cluster(
    residual: ndarray, brain: ndarray, settings: MixtureSettings
) -> tuple[ndarray, ndarray]:
    fit: Callable[..., mixture.MixtureFit] = partial(
        mixture.fit_mixture,
        reading=settings.reading,
        max_iterations=settings.max_iterations,
        tolerance=settings.tolerance,
        start=settings.start,
    )
    pairs = [
        oracles.both_clusters(
            fit(image, inside, table=neighbours.neighbour_table(inside)),
            image,
            inside,
            cluster=settings.cluster,
            tail=settings.tail,
        )
        for image, inside in zip(residual, brain, strict=True)
    ]
    chosen, other = (np.stack(masks) for masks in zip(*pairs, strict=True))
    return chosen, other
