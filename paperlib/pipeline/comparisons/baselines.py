"""What a critical reader asks for beside the networks (method: B1, B2, B3, B10, B11, B12)."""

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy import ndarray

from paperlib import artifacts
from paperlib.config import MixtureSettings
from paperlib.labels import FLAIR, SEQUENCES, T1CE, region_mask
from paperlib.pipeline.method import patients, rows, segments
from paperlib.pipeline.run import Run, run_stage
from paperlib.postprocessing import morphology, regions, thresholds, volume

BASELINE_CODE = (
    *segments.METHOD_CODE,
    "paperlib.postprocessing.thresholds",
    "paperlib.postprocessing.volume",
    "paperlib.pipeline.comparisons.baselines",
)
HEALTHY_PATIENTS = 24  # at most, to take thresholds from
FIXED_Z = 1.0  # the plain threshold, untouched by any data
SMOOTH_SHARES = {FLAIR: 0.01, T1CE: 0.01}  # of healthy pixels above, B12
T1CE_SIGMA_PX = 0.5
SCAN_NOISE_SD = 0.07  # z units, as measured on real FLAIR and T1CE; decided
Masks = tuple[ndarray, ndarray]  # whole tumour, enhancing tumour


def segment_baselines(run: Run, fold: int) -> bool:
    """Segment the test patients of one fold without a network, thresholds from the others."""
    settings = run.profile.mixture

    def make(folder: Path, _key: str) -> Mapping[str, object]:
        chosen = patients.load_fold(run, fold)
        limits = _healthy_limits(run, [*chosen.training, *chosen.validation])
        tables = _baseline_tables(run, sorted(chosen.test), limits, settings)
        for name, table in tables.items():
            table.insert(0, "fold", fold)
            artifacts.save_table(folder, name, table)
        return {"thresholds": limits}

    return run_stage(
        run.folder / "baselines" / f"f{fold}",
        settings=dataclasses.asdict(settings) | {"fold": fold},
        upstream={"prepare": run.stage("prepare"), "split": run.stage("split")},
        code=BASELINE_CODE,
        make=make,
    )


def _healthy_limits(run: Run, cases: list[int]) -> dict[str, float]:
    """Return every threshold, from healthy slices of patients that are not tested."""
    table = patients.load_slices(run)
    with_healthy = [case for case in cases if len(patients.healthy_of(table, [case]))]
    chosen = patients.evenly(np.array(with_healthy), HEALTHY_PATIENTS).tolist()
    values: dict[str, list[ndarray]] = {}
    for patient in segments.load_patients(run, chosen):
        healthy = patient.slices["healthy"].to_numpy()
        brain = patient.brain[healthy]
        for name, found in _maps(patient).items():
            values.setdefault(name, []).append(found[healthy][brain])
    shares = {f"smooth_{sequence}": share for sequence, share in SMOOTH_SHARES.items()}
    return {
        name: thresholds.false_positive_threshold(
            np.concatenate(parts), share=shares.get(name, 0.05)
        )
        for name, parts in values.items()
    }


def _maps(patient: segments.Patient) -> dict[str, ndarray]:
    """Return every map that a baseline thresholds, higher is more like a tumour."""
    found = {}
    for sequence in SEQUENCES:
        image = patient.images[sequence]
        found[f"z_{sequence}"] = image
        found[f"rank_{sequence}"] = thresholds.rank_in_brain(image, patient.brain)
    sigmas = {FLAIR: volume.SIGMA_PX, T1CE: T1CE_SIGMA_PX}
    for sequence, sigma in sigmas.items():
        image = patient.images[sequence]
        found[f"smooth_{sequence}"] = volume.smooth(image, patient.brain, sigma_px=sigma)
    return found


def _baseline_tables(
    run: Run, cases: list[int], limits: Mapping[str, float], settings: MixtureSettings
) -> dict[str, pd.DataFrame]:
    counts, pixels, scored = [], [], []
    for patient in segments.load_patients(run, cases):
        maps = _maps(patient)
        for name, masks in _thresholded(patient, maps, limits):
            counts.append(_tissue_rows(patient, masks, settings, method=name))
        for name, residuals in _without_network(run, patient).items():
            _, found = segments.cluster_rows(patient, residuals, settings)
            kept = found if name == "B3" else found[found["component"] == settings.component]
            counts.append(kept.assign(method=name))
        counts += [
            rows.count_rows(segmentation, patient.labels, patient.slices, method=name)
            for name, segmentation in _ceilings(patient, settings).items()
        ]
        scored.append(segments.score_patient(patient, -patient.images[FLAIR]).assign(role="test"))
        for name in ("z", "smooth"):
            pixels += [
                _pixel_row(patient, sequence, maps[f"{name}_{sequence}"]) | {"map": name}
                for sequence in SEQUENCES
            ]
    return {
        "counts": pd.concat(counts),
        "pixels": pd.DataFrame(pixels),
        "scores": pd.concat(scored),
    }


def _pixel_row(patient: segments.Patient, sequence: str, anomaly: ndarray) -> dict[str, object]:
    facts = segments.residual_facts(patient, sequence, -anomaly)
    row = segments.pixel_row(patient, sequence, anomaly)
    return row | {"other_region_auroc": facts["other_region_auroc"]}


def _thresholded(
    patient: segments.Patient, maps: Mapping[str, ndarray], limits: Mapping[str, float]
) -> Iterator[tuple[str, Masks]]:
    def masks(kind: str) -> Masks:
        found = [
            thresholds.above(
                maps[f"{kind}_{sequence}"], patient.brain, threshold=limits[f"{kind}_{sequence}"]
            )
            for sequence in SEQUENCES
        ]
        return found[0], found[1]

    yield "B1", masks("rank")
    yield "B2", masks("z")
    fixed = [
        thresholds.above(patient.images[sequence], patient.brain, threshold=FIXED_Z)
        for sequence in SEQUENCES
    ]
    yield "B2 fixed", (fixed[0], fixed[1])
    outline = volume.segment_smoothed(
        patient.images[FLAIR],
        patient.brain,
        threshold=limits[f"smooth_{FLAIR}"],
        spacing_mm=morphology.SPACING_MM,
    )
    yield "B12", (outline, masks("smooth")[1])


def _tissue_rows(
    patient: segments.Patient, masks: Masks, settings: MixtureSettings, *, method: str
) -> pd.DataFrame:
    _, found = rows.tissue_rows(
        *masks,
        patient.labels,
        patient.slices,
        components=(settings.component,),
        hull=settings.hull,
        method=method,
    )
    return found


def _without_network(run: Run, patient: segments.Patient) -> dict[str, dict[str, ndarray]]:
    """Return residuals that need no network: r = -x, and that of a perfect reconstruction."""
    return {
        "B3": {sequence: -patient.images[sequence] for sequence in SEQUENCES},
        "B11 perfect reconstruction": {
            sequence: perfect_residual(run, patient, sequence) for sequence in SEQUENCES
        },
    }


def perfect_residual(run: Run, patient: segments.Patient, sequence: str) -> ndarray:
    """Tumour-free counterfactual minus image; real patients get the brain's median as healthy.

    Both are exactly 0 in healthy tissue, which no mixture can fit, so the noise of a scan is
    added.
    """
    image = patient.images[sequence]
    folder = run.stage("prepare")
    places = patient.slices.index.to_numpy()
    rng = np.random.default_rng([int(places[0]), SEQUENCES.index(sequence)])
    noise = rng.normal(0, SCAN_NOISE_SD, image.shape).astype(np.float32)
    if (folder / f"healthy_{sequence}.npy").exists():
        return artifacts.load_array(folder, f"healthy_{sequence}")[places] - image + noise
    tumour = region_mask(patient.labels, "WT")
    healthy = np.median(image[patient.brain & ~tumour])
    return np.where(tumour, healthy - image, 0).astype(np.float32) + noise


def _ceilings(patient: segments.Patient, settings: MixtureSettings) -> dict[str, ndarray]:
    """Return predictions made from the truth: what a convention or the hull idea allows at best."""
    outline = region_mask(patient.labels, "WT")
    enhancing = region_mask(patient.labels, "ET")
    return {
        "B11 truth": patient.labels,
        "B11 hull of the true ET": regions.label_tissues(outline, enhancing, hull=settings.hull),
    }
