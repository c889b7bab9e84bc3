"""Stages of sections 4.2 and 4.3: score, cluster and label the test slices of each pair."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy import ndarray

from paperlib import artifacts, scores
from paperlib.config import MixtureSettings, TrainingSettings
from paperlib.evaluation.measures import metrics, reconstruction
from paperlib.labels import FLAIR, SEQUENCES, SHOWN_REGION, T1CE, region_mask
from paperlib.pipeline.method import clustering, patients, rows
from paperlib.pipeline.run import Run, run_stage
from paperlib.postprocessing import neighbours

METHOD_CODE = (
    "paperlib.scores",
    "paperlib.postprocessing.mixture",
    "paperlib.postprocessing.morphology",
    "paperlib.postprocessing.neighbours",
    "paperlib.postprocessing.regions",
    "paperlib.postprocessing.stack",
    "paperlib.evaluation.measures.metrics",
    "paperlib.evaluation.measures.reconstruction",
    "paperlib.pipeline.method.clustering",
    "paperlib.pipeline.method.rows",
    "paperlib.pipeline.method.segments",
)
MIN_BLIND_PX = 100  # brain pixels that a score needs
ALL_COMPONENTS = ("all", "largest_2d", "largest_3d")


class Patient(NamedTuple):
    """The usable slices of one test patient."""

    slices: pd.DataFrame
    images: Mapping[str, ndarray]
    brain: ndarray
    labels: ndarray


def segment_pair(run: Run, pair: str) -> bool:
    """Score and segment the test slices with the two networks of a pair."""
    chosen = {n.sequence: n for n in run.networks() if n.pair == pair}
    upstream = {
        f"{part}_{sequence}": folder
        for sequence, network in chosen.items()
        for part, folder in (
            ("network", run.network_folder(network)),
            ("reconstruction", run.reconstruction_folder(network)),
        )
    }
    settings = run.profile.mixture

    def make(folder: Path, _key: str) -> None:
        fold = patients.load_fold(run, chosen[FLAIR].fold).test
        residuals = {seq: load_residual(run, network) for seq, network in chosen.items()}
        tables = _segment_patients(run, folder, fold, residuals, settings)
        tables["scores"] = _score_slices(run, chosen, residuals)
        for name, table in tables.items():
            table.insert(0, "fold", chosen[FLAIR].fold)
            artifacts.save_table(folder, name, table)

    return run_stage(
        run.folder / "segments" / pair,
        settings=dataclasses.asdict(settings),
        upstream={**upstream, "prepare": run.stage("prepare")},
        code=METHOD_CODE,
        make=make,
    )


class Residual(NamedTuple):
    """Reconstruction minus image of the slices that a network was shown, without copying them."""

    reconstruction: ndarray
    images: ndarray
    place: ndarray  # of each reconstruction in the stacks
    latent: ndarray

    def of(self, places: ndarray) -> ndarray:
        """Return residual slices in z units, tumours negative."""
        shown = self.reconstruction[self._rows(places)].astype(np.float32)
        return shown - self.images[places]

    def latent_of(self, places: ndarray) -> ndarray:
        """Return the latent means of slices."""
        return self.latent[self._rows(places)]

    def _rows(self, places: ndarray) -> ndarray:
        order = np.argsort(self.place)
        found = order[np.searchsorted(self.place, places, sorter=order) % len(order)]
        if not np.array_equal(self.place[found], places):
            missing = np.setdiff1d(places, self.place).tolist()
            raise ValueError(f"Slices {missing} were not reconstructed; only test slices and "
                             "healthy validation slices are.")  # fmt: skip
        return found


def load_residual(run: Run, network: TrainingSettings) -> Residual:
    """Return the residuals of a network, memory-mapped."""
    folder = run.reconstruction_folder(network)
    artifacts.require(folder, command=run.command)
    return Residual(
        artifacts.load_array(folder, "reconstruction"),
        artifacts.load_array(run.stage("prepare"), network.sequence),
        artifacts.load_array(folder, "place"),
        artifacts.load_array(folder, "latent"),
    )


def load_patients(run: Run, cases: list[int]) -> Iterator[Patient]:
    """Yield the usable slices of each case, one case in memory at a time."""
    table = patients.load_slices(run)
    folder = run.stage("prepare")
    arrays = {name: artifacts.load_array(folder, name) for name in (*SEQUENCES, "brain", "labels")}
    for case in cases:
        places = patients.usable_of(table, [case])
        images = {sequence: arrays[sequence][places] for sequence in SEQUENCES}
        yield Patient(table.iloc[places], images, arrays["brain"][places], arrays["labels"][places])


def cluster_rows(
    patient: Patient,
    residuals: Mapping[str, ndarray],
    settings: MixtureSettings,
) -> tuple[ndarray, pd.DataFrame]:
    """Segment one patient under every reading of equation 1.

    Returns:
        Segmentation of the reading and component taken downstream, and the rows of all.
    """
    tables = [neighbours.neighbour_table(image) for image in patient.brain]
    downstream, found = np.zeros_like(patient.labels), []
    for reading in settings.readings:
        clustered = {
            sequence: clustering.cluster(
                residuals[sequence], patient.brain, tables, settings, reading=reading
            )
            for sequence in SEQUENCES
        }
        components = ALL_COMPONENTS if reading == settings.reading else (settings.component,)
        segmentations, counted = rows.tissue_rows(
            clustered[FLAIR].mask,
            clustered[T1CE].mask,
            patient.labels,
            patient.slices,
            components=components,
            hull=settings.hull,
            reading=reading,
        )
        if reading == settings.reading:
            downstream = segmentations[settings.component]
        fits = {k: np.tile(v, len(components)) for k, v in rows.fit_columns(clustered).items()}
        found.append(counted.assign(**fits))
    return downstream, pd.concat(found)


def _segment_patients(
    run: Run,
    folder: Path,
    cases: list[int],
    residuals: Mapping[str, Residual],
    settings: MixtureSettings,
) -> dict[str, pd.DataFrame]:
    counts, pixels = [], []
    table = patients.load_slices(run)
    total = len(patients.usable_of(table, cases))
    size = (total, run.prepare.size, run.prepare.size)
    target = artifacts.create_array(
        folder, "segmentation", size, "uint8", axes="slice height width"
    )
    artifacts.save_array(folder, "place", patients.usable_of(table, cases), axes="slice")
    done = 0
    for patient in load_patients(run, sorted(cases)):
        places = patient.slices.index.to_numpy()
        shown = {sequence: residual.of(places) for sequence, residual in residuals.items()}
        segmentation, counted = cluster_rows(patient, shown, settings)
        target[done : done + len(places)] = segmentation
        done += len(places)
        counts.append(counted)
        pixels += [
            pixel_row(patient, sequence, -shown[sequence])
            | residual_facts(patient, sequence, shown[sequence])
            for sequence in SEQUENCES
        ]
    target.flush()
    return {"counts": pd.concat(counts), "pixels": pd.DataFrame(pixels)}


def pixel_row(patient: Patient, sequence: str, anomaly: ndarray) -> dict[str, object]:
    """Return how well an anomaly map and the plain image rank the pixels of one patient."""
    region = SHOWN_REGION[sequence]
    truth = region_mask(patient.labels, region)
    row: dict[str, object] = {"case": int(patient.slices["case"].iloc[0]), "sequence": sequence}
    row |= {"region": region, "ap": np.nan, "auroc": np.nan, "image_ap": np.nan}
    if truth[patient.brain].any():
        image = patient.images[sequence]
        row["ap"] = metrics.pixel_average_precision(anomaly, truth, patient.brain)
        row["auroc"] = metrics.pixel_auroc(anomaly, truth, patient.brain)
        row["image_ap"] = metrics.pixel_average_precision(image, truth, patient.brain)
    return row


def residual_facts(patient: Patient, sequence: str, residual: ndarray) -> dict[str, float]:
    """Return how a network treats healthy tissue, tumour and the other sequence's region."""
    healthy = scores.tumour_blind_brain(patient.brain, region_mask(patient.labels, "WT"))
    tumour = region_mask(patient.labels, SHOWN_REGION[sequence]) & patient.brain
    image = patient.images[sequence]
    found = reconstruction.compare_tissue(image, residual, healthy, tumour)._asdict()
    (other,) = (SHOWN_REGION[name] for name in SEQUENCES if name != sequence)
    truth = region_mask(patient.labels, other)
    known = truth[patient.brain].any() and not truth[patient.brain].all()
    found["other_region_auroc"] = (
        metrics.pixel_auroc(-residual, truth, patient.brain) if known else np.nan
    )
    return found


def _score_slices(
    run: Run, chosen: Mapping[str, TrainingSettings], residuals: Mapping[str, Residual]
) -> pd.DataFrame:
    fold = patients.load_fold(run, chosen[FLAIR].fold)
    statistics = _latent_statistics(run.network_folder(chosen[FLAIR]))
    parts = []
    for role, cases in (("validation", fold.validation), ("test", fold.test)):
        for patient in load_patients(run, cases):
            kept = patient if role == "test" else _healthy_part(patient)
            places = kept.slices.index.to_numpy()
            scored = score_patient(kept, residuals[FLAIR].of(places))
            latent = residuals[FLAIR].latent_of(places)
            scored["latent_distance"] = scores.latent_distance(latent, statistics)
            t1ce = residuals[T1CE].of(places)
            scored["t1ce_mean_residual"] = scores.mean_residual_score(t1ce, kept.brain)
            parts.append(scored.assign(role=role))
    return pd.concat(parts)


def score_patient(patient: Patient, residual: ndarray) -> pd.DataFrame:
    """Return every score of each slice, and the same without the true tumour (`_blind`).

    A blind score is missing where nearly all of the brain is tumour.
    """
    heights = patient.slices["z"].to_numpy()
    columns = {"case": patient.slices["case"].to_numpy(), "z": heights}
    tumour = region_mask(patient.labels, "WT")
    blind = scores.tumour_blind_brain(patient.brain, tumour)
    for suffix, brain in (("", patient.brain), ("_blind", blind)):
        enough = brain.sum(axis=(1, 2)) >= MIN_BLIND_PX
        image = patient.images[FLAIR][enough]
        seen = scores.Slices(image, residual[enough], brain[enough], heights[enough])
        for name, score in scores.SCORES.items():
            values = np.full(len(heights), np.nan)
            values[enough] = score(seen)
            columns[f"{name}{suffix}"] = values
    return pd.DataFrame(columns)


def _healthy_part(patient: Patient) -> Patient:
    kept = patient.slices["healthy"].to_numpy()
    images = {sequence: stack[kept] for sequence, stack in patient.images.items()}
    return Patient(patient.slices[kept], images, patient.brain[kept], patient.labels[kept])


def _latent_statistics(network_folder: Path) -> scores.LatentStatistics:
    mean, variance = (
        np.asarray(artifacts.load_array(network_folder, f"latent_{name}"))
        for name in ("mean", "variance")
    )
    floor = scores.LATENT_VARIANCE_FLOOR * np.median(variance)
    return scores.LatentStatistics(mean, np.maximum(variance, floor))
