"""Section 4.1 at work: a trained network reconstructs what it never saw. Imports torch."""

from pathlib import Path

import numpy as np

from paperlib import artifacts
from paperlib.config import TrainingSettings
from paperlib.models import inference, weights
from paperlib.pipeline.method import patients
from paperlib.pipeline.run import Run


def reconstruct(run: Run, network: TrainingSettings, folder: Path) -> None:
    """Reconstruct the test slices and the healthy validation slices of one network's fold."""
    slices = patients.load_slices(run)
    fold = patients.load_fold(run, network.fold)
    places = np.concatenate(
        [patients.healthy_of(slices, fold.validation), patients.usable_of(slices, fold.test)]
    )
    images = artifacts.load_array(run.stage("prepare"), network.sequence)
    shape = (len(places), *images.shape[1:])
    axes = "slice height width" if images.ndim == 3 else "slice channel height width"
    target = artifacts.create_array(folder, "reconstruction", shape, "float16", axes=axes)
    weights_file = run.network_folder(network) / "weights.safetensors"
    model = weights.load_network(weights_file, network.architecture or network.model)
    latents = []
    done = 0
    for part in patients.in_parts(places):
        found = inference.reconstruct(model, images, part)
        target[done : done + len(part)] = found.reconstruction
        latents.append(found.latent_mean)
        done += len(part)
    target.flush()
    artifacts.save_array(folder, "latent", np.concatenate(latents), axes="slice latent")
    artifacts.save_array(folder, "place", places, axes="slice")
