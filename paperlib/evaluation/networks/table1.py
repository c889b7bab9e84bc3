"""Table 1 read from live networks: what they do, not what somebody wrote down (section 4.1)."""

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor, nn

from paperlib.models import adversaries, architectures

SIDE_PX = 128  # of every slice
LATENT_SIDE = 4  # of the VAE's latent maps, which BiAAE judges
LATENT_NAMES = {"latent_mean": "latent, mean", "latent_log_sd": "latent, log sd"}


def layer_table(model: str) -> pd.DataFrame:
    """Return every convolution of a network, from the image to its reconstruction.

    Args:
        model: A column of Table 1, a key of `architectures.MODELS`.

    Returns:
        One row per layer: the paper's notation, kernel, stride, dilation, channels, the padding
        that the paper does not print, and the size of the output.
    """
    network = architectures.build(model)
    modules = dict(network.named_modules())
    rows = []
    sizes = dict(architectures.layer_sizes(network, SIDE_PX))
    for name in (name for name in modules if name in sizes):  # mean before log sd
        layer, (channels, height, width) = modules[name], sizes[name]
        kernel, stride, dilation = layer.kernel_size[0], layer.stride[0], layer.dilation[0]
        extra = layer.output_padding[0] if isinstance(layer, nn.ConvTranspose2d) else 0
        rows.append(
            {
                "part": _part(name),
                "layer": architectures.Conv(kernel, stride, dilation, channels).printed,
                "kernel": kernel,
                "stride": stride,
                "dilation": dilation,
                "channels": channels,
                "padding": f"{layer.padding[0]}" + (f", output {extra}" if extra else ""),
                "output": f"{height} × {width}",
            }
        )
    return pd.DataFrame(rows).set_index("part").rename_axis(None)


def encoder_columns(models: Sequence[str]) -> pd.DataFrame:
    """Return Table 1 as the paper prints it: a column per network, encoder and latent layers.

    Args:
        models: Keys of `architectures.MODELS`.
    """
    columns = []
    for model in models:
        table = layer_table(model)
        kept = table[~table.index.str.startswith("decoder")]
        texts = [f"{line.layer} → {line.output}" for line in kept.itertuples()]
        columns.append(pd.Series(texts, index=kept.index, name=model))
    return pd.concat(columns, axis=1)


def size_table(models: Sequence[str]) -> pd.DataFrame:
    """Return the parameters of each network and how far it compresses a slice.

    Args:
        models: Keys of `architectures.MODELS`.

    Returns:
        One row per network: parameters, latent numbers, and pixels for each latent number.
    """
    rows = []
    for model in models:
        network = architectures.build(model)
        sizes = dict(architectures.layer_sizes(network, SIDE_PX))
        channels, height, width = sizes["latent_mean"]
        latent = channels * height * width
        rows.append(
            {
                "network": model,
                "parameters": architectures.count_parameters(network),
                "latent": f"{channels} × {height} × {width}",
                "latent numbers": latent,
                "pixels for each of them": round(SIDE_PX**2 / latent, 1),
            }
        )
    return pd.DataFrame(rows).set_index("network").rename_axis(None)


def printed_layers(network: nn.Module) -> list[str]:
    """Return every convolution of a network in the paper's notation, in order."""
    return [
        architectures.Conv(
            layer.kernel_size[0], layer.stride[0], layer.dilation[0], layer.out_channels
        ).printed
        for layer in network.modules()
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    ]


def discriminator_table() -> pd.DataFrame:
    """Return the layers of every discriminator, with the sizes of their outputs.

    Returns:
        A column per adversarial model; where a model lacks a part, the text is empty.
    """
    columns = []
    for model, kind in adversaries.DISCRIMINATORS.items():
        network = _OnImage(kind())
        sizes = architectures.layer_sizes(network, SIDE_PX)
        texts = [
            f"{printed} → {size[1]} × {size[2]}"
            for printed, (_, size) in zip(printed_layers(network), sizes, strict=True)
        ]
        parts = [_judging_part(name) for name, _ in sizes]
        columns.append(pd.Series(texts, index=parts, name=model))
    longest = max(columns, key=len)
    return pd.concat(columns, axis=1).reindex(longest.index).fillna("")


class _OnImage(nn.Module):
    """A discriminator that is shown an image with an empty latent."""

    def __init__(self, judge: nn.Module) -> None:
        super().__init__()
        self.judge = judge

    def forward(self, image: Tensor) -> Tensor:
        """Return the logit."""
        latent = torch.zeros(len(image), adversaries.LATENT_CHANNELS, LATENT_SIDE, LATENT_SIDE)
        return self.judge(adversaries.Pair(image, latent))


def _judging_part(name: str) -> str:
    """Return "image 1", "latent 2", "fusion 1" or "logit" for "judge.image_path.0.0"."""
    path, _, rest = name.removeprefix("judge.").partition(".")
    number = f" {int(rest.partition('.')[0]) + 1}" if rest else ""
    return path.removesuffix("_path") + number


def _part(name: str) -> str:
    """Return "encoder 1", "latent, mean" and so on for the name of a layer."""
    if name in LATENT_NAMES:
        return LATENT_NAMES[name]
    half, _, rest = name.partition(".")
    return f"{half} {int(rest.partition('.')[0]) + 1}"
