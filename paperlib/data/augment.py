"""Augmented copies of healthy slices (section 3): one affine copy, sometimes with noise squares.

The disturbance is on the input only; the target stays the clean (moved) image.
"""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor
from torch.nn import functional

from paperlib.config import AugmentSettings


class Square(NamedTuple):
    """A square of noise."""

    row: int
    column: int
    noise: Float[ndarray, "side side"]  # N(0, 1) in z units


class Transform(NamedTuple):
    """What happens to one copy."""

    matrix: Float[ndarray, "2 3"]  # output to input coordinates, in half-image units
    squares: tuple[Square, ...]


def draw_transform(
    brain: Float[ndarray, "height width"], settings: AugmentSettings, rng: np.random.Generator
) -> Transform:
    """Draw one transform.

    Args:
        brain: Image of the slice; where it is not 0 there is brain, and a square must meet it.
        settings: Ranges of the draws.
        rng: Source of randomness; the same state gives the same transform.
    """
    angle = np.deg2rad(rng.uniform(-settings.rotation_deg, settings.rotation_deg))
    shear = np.tan(np.deg2rad(rng.uniform(-settings.shear_deg, settings.shear_deg)))
    scale = rng.uniform(1 - settings.scale, 1 + settings.scale)
    flip = -1.0 if rng.random() < settings.flip_probability else 1.0
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = rotation @ np.array([[1.0, shear], [0.0, 1.0]]) @ np.diag([flip, 1.0]) / scale
    matrix = np.column_stack([linear, np.zeros(2)]).astype(np.float32)
    if rng.random() >= settings.square_probability:
        return Transform(matrix, ())
    low, high = settings.squares_low, settings.squares_high
    count = low if low == high else int(rng.integers(low, high + 1))
    return Transform(matrix, tuple(_draw_square(brain, settings, rng) for _ in range(count)))


def apply_transforms(
    images: Float[Tensor, "batch channel height width"], transforms: list[Transform]
) -> tuple[
    Float[Tensor, "batch channel height width"], Float[Tensor, "batch channel height width"]
]:
    """Return disturbed inputs and their clean targets, on the device of the images."""
    matrices = torch.from_numpy(np.stack([t.matrix for t in transforms])).to(images.device)
    grid = functional.affine_grid(matrices, list(images.shape), align_corners=False)
    targets = functional.grid_sample(images, grid, padding_mode="zeros", align_corners=False)
    inputs = targets.clone()
    for index, transform in enumerate(transforms):
        for row, column, noise in transform.squares:
            side = len(noise)
            patch = torch.from_numpy(noise).to(images.device)
            inputs[index, :, row : row + side, column : column + side] = patch
    return inputs, targets


def _draw_square(
    brain: Float[ndarray, "height width"], settings: AugmentSettings, rng: np.random.Generator
) -> Square:
    side = int(rng.integers(settings.square_low_px, settings.square_high_px + 1))
    rows, columns = np.nonzero(brain)
    place = rng.integers(len(rows))
    top = int(np.clip(rows[place] - rng.integers(side), 0, brain.shape[0] - side))
    left = int(np.clip(columns[place] - rng.integers(side), 0, brain.shape[1] - side))
    return Square(top, left, rng.standard_normal((side, side), dtype=np.float32))
