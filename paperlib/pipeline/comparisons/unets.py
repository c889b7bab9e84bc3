"""The two U-Nets outside the paper at work on one fold (baselines B8 and B11); imports torch."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy import ndarray

from paperlib import artifacts
from paperlib.labels import FLAIR, SEQUENCES
from paperlib.models import unet, unet_tasks, unet_training
from paperlib.pipeline.method import patients
from paperlib.pipeline.run import Run

SLICES_AT_A_TIME = 64
CODES = np.array(unet_tasks.CLASSES, np.uint8)


def train(
    run: Run, fold: int, folder: Path, schedule: unet_training.Schedule
) -> Mapping[str, object]:
    """Train both networks of a fold and write what they say about slices they never saw.

    `reconstruction` (FLAIR without noise) covers the healthy validation slices and the test
    slices, `segmentation` the test slices.

    Returns:
        What the manifest says about the trainings.
    """
    slices, split = patients.load_slices(run), patients.load_fold(run, fold)
    arrays = {
        name: artifacts.load_array(run.stage("prepare"), name)
        for name in (*SEQUENCES, "brain", "labels")
    }
    healthy = patients.healthy_of(slices, split.training)
    usable = patients.usable_of(slices, split.training)
    tasks = {
        "denoiser": unet_tasks.denoising_task(arrays[FLAIR], arrays["brain"], healthy),
        "supervised": unet_tasks.labelling_task(
            [arrays[sequence] for sequence in SEQUENCES], arrays["labels"], usable
        ),
    }
    models = {
        "denoiser": unet.build_unet(inputs=1, outputs=1, seed=schedule.seed),
        "supervised": unet.build_unet(
            inputs=len(SEQUENCES), outputs=len(CODES), seed=schedule.seed
        ),
    }
    epochs = [
        pd.DataFrame(unet_training.fit_unet(models[name], task, schedule, name=name)).assign(
            network=name
        )
        for name, task in tasks.items()
    ]
    artifacts.save_table(folder, "epochs", pd.concat(epochs))
    test = patients.usable_of(slices, split.test)
    shown = np.concatenate([patients.healthy_of(slices, split.validation), test])
    _write_reconstructions(folder, models["denoiser"], arrays[FLAIR], shown)
    _write_segmentations(folder, models["supervised"], arrays, test)
    return {
        "training_slices": {name: task.slices for name, task in tasks.items()},
        "parameters": {
            name: sum(weights.numel() for weights in model.parameters())
            for name, model in models.items()
        },
    }


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
    artifacts.save_array(folder, "test_place", places, axes="slice")
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
