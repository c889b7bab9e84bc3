"""Training of the U-Nets outside the paper.

Everything random is derived from (seed, epoch, position), as in `training.py`. A training takes a
minute or two, so there is no checkpoint; the learning rate falls along a cosine to 0, after
rising along another where the schedule says so, and the last weights stay.
"""

import math
import sys
from typing import NamedTuple

import numpy as np
import torch
from numpy import ndarray
from torch import nn
from tqdm import tqdm

from paperlib.models.unet_tasks import Task

FIRST_RATE = 1 / 25  # of the highest, where a rise begins (as OneCycleLR of torch)


class Schedule(NamedTuple):
    """How long and how fast; batch and rate as for the paper's networks [decided]."""

    slice_steps: int
    batch_size: int = 8
    learning_rate: float = 1e-3  # at its highest
    gradient_clip: float = 1.0
    seed: int = 0
    warm_up: float = 0.0  # share of the slice-steps until the rate is highest
    weight_decay: float = 0.0  # decoupled from the gradient (AdamW)


def fit_unet(
    model: nn.Module, task: Task, schedule: Schedule, *, name: str
) -> list[dict[str, float]]:
    """Train a U-Net in place.

    Args:
        model: From `unet.build_unet` or `lesion_unet.build_lesion_unet`.
        task: What it learns.
        schedule: How long and how fast.
        name: Shown with the progress and in errors.

    Returns:
        One row per epoch: its number, the slices seen until its end, the mean loss.

    Raises:
        FloatingPointError: If a loss is not finite; names network, epoch and batch.
        ValueError: If there is no training slice.
    """
    if not task.slices:
        raise ValueError(f"No training slice for the {name}; check the split.")
    optimiser = torch.optim.Adam(
        model.parameters(), weight_decay=schedule.weight_decay, decoupled_weight_decay=True
    )
    model.train()
    rows: list[dict[str, float]] = []
    seen = 0
    with tqdm(total=schedule.slice_steps, desc=name, unit="slice", file=sys.stdout,
              mininterval=10, ncols=110) as bar:  # fmt: skip
        while seen < schedule.slice_steps:
            epoch, losses = len(rows), []
            order = np.random.default_rng([schedule.seed, epoch, 0]).permutation(task.slices)
            for start in range(0, task.slices, schedule.batch_size):
                positions = order[start : start + schedule.batch_size]
                for group in optimiser.param_groups:
                    group["lr"] = learning_rate(schedule, share=seen / schedule.slice_steps)
                losses.append(_step(model, task, optimiser, schedule, positions, epoch))
                if not math.isfinite(losses[-1]):
                    raise FloatingPointError(
                        f"Loss of the {name} is {losses[-1]} in epoch {epoch}, batch "
                        f"{len(losses) - 1}. Lower the learning rate or look at its images."
                    )
                seen += len(positions)
                bar.update(len(positions))
                if seen >= schedule.slice_steps:
                    break
            rows.append(
                {"epoch": float(epoch), "slice_steps": float(seen), "loss": float(np.mean(losses))}
            )
    model.eval()
    return rows


def learning_rate(schedule: Schedule, *, share: float) -> float:
    """Return the rate after a share of the slice-steps, 0 to 1."""
    if share < schedule.warm_up:
        risen = (1 - math.cos(math.pi * share / schedule.warm_up)) / 2
        return schedule.learning_rate * (FIRST_RATE + (1 - FIRST_RATE) * risen)
    fallen = (share - schedule.warm_up) / (1 - schedule.warm_up)
    return schedule.learning_rate * (1 + math.cos(math.pi * fallen)) / 2


def _step(
    model: nn.Module,
    task: Task,
    optimiser: torch.optim.Optimizer,
    schedule: Schedule,
    positions: ndarray,
    epoch: int,
) -> float:
    examples = [
        task.example(int(p), np.random.default_rng([schedule.seed, epoch, 1, int(p)]))
        for p in positions
    ]
    device = next(model.parameters()).device
    inputs, targets = (
        torch.from_numpy(np.stack(part).astype(np.float32)).to(device)
        for part in zip(*examples, strict=True)
    )
    loss = task.loss(model(inputs), targets)
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), schedule.gradient_clip)
    optimiser.step()
    return float(loss.detach())
