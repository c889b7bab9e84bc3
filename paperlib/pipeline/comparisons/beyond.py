"""Beyond the paper, one fold: smoothed FLAIR, a network of synthetic lesions, the third dimension.

Methods by name: "clean-up" (no network), "synthetic" (mean logit of the networks), what was tried
beside it ("synthetic s0" alone, more networks, other weights), and the paper's own, see
`beyond_residuals`. Readings are those of `beyond_method`, after "smoothed" for a residual.
"""

import dataclasses
import importlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
from numpy import ndarray

from paperlib import artifacts
from paperlib.config import BeyondSettings, TrainingSettings
from paperlib.evaluation.measures import foci
from paperlib.evaluation.patients import likeness
from paperlib.labels import FLAIR, SEQUENCES, T1CE
from paperlib.pipeline.comparisons import beyond_model, beyond_residuals
from paperlib.pipeline.comparisons.beyond_residuals import Scored
from paperlib.pipeline.method import patients, rows, segments
from paperlib.pipeline.new_patients import beyond_method, beyond_model_folder
from paperlib.pipeline.new_patients.beyond_method import (
    AGREED,
    CLEAN_UP,
    CLEAREST,
    HEALTHY,
    OTSU,
    SYNTHETIC,
    THRESHOLD,
    Limits,
    Score,
)
from paperlib.pipeline.new_patients.beyond_model_folder import Model
from paperlib.pipeline.run import Run, run_stage
from paperlib.postprocessing import outline, regions

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
    "paperlib.evaluation.measures.foci",
    "paperlib.evaluation.patients.likeness",
    "paperlib.postprocessing.outline",
    "paperlib.postprocessing.thresholds",
    "paperlib.postprocessing.volume",
    "paperlib.pipeline.comparisons.beyond",
    "paperlib.pipeline.comparisons.beyond_residuals",
    "paperlib.pipeline.new_patients.beyond_method",
)
SCORED = ("WT", "TC", "ET")
NETWORK_SETTINGS = ("slice_steps", "batch_size", "learning_rate", "warm_up", "weight_decay")
WEIGHTS = (0.5, 2.0)  # of the networks' part, tried beside 1
WAY = ["method", "reading", "component", "enhancing"]  # columns that name a row
COUNTED = [f"{region}_{part}" for region in SCORED for part in ("overlap", "predicted")]


def segment_beyond(run: Run, fold: int) -> bool:
    """Train the networks of a fold that are not there, then segment its test patients.

    Returns:
        Whether anything was segmented anew.
    """
    settings = run.profile.beyond
    for seed in settings.seeds:
        train_network(run, fold, seed)
    networks = {seed: network_folder(run, fold, seed) for seed in settings.seeds}
    averaged = {seed: networks[seed] for seed in settings.averaged}
    beyond_model.make_model(run, fold, averaged)
    pairs = finished_pairs(run, fold)
    upstream = {name: run.stage(name) for name in ("prepare", "split")}
    upstream |= {f"network s{seed}": folder for seed, folder in networks.items()}
    upstream["model"] = beyond_model.model_home(run, fold)
    for pair, chosen in pairs.items():
        upstream[f"segments {pair}"] = run.folder / "segments" / pair
        upstream |= {f"{n.pair} {n.sequence}": run.reconstruction_folder(n) for n in chosen}

    def make(folder: Path, _key: str) -> Mapping[str, object]:
        model = beyond_model_folder.read_model(upstream["model"])
        by_pair = {
            pair: beyond_residuals.residual_limits(run, fold, chosen)
            for pair, chosen in pairs.items()
        }
        tables, seconds = _segment(run, fold, pairs, model, by_pair)
        for name, table in tables.items():
            table.insert(0, "fold", fold)
            artifacts.save_table(folder, name, table)
        return {
            "thresholds": {"images": model.limits, "residuals": by_pair},
            "patient_cpu_s": seconds,
        }

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
    model: Model,
    by_pair: Mapping[str, Limits],
) -> tuple[dict[str, pd.DataFrame], dict[str, float]]:
    """Return the tables of all methods and the CPU seconds of a patient by method."""
    cases, settings = sorted(patients.load_fold(run, fold).test), run.profile.beyond
    counts, pixels, doubts = [], [], []
    seconds = dict.fromkeys(beyond_method.METHODS, 0.0)
    for patient in segments.load_patients(run, cases):
        logits = _logits(run, fold, patient)
        doubts.append(_doubt(run, patient, logits, model, seconds))
        smooth = beyond_method.smooth_maps(patient.images, patient.brain, settings)
        for method, score in _scores(run, patient, smooth[FLAIR], logits, model.limits):
            rules = outline.RULES if method in beyond_method.METHODS else [settings.component]
            scored = Scored(method, score, smooth[T1CE], model.limits, rules)
            counts += _count_score(run, patient, scored)
            pixels.append(segments.pixel_row(patient, FLAIR, score.mean) | {"method": method})
        for scored in beyond_residuals.smoothed_residuals(run, patient, pairs, by_pair):
            counts += _count_score(run, patient, scored)
        for masks in beyond_residuals.masks_of_residuals(run, patient, pairs):
            named = {"method": masks.method, "reading": masks.reading, "enhancing": "mixture"}
            for rule in beyond_residuals.RULES:
                kept = outline.keep(masks.bright, patient.brain, rule=rule)
                codes = regions.label_tissues(kept, masks.enhancing, hull=settings.hull)
                counts.append(_count(run, patient, codes, component=rule, **named))
    tables = {"pixels": pd.DataFrame(pixels), "doubts": pd.DataFrame(doubts)}
    tables |= _tables(pd.concat(counts), settings)
    return tables, {method: round(spent / len(cases), 3) for method, spent in seconds.items()}


def _tables(counts: pd.DataFrame, settings: BeyondSettings) -> dict[str, pd.DataFrame]:
    """Return volumes of all ways, and slices of those that a table counts slice by slice."""
    whole = counts.drop(columns="z").groupby(["case", *WAY], sort=False)
    volumes = whole.agg({column: "sum" for column in COUNTED} | {"foci_found": "first"})
    shown = (counts["component"] == settings.component) & (counts["enhancing"] == OTSU)
    shown &= ~counts["method"].str.match(f"{SYNTHETIC} ")  # single networks and the like
    slices = counts[shown].drop(columns=["enhancing", "foci_found"])
    return {"volumes": volumes.reset_index(), "counts": slices}


def _logits(run: Run, fold: int, patient: segments.Patient) -> dict[int, ndarray]:
    return {
        seed: beyond_residuals.load_slices(network_folder(run, fold, seed), "logit", patient)
        for seed in run.profile.beyond.seeds
    }


def _scores(
    run: Run,
    patient: segments.Patient,
    flair: ndarray,
    logits: Mapping[int, ndarray],
    limits: Limits,
) -> Iterator[tuple[str, Score]]:
    """Yield the methods without a residual, and those that were tried beside them."""
    settings = run.profile.beyond

    def score(*seeds: int, weight: float = 1.0) -> Score:
        chosen = [logits[seed] for seed in seeds]
        return beyond_method.score_volume(
            flair, chosen, patient.brain, settings, limits, weight=weight
        )

    yield CLEAN_UP, score()
    yield SYNTHETIC, score(*settings.averaged)
    yield f"{SYNTHETIC} of {len(logits)} networks", score(*logits)
    for seed in logits:
        yield f"{SYNTHETIC} s{seed}", score(seed)
    for weight in WEIGHTS:
        yield f"{SYNTHETIC} with weight {weight:g}", score(*settings.averaged, weight=weight)


def _count_score(run: Run, patient: segments.Patient, scored: Scored) -> list[pd.DataFrame]:
    """Return the rows of a score under its rules for components and every reading."""
    score, t1ce, limits = scored.score, scored.t1ce, scored.limits
    settings, found = run.profile.beyond, []
    drawn: dict[tuple[str, bytes], ndarray] = {}  # rules often keep the same
    readings = (THRESHOLD, CLEAREST, *([AGREED] if score.members else []))
    cleaned = outline.clean(score.mean - score.threshold, patient.brain)
    for rule in scored.rules:
        start = outline.keep(cleaned, patient.brain, rule=rule)
        for reading in readings if rule != "all" else [THRESHOLD]:
            key = reading, start.tobytes()
            if key not in drawn:
                drawn[key] = beyond_method.draw_outline(
                    score, patient.brain, start, reading=reading
                )
            for enhancing in (OTSU, HEALTHY) if rule == settings.component else [OTSU]:
                codes = beyond_method.label(t1ce, drawn[key], settings, limits, enhancing=enhancing)
                named = {"method": scored.method, "reading": scored.prefix + reading}
                found.append(
                    _count(run, patient, codes, component=rule, enhancing=enhancing, **named)
                )
    return found


def _count(run: Run, patient: segments.Patient, codes: ndarray, **named: str) -> pd.DataFrame:
    """Return the rows of one way: counts per slice, and how many foci of the patient it finds."""
    counted = rows.count_rows(codes, patient.labels, patient.slices, **named)
    voxel_ml = foci.voxel_ml(run.prepare.window, run.prepare.size)
    return counted[["case", "z", *WAY, *COUNTED]].assign(
        foci_found=foci.count_found(codes > 0, patient.labels > 0, voxel_ml=voxel_ml)
    )


def _doubt(
    run: Run,
    patient: segments.Patient,
    logits: Mapping[int, ndarray],
    model: Model,
    seconds: dict[str, float],
) -> dict[str, int | float]:
    """Return what could warn without the truth, and add the CPU seconds of each method."""
    settings, found = run.profile.beyond, {}
    chosen = [logits[seed] for seed in settings.averaged]
    case = int(patient.slices["case"].iloc[0])
    row: dict[str, int | float] = {"case": case}
    for method, part in {CLEAN_UP: [], SYNTHETIC: chosen}.items():
        began = time.process_time()
        smooth = beyond_method.smooth_maps(patient.images, patient.brain, settings)
        found[method] = beyond_method.segment(smooth, part, patient.brain, settings, model.limits)
        seconds[method] += time.process_time() - began
        row[f"{method}_ball_mm"] = outline.ball_mm(found[method].start)
    rule = settings.component
    row["networks"] = beyond_method.agreement_of_networks(
        found[SYNTHETIC].score, patient.brain, rule=rule
    )
    row["methods"] = outline.agreement([one.codes > 0 for one in found.values()])
    lost = artifacts.load_table(run.stage("prepare"), "cases").set_index("case")
    share = float(lost["lost_brain_share"][case])
    measured = likeness.measure(patient.images, patient.brain, lost_brain_share=share)
    row["unlike"] = len(likeness.compare(measured, model.training))
    return row
