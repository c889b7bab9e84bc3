"""The network of synthetic lesions at work on one fold and seed; imports torch."""

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from safetensors.torch import save_file

from paperlib import artifacts
from paperlib.config import BeyondSettings
from paperlib.labels import SEQUENCES
from paperlib.models import lesion_unet, unet_training
from paperlib.pipeline.method import patients
from paperlib.pipeline.run import Run


def train(
    run: Run, fold: int, seed: int, folder: Path, settings: BeyondSettings
) -> Mapping[str, object]:
    """Train one network on healthy slices and write its logits for the test slices.

    Returns:
        What the manifest says about the training.
    """
    slices, split = patients.load_slices(run), patients.load_fold(run, fold)
    prepared = run.stage("prepare")
    flair, t1ce, brain = (artifacts.load_array(prepared, name) for name in (*SEQUENCES, "brain"))
    healthy = patients.healthy_of(slices, split.training)
    task = lesion_unet.lesion_task(
        (flair, t1ce), brain, healthy, gamma=seed in settings.gamma_seeds
    )
    model = lesion_unet.build_lesion_unet(seed=seed)
    schedule = unet_training.Schedule(
        settings.slice_steps,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        seed=seed,
        warm_up=settings.warm_up,
        weight_decay=settings.weight_decay,
    )
    began = time.process_time()
    epochs = unet_training.fit_unet(model, task, schedule, name=f"synthetic lesions, seed {seed}")
    trained = time.process_time()
    artifacts.save_table(folder, "epochs", pd.DataFrame(epochs).assign(fold=fold, seed=seed))
    weights = {name: part.contiguous().cpu() for name, part in model.state_dict().items()}
    save_file(weights, folder / "weights.safetensors")
    test = patients.usable_of(slices, split.test)
    target = artifacts.create_array(
        folder, "logit", (len(test), *brain.shape[1:]), "float16", axes=patients.STACK_AXES
    )
    done = 0
    for part in patients.in_parts(test):
        images = np.stack([flair[part], t1ce[part]], axis=1)
        target[done : done + len(part)] = lesion_unet.lesion_logits(model, images)
        done += len(part)
    target.flush()
    artifacts.save_array(folder, "place", test, axes="slice")
    return {
        "training_slices": task.slices,
        "parameters": sum(part.numel() for part in model.parameters()),
        "training_cpu_s": round(trained - began, 2),
        "patient_cpu_s": round((time.process_time() - trained) / len(split.test), 3),
    }
