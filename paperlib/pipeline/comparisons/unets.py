"""The two U-Nets outside the paper at work on one fold (baselines B8 and B11); imports torch."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy import ndarray

from paperlib import artifacts
from paperlib.labels import FLAIR, SEQUENCES
from paperlib.models import unet, unet_tasks, unet_training
from paperlib.pipeline.method import patients
from paperlib.pipeline.run import Run

SLICES_AT_A_TIME = 64
CODES = np.array(unet_tasks.CLASSES, np.uint8)


def train_denoiser(
    run: Run, fold: int, folder: Path, schedule: unet_training.Schedule
) -> Mapping[str, object]:
    """Train the denoising network of a fold and write its reconstructions.

    `reconstruction` (FLAIR without noise) covers the healthy validation slices and the test
    slices at `place`.

    Returns:
        What the manifest says about the training.
    """
    slices, split = patients.load_slices(run), patients.load_fold(run, fold)
    images, brain = (artifacts.load_array(run.stage("prepare"), name) for name in (FLAIR, "brain"))
    healthy = patients.healthy_of(slices, split.training)
    task = unet_tasks.denoising_task(images, brain, healthy)
    model = unet.build_unet(inputs=1, outputs=1, seed=schedule.seed)
    facts = _fit(model, task, schedule, folder, "denoiser")
    test = patients.usable_of(slices, split.test)
    shown = np.concatenate([patients.healthy_of(slices, split.validation), test])
    _write_reconstructions(folder, model, images, shown)
    return facts


def train_supervised(
    run: Run, fold: int, folder: Path, schedule: unet_training.Schedule
) -> Mapping[str, object]:
    """Train the supervised network of a fold and write what it says about the test slices.

    `segmentation` holds label codes at `place`.

    Returns:
        What the manifest says about the training.
    """
    slices, split = patients.load_slices(run), patients.load_fold(run, fold)
    arrays = {
        name: artifacts.load_array(run.stage("prepare"), name)
        for name in (*SEQUENCES, "brain", "labels")
    }
    usable = patients.usable_of(slices, split.training)
    images = [arrays[sequence] for sequence in SEQUENCES]
    task = unet_tasks.labelling_task(images, arrays["labels"], usable)
    model = unet.build_unet(inputs=len(SEQUENCES), outputs=len(CODES), seed=schedule.seed)
    facts = _fit(model, task, schedule, folder, "supervised")
    _write_segmentations(folder, model, arrays, patients.usable_of(slices, split.test))
    return facts


def _fit(
    model: torch.nn.Module,
    task: unet_tasks.Task,
    schedule: unet_training.Schedule,
    folder: Path,
    name: str,
) -> Mapping[str, object]:
    epochs = unet_training.fit_unet(model, task, schedule, name=name)
    artifacts.save_table(folder, "epochs", pd.DataFrame(epochs))
    weights = sum(weights.numel() for weights in model.parameters())
    return {"training_slices": task.slices, "parameters": weights}


def _write_reconstructions(folder: Path, model, images: ndarray, places: ndarray) -> None:
    artifacts.save_array(folder, "place", places, axes="slice")
    shape = (len(places), *images.shape[1:])
    target = artifacts.create_array(
        folder, "reconstruction", shape, "float16", axes="slice height width"
    )
    for start in range(0, len(places), SLICES_AT_A_TIME):
        part = places[start : start + SLICES_AT_A_TIME]
        target[start : start + len(part)] = unet.apply_unet(model, images[part][:, None])[:, 0]
    target.flush()


def _write_segmentations(
    folder: Path, model, arrays: Mapping[str, ndarray], places: ndarray
) -> None:
    artifacts.save_array(folder, "place", places, axes="slice")
    shape = (len(places), *arrays["brain"].shape[1:])
    target = artifacts.create_array(
        folder, "segmentation", shape, "uint8", axes="slice height width"
    )
    for start in range(0, len(places), SLICES_AT_A_TIME):
        part = places[start : start + SLICES_AT_A_TIME]
        images = np.stack([arrays[sequence][part] for sequence in SEQUENCES], axis=1)
        codes = CODES[unet.apply_unet(model, images).argmax(axis=1)]
        target[start : start + len(part)] = np.where(arrays["brain"][part], codes, 0)
    target.flush()
