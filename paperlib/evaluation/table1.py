"""Table 1 read from live networks: what they do, not what somebody wrote down (section 4.1)."""

from collections.abc import Sequence

import pandas as pd
from torch import nn

from paperlib.models import architectures

SIDE_PX = 128  # of every slice


def layer_table(model: str) -> pd.DataFrame:
    """Return every convolution of a network in the order in which an image passes it.

    Args:
        model: A column of Table 1, a key of `architectures.MODELS`.

    Returns:
        One row per layer: the paper's notation, kernel, stride, dilation, channels, the padding
        that the paper does not print, and the size of the output.
    """
    network = architectures.build(model)
    modules = dict(network.named_modules())
    rows = []
    for name, (channels, height, width) in architectures.layer_sizes(network, SIDE_PX):
        layer = modules[name]
        kernel, stride, dilation = layer.kernel_size[0], layer.stride[0], layer.dilation[0]
        transposed = isinstance(layer, nn.ConvTranspose2d)
        rows.append(
            {
                "part": _part(name),
                "layer": architectures.Conv(kernel, stride, dilation, channels).printed,
                "kernel": kernel,
                "stride": stride,
                "dilation": dilation,
                "padding": layer.padding[0],
                "output padding": layer.output_padding[0] if transposed else 0,
                "channels": channels,
                "output": f"{height} × {width}",
            }
        )
    return pd.DataFrame(rows).set_index("part")


def encoder_columns(models: Sequence[str]) -> pd.DataFrame:
    """Return Table 1 as the paper prints it: a column per network, encoder and latent layers.

    Args:
        models: Keys of `architectures.MODELS`.
    """
    columns = []
    for model in models:
        table = layer_table(model)
        kept = table[table.index != "decoder"]
        names = [
            f"{part} {number}" if part == "encoder" else part
            for number, part in enumerate(kept.index, start=1)
        ]
        texts = [f"{line.layer} → {line.output}" for line in kept.itertuples()]
        columns.append(pd.Series(texts, index=names, name=model))
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
    return pd.DataFrame(rows).set_index("network")


def _part(name: str) -> str:
    names = {"latent_mean": "latent, mean", "latent_log_sd": "latent, log sd"}
    return names.get(name, name.split(".", maxsplit=1)[0])
