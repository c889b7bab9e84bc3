"""Reconstruction losses and the KL term (section 4.1), each a mean per pixel.

SSIM has two hidden hyper-parameters that the paper does not print, the data range and the
domain in which images are compared; both are arguments here.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

SSIM_WINDOW = 11
SSIM_SIGMA = 1.5
SSIM_K = (0.01, 0.03)
SSIM_DOMAINS = ("z", "shifted", "unit")


class IntensityRange(NamedTuple):
    """0.1 and 99.9 percentile of the healthy training brain, in z-score units."""

    low: float
    high: float


def mse(
    reconstruction: Float[Tensor, "batch 1 height width"],
    target: Float[Tensor, "batch 1 height width"],
) -> Float[Tensor, ""]:
    """Return the mean squared error per pixel, in squared z units."""
    return (reconstruction - target).square().mean()


def l1(
    reconstruction: Float[Tensor, "batch 1 height width"],
    target: Float[Tensor, "batch 1 height width"],
) -> Float[Tensor, ""]:
    """Return the mean absolute error per pixel, in z units."""
    return (reconstruction - target).abs().mean()


def ssim(
    first: Float[Tensor, "batch 1 height width"],
    second: Float[Tensor, "batch 1 height width"],
    *,
    data_range: float,
) -> Float[Tensor, ""]:
    """Return the mean structural similarity of two stacks of slices, in [-1, 1].

    Gaussian window 11, sigma 1.5, population covariance, only places where the window fits:
    Wang et al. 2004. The window is applied as two products with a banded matrix, which on a
    CPU costs a third of the same thing as convolutions.

    Args:
        first: Slices.
        second: Slices of the same shape and unit.
        data_range: Span of values that counts as full contrast, in the same unit.

    Raises:
        ValueError: If the range is not positive.
    """
    if not data_range > 0:
        raise ValueError(f"SSIM needs a positive data range, got {data_range}.")
    rows = _gaussian_band(first.shape[-2], first.device)
    columns = _gaussian_band(first.shape[-1], first.device)
    moments = torch.stack([first, second, first * first, second * second, first * second])
    mean_a, mean_b, square_a, square_b, product = rows @ moments @ columns.T
    covariance = product - mean_a * mean_b
    variances = square_a - mean_a * mean_a + square_b - mean_b * mean_b
    c1, c2 = ((k * data_range) ** 2 for k in SSIM_K)
    luminance = (2 * mean_a * mean_b + c1) / (mean_a * mean_a + mean_b * mean_b + c1)
    return (luminance * (2 * covariance + c2) / (variances + c2)).mean()


def ssim_loss(
    reconstruction: Float[Tensor, "batch 1 height width"],
    target: Float[Tensor, "batch 1 height width"],
    *,
    intensities: IntensityRange,
    domain: str,
) -> Float[Tensor, ""]:
    """Return one minus SSIM, in [0, 2].

    Args:
        reconstruction: Network output, z units.
        target: The clean image, z units.
        intensities: Percentiles of the healthy training brain; their distance is the range.
        domain: `z` compares z-scores as they are, where the luminance term changes sign around
            the mean; `shifted` subtracts the low percentile; `unit` also divides by the range.

    Raises:
        ValueError: If the domain is unknown.
    """
    if domain not in SSIM_DOMAINS:
        raise ValueError(f"Unknown SSIM domain {domain!r}; expected one of {SSIM_DOMAINS}.")
    span = intensities.high - intensities.low
    if domain != "z":
        reconstruction, target = reconstruction - intensities.low, target - intensities.low
    if domain == "unit":
        reconstruction, target, span = reconstruction / span, target / span, 1.0
    return 1 - ssim(reconstruction, target, data_range=span)


def kl_divergence(
    mean: Float[Tensor, "batch latent height width"],
    log_sd: Float[Tensor, "batch latent height width"],
) -> Float[Tensor, " batch"]:
    """Return the divergence of each posterior from a standard normal, in nats."""
    terms = mean.square() + (2 * log_sd).exp() - 2 * log_sd - 1
    return 0.5 * terms.sum(dim=(1, 2, 3))


@lru_cache(maxsize=8)
def _gaussian_band(size: int, device: torch.device) -> Float[Tensor, "valid size"]:
    offsets = torch.arange(SSIM_WINDOW, dtype=torch.float64) - SSIM_WINDOW // 2
    kernel = (-(offsets**2) / (2 * SSIM_SIGMA**2)).exp()
    kernel /= kernel.sum()
    band = torch.zeros(size - SSIM_WINDOW + 1, size, dtype=torch.float64)
    for row in range(band.shape[0]):
        band[row, row : row + SSIM_WINDOW] = kernel
    return band.to(device, torch.float32)


Loss = Callable[[Tensor, Tensor, IntensityRange, str], Tensor]

RECONSTRUCTION_LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "MSE": lambda output, target, _range, _domain: mse(output, target),
        "L1": lambda output, target, _range, _domain: l1(output, target),
        "SSIM": lambda output, target, intensities, domain: ssim_loss(
            output, target, intensities=intensities, domain=domain
        ),
    }
)
