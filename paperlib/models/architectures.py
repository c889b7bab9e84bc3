"""The autoencoders of section 4.1: Table 1 as data, networks built from it.

Table 1 prints kernel, stride, dilation and channels of the encoders. Padding and output padding
are not printed; those chosen here make every size work at 128 x 128 and are marked [decided].
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

LEAKY_SLOPE = 0.01  # torch's default; the paper prints none [decided]
LOG_SD_LIMIT = 10.0  # keeps exp() finite while training starts [decided]


class Conv(NamedTuple):
    """One row of Table 1: "conv4, 2,1-16" is Conv(4, 2, 1, 16); padding is [decided]."""

    kernel: int
    stride: int
    dilation: int
    channels: int
    padding: int = 0
    output_padding: int = 0  # of the transposed layer only

    @property
    def printed(self) -> str:
        """The row as the paper prints it."""
        return f"conv{self.kernel}, {self.stride},{self.dilation}-{self.channels}"


class Architecture(NamedTuple):
    """One column of Table 1."""

    encoder: tuple[Conv, ...]
    latent: Conv


_COMMON_ENCODER = (
    Conv(4, 2, 1, 16, padding=1),
    Conv(4, 2, 1, 32, padding=1),
    Conv(4, 2, 1, 64, padding=1),
    Conv(4, 2, 1, 64, padding=1),
)
_DILATED_ENCODER = (
    Conv(6, 1, 1, 8),
    Conv(5, 2, 2, 16),
    Conv(6, 1, 2, 16),
    Conv(5, 3, 2, 16),
)
# Of the adversarial models; on 128 x 128 it ends at 2 x 2.
DISCRIMINATOR = (*_COMMON_ENCODER, Conv(4, 2, 1, 64, padding=1), Conv(4, 2, 1, 64, padding=1))


class Encoding(NamedTuple):
    """Parameters of the approximate posterior."""

    mean: Float[Tensor, "batch latent height width"]
    log_sd: Float[Tensor, "batch latent height width"]


class Autoencoder(nn.Module):
    """Variational autoencoder of slices, decoder the mirror of the encoder."""

    def __init__(self, architecture: Architecture, image_channels: int = 1) -> None:
        super().__init__()
        rows = (*architecture.encoder, architecture.latent)
        channels = [image_channels, *(row.channels for row in rows)]
        self.encoder = nn.Sequential(
            *(block(nn.Conv2d, row, channels[i], channels[i + 1])
              for i, row in enumerate(architecture.encoder))
        )  # fmt: skip
        self.latent_mean = _layer(nn.Conv2d, rows[-1], channels[-2], channels[-1])
        self.latent_log_sd = _layer(nn.Conv2d, rows[-1], channels[-2], channels[-1])
        mirrored = [
            block(nn.ConvTranspose2d, row, channels[i + 1], channels[i])
            for i, row in reversed(list(enumerate(rows))[1:])
        ]
        last = _layer(nn.ConvTranspose2d, rows[0], channels[1], channels[0])
        self.decoder = nn.Sequential(*mirrored, last)

    def encode(self, image: Float[Tensor, "batch channel height width"]) -> Encoding:
        """Return mean and log standard deviation of the latent."""
        features = self.encoder(image)
        log_sd = self.latent_log_sd(features).clamp(-LOG_SD_LIMIT, LOG_SD_LIMIT)
        return Encoding(self.latent_mean(features), log_sd)

    def decode(
        self, latent: Float[Tensor, "batch latent rows columns"]
    ) -> Float[Tensor, "batch channel height width"]:
        """Return the image that a latent describes, in z-score units."""
        return self.decoder(latent)

    def forward(
        self,
        image: Float[Tensor, "batch channel height width"],
        noise: Float[Tensor, "batch latent rows columns"] | None = None,
    ) -> tuple[Float[Tensor, "batch channel height width"], Encoding]:
        """Reconstruct an image.

        Args:
            image: Slices in z-score units.
            noise: Standard normal draws for z = mean + sd * noise; None takes z = mean,
                which is what testing does.
        """
        encoding = self.encode(image)
        latent = encoding.mean
        if noise is not None:
            latent = latent + encoding.log_sd.exp() * noise
        return self.decode(latent), encoding


def build(name: str, image_channels: int = 1) -> Autoencoder:
    """Return a fresh network; weights come from torch's global generator.

    Args:
        name: A column of Table 1, a variant of one, or a model that takes a column as it is.
        image_channels: 1; more for several sequences at once.

    Raises:
        ValueError: If there is no such network.
    """
    column = TAKEN_FROM.get(name, name)
    if column not in ARCHITECTURES:
        known = ", ".join([*ARCHITECTURES, *TAKEN_FROM])
        raise ValueError(f"Unknown network {name!r}; there are {known}.")
    return Autoencoder(ARCHITECTURES[column], image_channels)


def layer_sizes(model: nn.Module, side: int = 128) -> list[tuple[str, tuple[int, int, int]]]:
    """Return name and (channels, height, width) after every convolution, in order.

    Read from the live module by running one empty image through it, so that a page or a test
    shows what the network does and not what somebody wrote down.
    """
    found: list[tuple[str, tuple[int, int, int]]] = []

    def note(name: str):
        return lambda _module, _inputs, output: found.append((name, tuple(output.shape[1:])))

    convolutions = (nn.Conv2d, nn.ConvTranspose2d)
    handles = [
        module.register_forward_hook(note(name))
        for name, module in model.named_modules()
        if isinstance(module, convolutions)
    ]
    was_training = model.training
    model.eval()
    with torch.no_grad():
        model(torch.zeros(1, 1, side, side))
    model.train(was_training)
    for handle in handles:
        handle.remove()
    return found


def count_parameters(model: nn.Module) -> int:
    """Return the number of trainable parameters."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def _layer(kind: type[nn.Module], row: Conv, inputs: int, outputs: int) -> nn.Module:
    options = {"stride": row.stride, "padding": row.padding, "dilation": row.dilation}
    if kind is nn.ConvTranspose2d:
        options["output_padding"] = row.output_padding
    return kind(inputs, outputs, row.kernel, **options)


def block(kind: type[nn.Module], row: Conv, inputs: int, outputs: int) -> nn.Sequential:
    """Return one block of Table 1: convolution (`kind` says which), batch norm, LeakyReLU."""
    return nn.Sequential(
        _layer(kind, row, inputs, outputs), nn.BatchNorm2d(outputs), nn.LeakyReLU(LEAKY_SLOPE)
    )


MODELS: Mapping[str, Architecture] = MappingProxyType(
    {
        "VAE": Architecture(_COMMON_ENCODER, Conv(3, 2, 1, 64, padding=1, output_padding=1)),
        "dVAE": Architecture(_DILATED_ENCODER, Conv(3, 1, 1, 16)),
        "VAE1px": Architecture(_COMMON_ENCODER, Conv(8, 1, 1, 64)),
    }
)

# The other models of section 4.1 train the first column of Table 1 in another way.
TAKEN_FROM: Mapping[str, str] = MappingProxyType({"VAE-CE": "VAE", "AAE": "VAE", "BiAAE": "VAE"})

# One thing changed in the dilated column; every size still works at 128 x 128.
VARIANTS: Mapping[str, Architecture] = MappingProxyType(
    {
        "dVAE padded": Architecture(
            tuple(
                row._replace(padding=row.dilation * (row.kernel - 1) // 2)
                for row in _DILATED_ENCODER
            ),
            Conv(3, 1, 1, 16, padding=1),
        ),
        "dVAE stride 2 undilated": Architecture(
            (
                _DILATED_ENCODER[0],
                _DILATED_ENCODER[1]._replace(dilation=1),
                _DILATED_ENCODER[2],
                _DILATED_ENCODER[3]._replace(output_padding=2),
            ),
            Conv(3, 1, 1, 16),
        ),
        "dVAE latent 4": Architecture(_DILATED_ENCODER, Conv(3, 1, 1, 4)),
        "dVAE latent 64": Architecture(_DILATED_ENCODER, Conv(3, 1, 1, 64)),
    }
)
ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType({**MODELS, **VARIANTS})
