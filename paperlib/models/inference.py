"""Where torch ends: from slices to reconstructions and latent means as plain arrays."""

import contextlib
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from paperlib.models import architectures


class Reconstructed(NamedTuple):
    """What a network says about slices, z = mean."""

    reconstruction: Float[ndarray, "slice *channel height width"]
    latent_mean: Float[ndarray, "slice latent"]


def select_device() -> torch.device:
    """Return the GPU when there is one, else the CPU: the only place that decides."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(device: torch.device, enabled: bool) -> contextlib.AbstractContextManager:
    """Return a bf16 autocast region on CUDA when enabled, else one that does nothing."""
    if enabled and device.type == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def take(
    images: Float[ndarray, "slice *channel height width"], indices: Int[ndarray, " chosen"]
) -> Float[torch.Tensor, "chosen channel height width"]:
    """Return some slices of a stack as a batch; a stack without channels has one."""
    batch = torch.from_numpy(np.ascontiguousarray(images[indices], dtype=np.float32))
    return batch if batch.ndim == 4 else batch[:, None]


def reconstruct(
    model: architectures.Autoencoder,
    images: Float[ndarray, "slice *channel height width"],
    indices: Int[ndarray, " chosen"],
    *,
    batch_size: int = 16,
) -> Reconstructed:
    """Reconstruct slices of a stack that may be memory-mapped.

    Args:
        model: A trained network; it is put into evaluation mode.
        images: Slices in z-score units.
        indices: Which of them, in the order of the result.
        batch_size: Slices at a time.
    """
    device = next(model.parameters()).device
    model.eval()
    outputs, means = [], []
    with torch.no_grad():
        for start in range(0, len(indices), batch_size):
            chosen = indices[start : start + batch_size]
            output, encoding = model(take(images, chosen).to(device))
            outputs.append(output.float().cpu().numpy().reshape(-1, *images.shape[1:]))
            means.append(encoding.mean.flatten(1).float().cpu().numpy())
    return Reconstructed(np.concatenate(outputs), np.concatenate(means))
