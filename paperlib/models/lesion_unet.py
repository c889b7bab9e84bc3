"""A small U-Net that learns to find synthetic lesions in healthy slices (beyond the paper).

It works at half the size of the slice: 2 x 2 pixels become channels before the first level and
pixels again after the last, which makes it three times as fast as one at full size.
"""

import math

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from monai.losses import DiceCELoss
from monai.networks.nets.basic_unet import TwoConv
from numpy import ndarray
from torch import Tensor, nn
from torch.nn import functional

from paperlib.config import AugmentSettings
from paperlib.data import augment, lesions
from paperlib.models.inference import select_device
from paperlib.models.unet import apply_unet
from paperlib.models.unet_tasks import Example, Task

SEQUENCES = 2  # FLAIR, T1CE
CHANNELS = (16, 32, 48, 64)
MOVES = AugmentSettings(
    rotation_deg=15.0, scale=0.15, shear_deg=math.degrees(math.atan(0.1)), square_probability=0.0
)
SHIFT = 0.08  # at most, in half-image units


class LesionUNet(nn.Module):
    """One logit a pixel, positive inside a lesion; sides of a slice are multiples of 16."""

    def __init__(self):
        super().__init__()
        inputs = (4 * SEQUENCES, *CHANNELS)
        self.down = nn.ModuleList(
            _convolutions(*pair) for pair in zip(inputs, CHANNELS, strict=False)
        )
        self.up = nn.ModuleList(
            _convolutions(low + high, high)
            for high, low in zip(CHANNELS[-2::-1], CHANNELS[:0:-1], strict=True)
        )
        self.last = nn.Conv2d(CHANNELS[0], 4, 1)

    def forward(
        self, images: Float[Tensor, "batch sequence height width"]
    ) -> Float[Tensor, "batch 1 height width"]:
        """Return the logits."""
        features, skipped = functional.pixel_unshuffle(images, 2), []
        for level, block in enumerate(self.down):
            features = block(functional.max_pool2d(features, 2) if level else features)
            skipped.append(features)
        for block, skip in zip(self.up, skipped[-2::-1], strict=True):
            grown = functional.interpolate(features, scale_factor=2, mode="bilinear")
            features = block(torch.cat([skip, grown], dim=1))
        return functional.pixel_shuffle(self.last(features), 2)


def _convolutions(inputs: int, outputs: int) -> TwoConv:
    """Return 3 x 3 convolution, batch norm, ReLU, twice."""
    return TwoConv(2, inputs, outputs, act="relu", norm="batch", bias=False)


def build_lesion_unet(*, seed: int) -> LesionUNet:
    """Return a new network on the device of this machine.

    Args:
        seed: Of the first weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LesionUNet()
    return model.to(select_device())


def lesion_task(
    images: tuple[Float[ndarray, "slice height width"], Float[ndarray, "slice height width"]],
    brain: Bool[ndarray, "slice height width"],
    places: Int[ndarray, " training"],
    *,
    gamma: bool,
) -> Task:
    """Return the task of finding what is pasted into healthy slices that are moved and varied.

    The loss is cross-entropy and one minus the Dice of the whole batch, which stays defined
    where a slice got no lesion.

    Args:
        images: FLAIR and T1CE slices in z units, memory-mapped or not.
        brain: True inside the brain.
        places: The healthy training slices among them.
        gamma: Whether brightness curves are bent, too.
    """

    def example(position: int, rng: np.random.Generator) -> Example:
        place = places[position]
        moved, inside = _move(np.stack([stack[place] for stack in images]), brain[place], rng)
        pasted = lesions.paste_lesions(moved, inside, rng)
        varied = lesions.vary_intensities(pasted.images, inside, rng, gamma=gamma)
        return varied, pasted.mask[None]

    return Task(len(places), example, DiceCELoss(sigmoid=True, batch=True))


def lesion_logits(
    model: LesionUNet, images: Float[ndarray, "slice sequence height width"]
) -> Float[ndarray, "slice height width"]:
    """Return the mean logit of each slice and of its mirror image.

    Args:
        model: A trained network.
        images: FLAIR and T1CE in z units.
    """
    seen, mirrored = apply_unet(model, images), apply_unet(model, images[..., ::-1])
    return (seen + mirrored[..., ::-1])[:, 0] / 2


def _move(
    images: Float[ndarray, "sequence height width"],
    brain: Bool[ndarray, "height width"],
    rng: np.random.Generator,
) -> tuple[Float[ndarray, "sequence height width"], Bool[ndarray, "height width"]]:
    """Return the slice turned, scaled, sheared, shifted, perhaps mirrored; 0 outside the brain."""
    matrix = augment.draw_transform(images[0], MOVES, rng).matrix
    matrix[:, 2] = rng.uniform(-SHIFT, SHIFT, 2)
    stack = torch.from_numpy(np.concatenate([images, brain[None]]).astype(np.float32))
    moved, _ = augment.apply_transforms(stack[None], [augment.Transform(matrix, ())])
    inside = moved[0, -1].numpy() > 0.5
    return moved[0, :-1].numpy() * inside, inside
