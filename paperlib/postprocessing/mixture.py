"""A residual slice as two clusters: the neighbourhood-weighted mixture (section 4.3).

Component 0 starts at the median of the brain, component 1 at its low tail; which of them is
the tumour is decided after the fit, because the one that started low need not end low.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple, no_type_check

import numpy as np
from jaxtyping import Bool, Float, Int
from numba import njit
from numpy import ndarray
from skimage.filters import threshold_otsu

from paperlib.postprocessing.neighbours import NeighbourTable, neighbour_table

FIRST_SHARES = (0.9, 0.1)
VARIANCE_FLOOR = 1e-4  # of the variance of the residual
SMALLEST_CLUSTER_PX = 5


class Reading(NamedTuple):
    """Which factors stand before the Gaussian in equation 1.

    Attributes:
        shares: The mixture's share of each component (alpha).
        neighbourhood: The mean posterior of the surrounding pixels (W, equation 2).
    """

    shares: bool
    neighbourhood: bool


class MixtureFit(NamedTuple):
    """Two clusters of one residual slice.

    Attributes:
        posterior: Probability of component 1, which started at the low tail; 0 outside the
            brain.
        weights: Share of the brain held by component 0 and 1; NaN without a fit.
        means: Their means, in the residual's unit.
        variances: Their variances, in the residual's unit squared.
        iterations: Steps taken.
        converged: Whether the mean change of the posterior fell below the tolerance.
        degenerate: Whether the slice was not divided: a cluster holds fewer than five pixels,
            or a variance stands at its floor.
    """

    posterior: Float[ndarray, "height width"]
    weights: Float[ndarray, " component"]
    means: Float[ndarray, " component"]
    variances: Float[ndarray, " component"]
    iterations: int
    converged: bool
    degenerate: bool


def fit_mixture(
    residual: Float[ndarray, "height width"],
    brain: Bool[ndarray, "height width"],
    *,
    reading: str,
    max_iterations: int = 1000,
    tolerance: float = 1e-4,
    start: str = "quantile",
    table: NeighbourTable | None = None,
) -> MixtureFit:
    """Fit two Gaussians to the brain of one residual slice by expectation maximisation.

    The posterior of a step is equation 1, its neighbourhood weight equation 2, taken from the
    posteriors of the step before. The first step has none and uses the shares (0.9, 0.1) in
    every reading [decided].

    Args:
        residual: Reconstruction minus image, in z-score units; tumours are negative.
        brain: True inside the brain; nothing outside takes part [decided].
        reading: A key of `READINGS`.
        max_iterations: Most steps taken [decided]. It acts as a prior: the neighbourhood
            reading has no likelihood and drifts towards halving the brain.
        tolerance: Mean change of the posterior, in probability, that ends the fit [decided].
        start: A key of `STARTS`, the rule for the first means [decided].
        table: `neighbour_table(brain)`; pass it when several residuals share a slice.

    Raises:
        KeyError: If the reading or the start is unknown.
        ValueError: If the residual is not finite inside the brain, if there is no step to
            take, or if the table belongs to another mask.
    """
    factors, first_means = READINGS[reading], STARTS[start]
    if max_iterations < 1:
        raise ValueError(f"max_iterations is {max_iterations}; a fit needs at least 1.")
    table = neighbour_table(brain) if table is None else table
    values = _brain_values(residual, brain, table)
    posterior = np.zeros(residual.size)
    deviation = float(values.std()) if values.size else 0.0
    if deviation == 0:
        unknown = np.full(2, np.nan)
        image = posterior.reshape(residual.shape)
        return MixtureFit(image, unknown, unknown, unknown, 0, False, True)

    centre = float(values.mean())
    values = (values - centre) / deviation
    inside, shares, means, variances, iterations, converged = _maximise(
        values,
        table.neighbours,
        table.counts,
        factors,
        first_means(values),
        max_iterations,
        tolerance,
    )
    posterior[table.pixels] = inside
    low_px = int((inside > 0.5).sum())
    smallest_px = min(low_px, values.size - low_px)
    return MixtureFit(
        posterior=posterior.reshape(residual.shape),
        weights=shares,
        means=centre + deviation * means,
        variances=deviation**2 * variances,
        iterations=iterations,
        converged=converged,
        degenerate=bool(smallest_px < SMALLEST_CLUSTER_PX or variances.min() <= VARIANCE_FLOOR),
    )


def tumour_mask(
    fit: MixtureFit,
    residual: Float[ndarray, "height width"],
    brain: Bool[ndarray, "height width"],
    *,
    cluster: str,
    tail: str,
) -> Bool[ndarray, "height width"]:
    """Return the pixels of the tumour cluster; none of a degenerate fit.

    Args:
        fit: The two clusters of this slice; a pixel belongs to component 1 above 0.5.
        residual: The residual that was fitted.
        brain: The mask it was fitted in.
        cluster: A key of `CLUSTERS`: "smallest", the one with fewer pixels (the paper's), or
            "lower_mean", the one of brighter tissue.
        tail: "both" keeps the whole cluster (the paper's), "negative" only its pixels below
            the median residual of the brain: a wide cluster also holds the other tail.

    Raises:
        KeyError: If the cluster rule is unknown.
        ValueError: If the tail is unknown.
    """
    choose = CLUSTERS[cluster]
    if tail not in TAILS:
        raise ValueError(f"tail is {tail!r}; expected one of {TAILS}.")
    if fit.degenerate:
        return np.zeros_like(brain)
    low = (fit.posterior > 0.5) & brain
    pixels = np.array([brain.sum() - low.sum(), low.sum()])
    mask = low if choose(pixels, fit.means) == 1 else brain & ~low
    if tail == "negative":
        mask &= residual < np.median(residual[brain])
    return mask


def _brain_values(
    residual: Float[ndarray, "height width"],
    brain: Bool[ndarray, "height width"],
    table: NeighbourTable,
) -> Float[ndarray, " pixel"]:
    """Return the residual inside the brain, after the checks at the door."""
    brain_px = int(brain.sum())
    if table.pixels.size != brain_px or not brain.ravel()[table.pixels].all():
        raise ValueError(
            f"The neighbour table lists {table.pixels.size} pixels that are not the {brain_px} "
            "of this brain; make it with neighbour_table(brain) of the same slice."
        )
    values = residual.ravel()[table.pixels].astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(
            f"{int((~np.isfinite(values)).sum())} of {brain_px} residuals inside the brain are "
            "not finite; look at the reconstruction of this slice."
        )
    return values


_KERNEL = {
    "cache": True,
    "fastmath": {"reassoc", "contract", "arcp", "nsz"},
    "error_model": "numpy",
}


@no_type_check
@njit(**_KERNEL)
def _maximise(values, neighbours, count, factors, means, max_iterations, tolerance):
    """Run the steps on residuals of mean 0 and variance 1; return posteriors and parameters."""
    pixels = values.size
    # The last entry stays 0: it stands for every neighbour outside the brain.
    posterior, updated = np.zeros(pixels + 1), np.zeros(pixels + 1)
    total, square = values.sum(), (values * values).sum()
    shares, variances = np.array(FIRST_SHARES), np.array([0.25, 0.25])
    converged = False
    iterations = 0
    while iterations < max_iterations and not converged:
        with_shares = factors.shares or iterations == 0
        _odds_against(values, shares, means, variances, with_shares, updated)
        if factors.neighbourhood and iterations > 0:
            _weigh_by_neighbours(posterior, neighbours, count, updated)
        else:
            updated[:pixels] = 1.0 / (1.0 + updated[:pixels])
        held, first, second, change = _moments(values, updated, posterior)
        posterior, updated = updated, posterior
        converged = iterations > 0 and change < tolerance * pixels
        iterations += 1
        rest = pixels - held
        if min(held, rest) < 1e-6:  # a starved component has no mean
            break
        shares = np.array([rest, held]) / pixels
        means = np.array([(total - first) / rest, first / held])
        variances = np.array([(square - second) / rest, second / held]) - means**2
        variances = np.maximum(variances, VARIANCE_FLOOR)
    return posterior[:pixels], shares, means, variances, iterations, converged


@no_type_check
@njit(**_KERNEL)
def _odds_against(values, shares, means, variances, with_shares, odds):
    """Write the odds of component 0 against component 1, without the neighbourhood.

    The logarithm of two Gaussians' ratio is a quadratic: one exponential instead of two. It is
    exp(x / 2048)^2048 from ten terms of the series, plain arithmetic that the compiler can do
    for several pixels at once, unlike a call; the relative error stays below 1e-9. The exponent
    is kept where the exponential is finite.
    """
    curve = 0.5 / variances[1] - 0.5 / variances[0]
    slope = means[0] / variances[0] - means[1] / variances[1]
    level = means[1] ** 2 / variances[1] - means[0] ** 2 / variances[0]
    level = 0.5 * (level + np.log(variances[1] / variances[0]))
    if with_shares:
        level += np.log(shares[0] / shares[1])
    for i in range(values.size):
        exponent = (curve * values[i] + slope) * values[i] + level
        exponent = min(max(exponent, -700.0), 700.0) / 2048
        power = 1.0
        for k in range(10, 0, -1):
            power = 1.0 + exponent * power / k
        for _ in range(11):
            power *= power
        odds[i] = power


@no_type_check
@njit(**_KERNEL)
def _weigh_by_neighbours(posterior, neighbours, count, odds):
    """Turn the odds into posteriors, with the neighbours' mean of the step before as prior."""
    for i in range(count.size):
        weight = 0.0
        for k in range(8):
            weight += posterior[neighbours[i, k]]
        weight = weight / count[i] if count[i] else 0.5
        odds[i] = weight / (weight + (1.0 - weight) * odds[i])


@no_type_check
@njit(**_KERNEL)
def _moments(values, updated, posterior):
    """Return the sums of p, p r and p r^2, and the change of p since the step before."""
    held = first = second = change = 0.0
    for i in range(values.size):
        held += updated[i]
        first += updated[i] * values[i]
        second += updated[i] * values[i] * values[i]
        change += abs(updated[i] - posterior[i])
    return held, first, second, change


def _median_and_low_tail(values: Float[ndarray, " pixel"]) -> Float[ndarray, " component"]:
    return np.percentile(values, (50, 2))


def _two_means(values: Float[ndarray, " pixel"]) -> Float[ndarray, " component"]:
    """Means above and below Otsu's threshold, which is the best split of two means in 1-D."""
    low = values <= threshold_otsu(values)
    return np.array([values[~low].mean(), values[low].mean()])


def _fewer_pixels(pixels: Int[ndarray, " 2"], means: Float[ndarray, " 2"]) -> int:
    return int(np.lexsort((means, pixels))[0])  # ties go to the lower mean


def _lower_mean(pixels: Int[ndarray, " 2"], means: Float[ndarray, " 2"]) -> int:
    return int(np.argmin(means))


READINGS: Mapping[str, Reading] = MappingProxyType(
    {
        "both": Reading(shares=True, neighbourhood=True),  # equation 1 as printed
        "neighbourhood": Reading(shares=False, neighbourhood=True),
        "weights": Reading(shares=True, neighbourhood=False),  # the plain mixture
    }
)
STARTS: Mapping[str, Callable[[ndarray], ndarray]] = MappingProxyType(
    {"quantile": _median_and_low_tail, "kmeans": _two_means}
)
CLUSTERS: Mapping[str, Callable[[ndarray, ndarray], int]] = MappingProxyType(
    {"smallest": _fewer_pixels, "lower_mean": _lower_mean}
)
TAILS = ("both", "negative")
