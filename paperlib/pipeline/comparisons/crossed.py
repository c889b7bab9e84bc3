"""The crossed table of one fold: every residual through every post-processing, outline on FLAIR.

Not part of the book's default: `make ablations` runs it and keeps its rows, which hold counts and
no pixel.
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
from paperlib.evaluation.measures import best_threshold, metrics
from paperlib.labels import FLAIR, region_mask
from paperlib.pipeline.comparisons import crossed_residuals, unet_stages
from paperlib.pipeline.comparisons.crossed_residuals import Fitted, Shown, Source
from paperlib.pipeline.comparisons.unet_stages import DENOISER, SUPERVISED
from paperlib.pipeline.method import clustering, patients, segments
from paperlib.pipeline.run import Run, run_stage
from paperlib.postprocessing import alternatives, mixture, morphology, neighbours, stack, thresholds
from paperlib.publish import provenance

CROSSED_CODE = (
    "paperlib.evaluation.measures.best_threshold",
    "paperlib.evaluation.measures.metrics",
    "paperlib.models.simple",
    "paperlib.pipeline.comparisons.crossed",
    "paperlib.pipeline.comparisons.crossed_residuals",
    "paperlib.pipeline.method.clustering",
    "paperlib.pipeline.method.rows",
    "paperlib.postprocessing.alternatives",
    "paperlib.postprocessing.mixture",
    "paperlib.postprocessing.morphology",
    "paperlib.postprocessing.neighbours",
    "paperlib.postprocessing.stack",
    "paperlib.postprocessing.thresholds",
)
UNETS = (DENOISER, SUPERVISED)
REFERENCE = "results/reference/phantom"
SHARES = np.geomspace(0.3, 0.005, 12)  # of the brain above the thresholds that are tried
SAMPLED = 16  # one brain pixel in so many gives the quantiles


class Limits(NamedTuple):
    """Thresholds of one residual; what exceeds one is tumour.

    Attributes:
        healthy_95: 95 % quantile of the healthy validation slices' brain.
        oracle: Best for the test patients, chosen by their own labels.
        others: For each test patient the best for the labels of the others.
    """

    healthy_95: float
    oracle: float
    others: dict[int, float]


def compare(run: Run, fold: int) -> bool:
    """Train the two U-Nets of a fold, then fill its crossed table; returns whether that ran."""
    for name in UNETS:
        unet_stages.train_unet(run, fold, name)
    networks = finished_networks(run, fold)
    upstream = {name: run.stage(name) for name in ("prepare", "split")}
    upstream |= {n.pair: run.reconstruction_folder(n) for n in networks}
    upstream |= {name: unet_stages.unet_folder(run, fold, name) for name in UNETS}

    def make(folder: Path, _key: str) -> None:
        fitted = crossed_residuals.fit_healthy(run, fold)
        made = crossed_residuals.sources(run, networks, fitted, _denoised(run, fold))
        limits: dict[str, Limits] = {}
        pixels = []
        for method, source in made.items():
            table, limits[method], ranked = _cross(run, fold, source)
            artifacts.save_table(folder, f"counts-{method.replace(' ', '_')}", table)
            pixels.append(ranked.assign(method=method))
        artifacts.save_table(folder, "pixels", pd.concat(pixels))
        artifacts.save_table(folder, "supervised", unet_stages.supervised_rows(run, fold))
        artifacts.write_json(folder / "facts.json", _facts(run, fold, fitted, limits))

    return run_stage(
        _folder(run, fold),
        settings=dataclasses.asdict(run.profile.mixture) | {"fold": fold},
        upstream=upstream,
        code=CROSSED_CODE,
        make=make,
    )


def finished_networks(run: Run, fold: int) -> list[TrainingSettings]:
    """Return the FLAIR networks of a fold whose reconstructions are there."""
    return [
        network
        for network in run.networks()
        if (network.fold, network.sequence) == (fold, FLAIR)
        and artifacts.read_manifest(run.reconstruction_folder(network))
    ]


def is_whole(run: Run) -> bool:
    """Return whether the crossed tables of all folds are there."""
    return all(artifacts.read_manifest(_folder(run, fold)) for fold in range(run.folds))


def keep_crossed(run: Run) -> None:
    """Write the rows of the default phantom for the book, once all folds are there."""
    if is_whole(run) and run.data is None and run.profile.name == "phantom":
        export_crossed(run, artifacts.ROOT / REFERENCE)


def export_crossed(run: Run, destination: Path) -> list[str]:
    """Write the crossed tables of all folds to a reference folder; returns the files' names.

    It holds running numbers instead of names, counts per slice, no pixel and no path.

    Raises:
        FileNotFoundError: If a fold is missing; names the command.
    """
    folders = [_folder(run, fold) for fold in range(run.folds)]
    command = f"python -m paperlib stage crossed FOLD --profile {run.profile.name}"
    commits = [artifacts.require(folder, command=command)["commit"] for folder in folders]
    destination.mkdir(parents=True, exist_ok=True)
    for old in destination.glob("crossed*"):
        old.unlink()
    names = sorted({file.stem for folder in folders for file in folder.glob("*.csv")})
    for name in names:
        found = [folder for folder in folders if (folder / f"{name}.csv").exists()]
        tables = [artifacts.load_table(folder, name) for folder in found]
        artifacts.save_table(destination, f"crossed-{name}", pd.concat(tables))
    cohort = "phantom" if run.data is None else "real"
    seeds = sorted({network.seed for network in run.networks()})
    facts = [artifacts.read_json(folder / "facts.json") for folder in folders]
    origin = provenance.collect(cohort, run.profile.name, seeds) | {"commit": commits[0]}
    artifacts.write_json(destination / "crossed.json", {"provenance": origin, "folds": facts})
    return [*(f"crossed-{name}.csv" for name in names), "crossed.json"]


def _cross(run: Run, fold: int, source: Source) -> tuple[pd.DataFrame, Limits, pd.DataFrame]:
    """Return one residual's counts per slice, its thresholds and its ranking of the pixels."""
    slices, chosen = patients.load_slices(run), patients.load_fold(run, fold)
    healthy = crossed_residuals.load_shown(run, patients.healthy_of(slices, chosen.validation))
    places = {case: patients.usable_of(slices, [case]) for case in sorted(chosen.test)}
    shown = {case: crossed_residuals.load_shown(run, here) for case, here in places.items()}
    labels = artifacts.load_array(run.stage("prepare"), "labels")
    truth = {case: region_mask(labels[here], "WT") for case, here in places.items()}
    residuals = {case: source(part) for case, part in shown.items()}
    healthy_95 = thresholds.false_positive_threshold(-source(healthy)[healthy.brain])
    limits = Limits(healthy_95, *_labelled_limits(shown, residuals, truth, healthy_95))
    counts, pixels = [], []
    for case, part in shown.items():
        columns = {name: part.slices[name].to_numpy() for name in ("case", "z")}
        own = {**limits._asdict(), "others": limits.others[case]}
        for name, mask in _masks(part, residuals[case], run.profile.mixture, own):
            columns[f"{name}_overlap"] = (mask & truth[case]).sum(axis=(1, 2))
            columns[f"{name}_predicted"] = mask.sum(axis=(1, 2))
        counts.append(pd.DataFrame(columns))
        pixels.append({"case": case, "ap": _precision(-residuals[case], truth[case], part.brain)})
    return pd.concat(counts), limits, pd.DataFrame(pixels)


def _labelled_limits(
    shown: Mapping[int, Shown],
    residuals: Mapping[int, ndarray],
    truth: Mapping[int, ndarray],
    healthy_95: float,
) -> tuple[float, dict[int, float]]:
    values = np.concatenate(
        [-residuals[case][part.brain][::SAMPLED] for case, part in shown.items()]
    )
    sought = np.array([healthy_95, *np.quantile(values, 1 - SHARES)])
    curves = np.concatenate(
        [
            best_threshold.dice_curves(-residuals[case], truth[case], part.brain, thresholds=sought)
            for case, part in shown.items()
        ]
    )
    cases = np.concatenate([part.slices["case"].to_numpy() for part in shown.values()])
    oracle = best_threshold.oracle_threshold(curves, sought)
    return oracle, best_threshold.thresholds_of_others(curves, cases, sought)


def _masks(
    shown: Shown, residual: ndarray, settings: MixtureSettings, limits: Mapping[str, float]
) -> Iterator[tuple[str, ndarray]]:
    """Yield the mask of every post-processing after the same opening and closing."""
    tables = [neighbours.neighbour_table(image) for image in shown.brain]
    for name, reading in (("mixture", settings.reading), ("weights", "weights")):
        yield (
            name,
            clustering.cluster(residual, shown.brain, tables, settings, reading=reading).mask,
        )
    choose = partial(mixture.tumour_mask, cluster=settings.cluster, tail=settings.tail)
    for name, fit in (
        ("sklearn", alternatives.fit_gaussians),
        ("kmeans", alternatives.fit_two_means),
    ):
        yield (
            name,
            stack.cluster_slices(residual, shown.brain, fit=fit, choose=choose, tables=tables).mask,
        )
    upper = [thresholds.otsu(-r, b) for r, b in zip(residual, shown.brain, strict=True)]
    yield "otsu", morphology.open_close(np.stack(upper), shown.brain)
    for name in ("healthy_95", "others", "oracle"):
        mask = thresholds.above(-residual, shown.brain, threshold=limits[name])
        yield name, morphology.open_close(mask, shown.brain)


def _precision(anomaly: ndarray, truth: ndarray, brain: ndarray) -> float:
    if not (truth & brain).any():
        return float("nan")
    return metrics.pixel_average_precision(anomaly, truth, brain)


def _facts(run: Run, fold: int, fitted: Fitted, limits: Mapping[str, Limits]) -> dict[str, object]:
    unets = {
        name: artifacts.require(unet_stages.unet_folder(run, fold, name), command=run.command)
        for name in UNETS
    }
    chosen = patients.load_fold(run, fold)
    slices = patients.load_slices(run)
    return {
        "fold": fold,
        "thresholds": {method: found._asdict() for method, found in limits.items()},
        "healthy_training_slices": len(patients.healthy_of(slices, chosen.training)),
        "healthy_validation_slices": len(patients.healthy_of(slices, chosen.validation)),
        "training_patients": len(chosen.training),
        "norm_reach": {height: norm.reach for height, norm in fitted.norms.items()},
        "component_slices": fitted.slices,
        "components": crossed_residuals.component_numbers(fitted),
        "explained": fitted.subspace.explained.tolist(),
        "unets": {
            name: {key: unet[key] for key in ("settings", "training_slices", "parameters")}
            for name, unet in unets.items()
        },
    }


def _denoised(run: Run, fold: int) -> segments.Residual:
    folder = unet_stages.unet_folder(run, fold, DENOISER)
    return segments.Residual(
        artifacts.load_array(folder, "reconstruction"),
        artifacts.load_array(run.stage("prepare"), FLAIR),
        artifacts.load_array(folder, "place"),
        np.empty((0, 0)),
    )


def _folder(run: Run, fold: int) -> Path:
    return run.folder / "crossed" / f"f{fold}"
