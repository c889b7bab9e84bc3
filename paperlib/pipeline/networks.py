"""Stages of section 4.1: train each network, then let it reconstruct what it never saw."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy import ndarray
from safetensors.torch import load_file, save_file

from paperlib import artifacts
from paperlib.config import TrainingSettings
from paperlib.evaluation import convergence
from paperlib.labels import SHOWN_REGION, region_mask
from paperlib.models import architectures, inference, losses, training
from paperlib.pipeline import patients
from paperlib.pipeline.run import Run, run_stage

TRAINING_CODE = (
    "paperlib.models.architectures",
    "paperlib.models.losses",
    "paperlib.models.training",
    "paperlib.data.augment",
)
PROBE_SLICES = 48
RANGE_SLICES = 200
SLICES_AT_A_TIME = 64


def train_network(run: Run, network: TrainingSettings) -> bool:
    """Train one network unless it is there; an interrupted training goes on."""
    folder = run.network_folder(network)
    settings = dataclasses.asdict(network)
    upstream = {"prepare": run.stage("prepare"), "split": run.stage("split")}

    def make(_folder: Path, key: str) -> Mapping[str, object]:
        slices = patients.load_slices(run)
        fold = patients.load_fold(run, network.fold)
        images = artifacts.load_array(run.stage("prepare"), network.sequence)
        data = training.TrainingData(
            images,
            patients.healthy_of(slices, fold.training),
            patients.healthy_of(slices, fold.validation),
            len(fold.training),
        )
        intensities = _intensity_range(run, images, data.training)
        fitted = training.fit(
            data,
            network,
            intensities=intensities,
            checkpoint=folder / _checkpoint(key),
            probe=_probe(run, network, data, intensities),
        )
        latent = np.concatenate(
            [
                inference.reconstruct(fitted.model, images, places).latent_mean
                for places in _parts(data.training)
            ]
        )
        artifacts.save_array(folder, "latent_mean", latent.mean(axis=0), axes="latent")
        artifacts.save_array(folder, "latent_variance", latent.var(axis=0), axes="latent")
        weights = {k: v.contiguous().cpu() for k, v in fitted.model.state_dict().items()}
        save_file(weights, folder / "weights.safetensors")
        artifacts.save_table(folder, "epochs", pd.DataFrame(fitted.epochs))
        artifacts.save_table(folder, "milestones", pd.DataFrame(fitted.milestones))
        (folder / _checkpoint(key)).unlink(missing_ok=True)
        return {
            "slice_steps": fitted.slice_steps,
            "stopped_by": fitted.stopped_by,
            "converged": fitted.stopped_by == "patience",
            "intensities": intensities._asdict(),
            "training_slices": len(data.training),
            "validation_slices": len(data.validation),
        }

    return run_stage(
        folder, settings=settings, upstream=upstream, code=TRAINING_CODE, make=make,
        keep=lambda key: (_checkpoint(key),),
    )  # fmt: skip


def load_network(run: Run, network: TrainingSettings) -> architectures.Autoencoder:
    """Return a trained network in evaluation mode, on the device of this machine."""
    folder = run.network_folder(network)
    artifacts.require(folder, command=run.command)
    model = architectures.build(network.model)
    model.load_state_dict(load_file(folder / "weights.safetensors"))
    return model.to(inference.select_device()).eval()


def reconstruct_slices(run: Run, network: TrainingSettings) -> bool:
    """Reconstruct the test slices and the healthy validation slices of one network's fold."""
    upstream = {"network": run.network_folder(network), "prepare": run.stage("prepare")}

    def make(folder: Path, _key: str) -> None:
        slices = patients.load_slices(run)
        fold = patients.load_fold(run, network.fold)
        places = np.concatenate(
            [
                patients.healthy_of(slices, fold.validation),
                patients.usable_of(slices, fold.test),
            ]
        )
        images = artifacts.load_array(run.stage("prepare"), network.sequence)
        shape = (len(places), *images.shape[1:])
        target = artifacts.create_array(
            folder, "reconstruction", shape, "float16", axes="slice height width"
        )
        model = load_network(run, network)
        latents = []
        done = 0
        for part in _parts(places):
            found = inference.reconstruct(model, images, part)
            target[done : done + len(part)] = found.reconstruction
            latents.append(found.latent_mean)
            done += len(part)
        target.flush()
        artifacts.save_array(folder, "latent", np.concatenate(latents), axes="slice latent")
        artifacts.save_array(folder, "place", places, axes="slice")

    code = ("paperlib.models.architectures", "paperlib.models.inference")
    return run_stage(
        run.reconstruction_folder(network), settings={}, upstream=upstream, code=code, make=make
    )


def _parts(places: ndarray) -> list[ndarray]:
    """Split places so that only some reconstructions are in memory at a time."""
    return np.split(places, range(SLICES_AT_A_TIME, len(places), SLICES_AT_A_TIME))


def _checkpoint(key: str) -> str:
    return f"checkpoint-{key}.pt"


def _intensity_range(run: Run, images: ndarray, training_slices: ndarray) -> losses.IntensityRange:
    brain = artifacts.load_array(run.stage("prepare"), "brain")
    chosen = patients.evenly(training_slices, RANGE_SLICES)
    values = np.concatenate([images[place][brain[place]] for place in chosen])
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
    truth = region_mask(labels[places], SHOWN_REGION[network.sequence])

    def residual(model: architectures.Autoencoder, chosen: ndarray) -> ndarray:
        output = inference.reconstruct(model, data.images, chosen).reconstruction
        return output - data.images[chosen]

    def probe(model: architectures.Autoencoder) -> training.Row:
        threshold = float(np.quantile(-residual(model, healthy)[brain[healthy]], 0.95))
        measured = convergence.measure_residual(
            data.images[places],
            residual(model, places),
            brain[places],
            truth,
            threshold=threshold,
        )
        loss = training.validation_loss(model, data, network, intensities)
        return {"validation_loss": loss, **measured}

    return probe
