"""Time of the mixture on one slice, beside scikit-learn's plain mixture on the same pixels.

Ratios, not milliseconds: both sides run in turns in one process on one thread.
"""

from time import perf_counter

import numpy as np
from scipy.ndimage import gaussian_filter
from sklearn.mixture import GaussianMixture

from benchmarks.rows import Row
from paperlib.postprocessing.mixture import READINGS, fit_mixture
from paperlib.postprocessing.neighbours import neighbour_table

SLICES = 20
LIMITS = {"fit": 0.6, "step": 0.05}  # of scikit-learn, for the neighbourhood reading


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
    for reading in READINGS:
        own = np.array([run[reading] for run in runs])
        other = np.array([run["scikit-learn"] for run in runs])
        fit, step, _ = np.median(own, axis=0)
        other_fit, other_step, _ = np.median(other, axis=0)
        fit_ratio, step_ratio, _ = np.median(own / other, axis=0)
        what = f"mixture, {reading}"
        rows.append(Row(f"{what}, one slice", fit, other_fit, fit_ratio, LIMITS["fit"]))
        rows.append(Row(f"{what}, one iteration", step, other_step, step_ratio, LIMITS["step"]))
    return rows
