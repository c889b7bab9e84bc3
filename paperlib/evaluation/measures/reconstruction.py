"""What a network makes of one patient: how sharp, how far from its input, how much tumour returns.

Sections 4 and 4.1 say in words that a VAE blurs, that it does not copy its input and that the
residual is near zero in healthy tissue and negative in a tumour. These numbers say how much.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray


class TissueFacts(NamedTuple):
    """One image of a patient and its reconstruction, in z units; NaN where a tissue is missing.

    Attributes:
        gradient_energy: Of the reconstruction in healthy tissue, see `gradient_energy`.
        image_gradient_energy: Of the image in the same pixels.
        healthy_mean_image: Mean of the image in healthy tissue.
        tumour_mean_image: Mean of the image in the tumour.
        healthy_mean_residual: Mean of reconstruction minus image in healthy tissue.
        tumour_mean_residual: Mean of reconstruction minus image in the tumour.
        input_correlation: Pearson correlation of reconstruction and image in healthy tissue; a
            copy of the input has 1.
    """

    gradient_energy: float
    image_gradient_energy: float
    healthy_mean_image: float
    tumour_mean_image: float
    healthy_mean_residual: float
    tumour_mean_residual: float
    input_correlation: float


def compare_tissue(
    image: Float[ndarray, "slice height width"],
    residual: Float[ndarray, "slice height width"],
    healthy: Bool[ndarray, "slice height width"],
    tumour: Bool[ndarray, "slice height width"],
) -> TissueFacts:
    """Compare the reconstruction of a patient with its input, tissue by tissue.

    Args:
        image: Z-scored slices of one sequence.
        residual: Reconstruction minus image, tumours negative.
        healthy: Brain without the tumour and a margin, `paperlib.scores.tumour_blind_brain`.
        tumour: The region that the sequence shows, `paperlib.labels.SHOWN_REGION`.
    """
    reconstruction = image + residual
    return TissueFacts(
        gradient_energy=gradient_energy(reconstruction, healthy),
        image_gradient_energy=gradient_energy(image, healthy),
        healthy_mean_image=_mean(image[healthy]),
        tumour_mean_image=_mean(image[tumour]),
        healthy_mean_residual=_mean(residual[healthy]),
        tumour_mean_residual=_mean(residual[tumour]),
        input_correlation=_correlation(reconstruction[healthy], image[healthy]),
    )


def gradient_energy(
    image: Float[ndarray, "slice height width"], mask: Bool[ndarray, "slice height width"]
) -> float:
    """Return the mean squared difference of neighbouring pixels; a blurred image has less.

    Across and down are averaged on their own and added. Only neighbours that both lie in the
    mask count: the step from brain to background, the same in every reconstruction, would hide
    the rest. Noise has gradients, too, so that even a perfect denoiser stays below its input.

    Args:
        image: Slices of one patient.
        mask: Where to look.

    Returns:
        In squared z units; NaN where no two neighbours lie in the mask.
    """
    total = 0.0
    for axis in (1, 2):
        low, high = [slice(None)] * 3, [slice(None)] * 3
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        both = mask[tuple(low)] & mask[tuple(high)]
        steps = image[tuple(high)][both].astype(float) - image[tuple(low)][both]
        total += _mean(steps**2)
    return total


def _mean(values: Float[ndarray, " pixel"]) -> float:
    return float(values.mean(dtype=float)) if values.size else float("nan")


def _correlation(first: Float[ndarray, " pixel"], second: Float[ndarray, " pixel"]) -> float:
    if not first.size or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first.astype(float), second.astype(float))[0, 1])
