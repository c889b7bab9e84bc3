"""What a checkpoint holds: all that a training needs to go on as if it had not been stopped."""

import math
import os
from pathlib import Path

import torch
from torch import Tensor

from paperlib.config import TrainingSettings
from paperlib.models import adversaries, architectures, objectives

GAN_BETAS = (0.5, 0.999)  # Adam of the discriminator; decided
Row = dict[str, float]


class TrainingState:
    """Weights, optimisers, counters and rows of one training.

    Attributes:
        model: The autoencoder, on the device of this machine.
        optimiser: Its own.
        adversary: Discriminator and its optimiser; None where the model has none.
        best: Weights of the lowest validation loss so far.
        progress: Counters and rows, plain values only.
    """

    def __init__(
        self, settings: TrainingSettings, device: torch.device, image_channels: int = 1
    ) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            name = settings.architecture or settings.model
            model = architectures.build(name, image_channels)
            discriminator = adversaries.build(settings.model, image_channels)
        self.model = model.to(device, memory_format=torch.channels_last)
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=settings.learning_rate)
        self.adversary = None
        if discriminator is not None:
            discriminator.to(device, memory_format=torch.channels_last)
            optimiser = torch.optim.Adam(
                discriminator.parameters(), lr=settings.gan_learning_rate, betas=GAN_BETAS
            )
            self.adversary = objectives.Adversary(discriminator, optimiser)
        self.best = copy_weights(self.model)
        self.progress: dict = {
            "epoch": 0,
            "slice_steps": 0,
            "best_loss": math.inf,
            "best_epoch": -1,
            "epochs": [],
            "milestones": [],
        }

    def save(self, file: Path) -> None:
        """Write the checkpoint by rename: a kill leaves the old one."""
        parts = {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "best": self.best,
            "progress": self.progress,
            "adversary": [part.state_dict() for part in self.adversary or ()],
        }
        torch.save(parts, file.with_suffix(".partial"))
        os.replace(file.with_suffix(".partial"), file)

    def load(self, file: Path, device: torch.device) -> None:
        """Read a checkpoint of the same settings."""
        parts = torch.load(file, map_location=device, weights_only=True)
        self.model.load_state_dict(parts["model"])
        self.optimiser.load_state_dict(parts["optimiser"])
        self.best, self.progress = parts["best"], parts["progress"]
        if self.adversary is not None:
            network, optimiser = parts["adversary"]
            self.adversary.network.load_state_dict(network)
            self.adversary.optimiser.load_state_dict(optimiser)


def copy_weights(model: architectures.Autoencoder) -> dict[str, Tensor]:
    """Return the weights as they are now, safe from the next step."""
    return {name: value.detach().clone() for name, value in model.state_dict().items()}
