"""Time of the mixture on one slice, beside scikit-learn's plain mixture on the same pixels.

Ratios, not milliseconds: both sides run in turns in one process on one thread.
"""

from time import perf_counter
from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.mixture import GaussianMixture

from paperlib.postprocessing.mixture import READINGS, fit_mixture
from paperlib.postprocessing.neighbours import neighbour_table

SLICES = 20
LIMITS = {"fit": 0.6, "step": 0.05}  # of scikit-learn, for the neighbourhood reading


class Row(NamedTuple):
    """Medians over the slices; `fit` includes the neighbour table, `step` is one iteration."""

    method: str
    fit_ms: float
    iterations: float
    fit_ratio: float
    step_ratio: float


def make_slice(seed):
    """Return a residual with smooth texture, noise and a tumour, and its brain of 7,200 pixels."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:128, :128] - 63.5
    brain = (rows / 55) ** 2 + (columns / 42) ** 2 < 1
    texture = gaussian_filter(rng.normal(size=brain.shape), 2)
    residual = texture / texture.std() + 0.3 * rng.normal(size=brain.shape)
    y, x = rng.uniform(-20, 20, 2)
    residual[np.hypot(rows - y, columns - x) < rng.uniform(6, 18)] -= rng.uniform(1, 3)
    return residual, brain


def time_call(call):
    start = perf_counter()
    result = call()
    return perf_counter() - start, result


def time_slice(residual, brain):
    """Return seconds and iterations of every method on one slice."""
    values = residual[brain][:, None]
    table_s, table = time_call(lambda: neighbour_table(brain))
    taken = {}
    for reading in READINGS:
        seconds, fit = time_call(
            lambda reading=reading: fit_mixture(residual, brain, reading=reading, table=table)
        )
        taken[reading] = (table_s + seconds, seconds / fit.iterations, fit.iterations)
    model = GaussianMixture(2, random_state=0)
    seconds, model = time_call(lambda: model.fit(values))
    taken["scikit-learn"] = (seconds, seconds / model.n_iter_, model.n_iter_)
    return taken


def main():
    slices = [make_slice(seed) for seed in range(SLICES)]
    time_slice(*slices[0])  # compiles
    runs = [time_slice(*pair) for pair in slices]
    rows = []
    for method in runs[0]:
        own = np.array([run[method] for run in runs])
        ratios = own / np.array([run["scikit-learn"] for run in runs])
        fit_s, _, iterations = np.median(own, axis=0)
        fit_ratio, step_ratio, _ = np.median(ratios, axis=0)
        rows.append(Row(method, 1e3 * fit_s, iterations, fit_ratio, step_ratio))
    print(f"{'method':15}{'fit / ms':>10}{'iterations':>12}{'fit ratio':>11}{'step ratio':>12}")
    for row in rows:
        print("{:15}{:10.2f}{:12.0f}{:11.2f}{:12.3f}".format(*row))
    print("limits of neighbourhood: fit ratio {fit}, step ratio {step}".format(**LIMITS))
    return rows


if __name__ == "__main__":
    main()
