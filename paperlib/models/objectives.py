"""What each model of section 4.1 minimises beside reconstruction and KL: one function a model.

A step has already encoded and decoded the batch; an objective turns that into the loss. AAE and
BiAAE also let their discriminator learn, once, before it judges.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from paperlib.config import TrainingSettings
from paperlib.models import adversaries
from paperlib.models.adversaries import Pair
from paperlib.models.architectures import Autoencoder
from paperlib.models.inference import autocast

CONTEXT_SQUARES = 3  # at most, on one image; decided
PAIRINGS = ("shared", "literal", "ali")
Logged = dict[str, float]


class Adversary(NamedTuple):
    """A discriminator and what trains it."""

    network: nn.Module
    optimiser: torch.optim.Optimizer


class Step(NamedTuple):
    """One batch on its way through the autoencoder.

    Attributes:
        model: The autoencoder.
        adversary: None where the model has none.
        settings: Weights of the terms.
        targets: Clean images.
        mean: Latent mean, with gradient.
        latent: The latent that was decoded, with gradient.
        output: Reconstruction, with gradient.
        reconstruction: Its loss.
        loss: Reconstruction and weighted KL.
        reconstruct: The reconstruction loss of an output.
        seed: Of the numbers drawn for this batch.
    """

    model: Autoencoder
    adversary: Adversary | None
    settings: TrainingSettings
    targets: Float[Tensor, "batch channel height width"]
    mean: Float[Tensor, "batch latent rows columns"]
    latent: Float[Tensor, "batch latent rows columns"]
    output: Float[Tensor, "batch channel height width"]
    reconstruction: Float[Tensor, ""]
    loss: Float[Tensor, ""]
    reconstruct: Callable[[Tensor], Tensor]
    seed: tuple[int, ...]


def variational(step: Step) -> tuple[Tensor, Logged]:
    """VAE, dVAE, VAE1px: nothing is added."""
    return step.loss, {}


def context_encoding(step: Step) -> tuple[Tensor, Logged]:
    """VAE-CE: a second branch completes images with squares missing (Zimmerer et al. 2018).

    Its target is the clean image, its latent the mean, and it has no KL term.
    """
    masked = torch.from_numpy(hide_squares(step.targets.cpu().numpy(), step.seed))
    with autocast(step.targets.device, step.settings.autocast):
        output, _ = step.model(masked.to(step.targets.device))
    context = step.reconstruct(output.float())
    share = step.settings.context_share
    return (1 - share) * step.loss + share * context, {"context": float(context.detach())}


def adversarial(step: Step) -> tuple[Tensor, Logged]:
    """AAE and BiAAE: the discriminator learns once, then the autoencoder hears from it."""
    if step.adversary is None:
        raise ValueError(f"{step.settings.model} needs a discriminator; it was given none.")
    real, fake = _pairs(step)
    network, bf16 = step.adversary.network, step.settings.autocast
    learnt, logged = adversaries.discriminator_loss(network, real, fake, bf16=bf16)
    step.adversary.optimiser.zero_grad(set_to_none=True)
    learnt.backward()
    step.adversary.optimiser.step()
    feedback = adversaries.generator_feedback(
        network, real, fake, weight=step.settings.gan_weight, bf16=bf16
    )
    (pull,) = torch.autograd.grad(step.reconstruction, step.output, retain_graph=True)
    logged["adversarial"] = float(feedback.loss.detach())
    logged["gradient_ratio"] = feedback.image_gradient / float(pull.norm())
    return step.loss + feedback.loss, logged


def hide_squares(
    images: Float[np.ndarray, "batch channel height width"], seed: tuple[int, ...]
) -> Float[np.ndarray, "batch channel height width"]:
    """Return copies in which 0 to 3 squares are filled with one value of the image's range.

    Every image gets its own squares; sides are uniform up to half the image.

    Args:
        images: Clean slices, z units.
        seed: Decides places, sides and values.
    """
    rng = np.random.default_rng(seed)
    hidden = images.copy()
    height, width = images.shape[2:]
    for image in hidden:
        low, high = float(image.min()), float(image.max())
        for _ in range(rng.integers(CONTEXT_SQUARES + 1)):
            side = int(rng.uniform(0, height / 2))
            row, column = rng.integers(height - side + 1), rng.integers(width - side + 1)
            image[:, row : row + side, column : column + side] = rng.uniform(low, high)
    return hidden


def refuse_impossible(settings: TrainingSettings) -> None:
    """Refuse settings that name no network.

    Raises:
        ValueError: If the model or pairing is unknown, or BiAAE is to run on another column of
            Table 1 than the VAE's.
    """
    if settings.model not in OBJECTIVES:
        raise ValueError(f"Unknown model {settings.model!r}; there are {', '.join(OBJECTIVES)}.")
    if settings.pairing not in PAIRINGS:
        raise ValueError(f"Unknown pairing {settings.pairing!r}; expected one of {PAIRINGS}.")
    if settings.model == "BiAAE" and settings.architecture not in ("", "VAE"):
        raise ValueError(
            f"BiAAE cannot be built on {settings.architecture!r}: its discriminator reads a latent "
            "of 64 x 4 x 4, which only the VAE column of Table 1 has. Leave `architecture` empty."
        )


def _pairs(step: Step) -> tuple[Pair, Pair]:
    """Return real and fake pairs; the paper names (input, latent) and (output, latent)."""
    if step.settings.model != "BiAAE" or step.settings.pairing == "shared":
        return Pair(step.targets, step.latent), Pair(step.output, step.latent)
    if step.settings.pairing == "literal":  # encoder output against decoder input
        return Pair(step.targets, step.mean), Pair(step.output, step.latent)
    generator = torch.Generator().manual_seed(int(np.random.default_rng(step.seed).integers(2**62)))
    prior = torch.randn(step.latent.shape, generator=generator).to(step.latent.device)
    with autocast(prior.device, step.settings.autocast):
        drawn = step.model.decode(prior)
    return Pair(step.targets, step.latent), Pair(drawn.float(), prior)


OBJECTIVES: Mapping[str, Callable[[Step], tuple[Tensor, Logged]]] = MappingProxyType(
    {
        "VAE": variational,
        "dVAE": variational,
        "VAE1px": variational,
        "VAE-CE": context_encoding,
        "AAE": adversarial,
        "BiAAE": adversarial,
    }
)
