"""Principal axes of latents that are made up."""

import numpy as np
import pytest

from paperlib import scores
from paperlib.evaluation.networks import latent_space


def test_axes_are_found_in_healthy_standard_deviations():
    rng = np.random.default_rng(0)
    main, second = rng.normal(0, 3, 500), rng.normal(0, 2, 500)
    rest = rng.normal(0, 0.1, (500, 4))
    # The main axis is hidden in a number that hardly varies, but by healthy spread it does.
    units = np.column_stack([10 + 0.001 * main, 100 * second, rest])
    statistics = scores.LatentStatistics(
        np.array([10, 0, 0, 0, 0, 0.0]), np.array([1e-6, 1e4, 1, 1, 1, 1]) ** 1.0
    )
    found = latent_space.principal_axes(units.reshape(500, 6, 1, 1), statistics)
    # A variance counts at least a thousandth of the median, as in the distance: 1e-3, not 1e-6.
    assert abs(np.corrcoef(found.places[:, 0], second)[0, 1]) == pytest.approx(1, abs=1e-3)
    statistics = statistics._replace(variance=np.array([1e-2, 1e4, 1, 1, 1, 1]))
    units[:, 0] = 10 + 0.1 * main
    found = latent_space.principal_axes(units.reshape(500, 6, 1, 1), statistics)
    assert abs(np.corrcoef(found.places[:, 0], main)[0, 1]) == pytest.approx(1, abs=1e-3)
    assert abs(np.corrcoef(found.places[:, 1], second)[0, 1]) == pytest.approx(1, abs=1e-3)
    expected = np.array([main.var(), second.var()])
    np.testing.assert_allclose(found.explained, expected / (expected.sum() + 0.04), rtol=0.01)


def test_the_same_latents_give_the_same_picture():
    units = np.random.default_rng(1).normal(size=(60, 700))
    statistics = scores.LatentStatistics(np.zeros(700), np.ones(700))
    first, again = (latent_space.principal_axes(units, statistics) for _ in range(2))
    np.testing.assert_array_equal(first.places, again.places)
