"""The discriminators of AAE and BiAAE and their two steps (section 4.1, Figure 2).

They judge reconstructions: real is the clean input, fake what the autoencoder makes of it. Real
and fake always share a batch, because batch norm would tell two batches apart by themselves.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from paperlib.models.architectures import DISCRIMINATOR, Conv, block
from paperlib.models.inference import autocast

# BiAAE: the image path ends in 128 channels; two blocks take the latent; three 1 x 1 fuse them.
BI_IMAGE_PATH = (*DISCRIMINATOR[:-1], DISCRIMINATOR[-1]._replace(channels=128))
BI_LATENT_PATH = (Conv(4, 1, 1, 128, padding=1), Conv(4, 1, 1, 128, padding=1))  # 4 to 3 to 2
BI_FUSION = (Conv(1, 1, 1, 128), Conv(1, 1, 1, 64))
LATENT_CHANNELS = 64  # of the common column of Table 1


class Pair(NamedTuple):
    """What a discriminator judges; AAE looks at the image only."""

    image: Float[Tensor, "batch channel height width"]
    latent: Float[Tensor, "batch latent rows columns"]


class Feedback(NamedTuple):
    """What a generator hears.

    Attributes:
        loss: Its weighted loss; its gradient reaches image and latent, not the discriminator.
        image_gradient: Norm of that gradient at the fake image.
    """

    loss: Float[Tensor, ""]
    image_gradient: float


class ImageDiscriminator(nn.Module):
    """Table 1's last column: six blocks, then a 1 x 1 convolution to a map of logits."""

    judges_latent = False

    def __init__(self, image_channels: int = 1) -> None:
        super().__init__()
        self.image_path = _path(DISCRIMINATOR, image_channels)
        self.logit = nn.Conv2d(DISCRIMINATOR[-1].channels, 1, 1)  # no norm: it would hide the mean

    def forward(self, pair: Pair) -> Float[Tensor, " batch"]:
        """Return the mean logit of "this is the input"."""
        return self.logit(self.image_path(pair.image)).mean(dim=(1, 2, 3))


class PairDiscriminator(nn.Module):
    """BiAAE: image and latent, each through its own path, fused by 1 x 1 convolutions."""

    judges_latent = True

    def __init__(self, image_channels: int = 1) -> None:
        super().__init__()
        self.image_path = _path(BI_IMAGE_PATH, image_channels)
        self.latent_path = _path(BI_LATENT_PATH, LATENT_CHANNELS)
        fused = BI_IMAGE_PATH[-1].channels + BI_LATENT_PATH[-1].channels
        self.fusion = _path(BI_FUSION, fused)
        self.logit = nn.Conv2d(BI_FUSION[-1].channels, 1, 1)

    def forward(self, pair: Pair) -> Float[Tensor, " batch"]:
        """Return the mean logit of "this is an input and its own latent"."""
        paths = [self.image_path(pair.image), self.latent_path(pair.latent)]
        return self.logit(self.fusion(torch.cat(paths, dim=1))).mean(dim=(1, 2, 3))


def judge(
    discriminator: nn.Module, real: Pair, fake: Pair, *, bf16: bool
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """Return the logits of real and fake pairs, seen in one batch; `bf16` counts on CUDA only."""
    both = Pair(*(torch.cat(parts) for parts in zip(real, fake, strict=True)))
    with autocast(both.image.device, bf16):
        logits = discriminator(both)
    logits = logits.float()
    return logits[: len(real.image)], logits[len(real.image) :]


def discriminator_loss(
    discriminator: nn.Module, real: Pair, fake: Pair, *, bf16: bool
) -> tuple[Float[Tensor, ""], dict[str, float]]:
    """Return the loss of the discriminator and how often it is right.

    Args:
        discriminator: One of `DISCRIMINATORS`.
        real: Clean inputs; no gradient flows back to what made them.
        fake: Reconstructions; the same.
        bf16: Autocast on CUDA.

    Returns:
        Sum of the cross-entropies of real and fake; `discriminator_loss`, `real_accuracy` and
        `fake_accuracy`, shares of the batch.
    """
    real, fake = (Pair(*(part.detach() for part in pair)) for pair in (real, fake))
    real_logits, fake_logits = judge(discriminator, real, fake, bf16=bf16)
    loss = _cross_entropy(real_logits, 1.0) + _cross_entropy(fake_logits, 0.0)
    return loss, {
        "discriminator_loss": float(loss.detach()),
        "real_accuracy": float((real_logits > 0).float().mean()),
        "fake_accuracy": float((fake_logits < 0).float().mean()),
    }


def generator_feedback(
    discriminator: nn.Module, real: Pair, fake: Pair, *, weight: float, bf16: bool
) -> Feedback:
    """Return the adversarial loss of the autoencoder, without touching the discriminator.

    The loss is the non-saturating one of Figure 2 on fake pairs; where the discriminator judges
    latents as well, the encoder also wants real pairs to be called fake.

    Args:
        discriminator: One of `DISCRIMINATORS`.
        real: Inputs, with the gradient of their latents.
        fake: Reconstructions, with theirs.
        weight: Of the adversarial term.
        bf16: Autocast on CUDA.
    """
    made = {id(part): part for part in (*fake, real.latent) if part.requires_grad}
    leaves = {key: part.detach().requires_grad_() for key, part in made.items()}
    real, fake = (Pair(*(leaves.get(id(p), p.detach()) for p in pair)) for pair in (real, fake))
    discriminator.requires_grad_(False)
    real_logits, fake_logits = judge(discriminator, real, fake, bf16=bf16)
    discriminator.requires_grad_(True)
    loss = _cross_entropy(fake_logits, 1.0)
    if discriminator.judges_latent:
        loss = loss + _cross_entropy(real_logits, 0.0)
    gradients = torch.autograd.grad(weight * loss, list(leaves.values()), allow_unused=True)
    pulls = [
        (gradient.detach() * part).sum()
        for gradient, part in zip(gradients, made.values(), strict=True)
        if gradient is not None
    ]
    value = (weight * loss).detach()
    pull = torch.stack(pulls).sum()
    return Feedback(value + pull - pull.detach(), float(gradients[0].norm()))


def build(model: str, image_channels: int = 1) -> nn.Module | None:
    """Return the fresh discriminator of a model, None if it has none."""
    return DISCRIMINATORS[model](image_channels) if model in DISCRIMINATORS else None


def _cross_entropy(logits: Float[Tensor, " batch"], wanted: float) -> Float[Tensor, ""]:
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, wanted))


def _path(rows: tuple[Conv, ...], inputs: int) -> nn.Sequential:
    channels = [inputs, *(row.channels for row in rows)]
    blocks = (block(nn.Conv2d, row, channels[i], channels[i + 1]) for i, row in enumerate(rows))
    return nn.Sequential(*blocks)


DISCRIMINATORS: Mapping[str, type[ImageDiscriminator] | type[PairDiscriminator]] = MappingProxyType(
    {"AAE": ImageDiscriminator, "BiAAE": PairDiscriminator}
)
