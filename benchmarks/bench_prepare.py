"""Preparing a patient beside only reading its three files with nibabel."""

import dataclasses
import tempfile
from pathlib import Path
from time import perf_counter

import nibabel as nib
import numpy as np

from benchmarks.rows import Row
from paperlib import artifacts
from paperlib.config import PROFILES, CohortSettings
from paperlib.pipeline.method import patients
from paperlib.pipeline.run import Run

REPEATS = 5
LIMIT = 2.5


def main():
    with tempfile.TemporaryDirectory() as folder:
        artifacts.ROOT = Path(folder)
        profile = dataclasses.replace(PROFILES["smoke"], cohort=CohortSettings(patients=1))
        run = Run(profile)
        patients.make_cohort(run)
        case = patients.usable_cases(run)[0]
        pairs = []
        for _ in range(REPEATS + 1):
            started = perf_counter()
            for file in case.files.values():
                nib.load(file).get_fdata()
            read = perf_counter() - started
            started = perf_counter()
            patients.prepare_case(case, 0, make_stacks(run), run.prepare)
            pairs.append((perf_counter() - started, read))
        pairs = pairs[1:]  # the first one warms up
    ours, read = np.median(pairs, axis=0)
    ratio = float(np.median([a / b for a, b in pairs]))
    return [Row("preparing a patient against get_fdata of its files", ours, read, ratio, LIMIT)]


def make_stacks(run):
    folder = run.stage("bench")
    folder.mkdir(parents=True, exist_ok=True)
    shape = (70, run.prepare.size, run.prepare.size)
    for name in ("flair", "t1ce"):
        artifacts.create_array(folder, name, shape, "float32", axes=patients.STACK_AXES)
    artifacts.create_array(folder, "labels", shape, "uint8", axes=patients.STACK_AXES)
    artifacts.create_array(folder, "brain", shape, "bool", axes=patients.STACK_AXES)
    return folder
