"""Rows beyond the paper: what a way makes of a patient, counted per slice and per volume.

A way is a method, a reading (how the outline is drawn, see `beyond_method`), a rule for components
and where the threshold of the enhancing tumour comes from.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy import ndarray

from paperlib import artifacts
from paperlib.config import BeyondSettings
from paperlib.evaluation.measures import foci
from paperlib.pipeline.method import rows, segments
from paperlib.pipeline.new_patients import beyond_method
from paperlib.pipeline.new_patients.beyond_method import (
    AGREED,
    CLEAREST,
    HEALTHY,
    NEAR,
    OTSU,
    THRESHOLD,
    Limits,
    Score,
    component_of,
)
from paperlib.pipeline.run import Run
from paperlib.postprocessing import outline

SCORED = ("WT", "TC", "ET")
WAY = ["method", "reading", "component", "enhancing"]  # columns that name a row
COUNTED = [f"{region}_{part}" for region in SCORED for part in ("overlap", "predicted")]


class Scored(NamedTuple):
    """A score of one patient, under which name its rows stand, and how it is counted.

    Attributes:
        method: Name in the rows.
        score: Where the method sees tumour.
        t1ce: What the enhancing tumour is taken from, brighter is higher.
        limits: Thresholds.
        rules: For components, from `outline.RULES`.
        prefix: Before the reading's name.
    """

    method: str
    score: Score
    t1ce: ndarray
    limits: Limits
    rules: Sequence[str]
    prefix: str = ""


def count_score(run: Run, patient: segments.Patient, scored: Scored) -> list[pd.DataFrame]:
    """Return the rows of a score under its rules for components and every reading."""
    score, t1ce, limits = scored.score, scored.t1ce, scored.limits
    settings, found = run.profile.beyond, []
    drawn: dict[tuple[str, bytes], ndarray] = {}  # rules often keep the same
    kept = component_of(scored.method, settings)
    readings = (THRESHOLD, CLEAREST, NEAR, *([AGREED] if score.members else []))
    cleaned = outline.clean(score.mean - score.threshold, patient.brain)
    for rule in scored.rules:
        start = outline.keep(cleaned, patient.brain, rule=rule)
        for reading in readings if rule != "all" else [THRESHOLD]:
            key = reading, start.tobytes()
            if key not in drawn:
                drawn[key] = beyond_method.draw_outline(
                    score, patient.brain, start, reading=reading
                )
            for enhancing in (OTSU, HEALTHY) if rule == kept else [OTSU]:
                codes = beyond_method.label(t1ce, drawn[key], settings, limits, enhancing=enhancing)
                named = {"method": scored.method, "reading": scored.prefix + reading}
                found.append(
                    count(run, patient, codes, component=rule, enhancing=enhancing, **named)
                )
    return found


def count(run: Run, patient: segments.Patient, codes: ndarray, **named: str) -> pd.DataFrame:
    """Return the rows of one way: counts per slice, and how many foci of the patient it finds."""
    counted = rows.count_rows(codes, patient.labels, patient.slices, **named)
    voxel_ml = foci.voxel_ml(run.prepare.window, run.prepare.size)
    return counted[["case", "z", *WAY, *COUNTED]].assign(
        foci_found=foci.count_found(codes > 0, patient.labels > 0, voxel_ml=voxel_ml)
    )


def volumes(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of each patient and way, summed over slices."""
    whole = counts.drop(columns="z").groupby(["case", *WAY], sort=False)
    sums = whole.agg({column: "sum" for column in COUNTED} | {"foci_found": "first"})
    return sums.reset_index()


def slices(counts: pd.DataFrame, settings: BeyondSettings) -> pd.DataFrame:
    """Return the rows per slice of the components and the enhancing tumour of a new patient."""
    kept = counts["method"].map(lambda method: component_of(method, settings))
    shown = (counts["component"] == kept) & (counts["enhancing"] == OTSU)
    return counts[shown].drop(columns=["enhancing", "foci_found"])


def load_stored(folder: Path, name: str, patient: segments.Patient) -> ndarray:
    """Return a patient's slices of an array that a stage wrote for all test patients."""
    of_patient = np.isin(artifacts.load_array(folder, "place"), patient.slices.index)
    return artifacts.load_array(folder, name)[of_patient]
