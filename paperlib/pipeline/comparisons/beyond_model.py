"""The model of a fold beyond the paper: what both methods learned from the training patients."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy import ndarray

from paperlib import artifacts
from paperlib.evaluation.patients import likeness
from paperlib.labels import FLAIR, SEQUENCES, T1CE
from paperlib.pipeline.method import patients, segments
from paperlib.pipeline.new_patients import beyond_method, beyond_model_folder
from paperlib.pipeline.new_patients.beyond_method import CLEAN_UP, SYNTHETIC, Limits
from paperlib.pipeline.run import Run, run_stage
from paperlib.postprocessing import thresholds

MODEL_CODE = (
    "paperlib.evaluation.patients.likeness",
    "paperlib.postprocessing.thresholds",
    "paperlib.postprocessing.volume",
    "paperlib.pipeline.comparisons.beyond_model",
    "paperlib.pipeline.new_patients.beyond_model_folder",
    "paperlib.pipeline.new_patients.beyond_method",
)


def make_model(run: Run, fold: int, networks: Mapping[int, Path]) -> bool:
    """Write the model of a fold unless it is there.

    Args:
        run: The run.
        fold: The fold.
        networks: Folder of the trained network of each seed.

    Returns:
        Whether it was written.
    """

    def make(folder: Path, _key: str) -> None:
        limits, training = _learn(run, fold)
        model = beyond_model_folder.Model(
            folder.name,
            run.data is None,
            run.prepare,
            run.profile.beyond,
            limits,
            training,
            (),
        )
        beyond_model_folder.write_model(folder, model, networks, profile=run.profile.name)

    upstream = {name: run.stage(name) for name in ("prepare", "split")}
    return run_stage(
        model_home(run, fold),
        settings={
            "fold": fold,
            "prepare": dataclasses.asdict(run.prepare),
            "beyond": dataclasses.asdict(run.profile.beyond),
        },
        upstream=upstream | {f"network s{seed}": home for seed, home in networks.items()},
        code=MODEL_CODE,
        make=make,
    )


def model_home(run: Run, fold: int) -> Path:
    """Return what `paperlib segment --model` takes for the methods beyond the paper."""
    return run.folder / "models" / f"beyond-f{fold}"


def _learn(run: Run, fold: int) -> tuple[Limits, dict[str, list[float]]]:
    """Return quantiles over the healthy training slices, and what all slices of patients are like.

    A new patient's healthy slices are not known: it is compared with all slices of the others.
    """
    settings, cases = run.profile.beyond, artifacts.load_table(run.stage("prepare"), "cases")
    lost = cases.set_index("case")["lost_brain_share"]
    values: dict[str, list[ndarray]] = {sequence: [] for sequence in SEQUENCES}
    measured: dict[str, list[float]] = {}
    training = patients.load_fold(run, fold).training
    for case, patient in zip(training, segments.load_patients(run, training), strict=True):
        healthy = patient.slices["healthy"].to_numpy()
        smoothed = beyond_method.smooth_maps(patient.images, patient.brain, settings)
        for sequence, smooth in smoothed.items():
            values[sequence].append(smooth[healthy][patient.brain[healthy]])
        share = float(lost[case])
        found = likeness.measure(patient.images, patient.brain, lost_brain_share=share)
        for name, value in found.items():
            measured.setdefault(name, []).append(value)
    flair, t1ce = (np.concatenate(values[sequence]) for sequence in (FLAIR, T1CE))
    limit = thresholds.false_positive_threshold
    limits = {
        CLEAN_UP: limit(flair, share=settings.clean_up_share),
        SYNTHETIC: limit(flair, share=settings.synthetic_share),
        T1CE: limit(t1ce, share=settings.t1ce_share),
    }
    return limits, measured
