"""What the figures of the mixture show."""

import numpy as np
import pandas as pd
import pytest

from paperlib.evaluation.figures import clusters
from paperlib.postprocessing import mixture

RNG = np.random.default_rng(0)
BRAIN = np.ones((24, 24), bool)
RESIDUAL = RNG.normal(0, 0.3, BRAIN.shape)
RESIDUAL[:6, :6] -= 3.0


def fits():
    return {
        name: mixture.fit_mixture(RESIDUAL, BRAIN, reading=name)
        for name in ("neighbourhood", "weights")
    }


def test_each_fit_shows_its_gaussians_and_its_posterior():
    found = fits()
    figure = clusters.plot_fits(RESIDUAL, BRAIN, found)
    titles = [axis.get_title() for axis in figure.axes[:2]]
    assert titles == [f"{name}\n{fit.iterations} steps" for name, fit in found.items()]
    for above, below, fit in zip(figure.axes[:2], figure.axes[2:4], found.values(), strict=True):
        assert len(above.lines) == 2
        # Under the second curve lies the second cluster's share of the brain.
        x, y = above.lines[1].get_data()
        assert np.trapezoid(y, x) == pytest.approx(fit.weights[1], rel=0.1)
        np.testing.assert_array_equal(below.images[0].get_array(), fit.posterior)
        assert below.get_xlabel() == f"{(fit.posterior > 0.5).sum()} of 576 px"


def test_a_slice_that_was_not_divided_has_no_curve_to_see():
    flat = mixture.fit_mixture(np.zeros((4, 4)), np.ones((4, 4), bool), reading="weights")
    residual = RNG.normal(size=(4, 4))
    figure = clusters.plot_fits(residual, np.ones((4, 4), bool), {"weights": flat})
    assert np.isnan([line.get_ydata() for line in figure.axes[0].lines]).all()


def test_readings_are_lines_of_their_own_over_the_limit():
    table = pd.DataFrame(
        {
            "reading": ["both", "both", "weights", "weights"],
            "limit": [1, 10, 1, 10],
            "share": [0.1, 0.05, 0.1, 0.2],
            "dice": [0.5, 0.4, 0.5, 0.6],
        }
    )
    left, right = clusters.plot_iteration_limit(table).axes
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["both", "weights"]
    np.testing.assert_allclose(left.lines[0].get_xydata(), [[1, 10], [10, 5]])
    np.testing.assert_allclose(right.lines[1].get_xydata(), [[1, 0.5], [10, 0.6]])
    assert left.lines[0].get_linestyle() != left.lines[1].get_linestyle()
    assert left.get_xscale() == "log"
