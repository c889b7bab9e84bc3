"""One training as the project does it beside a bare loop: same loss, optimiser, slices, threads.

Ours also augments, validates, writes a checkpoint after each epoch and records losses.
"""

import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch.nn import functional

from benchmarks.rows import Row
from paperlib.config import TrainingSettings
from paperlib.models import adversaries, architectures, losses, training

REPEATS = 5
TRAINING, VALIDATION = 80, 15  # slices, in the proportion of 36 patients in 4 folds
EPOCHS = 2
LIMIT = 1.25
RANGE = losses.IntensityRange(-2.0, 4.0)


def make_data():
    rng = np.random.default_rng(0)
    images = np.zeros((TRAINING + VALIDATION, 128, 128), np.float32)
    images[:, 20:110, 25:105] = rng.normal(size=(len(images), 90, 80))
    places = np.arange(len(images))
    return training.TrainingData(images, places[:TRAINING], places[TRAINING:], 24)


def time_ours(data, settings):
    with tempfile.TemporaryDirectory() as folder:
        started = perf_counter()
        training.fit(
            data,
            settings,
            intensities=RANGE,
            checkpoint=Path(folder) / "checkpoint.pt",
            probe=lambda model: {},
        )
        return perf_counter() - started


def time_bare(data, settings):
    started = perf_counter()
    model = architectures.build(settings.model).to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    images = torch.from_numpy(data.images[data.training])[:, None]
    for start in range(0, settings.slice_steps, settings.batch_size):
        batch = images[(start + torch.arange(settings.batch_size)) % len(images)]
        encoding = model.encode(batch)
        noise = torch.randn_like(encoding.mean)
        output = model.decode(encoding.mean + encoding.log_sd.exp() * noise)
        kl = losses.kl_divergence(encoding.mean, encoding.log_sd).mean()
        loss = losses.mse(output, batch) + kl / batch[0].numel()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    return perf_counter() - started


def time_bare_adversarial(data, settings):
    """AAE as a plain loop: one step of the discriminator, one of the autoencoder."""
    started = perf_counter()
    model = architectures.build("VAE").to(memory_format=torch.channels_last)
    judge = adversaries.ImageDiscriminator().to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    learner = torch.optim.Adam(judge.parameters(), lr=settings.gan_learning_rate)
    entropy = functional.binary_cross_entropy_with_logits
    images = torch.from_numpy(data.images[data.training])[:, None]
    size = settings.batch_size
    for start in range(0, settings.slice_steps, size):
        batch = images[(start + torch.arange(size)) % len(images)]
        encoding = model.encode(batch)
        noise = torch.randn_like(encoding.mean)
        output = model.decode(encoding.mean + encoding.log_sd.exp() * noise)
        wanted = torch.cat([torch.ones(size), torch.zeros(size)])
        both = adversaries.Pair(torch.cat([batch, output.detach()]), noise)
        learner.zero_grad(set_to_none=True)
        (2 * entropy(judge(both), wanted)).backward()
        learner.step()
        judge.requires_grad_(False)
        logits = judge(adversaries.Pair(torch.cat([batch, output]), noise))[size:]
        kl = losses.kl_divergence(encoding.mean, encoding.log_sd).mean()
        loss = losses.mse(output, batch) + kl / batch[0].numel()
        loss = loss + settings.gan_weight * entropy(logits, torch.ones(size))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        judge.requires_grad_(True)
    return perf_counter() - started


def main():
    torch.set_num_threads(1)
    data = make_data()
    rows = []
    for model, bare_loop in (
        ("VAE", time_bare),
        ("dVAE", time_bare),
        ("AAE", time_bare_adversarial),
    ):
        settings = TrainingSettings(model=model, loss="MSE", slice_steps=2 * TRAINING * EPOCHS)
        bare_loop(data, settings)
        pairs = [(time_ours(data, settings), bare_loop(data, settings)) for _ in range(REPEATS)]
        ours, bare = np.median(pairs, axis=0)
        ratio = float(np.median([a / b for a, b in pairs]))
        rows.append(Row(f"training epoch, {model}", ours / EPOCHS, bare / EPOCHS, ratio, LIMIT))
    return rows
