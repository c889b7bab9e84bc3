"""Where slices lie in the latent space of a network, on its two principal axes (section 4.2)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from sklearn.decomposition import PCA

from paperlib import scores


class PrincipalAxes(NamedTuple):
    """Slices on the two directions along which they differ most.

    Attributes:
        places: Of each slice on both axes, in healthy standard deviations.
        explained: Share of the variance over the shown slices that each axis explains.
    """

    places: Float[ndarray, "slice 2"]
    explained: Float[ndarray, " 2"]


def principal_axes(
    latent: Float[ndarray, "slice ..."], statistics: scores.LatentStatistics
) -> PrincipalAxes:
    """Return the slices on two principal axes of the space in which the distance is measured.

    Args:
        latent: The encoder's mean of each slice.
        statistics: Mean and variance of each latent number over healthy training slices.
    """
    floor = scores.LATENT_VARIANCE_FLOOR * np.median(statistics.variance)
    spread = np.sqrt(np.maximum(statistics.variance, floor))
    units = (latent.reshape(len(latent), -1) - statistics.mean) / spread
    fitted = PCA(n_components=2, random_state=0).fit(units)
    return PrincipalAxes(fitted.transform(units).astype(float), fitted.explained_variance_ratio_)
