"""Beyond the paper, one fold: smoothed FLAIR, a network of synthetic lesions, the third dimension.

Methods by name: "clean-up" (no network), "synthetic" (mean logit of all seeds), "synthetic s0"
(one seed), and the paper's own, see `beyond_residuals`. Reading "clearest" is the outline at the
level of the score that suits the patient, "" at the one threshold from healthy slices.
"""

import dataclasses
import importlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy import ndarray

from paperlib import artifacts
from paperlib.config import BeyondSettings, TrainingSettings
from paperlib.labels import FLAIR, SEQUENCES, T1CE
from paperlib.pipeline.comparisons import beyond_residuals
from paperlib.pipeline.comparisons.beyond_residuals import Limits, smooth_maps
from paperlib.pipeline.method import patients, rows, segments
from paperlib.pipeline.run import Run, run_stage
from paperlib.postprocessing import morphology, outline, regions, thresholds

WORKERS = "paperlib.pipeline.comparisons.lesion_networks"  # imports torch
NETWORK_CODE = (
    "paperlib.data.augment",
    "paperlib.data.lesions",
    "paperlib.models.lesion_unet",
    "paperlib.models.unet",
    "paperlib.models.unet_training",
    WORKERS,
)
BEYOND_CODE = (
    *segments.METHOD_CODE,
    "paperlib.postprocessing.outline",
    "paperlib.postprocessing.thresholds",
    "paperlib.postprocessing.volume",
    "paperlib.pipeline.comparisons.beyond",
    "paperlib.pipeline.comparisons.beyond_residuals",
)
NETWORK_SETTINGS = ("slice_steps", "batch_size", "learning_rate", "warm_up", "weight_decay")
CLEAN_UP, SYNTHETIC = "clean-up", "synthetic"
CLEAREST = "clearest"


def segment_beyond(run: Run, fold: int) -> bool:
    """Train the networks of a fold that are not there, then segment its test patients.

    Returns:
        Whether anything was segmented anew.
    """
    settings = run.profile.beyond
    for seed in settings.seeds:
        train_network(run, fold, seed)
    pairs = finished_pairs(run, fold)
    upstream = {name: run.stage(name) for name in ("prepare", "split")}
    upstream |= {f"network s{seed}": network_folder(run, fold, seed) for seed in settings.seeds}
    for pair, chosen in pairs.items():
        upstream[f"segments {pair}"] = run.folder / "segments" / pair
        upstream |= {f"{n.pair} {n.sequence}": run.reconstruction_folder(n) for n in chosen}

    def make(folder: Path, _key: str) -> Mapping[str, object]:
        limits = _image_limits(run, fold, settings)
        by_pair = {
            pair: beyond_residuals.residual_limits(run, fold, chosen)
            for pair, chosen in pairs.items()
        }
        tables, seconds = _segment(run, fold, pairs, limits, by_pair)
        for name, table in tables.items():
            table.insert(0, "fold", fold)
            artifacts.save_table(folder, name, table)
        return {"thresholds": {"images": limits, "residuals": by_pair}, "patient_cpu_s": seconds}

    mixture_settings = dataclasses.asdict(run.profile.mixture)
    return run_stage(
        beyond_folder(run, fold),
        settings={**dataclasses.asdict(settings), "fold": fold, "mixture": mixture_settings},
        upstream=upstream,
        code=BEYOND_CODE,
        make=make,
    )


def train_network(run: Run, fold: int, seed: int) -> bool:
    """Train the network of a fold and seed unless it is there."""
    settings = run.profile.beyond

    def make(folder: Path, _key: str) -> Mapping[str, object]:
        return importlib.import_module(WORKERS).train(run, fold, seed, folder, settings)

    chosen = {name: getattr(settings, name) for name in NETWORK_SETTINGS}
    return run_stage(
        network_folder(run, fold, seed),
        settings={**chosen, "gamma": seed in settings.gamma_seeds, "fold": fold, "seed": seed},
        upstream={name: run.stage(name) for name in ("prepare", "split")},
        code=NETWORK_CODE,
        make=make,
    )


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


def beyond_folder(run: Run, fold: int) -> Path:
    """Return where the rows of a fold lie."""
    return run.folder / "beyond" / f"f{fold}"


def network_folder(run: Run, fold: int, seed: int) -> Path:
    """Return where the network of a fold and seed lies."""
    return run.folder / "beyond-networks" / f"f{fold}-s{seed}"


def _image_limits(run: Run, fold: int, settings: BeyondSettings) -> Limits:
    """Return the quantiles of smoothed FLAIR and T1CE over the healthy training slices."""
    values: dict[str, list[ndarray]] = {sequence: [] for sequence in SEQUENCES}
    for patient in segments.load_patients(run, patients.load_fold(run, fold).training):
        healthy = patient.slices["healthy"].to_numpy()
        for sequence, smooth in smooth_maps(patient.images, patient.brain, settings).items():
            values[sequence].append(smooth[healthy][patient.brain[healthy]])
    flair, t1ce = (np.concatenate(values[sequence]) for sequence in SEQUENCES)
    limit = thresholds.false_positive_threshold
    return {
        CLEAN_UP: limit(flair, share=settings.clean_up_share),
        SYNTHETIC: limit(flair, share=settings.synthetic_share),
        T1CE: limit(t1ce, share=settings.t1ce_share),
    }


def _segment(
    run: Run,
    fold: int,
    pairs: Mapping[str, list[TrainingSettings]],
    limits: Limits,
    by_pair: Mapping[str, Limits],
) -> tuple[dict[str, pd.DataFrame], float]:
    """Return the tables of all methods and the CPU seconds of "clean-up" for a patient."""
    settings, cases = run.profile.beyond, sorted(patients.load_fold(run, fold).test)
    counts, pixels, scored, seconds = [], [], [], 0.0
    for patient in segments.load_patients(run, cases):
        began = time.process_time()
        smooth = smooth_maps(patient.images, patient.brain, settings)
        enhancing = thresholds.above(smooth[T1CE], patient.brain, threshold=limits[T1CE])
        seconds += time.process_time() - began
        for method, score, limit in _scores(run, fold, patient, smooth[FLAIR], limits):
            began = time.process_time()
            bright = morphology.open_close((score > limit) & patient.brain, patient.brain)
            kept = outline.under_each_rule(bright, patient.brain)
            clearest = {
                rule: outline.clearest_outline(score, patient.brain, kept[rule])
                for rule in outline.SINGLE
            }
            for reading, outlines in (("", kept), (CLEAREST, clearest)):
                named = {"method": method, "reading": reading}
                counts.append(_count(patient, outlines, enhancing, settings.hull, named))
            seconds += (time.process_time() - began) * (method == CLEAN_UP)
            pixels.append(segments.pixel_row(patient, FLAIR, score) | {"method": method})
            found = segments.score_patient(patient, limit - score)
            scored.append(found.assign(method=method, role="test"))
        for masks in beyond_residuals.masks_of_residuals(run, patient, pairs, by_pair):
            kept = outline.under_each_rule(masks.bright, patient.brain)
            named = {"method": masks.method, "reading": masks.reading}
            counts.append(_count(patient, kept, masks.enhancing, settings.hull, named))
    tables = {"counts": pd.concat(counts), "scores": pd.concat(scored)}
    tables["pixels"] = pd.DataFrame(pixels)
    return tables, round(seconds / len(cases), 3)


def _scores(
    run: Run, fold: int, patient: segments.Patient, flair: ndarray, limits: Limits
) -> Iterator[tuple[str, ndarray, float]]:
    """Yield name, score and its healthy threshold of the methods without a residual."""
    settings = run.profile.beyond
    yield CLEAN_UP, flair, limits[CLEAN_UP]
    logits = {f"{SYNTHETIC} s{seed}": _logit(run, fold, seed, patient) for seed in settings.seeds}
    mean = np.mean(list(logits.values()), axis=0)
    for method, logit in {SYNTHETIC: mean, **logits}.items():
        combined = outline.combine(
            flair,
            logit,
            patient.brain,
            sigma_px=settings.flair_sigma_px,
            logit_limit=settings.logit_limit,
        )
        yield method, combined, limits[SYNTHETIC]


def _logit(run: Run, fold: int, seed: int, patient: segments.Patient) -> ndarray:
    return beyond_residuals.load_slices(network_folder(run, fold, seed), "logit", patient).astype(
        np.float32
    )


def _count(
    patient: segments.Patient,
    outlines: Mapping[str, ndarray],
    enhancing: ndarray,
    hull: str,
    named: Mapping[str, str],
) -> pd.DataFrame:
    """Return the rows of one method's outlines, by the rule that chose their components."""
    found = [
        rows.count_rows(
            regions.label_tissues(kept, enhancing, hull=hull),
            patient.labels,
            patient.slices,
            component=rule,
            **named,
        )
        for rule, kept in outlines.items()
    ]
    return pd.concat(found)
