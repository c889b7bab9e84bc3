"""Two U-Nets outside the paper: one denoises healthy slices, one learns from labels.

Both are MONAI's, four levels of 16 to 128 channels. The first level already works at half the
size of the slice, which makes them as cheap as the paper's networks.
"""

import numpy as np
import torch
from jaxtyping import Float
from monai.networks.nets import UNet
from numpy import ndarray
from torch import nn

from paperlib.models.inference import select_device

CHANNELS = (16, 32, 64, 128)


def build_unet(*, inputs: int, outputs: int, seed: int) -> UNet:
    """Return a new U-Net on the device of this machine.

    Args:
        inputs: Channels of the image: sequences.
        outputs: Channels of the answer: 1 for an image, else the number of classes.
        seed: Of the first weights.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = UNet(
            spatial_dims=2,
            in_channels=inputs,
            out_channels=outputs,
            channels=CHANNELS,
            strides=(2,) * (len(CHANNELS) - 1),
            norm=("group", {"num_groups": 8}),
            act="leakyrelu",
        )
    return model.to(select_device())


def apply_unet(
    model: nn.Module, images: Float[ndarray, "slice channel height width"], *, batch_size: int = 16
) -> Float[ndarray, "slice output height width"]:
    """Return what a U-Net says about slices.

    Args:
        model: A trained network; it is put into evaluation mode.
        images: Slices in z units, a channel per sequence.
        batch_size: Slices at a time.
    """
    device = next(model.parameters()).device
    model.eval()
    outputs = []
    with torch.no_grad():
        for start in range(0, len(images), batch_size):
            stack = np.ascontiguousarray(images[start : start + batch_size], dtype=np.float32)
            outputs.append(model(torch.from_numpy(stack).to(device)).float().cpu().numpy())
    return np.concatenate(outputs)
