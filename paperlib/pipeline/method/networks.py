"""Section 4.1 at work: train a network.

Importing this module takes the seconds that torch takes; `network_stages` decides without it.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy import ndarray
from safetensors.torch import save_file

from paperlib import artifacts
from paperlib.config import TrainingSettings
from paperlib.evaluation.measures import convergence
from paperlib.labels import SHOWN_REGION, region_mask
from paperlib.models import architectures, inference, losses, training
from paperlib.pipeline.method import patients
from paperlib.pipeline.method.network_stages import checkpoint_name
from paperlib.pipeline.run import Run

PROBE_SLICES = 48
RANGE_SLICES = 200
SLICE_MM = 1.0  # distance of slices


def train(run: Run, network: TrainingSettings, folder: Path, key: str) -> Mapping[str, object]:
    """Train one network, or go on with it, and write it to the folder of its stage.

    Returns:
        What the manifest says about the training.
    """
    slices = patients.load_slices(run)
    fold = patients.load_fold(run, network.fold)
    images = artifacts.load_array(run.stage("prepare"), network.sequence)
    data = training.TrainingData(
        images,
        training_places(slices, fold.training, network),
        patients.healthy_of(slices, fold.validation),
        len(fold.training),
    )
    intensities = _intensity_range(run, images, patients.healthy_of(slices, fold.training))
    fitted = training.fit(
        data,
        network,
        intensities=intensities,
        checkpoint=folder / checkpoint_name(key),
        probe=_probe(run, network, data, intensities),
    )
    latent = np.concatenate(
        [
            inference.reconstruct(fitted.model, images, places).latent_mean
            for places in patients.in_parts(data.training)
        ]
    )
    artifacts.save_array(folder, "latent_mean", latent.mean(axis=0), axes="latent")
    artifacts.save_array(folder, "latent_variance", latent.var(axis=0), axes="latent")
    weights = {k: v.contiguous().cpu() for k, v in fitted.model.state_dict().items()}
    save_file(weights, folder / "weights.safetensors")
    artifacts.save_table(folder, "epochs", pd.DataFrame(fitted.epochs))
    artifacts.save_table(folder, "milestones", pd.DataFrame(fitted.milestones))
    (folder / checkpoint_name(key)).unlink(missing_ok=True)
    return {
        "slice_steps": fitted.slice_steps,
        "stopped_by": fitted.stopped_by,
        "converged": fitted.stopped_by == "patience",
        "intensities": intensities._asdict(),
        "training_slices": len(data.training),
        "validation_slices": len(data.validation),
    }


def training_places(slices: pd.DataFrame, cases: list[int], network: TrainingSettings) -> ndarray:
    """Return the places of the slices that a network learns from.

    `healthy` uses labels to choose slices; `all` and `random` (as many as there are healthy ones,
    drawn from all) use none. The guard leaves out healthy slices at most so far from a tumour.

    Raises:
        ValueError: If the choice is unknown.
    """
    healthy, usable = patients.healthy_of(slices, cases), patients.usable_of(slices, cases)
    if network.train_slices == "all":
        return usable
    if network.train_slices == "random":
        rng = np.random.default_rng(network.seed)
        return np.sort(rng.choice(usable, size=len(healthy), replace=False))
    if network.train_slices != "healthy":
        raise ValueError(
            f"Unknown train_slices {network.train_slices!r}; expected healthy, all or random."
        )
    if not network.guard_mm:
        return healthy
    tumours = slices[~slices["healthy"]].groupby("case")["z"].apply(np.array)
    distance_mm = [
        np.abs(tumours[case] - z).min() * SLICE_MM if case in tumours else np.inf
        for case, z in slices.loc[healthy, ["case", "z"]].itertuples(index=False)
    ]
    return healthy[np.array(distance_mm) > network.guard_mm]


def _intensity_range(run: Run, images: ndarray, training_slices: ndarray) -> losses.IntensityRange:
    brain = artifacts.load_array(run.stage("prepare"), "brain")
    chosen = patients.evenly(training_slices, RANGE_SLICES)
    values = np.concatenate([images[place][..., brain[place]].ravel() for place in chosen])
    low, high = np.percentile(values, [0.1, 99.9])
    return losses.IntensityRange(float(low), float(high))


def _probe(
    run: Run,
    network: TrainingSettings,
    data: training.TrainingData,
    intensities: losses.IntensityRange,
) -> training.Probe:
    slices = patients.load_slices(run)
    test = patients.usable_of(slices, patients.load_fold(run, network.fold).test)
    places = patients.evenly(test, PROBE_SLICES)
    healthy = patients.evenly(data.validation, PROBE_SLICES // 2)
    brain = artifacts.load_array(run.stage("prepare"), "brain")
    labels = artifacts.load_array(run.stage("prepare"), "labels")
    truth = region_mask(labels[places], SHOWN_REGION.get(network.sequence, "WT"))
    joint = data.images.ndim == 4  # measured on its first sequence
    images = data.images[:, 0] if joint else data.images

    def residual(model: architectures.Autoencoder, chosen: ndarray) -> ndarray:
        output = inference.reconstruct(model, data.images, chosen).reconstruction
        return (output[:, 0] if joint else output) - images[chosen]

    def probe(model: architectures.Autoencoder) -> training.Row:
        threshold = float(np.quantile(-residual(model, healthy)[brain[healthy]], 0.95))
        measured = convergence.measure_residual(
            images[places],
            residual(model, places),
            brain[places],
            truth,
            threshold=threshold,
        )
        loss = training.validation_loss(model, data, network, intensities)
        return {"validation_loss": loss, **measured}

    return probe
