"""Beyond the paper, one fold: smoothed FLAIR, a network of synthetic lesions, the third dimension.

Methods by name: "clean-up" (no network), "synthetic" (mean logit of all seeds), "synthetic s0"
(one seed), and the paper's own, see `beyond_residuals`. Reading "clearest" is the outline at the
level of the score that suits the patient, and the enhancing tumour by Otsu's threshold inside it;
"" takes thresholds from healthy slices for both.
"""

import dataclasses
import importlib
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pandas as pd
from numpy import ndarray

from paperlib import artifacts
from paperlib.config import BeyondSettings, TrainingSettings
from paperlib.labels import FLAIR, SEQUENCES, T1CE
from paperlib.pipeline.comparisons import beyond_model, beyond_residuals
from paperlib.pipeline.method import patients, rows, segments
from paperlib.pipeline.new_patients import beyond_method, beyond_model_folder
from paperlib.pipeline.new_patients.beyond_method import CLEAN_UP, SYNTHETIC, Limits
from paperlib.pipeline.run import Run, run_stage
from paperlib.postprocessing import outline, regions, thresholds

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
    "paperlib.pipeline.new_patients.beyond_method",
)
NETWORK_SETTINGS = ("slice_steps", "batch_size", "learning_rate", "warm_up", "weight_decay")
CLEAREST = "clearest"


def segment_beyond(run: Run, fold: int) -> bool:
    """Train the networks of a fold that are not there, then segment its test patients.

    Returns:
        Whether anything was segmented anew.
    """
    settings = run.profile.beyond
    for seed in settings.seeds:
        train_network(run, fold, seed)
    networks = {seed: network_folder(run, fold, seed) for seed in settings.seeds}
    beyond_model.make_model(run, fold, networks)
    pairs = finished_pairs(run, fold)
    upstream = {name: run.stage(name) for name in ("prepare", "split")}
    upstream |= {f"network s{seed}": folder for seed, folder in networks.items()}
    upstream["model"] = beyond_model.model_home(run, fold)
    for pair, chosen in pairs.items():
        upstream[f"segments {pair}"] = run.folder / "segments" / pair
        upstream |= {f"{n.pair} {n.sequence}": run.reconstruction_folder(n) for n in chosen}

    def make(folder: Path, _key: str) -> Mapping[str, object]:
        limits = beyond_model_folder.read_model(upstream["model"]).limits
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
        smooth = beyond_method.smooth_maps(patient.images, patient.brain, settings)
        seconds += time.process_time() - began
        for method, score in _scores(run, fold, patient, smooth[FLAIR], limits):
            began = time.process_time()
            for reading, outlined in _outlines(patient, smooth, score, limits, settings, method):
                counts.append(_count(patient, outlined, method=method, reading=reading))
            seconds += (time.process_time() - began) * (method == CLEAN_UP)
            pixels.append(segments.pixel_row(patient, FLAIR, score) | {"method": method})
            found = segments.score_patient(patient, -score)
            scored.append(found.assign(method=method, role="test"))
        for masks in beyond_residuals.masks_of_residuals(run, patient, pairs, by_pair):
            outlined = {
                rule: regions.label_tissues(kept, masks.enhancing, hull=settings.hull)
                for rule, kept in outline.under_each_rule(masks.bright, patient.brain).items()
            }
            named = {"method": masks.method, "reading": masks.reading}
            counts.append(_count(patient, outlined, **named))
    tables = {"counts": pd.concat(counts), "scores": pd.concat(scored)}
    tables["pixels"] = pd.DataFrame(pixels)
    return tables, round(seconds / len(cases), 3)


def _scores(
    run: Run, fold: int, patient: segments.Patient, flair: ndarray, limits: Limits
) -> Iterator[tuple[str, ndarray]]:
    """Yield the methods without a residual: tumour is where the score is positive."""
    settings = run.profile.beyond
    logits = {
        f"{SYNTHETIC} s{seed}": beyond_residuals.load_slices(
            network_folder(run, fold, seed), "logit", patient
        )
        for seed in settings.seeds
    }
    chosen = {CLEAN_UP: None, SYNTHETIC: beyond_method.mean_logit(list(logits.values()))}
    chosen |= {method: beyond_method.mean_logit([logit]) for method, logit in logits.items()}
    for method, logit in chosen.items():
        yield method, beyond_method.tumour_score(flair, logit, patient.brain, settings, limits)


def _outlines(
    patient: segments.Patient,
    smooth: Mapping[str, ndarray],
    score: ndarray,
    limits: Limits,
    settings: BeyondSettings,
    method: str,
) -> Iterator[tuple[str, dict[str, ndarray]]]:
    """Yield both readings of a score: BraTS codes of a patient by the rule for components."""
    label = partial(regions.label_tissues, hull=settings.hull)
    enhancing = thresholds.above(smooth[T1CE], patient.brain, threshold=limits[T1CE])
    kept = outline.under_each_rule(outline.clean(score, patient.brain), patient.brain)
    yield "", {rule: label(mask, enhancing) for rule, mask in kept.items()}
    z_score = score + limits[CLEAN_UP if method == CLEAN_UP else SYNTHETIC]
    clearest = {
        rule: outline.clearest_outline(z_score, patient.brain, kept[rule])
        for rule in outline.SINGLE
    }
    brighter = {
        rule: thresholds.otsu(smooth[T1CE], mask) & (smooth[T1CE] > settings.t1ce_floor)
        for rule, mask in clearest.items()
    }
    yield CLEAREST, {rule: label(mask, brighter[rule]) for rule, mask in clearest.items()}


def _count(
    patient: segments.Patient, labelled: Mapping[str, ndarray], **named: str
) -> pd.DataFrame:
    """Return the rows of one method, by the rule that chose its components."""
    return pd.concat(
        rows.count_rows(codes, patient.labels, patient.slices, component=rule, **named)
        for rule, codes in labelled.items()
    )
