"""The one training loop (section 4.1).

Everything random is derived from (seed, epoch, position), so a run that is killed and started
again from its last checkpoint ends with the same weights as one that was never interrupted.
"""

import logging
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor
from tqdm import tqdm

from paperlib.config import TrainingSettings
from paperlib.data import augment
from paperlib.models import architectures, losses, objectives
from paperlib.models.inference import autocast, select_device, take
from paperlib.models.training_state import Row, TrainingState, copy_weights

log = logging.getLogger(__name__)

FIRST_MILESTONE = 1000  # slice-steps; then doubled
Probe = Callable[[architectures.Autoencoder], Row]


class TrainingData(NamedTuple):
    """Slices of one sequence, memory-mapped, and which of them are used."""

    images: Float[ndarray, "slice *channel height width"]
    training: Int[ndarray, " training"]
    validation: Int[ndarray, " validation"]
    training_patients: int


class Fitted(NamedTuple):
    """What a training leaves behind."""

    model: architectures.Autoencoder
    epochs: list[Row]
    milestones: list[Row]
    slice_steps: int
    stopped_by: str  # budget | patience | max_epochs


def fit(
    data: TrainingData,
    settings: TrainingSettings,
    *,
    intensities: losses.IntensityRange,
    checkpoint: Path,
    probe: Probe,
) -> Fitted:
    """Train one network, or go on where `checkpoint` left off.

    Args:
        data: Slices of the network's sequence.
        settings: Budget, optimiser, loss.
        intensities: Range of the healthy training brain, for SSIM.
        checkpoint: File written after every epoch.
        probe: Called at 1,000, 2,000, 4,000 ... slice-steps and at the end with the network;
            what it returns is kept as a row. It never influences the training.

    Raises:
        FloatingPointError: If a loss is not finite; names model, epoch and batch.
        ValueError: If there is nothing to train on, neither budget nor epochs are given or the
            settings name no network.
    """
    objectives.refuse_impossible(settings)
    if not len(data.training):
        raise ValueError("No healthy training slice; check the split and `train_slices`.")
    if settings.slice_steps is None and settings.max_epochs is None:
        raise ValueError("Give `slice_steps` or `max_epochs`; otherwise training never ends.")
    device = select_device()
    state = TrainingState(settings, device, 1 if data.images.ndim == 3 else data.images.shape[1])
    if checkpoint.exists():
        state.load(checkpoint, device)
        log.info("resuming %s at epoch %d", settings.pair, state.progress["epoch"])
    progress = state.progress
    with _bar(settings) as bar:
        while not (reason := _stop_reason(progress, settings)):
            bar.update(progress["slice_steps"] - bar.n)
            row = _epoch(state, data, settings, intensities, probe)
            row["validation_loss"] = validation_loss(state.model, data, settings, intensities)
            _require_finite(row["validation_loss"], settings, progress["epoch"], "validation")
            progress["epochs"].append(row)
            if row["validation_loss"] < progress["best_loss"]:
                progress["best_loss"] = row["validation_loss"]
                progress["best_epoch"] = progress["epoch"]
                state.best = copy_weights(state.model)
            progress["epoch"] += 1
            bar.set_postfix_str(f"loss {row['loss']:.4f}, validation {row['validation_loss']:.4f}")
            state.save(checkpoint)
        bar.update(progress["slice_steps"] - bar.n)
    if data.training_patients >= settings.best_weights_from:
        state.model.load_state_dict(state.best)
    state.model.eval()
    milestones = [
        *progress["milestones"],
        {"slice_steps": progress["slice_steps"], "final": 1.0, **probe(state.model)},
    ]
    return Fitted(
        state.model, progress["epochs"], milestones, progress["slice_steps"], reason
    )  # fmt: skip


def validation_loss(
    model: architectures.Autoencoder,
    data: TrainingData,
    settings: TrainingSettings,
    intensities: losses.IntensityRange,
) -> float:
    """Return the mean reconstruction loss over the validation slices, z = mean, no KL."""
    device = next(model.parameters()).device
    model.eval()
    total = 0.0
    with torch.no_grad():
        for indices in _batches(data.validation, settings.batch_size):
            images = take(data.images, indices).to(device)
            with autocast(device, settings.autocast):
                output, _ = model(images)
            loss = _reconstruction_loss(output.float(), images, settings, intensities)
            total += float(loss) * len(indices)
    return total / len(data.validation)


def _epoch(
    state: TrainingState,
    data: TrainingData,
    settings: TrainingSettings,
    intensities: losses.IntensityRange,
    probe: Probe,
) -> Row:
    progress = state.progress
    epoch = progress["epoch"]
    count = len(data.training)
    order = np.random.default_rng([settings.seed, epoch, 0]).permutation(2 * count)
    sums: Row = {}
    seen = 0
    state.model.train()
    for number, positions in enumerate(_batches(order, settings.batch_size)):
        inputs, targets = _batch(data, positions, settings, epoch)
        terms = _step(state, inputs.to(_device(state)), targets.to(_device(state)),
                      settings, intensities, (epoch, number))  # fmt: skip
        for name, value in terms.items():
            sums[name] = sums.get(name, 0.0) + value * len(positions)
        seen += len(positions)
        before, now = progress["slice_steps"], progress["slice_steps"] + len(positions)
        progress["slice_steps"] = now
        if milestone := _crossed(before, now):
            row = {"slice_steps": milestone, "final": 0.0, **probe(state.model)}
            progress["milestones"].append(row)
            state.model.train()
        if settings.slice_steps is not None and now >= settings.slice_steps:
            break
    means = {name: value / seen for name, value in sums.items()}
    return {"epoch": float(epoch), "slice_steps": float(progress["slice_steps"]), **means}


def _step(
    state: TrainingState,
    inputs: Float[Tensor, "batch channel height width"],
    targets: Float[Tensor, "batch channel height width"],
    settings: TrainingSettings,
    intensities: losses.IntensityRange,
    place: tuple[int, int],
) -> Row:
    generator = torch.Generator().manual_seed(_mix(settings.seed, *place))
    with autocast(inputs.device, settings.autocast):
        encoding = state.model.encode(inputs)
        noise = torch.randn(encoding.mean.shape, generator=generator).to(inputs.device)
        latent = encoding.mean + encoding.log_sd.exp() * noise
        output = state.model.decode(latent).float()

    def reconstruct(found: Tensor) -> Tensor:
        return _reconstruction_loss(found, targets, settings, intensities)

    reconstruction = reconstruct(output)
    mean = encoding.mean.float()
    kl = losses.kl_divergence(mean, encoding.log_sd.float()).mean()
    loss, added = objectives.OBJECTIVES[settings.model](
        objectives.Step(
            model=state.model,
            adversary=state.adversary,
            settings=settings,
            targets=targets,
            mean=mean,
            latent=latent.float(),
            output=output,
            reconstruction=reconstruction,
            loss=reconstruction + settings.beta[settings.loss] * kl / targets[0].numel(),
            reconstruct=reconstruct,
            seed=(settings.seed, *place, 2),
        )
    )
    terms = {
        "loss": float(loss.detach()),
        "reconstruction": float(reconstruction.detach()),
        "kl_nats": float(kl.detach()),
        **added,
    }
    for value in terms.values():
        _require_finite(value, settings, *place)
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(state.model.parameters(), settings.gradient_clip)
    state.optimiser.step()
    active = (mean.detach().var(dim=0, unbiased=False) > 0.01).sum()  # Burda et al.'s criterion
    return {**terms, "active_units": float(active)}


def _reconstruction_loss(
    output: Float[Tensor, "batch channel height width"],
    targets: Float[Tensor, "batch channel height width"],
    settings: TrainingSettings,
    intensities: losses.IntensityRange,
) -> Float[Tensor, ""]:
    comparison = losses.Comparison(
        intensities, settings.ssim_domain, settings.ssim_range, settings.ssim_window
    )
    return losses.RECONSTRUCTION_LOSSES[settings.loss](output, targets, comparison)


def _batch(
    data: TrainingData, positions: ndarray, settings: TrainingSettings, epoch: int
) -> tuple[Tensor, Tensor]:
    """Positions below the number of slices are originals, those above their copies."""
    count = len(data.training)
    indices = data.training[positions % count]
    images = take(data.images, indices)
    inputs, targets = images.clone(), images.clone()
    copies = np.flatnonzero(positions >= count)
    if not len(copies):
        return inputs, targets
    transforms = [
        augment.draw_transform(
            images[copy, 0].numpy(),
            settings.augment,
            np.random.default_rng([settings.seed, epoch, 1, int(positions[copy])]),
        )
        for copy in copies
    ]
    inputs[copies], targets[copies] = augment.apply_transforms(images[copies], transforms)
    return inputs, targets


def _stop_reason(progress: dict, settings: TrainingSettings) -> str:
    if settings.slice_steps is not None and progress["slice_steps"] >= settings.slice_steps:
        return "budget"
    if settings.max_epochs is not None and progress["epoch"] >= settings.max_epochs:
        return "max_epochs"
    waited = progress["epoch"] - 1 - progress["best_epoch"]
    if settings.patience is not None and progress["epoch"] and waited >= settings.patience:
        return "patience"
    return ""


def _crossed(before: int, now: int) -> int:
    milestone = FIRST_MILESTONE
    while milestone <= before:
        milestone *= 2
    return milestone if milestone <= now else 0


def _require_finite(value: float, settings: TrainingSettings, epoch: int, batch: object) -> None:
    if not math.isfinite(value):
        raise FloatingPointError(
            f"Loss is {value} in {settings.pair}, {settings.sequence}, epoch {epoch}, "
            f"batch {batch}. Lower the learning rate or look at this batch's images."
        )


def _mix(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)


def _device(state: TrainingState) -> torch.device:
    return next(state.model.parameters()).device


def _batches(indices: ndarray, size: int) -> Sequence[ndarray]:
    return [indices[i : i + size] for i in range(0, len(indices), size)]


def _bar(settings: TrainingSettings) -> tqdm:
    total = settings.slice_steps
    name = f"{settings.pair} {settings.sequence}"
    return tqdm(total=total, desc=name, unit="slice", file=sys.stdout, mininterval=10, ncols=110)
