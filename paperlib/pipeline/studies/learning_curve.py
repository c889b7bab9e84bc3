"""`make curve`: what the network of synthetic lesions makes of fewer patients and fewer steps.

The test patients of a fold stay the same, and so do the seeds. Patients of a smaller number are
among those of a larger one; thresholds come from their healthy slices, too.
"""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from filelock import FileLock
from numpy import ndarray

from paperlib import artifacts
from paperlib.pipeline.comparisons import beyond, beyond_export, beyond_model, beyond_rows
from paperlib.pipeline.method import patients, segments
from paperlib.pipeline.new_patients import beyond_method, beyond_model_folder
from paperlib.pipeline.new_patients.beyond_method import CHOSEN, CLEAN_UP, SYNTHETIC
from paperlib.pipeline.run import Run, run_stage
from paperlib.pipeline.study_run import StudyRun

PATIENTS = (3, 9)  # beside all of the fold, at all steps
PARTS = (4, 2)  # of the steps: a quarter, a half, with all patients
CURVE_CODE = (*beyond.BEYOND_CODE, "paperlib.pipeline.studies.learning_curve")
FOLDER = "curve"  # of its rows, beside those of all patients and steps


class Point(NamedTuple):
    """How much was learnt from.

    Attributes:
        patients: Training patients with healthy slices.
        slice_steps: Of each network.
    """

    patients: int
    slice_steps: int


def measure_fold(run: Run, fold: int) -> bool:
    """Train and segment every point of a fold unless it is there, and write the rows.

    Returns:
        Whether anything was segmented anew.
    """
    found = {point: _learn(run, fold, point) for point in points(run, fold)}
    upstream = {"prepare": run.stage("prepare")}
    for point, own in found.items():
        name = "-".join(map(str, point))
        upstream[f"model {name}"] = beyond_model.model_home(own, fold)
        upstream |= {f"network {name} s{s}": home for s, home in _networks(own, fold).items()}

    def make(folder: Path, _key: str) -> None:
        rows = [_segment(own, fold, point) for point, own in found.items()]
        artifacts.save_table(folder, "volumes", pd.concat(rows))

    ran = run_stage(
        _home(run, fold),
        settings={**dataclasses.asdict(run.profile.beyond), "fold": fold},
        upstream=upstream,
        code=CURVE_CODE,
        make=make,
    )
    with FileLock(artifacts.ROOT / "runs" / ".curve.lock"):  # other folds finish, too
        _write(run)
    return ran


def points(run: Run, fold: int) -> list[Point]:
    """Return the points of a fold, the one with all patients and steps last."""
    steps, known = run.profile.beyond.slice_steps, len(_able(run, fold))
    fewer = [Point(number, steps) for number in PATIENTS if number < known]
    return [*fewer, *(Point(known, steps // part) for part in PARTS), Point(known, steps)]


def _able(run: Run, fold: int) -> list[int]:
    """Return the training patients of a fold that there is something to learn from."""
    slices = patients.load_slices(run)
    training = patients.load_fold(run, fold).training
    return [case for case in training if len(patients.healthy_of(slices, [case]))]


def _learn(run: Run, fold: int, point: Point) -> Run:
    """Return the run that holds the networks and the model of a point, trained if need be."""
    own = run if point == points(run, fold)[-1] else _study(run, fold, point)
    for seed in run.profile.beyond.averaged:
        beyond.train_network(own, fold, seed)
    beyond_model.make_model(own, fold, _networks(own, fold))
    return own


def _study(run: Run, fold: int, point: Point) -> StudyRun:
    settings = dataclasses.replace(run.profile.beyond, slice_steps=point.slice_steps)
    own = StudyRun(
        dataclasses.replace(run.profile, beyond=settings),
        run.data,
        run.folds,
        run.prepare,
        parent=run,
        place=run.folder / FOLDER / f"f{fold}-{point.patients}-{point.slice_steps}",
        splits=True,
    )

    def make(folder: Path, _key: str) -> None:
        chosen = patients.load_fold(run, fold)
        mixed = np.random.default_rng([run.profile.split.seed, fold]).permutation(_able(run, fold))
        fewer = chosen._replace(training=sorted(mixed[: point.patients].tolist()))
        folds = artifacts.read_json(run.stage("split") / "folds.json")["folds"]
        folds[fold] = fewer._asdict()
        artifacts.write_json(folder / "folds.json", {"folds": folds})

    run_stage(
        own.stage("split"),
        settings={"fold": fold, "patients": point.patients, "seed": run.profile.split.seed},
        upstream={name: run.stage(name) for name in ("prepare", "split")},
        code=("paperlib.pipeline.studies.learning_curve",),
        make=make,
    )
    return own


def _networks(own: Run, fold: int) -> dict[int, Path]:
    seeds = own.profile.beyond.averaged
    return {seed: beyond.network_folder(own, fold, seed) for seed in seeds}


def _segment(own: Run, fold: int, point: Point) -> pd.DataFrame:
    """Return the counts of each test patient, by the choices that a new patient gets."""
    settings = own.profile.beyond
    limits = beyond_model_folder.read_model(beyond_model.model_home(own, fold)).limits
    counts = []
    for patient in segments.load_patients(own, sorted(patients.load_fold(own, fold).test)):
        smooth = beyond_method.smooth_maps(patient.images, patient.brain, settings)
        for method, logits in _logits(own, fold, patient):
            found = beyond_method.segment(smooth, logits, patient.brain, settings, limits)
            named = {"method": method, "reading": CHOSEN[method], "enhancing": beyond_method.OTSU}
            component = {"component": beyond_method.component_of(method, settings)}
            counts.append(beyond_rows.count(own, patient, found.codes, **named, **component))
    table = beyond_rows.volumes(pd.concat(counts))
    for place, (name, value) in enumerate({"fold": fold, **point._asdict()}.items()):
        table.insert(place, name, value)
    return table


def _logits(own: Run, fold: int, patient: segments.Patient) -> Iterator[tuple[str, list[ndarray]]]:
    yield CLEAN_UP, []
    homes = _networks(own, fold).values()
    yield SYNTHETIC, [beyond_rows.load_stored(home, "logit", patient) for home in homes]


def _home(run: Run, fold: int) -> Path:
    return run.folder / FOLDER / f"f{fold}"


def _write(run: Run) -> None:
    """Put the rows of all finished folds where the book reads them."""
    folders = {fold: _home(run, fold) for fold in range(run.folds)}
    manifests = beyond_export.finished_folds(folders)
    origin = beyond_export.describe_origin(run, manifests, list(run.profile.beyond.averaged))
    origin |= {"settings": dataclasses.asdict(run.profile.beyond)}
    tables = [artifacts.load_table(folders[fold], "volumes") for fold in manifests]
    target = beyond_export.destination(run) / FOLDER
    beyond_export.save_rows(beyond_export.Rows(target, {"volumes": pd.concat(tables)}, origin))
