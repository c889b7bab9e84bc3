"""Stages of section 3: simulate or check the patients, prepare their slices, split them."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from numpy import ndarray

from paperlib import artifacts
from paperlib.config import PrepareSettings
from paperlib.data import brats, check, layouts, phantom, preprocess, split
from paperlib.labels import LABELS, SEQUENCES
from paperlib.pipeline.run import Run, run_stage

log = logging.getLogger(__name__)

PHANTOM_CODE = (
    "paperlib.data.phantom",
    "paperlib.data.phantom_anatomy",
    "paperlib.data.phantom_contrast",
    "paperlib.data.phantom_space",
    "paperlib.data.phantom_tumour",
)
READER_CODE = ("paperlib.data.layouts", "paperlib.data.brats", "paperlib.data.rules")
COUNTERFACTUALS = tuple(f"healthy_{sequence}" for sequence in SEQUENCES)
SLICES_AT_A_TIME = 64
STACK_AXES = "slice height width"


def make_cohort(run: Run, *, jobs: int = 1) -> bool:
    """Simulate the patients of a run without DATA; those already there are left alone."""
    cohort = run.profile.cohort

    def make(_folder: Path, _key: str) -> Mapping[str, object]:
        run.patients.mkdir(parents=True, exist_ok=True)
        write = joblib.delayed(phantom.write_phantom)
        joblib.Parallel(n_jobs=jobs)(
            write(
                run.patients,
                index,
                seed=cohort.seed,
                step_mm=cohort.step_mm,
                tumour_free_share=cohort.tumour_free_share,
                several_foci=cohort.several_foci,
            )
            for index in range(cohort.patients)
        )
        return {"patients": cohort.patients}

    settings = dataclasses.asdict(cohort)
    return run_stage(
        run.stage("cohort"), settings=settings, upstream={}, code=PHANTOM_CODE, make=make
    )


def check_patients(run: Run, *, allow_skipped: bool = False, jobs: int = 1) -> bool:
    """Check the folder of real patients; the stage is keyed by file sizes and times.

    Raises:
        ValueError: If patients are refused and `allow_skipped` is off.
    """

    def make(folder: Path, _key: str) -> Mapping[str, object]:
        report = check.check_folder(run.patients, jobs=jobs)
        for line in check.describe(report):
            log.info("%s", line)
        artifacts.write_json(folder / "report.json", check.as_json(report))
        return {"refused": report.refused, "usable": report.usable}

    settings = {"files": _fingerprints(run.patients, layouts.find_cases(run.patients))}
    code = (*READER_CODE, "paperlib.data.check")
    ran = run_stage(run.stage("check"), settings=settings, upstream={}, code=code, make=make)
    refused = artifacts.require(run.stage("check"), command=run.command)["refused"]
    if refused and not allow_skipped:
        raise ValueError(
            f"{refused} of the patients in DATA are refused, see above or run "
            f"`make check DATA=...`. Cure them, or go on without them: ALLOW_SKIPPED=1."
        )
    return ran


def usable_cases(run: Run) -> list[layouts.Case]:
    """Return the cases that a run trains and tests on, in the order of their numbers."""
    cases = layouts.find_cases(run.patients)
    if run.data is None:
        return cases[: run.profile.cohort.patients]
    report = artifacts.read_json(run.require("check") / "report.json")
    refused = {patient["id"] for patient in report["patients"] if patient["problems"]}
    usable = [case for case in cases if case.id not in refused and "labels" in case.files]
    return usable[: run.profile.max_patients]


def prepare_slices(run: Run, *, jobs: int = 1, images: Sequence[str] = ()) -> bool:
    """Crop, resize and z-score every patient into memory-mapped stacks.

    Args:
        run: The run.
        jobs: Patients at a time.
        images: Sequences that are wanted; empty for all, and those of the healthy phantoms.
    """
    upstream = {"cohort": run.stage("cohort")} if run.data is None else {}
    cases = usable_cases(run)
    settings = dataclasses.asdict(run.prepare) | {"files": _fingerprints(run.patients, cases)}
    code = (*READER_CODE, "paperlib.data.preprocess", "paperlib.pipeline.method.patients")

    def make(folder: Path, _key: str) -> None:
        depth = run.prepare.z_high - run.prepare.z_low
        shape = (len(cases) * depth, run.prepare.size, run.prepare.size)
        all_images = SEQUENCES if run.data is not None else (*SEQUENCES, *COUNTERFACTUALS)
        for name in images or all_images:
            artifacts.create_array(folder, name, shape, "float32", axes=STACK_AXES)
        artifacts.create_array(folder, "labels", shape, "uint8", axes=STACK_AXES)
        artifacts.create_array(folder, "brain", shape, "bool", axes=STACK_AXES)
        work = joblib.delayed(prepare_case)
        rows = joblib.Parallel(n_jobs=jobs)(
            work(case, number, folder, run.prepare) for number, case in enumerate(cases)
        )
        artifacts.save_table(folder, "cases", pd.DataFrame([row for row, _ in rows]))
        artifacts.save_table(folder, "slices", pd.concat([slices for _, slices in rows]))

    return run_stage(
        run.stage("prepare"), settings=settings, upstream=upstream, code=code, make=make
    )


def split_patients(run: Run) -> bool:
    """Write the training, validation and test patients of every fold."""
    settings = {**dataclasses.asdict(run.profile.split), "folds": run.folds}
    chosen = run.profile.split

    def make(folder: Path, _key: str) -> None:
        cases = artifacts.load_table(run.stage("prepare"), "cases")
        healthy = cases["healthy_slices"].to_numpy()
        tests = split.test_sets(
            cases["grade"].tolist(),
            healthy,
            folds=run.folds,
            counts=_test_counts(run, cases["grade"].tolist()),
            seed=chosen.seed,
        )
        folds = []
        for number, test in enumerate(tests):
            others = [case for case in range(len(cases)) if case not in test]
            validation = split.choose_validation(
                others,
                healthy,
                share=chosen.validation_share,
                min_healthy=chosen.min_healthy_slices,
                min_slices=chosen.min_validation_slices,
                seed=chosen.seed + number,
            )
            training = [case for case in others if case not in validation]
            folds.append(split.Fold(training, validation, test)._asdict())
        artifacts.write_json(folder / "folds.json", {"folds": folds})

    upstream = {"prepare": run.stage("prepare")}
    code = ("paperlib.data.split",)
    return run_stage(run.stage("split"), settings=settings, upstream=upstream, code=code, make=make)


def load_fold(run: Run, fold: int) -> split.Fold:
    """Return the case numbers of one fold."""
    return split.Fold(**artifacts.read_json(run.require("split") / "folds.json")["folds"][fold])


def load_slices(run: Run) -> pd.DataFrame:
    """Return the slice table of a prepared run; its index is the place in the stacks."""
    return artifacts.load_table(run.require("prepare"), "slices")


def healthy_of(slices: pd.DataFrame, cases: list[int]) -> ndarray:
    """Return the places of the usable tumour-free slices of some cases."""
    return np.flatnonzero(slices["case"].isin(cases) & slices["usable"] & slices["healthy"])


def usable_of(slices: pd.DataFrame, cases: list[int]) -> ndarray:
    """Return the places of all usable slices of some cases."""
    return np.flatnonzero(slices["case"].isin(cases) & slices["usable"])


def in_parts(places: ndarray) -> list[ndarray]:
    """Split places so that only some slices are in memory at a time."""
    return np.split(places, range(SLICES_AT_A_TIME, len(places), SLICES_AT_A_TIME))


def evenly(places: ndarray, count: int) -> ndarray:
    """Return at most `count` of the places, evenly spaced."""
    if len(places) <= count:
        return places
    return places[np.linspace(0, len(places) - 1, count).round().astype(int)]


def _fingerprints(folder: Path, cases: list[layouts.Case]) -> dict[str, list[int]]:
    """Size and time of every file by its place: the decathlon names images and labels alike."""
    files = {file for case in cases for file in case.files.values()}
    return {
        file.relative_to(folder).as_posix(): [file.stat().st_size, file.stat().st_mtime_ns]
        for file in sorted(files)
    }


def _test_counts(run: Run, grades: list[str]) -> dict[str, int]:
    chosen = run.profile.split
    if chosen.test_hgg is not None and chosen.test_lgg is not None:
        wanted = {"HGG": chosen.test_hgg, "LGG": chosen.test_lgg}
        known = all(grades.count(grade) >= count for grade, count in wanted.items())
        if known and (run.data is None or len(grades) >= 4 * sum(wanted.values())):
            return wanted
    return split.stratified_counts(grades, run.profile.split.test_share)


def prepare_case(
    case: layouts.Case, number: int, folder: Path, settings: PrepareSettings
) -> tuple[dict[str, object], pd.DataFrame]:
    """Write the slices of one case to their place in the stacks of `folder`.

    Returns:
        Its row of the case table and its rows of the slice table.

    Raises:
        ValueError: If it has no labels.
    """
    volumes = brats.read_case(case)
    if volumes.labels is None:
        raise ValueError(f"{case.id} has no labels; it can be segmented, not trained on.")
    window = preprocess.Window(
        settings.x_low, settings.y_low, settings.z_low, settings.z_high, settings.window
    )
    lost = preprocess.lost_brain_share(volumes.images["flair"], window)
    if lost > settings.lost_brain_warning:
        log.warning("%s loses %.2f %% of its brain at the window", case.id, 100 * lost)
    depth = settings.z_high - settings.z_low
    place = slice(number * depth, (number + 1) * depth)
    brain = _resized_mask(volumes.images["flair"], window, settings.size)
    labels = preprocess.resize_labels(preprocess.crop(volumes.labels, window), settings.size)
    _into(folder, "brain", place, brain)
    _into(folder, "labels", place, labels)
    row: dict[str, object] = {"case": number, "id": case.id, "layout": case.layout}
    row |= {"grade": case.grade, "lost_brain_share": lost}
    for sequence in SEQUENCES:
        if not (folder / f"{sequence}.npy").exists():
            continue
        volume = volumes.images[sequence]
        inside = _resized_mask(volume, window, settings.size)
        stack = preprocess.resize_images(preprocess.crop(volume, window), settings.size)
        scale = preprocess.scale_stack(stack, inside, labels > 0, method=settings.zscore)
        row |= {f"{sequence}_{name}": float(np.mean(of)) for name, of in scale._asdict().items()}
        clip = (settings.clip_low, settings.clip_high)
        _into(folder, sequence, place, preprocess.apply_zscore(stack, inside, scale, clip=clip))
        counterfactual = case.files["flair"].with_name(f"{case.id}_healthy_{sequence}.nii.gz")
        if (folder / f"healthy_{sequence}.npy").exists():
            healthy = preprocess.resize_images(
                preprocess.crop(brats.read_volume(counterfactual), window), settings.size
            )
            healthy = preprocess.apply_zscore(healthy, inside, scale, clip=clip)
            _into(folder, f"healthy_{sequence}", place, healthy)
    slices = _slice_rows(number, brain, labels, settings)
    counted = slices[slices["usable"]]
    row |= {"usable_slices": len(counted), "healthy_slices": int(counted["healthy"].sum())}
    return row, slices


def _slice_rows(
    number: int, brain: ndarray, labels: ndarray, settings: PrepareSettings
) -> pd.DataFrame:
    pixels = brain.sum(axis=(1, 2))
    columns = {f"label{code}_px": (labels == code).sum(axis=(1, 2)) for code in LABELS}
    tumour = sum(columns.values())
    return pd.DataFrame(
        {
            "case": number,
            "z": np.arange(settings.z_low, settings.z_high),
            "brain_px": pixels,
            "tumour_px": tumour,
            **columns,
            "usable": pixels >= settings.brain_share * brain[0].size,
            "healthy": tumour < settings.min_tumour_px,
        }
    )


def _resized_mask(volume: ndarray, window: preprocess.Window, size: int) -> ndarray:
    return preprocess.resize_labels(preprocess.crop(volume, window) > 0, size)


def _into(folder: Path, name: str, place: slice, stack: ndarray) -> None:
    target = np.load(folder / f"{name}.npy", mmap_mode="r+")
    target[place] = stack
    target.flush()
