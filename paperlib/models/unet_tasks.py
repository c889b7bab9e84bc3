"""What the two U-Nets outside the paper learn: to remove noise, and to predict the labels."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Integer
from monai.losses import DiceCELoss
from numpy import ndarray
from scipy import ndimage
from torch import Tensor

from paperlib.labels import BACKGROUND, LABELS

CLASSES = (BACKGROUND, *LABELS)  # output channels of the supervised network, in this order
NOISE_SD = 1.4  # z units: 0.2 of the 99th percentile of the brain (Kascenas et al. 2022)
NOISE_GRID = 16  # draws per side of a slice
Example = tuple[ndarray, ndarray]  # input and target, channels first


class Task(NamedTuple):
    """What a U-Net learns.

    Attributes:
        slices: Number of training slices.
        example: Input and target of the slice at a position, disturbed by a generator.
        loss: From output and target of a batch.
    """

    slices: int
    example: Callable[[int, np.random.Generator], Example]
    loss: Callable[[Tensor, Tensor], Tensor]


def denoising_task(
    images: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    places: Int[ndarray, " training"],
) -> Task:
    """Return the task of removing coarse noise from healthy slices (baseline B8).

    Args:
        images: Slices in z units, memory-mapped or not.
        brain: Noise is added, and the squared error counted, inside only.
        places: The healthy training slices among them.
    """

    def example(position: int, rng: np.random.Generator) -> Example:
        place = places[position]
        turn = -1 if rng.random() < 0.5 else 1  # left and right exchanged
        clean, inside = images[place][:, ::turn], brain[place][:, ::turn]
        return (clean + coarse_noise(clean.shape, rng) * inside)[None], np.stack([clean, inside])

    def loss(output: Tensor, target: Tensor) -> Tensor:
        clean, inside = target[:, :1], target[:, 1:]
        return ((output - clean) ** 2 * inside).sum() / inside.sum()

    return Task(len(places), example, loss)


def labelling_task(
    images: Sequence[Float[ndarray, "slice height width"]],
    labels: Integer[ndarray, "slice height width"],
    places: Int[ndarray, " training"],
) -> Task:
    """Return the task of predicting the tissue labels, with the truth at hand (baseline B11).

    The loss is the sum of cross-entropy and one minus the Dice of the three labels.

    Args:
        images: Slices of each sequence in z units.
        labels: BraTS 2018 codes of the same slices.
        places: The training slices among them, with and without tumour.
    """

    def example(position: int, rng: np.random.Generator) -> Example:
        place = places[position]
        turn = -1 if rng.random() < 0.5 else 1
        classes = np.searchsorted(CLASSES, labels[place])
        return np.stack([stack[place] for stack in images])[..., ::turn], classes[None, :, ::turn]

    loss = DiceCELoss(include_background=False, to_onehot_y=True, softmax=True)
    return Task(len(places), example, loss)


def coarse_noise(shape: tuple[int, ...], rng: np.random.Generator) -> Float[ndarray, "..."]:
    """Return smooth noise: normal draws on a coarse grid, linear in between, rolled at random.

    Args:
        shape: Height and width of the slice.
        rng: Source of randomness.
    """
    coarse = rng.normal(0, NOISE_SD, (NOISE_GRID, NOISE_GRID))
    fine = ndimage.zoom(coarse, [side / NOISE_GRID for side in shape], order=1)
    return np.roll(fine, rng.integers(0, shape), axis=(0, 1)).astype(np.float32)
