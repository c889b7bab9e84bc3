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


class Comparison(NamedTuple):
    """How SSIM compares two images.

    Attributes:
        intensities: Percentiles of the healthy training brain; their distance is the range.
        domain: `z` compares z-scores as they are, where the luminance term changes sign around
            the mean; `shifted` subtracts the low percentile; `unit` also divides by the range.
        data_range: Span of values that counts as full contrast, z units; None takes that of the
            intensities.
        window: Side of the Gaussian window in pixels, odd.
    """

    intensities: IntensityRange
    domain: str = "z"
    data_range: float | None = None
    window: int = SSIM_WINDOW


def mse(
    reconstruction: Float[Tensor, "batch channel height width"],
    target: Float[Tensor, "batch channel height width"],
) -> Float[Tensor, ""]:
    """Return the mean squared error per pixel, in squared z units."""
    return (reconstruction - target).square().mean()


def l1(
    reconstruction: Float[Tensor, "batch channel height width"],
    target: Float[Tensor, "batch channel height width"],
) -> Float[Tensor, ""]:
    """Return the mean absolute error per pixel, in z units."""
    return (reconstruction - target).abs().mean()


def ssim(
    first: Float[Tensor, "batch channel height width"],
    second: Float[Tensor, "batch channel height width"],
    *,
    data_range: float,
    window: int = SSIM_WINDOW,
) -> Float[Tensor, ""]:
    """Return the mean structural similarity of two stacks of slices, in [-1, 1].

    Gaussian window 11, sigma 1.5 (in proportion for other windows), population covariance, only
    places where the window fits: Wang et al. 2004. The window is applied as two products with a
    banded matrix, which on a CPU costs a third of the same thing as convolutions.

    Args:
        first: Slices.
        second: Slices of the same shape and unit.
        data_range: Span of values that counts as full contrast, in the same unit.
        window: Side of the window in pixels, odd.

    Raises:
        ValueError: If the range is not positive or the window is even.
    """
    if window % 2 == 0:
        raise ValueError(f"SSIM needs an odd window, got {window} pixels.")
    if not data_range > 0:
        raise ValueError(f"SSIM needs a positive data range, got {data_range}.")
    rows = _gaussian_band(first.shape[-2], window, first.device)
    columns = _gaussian_band(first.shape[-1], window, first.device)
    moments = torch.stack([first, second, first * first, second * second, first * second])
    mean_a, mean_b, square_a, square_b, product = rows @ moments @ columns.T
    covariance = product - mean_a * mean_b
    variances = square_a - mean_a * mean_a + square_b - mean_b * mean_b
    c1, c2 = ((k * data_range) ** 2 for k in SSIM_K)
    luminance = (2 * mean_a * mean_b + c1) / (mean_a * mean_a + mean_b * mean_b + c1)
    return (luminance * (2 * covariance + c2) / (variances + c2)).mean()


def ssim_loss(
    reconstruction: Float[Tensor, "batch channel height width"],
    target: Float[Tensor, "batch channel height width"],
    comparison: Comparison,
) -> Float[Tensor, ""]:
    """Return one minus SSIM, in [0, 2].

    Args:
        reconstruction: Network output, z units.
        target: The clean image, z units.
        comparison: Domain, range and window.

    Raises:
        ValueError: If the domain is unknown.
    """
    intensities, domain, data_range, window = comparison
    if domain not in SSIM_DOMAINS:
        raise ValueError(f"Unknown SSIM domain {domain!r}; expected one of {SSIM_DOMAINS}.")
    span = intensities.high - intensities.low if data_range is None else data_range
    if domain != "z":
        reconstruction, target = reconstruction - intensities.low, target - intensities.low
    if domain == "unit":
        reconstruction, target, span = reconstruction / span, target / span, 1.0
    return 1 - ssim(reconstruction, target, data_range=span, window=window)


def kl_divergence(
    mean: Float[Tensor, "batch latent height width"],
    log_sd: Float[Tensor, "batch latent height width"],
) -> Float[Tensor, " batch"]:
    """Return the divergence of each posterior from a standard normal, in nats."""
    terms = mean.square() + (2 * log_sd).exp() - 2 * log_sd - 1
    return 0.5 * terms.sum(dim=(1, 2, 3))


@lru_cache(maxsize=8)
def _gaussian_band(size: int, window: int, device: torch.device) -> Float[Tensor, "valid size"]:
    offsets = torch.arange(window, dtype=torch.float64) - window // 2
    sigma = SSIM_SIGMA * window / SSIM_WINDOW
    kernel = (-(offsets**2) / (2 * sigma**2)).exp()
    kernel /= kernel.sum()
    band = torch.zeros(size - window + 1, size, dtype=torch.float64)
    for row in range(band.shape[0]):
        band[row, row : row + window] = kernel
    return band.to(device, torch.float32)


Loss = Callable[[Tensor, Tensor, Comparison], Tensor]

RECONSTRUCTION_LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "MSE": lambda output, target, _comparison: mse(output, target),
        "L1": lambda output, target, _comparison: l1(output, target),
        "SSIM": ssim_loss,
    }
)
