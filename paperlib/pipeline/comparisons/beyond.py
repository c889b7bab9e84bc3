"""Beyond the paper, one fold: smoothed FLAIR, a network of synthetic lesions, the third dimension.

Methods by name: "clean-up" (no network), "synthetic" (mean logit of the networks), and what was
tried beside it ("synthetic s0" alone, more networks, other weights). The paper's own residuals
under the same clean-up are another stage, see `beyond_residuals`.
"""

import dataclasses
import importlib
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
from numpy import ndarray

from paperlib import artifacts
from paperlib.evaluation.patients import likeness
from paperlib.labels import FLAIR, T1CE
from paperlib.pipeline.comparisons import beyond_model, beyond_rows
from paperlib.pipeline.comparisons.beyond_rows import Scored
from paperlib.pipeline.method import patients, segments
from paperlib.pipeline.new_patients import beyond_method, beyond_model_folder
from paperlib.pipeline.new_patients.beyond_method import CLEAN_UP, SYNTHETIC, Limits, Score
from paperlib.pipeline.new_patients.beyond_model_folder import Model
from paperlib.pipeline.run import Run, run_stage
from paperlib.postprocessing import outline

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
    "paperlib.pipeline.comparisons.beyond_rows",
    "paperlib.pipeline.new_patients.beyond_method",
)
NETWORK_SETTINGS = ("slice_steps", "batch_size", "learning_rate", "warm_up", "weight_decay")
WEIGHTS = (0.5, 2.0)  # of the networks' part, tried beside 1


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
    upstream = {name: run.stage(name) for name in ("prepare", "split")}
    upstream |= {f"network s{seed}": folder for seed, folder in networks.items()}
    upstream["model"] = beyond_model.model_home(run, fold)

    def make(folder: Path, _key: str) -> Mapping[str, object]:
        model = beyond_model_folder.read_model(upstream["model"])
        tables, seconds = _segment(run, fold, model)
        for name, table in tables.items():
            table.insert(0, "fold", fold)
            artifacts.save_table(folder, name, table)
        return {"thresholds": model.limits, "patient_cpu_s": seconds}

    return run_stage(
        beyond_folder(run, fold),
        settings={**dataclasses.asdict(settings), "fold": fold},
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


def beyond_folder(run: Run, fold: int) -> Path:
    """Return where the rows of a fold lie."""
    return run.folder / "beyond" / f"f{fold}"


def network_folder(run: Run, fold: int, seed: int) -> Path:
    """Return where the network of a fold and seed lies."""
    return run.folder / "beyond-networks" / f"f{fold}-s{seed}"


def _segment(run: Run, fold: int, model: Model) -> tuple[dict[str, pd.DataFrame], dict[str, float]]:
    """Return the tables of all methods and the CPU seconds of a patient by method."""
    cases, settings = sorted(patients.load_fold(run, fold).test), run.profile.beyond
    counts, pixels, doubts = [], [], []
    seconds = dict.fromkeys(beyond_method.METHODS, 0.0)
    for patient in segments.load_patients(run, cases):
        logits = _logits(run, fold, patient)
        doubts.append(_doubt(run, patient, logits, model, seconds))
        smooth = beyond_method.smooth_maps(patient.images, patient.brain, settings)
        for method, score in _scores(run, patient, smooth[FLAIR], logits, model.limits):
            kept = beyond_method.component_of(method, settings)
            rules = outline.RULES if method in beyond_method.METHODS else [kept]
            scored = Scored(method, score, smooth[T1CE], model.limits, rules)
            counts += beyond_rows.count_score(run, patient, scored)
            pixels.append(segments.pixel_row(patient, FLAIR, score.mean) | {"method": method})
    all_counts = pd.concat(counts)
    shown = all_counts[all_counts["method"].isin(beyond_method.METHODS)]
    tables = {
        "pixels": pd.DataFrame(pixels),
        "doubts": pd.DataFrame(doubts),
        "volumes": beyond_rows.volumes(all_counts),
        "counts": beyond_rows.slices(shown, settings),
    }
    return tables, {method: round(spent / len(cases), 3) for method, spent in seconds.items()}


def _logits(run: Run, fold: int, patient: segments.Patient) -> dict[int, ndarray]:
    return {
        seed: beyond_rows.load_stored(network_folder(run, fold, seed), "logit", patient)
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
    row["networks"] = beyond_method.agreement_of_networks(found[SYNTHETIC].score, patient.brain)
    row["methods"] = outline.agreement([one.codes > 0 for one in found.values()])
    lost = artifacts.load_table(run.stage("prepare"), "cases").set_index("case")
    share = float(lost["lost_brain_share"][case])
    measured = likeness.measure(patient.images, patient.brain, lost_brain_share=share)
    row["unlike"] = len(likeness.compare(measured, model.training))
    return row
