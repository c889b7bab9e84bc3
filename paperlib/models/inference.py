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

    reconstruction: Float[ndarray, "slice height width"]
    latent_mean: Float[ndarray, "slice latent"]


def select_device() -> torch.device:
    """Return the GPU when there is one, else the CPU: the only place that decides."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(device: torch.device, enabled: bool) -> contextlib.AbstractContextManager:
    """Return a bf16 autocast region on CUDA when enabled, else one that does nothing."""
    if enabled and device.type == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return contextlib.nullcontext()


def reconstruct(
    model: architectures.Autoencoder,
    images: Float[ndarray, "slice height width"],
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
            stack = torch.from_numpy(np.ascontiguousarray(images[chosen], dtype=np.float32))
            output, encoding = model(stack[:, None].to(device))
            outputs.append(output[:, 0].float().cpu().numpy())
            means.append(encoding.mean.flatten(1).float().cpu().numpy())
    return Reconstructed(np.concatenate(outputs), np.concatenate(means))
