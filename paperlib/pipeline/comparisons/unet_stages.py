"""The two U-Nets outside the paper as stages, one fold each: neither waits for the other."""

import importlib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from paperlib import artifacts
from paperlib.pipeline.method import patients, rows
from paperlib.pipeline.run import Run, run_stage

WORKERS = "paperlib.pipeline.comparisons.unets"  # imports torch
CODE = (
    "paperlib.models.unet",
    "paperlib.models.unet_tasks",
    "paperlib.models.unet_training",
    WORKERS,
)
DENOISER, SUPERVISED = "denoiser", "supervised"
SEED = 0
UNLIMITED_STEPS = 40_000  # slice-steps where the profile sets no budget


def train_unet(run: Run, fold: int, name: str) -> bool:
    """Train one of the two networks of a fold unless it is there.

    Args:
        run: Whose patients are prepared and split.
        fold: Of the run.
        name: `DENOISER` or `SUPERVISED`.

    Returns:
        Whether it was trained.
    """
    steps = run.profile.slice_steps or UNLIMITED_STEPS

    def make(folder: Path, _key: str) -> Mapping[str, object]:
        schedule = importlib.import_module("paperlib.models.unet_training").Schedule(
            steps, seed=SEED
        )
        return getattr(importlib.import_module(WORKERS), f"train_{name}")(
            run, fold, folder, schedule
        )

    return run_stage(
        unet_folder(run, fold, name),
        settings={"slice_steps": steps, "fold": fold, "seed": SEED},
        upstream={stage: run.stage(stage) for stage in ("prepare", "split")},
        code=CODE,
        make=make,
    )


def unet_folder(run: Run, fold: int, name: str) -> Path:
    """Return where one of the two networks of a fold left its results."""
    return run.folder / "unets" / f"{name}-f{fold}"


def supervised_rows(run: Run, fold: int) -> pd.DataFrame:
    """Return the counts of the supervised network's masks, one row a test slice."""
    folder = unet_folder(run, fold, SUPERVISED)
    segmentation, places = (
        artifacts.load_array(folder, name) for name in ("segmentation", "place")
    )
    labels = artifacts.load_array(run.stage("prepare"), "labels")
    return rows.count_rows(segmentation, labels[places], patients.load_slices(run).iloc[places])
