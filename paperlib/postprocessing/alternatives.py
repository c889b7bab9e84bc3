"""Two clusters by other means than equation 1 (baseline B9): scikit-learn's mixture and k-means.

Both return a `MixtureFit`, so the rule that picks the tumour cluster stays the paper's.
"""

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture

from paperlib.postprocessing.mixture import SMALLEST_CLUSTER_PX, MixtureFit
from paperlib.postprocessing.neighbours import NeighbourTable


def fit_gaussians(
    residual: Float[ndarray, "height width"],
    brain: Bool[ndarray, "height width"],
    *,
    every: int = 4,
    table: NeighbourTable | None = None,
) -> MixtureFit:
    """Fit scikit-learn's mixture of two Gaussians with its own start and end.

    It takes ten times as long as ours, so a part of the pixels has to do for the fit; the
    posterior is that of all.

    Args:
        residual: Reconstruction minus image, in z units.
        brain: True inside the brain; nothing outside takes part.
        every: One brain pixel in so many is fitted [decided].
        table: Not used; the neighbourhood plays no part.
    """
    values = residual[brain].astype(np.float64)[:, None]
    if not _divisible(values[::every]):
        return _undivided(brain)
    found = GaussianMixture(2, random_state=0).fit(values[::every])
    first = int(np.argmax(found.means_[:, 0]))
    order = [first, 1 - first]
    return _as_fit(
        found.predict_proba(values)[:, 1 - first],
        brain,
        weights=found.weights_[order],
        means=found.means_[order, 0],
        variances=found.covariances_[order, 0, 0],
    )._replace(iterations=int(found.n_iter_), converged=bool(found.converged_))


def fit_two_means(
    residual: Float[ndarray, "height width"],
    brain: Bool[ndarray, "height width"],
    *,
    table: NeighbourTable | None = None,
) -> MixtureFit:
    """Divide the brain by k-means of the residual, started at its median and low tail.

    On one value per pixel this seeks the threshold that Otsu's method finds; what differs is
    that the smaller cluster is taken, not the brighter one.

    Args:
        residual: Reconstruction minus image, in z units.
        brain: True inside the brain; nothing outside takes part.
        table: Not used; the neighbourhood plays no part.
    """
    values = residual[brain].astype(np.float64)[:, None]
    if not _divisible(values):
        return _undivided(brain)
    start = np.percentile(values, (50, 2))[:, None]
    found = KMeans(2, init=start, n_init=1).fit(values)
    low = found.labels_ == np.argmin(found.cluster_centers_[:, 0])
    parts = (values[~low, 0], values[low, 0])
    return _as_fit(
        low.astype(float),
        brain,
        weights=np.array([1 - low.mean(), low.mean()]),
        means=np.array([part.mean() for part in parts]),
        variances=np.array([part.var() for part in parts]),
    )._replace(iterations=int(found.n_iter_))


def _divisible(values: Float[ndarray, "pixel 1"]) -> bool:
    return bool(len(values) >= 2 and np.percentile(values, 2) < np.percentile(values, 50))


def _undivided(brain: Bool[ndarray, "height width"]) -> MixtureFit:
    unknown = np.full(2, np.nan)
    return MixtureFit(np.zeros(brain.shape), unknown, unknown, unknown, 0, False, True)


def _as_fit(
    posterior: Float[ndarray, " pixel"],
    brain: Bool[ndarray, "height width"],
    *,
    weights: Float[ndarray, " component"],
    means: Float[ndarray, " component"],
    variances: Float[ndarray, " component"],
) -> MixtureFit:
    image = np.zeros(brain.shape)
    image[brain] = posterior
    low_px = int((posterior > 0.5).sum())
    degenerate = min(low_px, posterior.size - low_px) < SMALLEST_CLUSTER_PX
    return MixtureFit(image, weights, means, variances, 1, True, degenerate)
