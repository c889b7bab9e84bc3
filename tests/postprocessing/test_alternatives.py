"""Two clusters by scikit-learn, against our own mixture and an exhaustive search."""

import numpy as np
import pytest

from paperlib.postprocessing import alternatives, mixture

FITS = (alternatives.fit_gaussians, alternatives.fit_two_means)


def two_tissues(seed=0):
    rng = np.random.default_rng(seed)
    residual = rng.normal(0, 0.3, (40, 40))
    residual[10:20, 10:20] = rng.normal(-3, 0.3, (10, 10))
    brain = np.ones((40, 40), bool)
    brain[:3] = False
    residual[:3] = -50  # must not take part
    return residual, brain


def test_scikit_learns_mixture_finds_what_ours_without_a_neighbourhood_finds():
    residual, brain = two_tissues()
    found = alternatives.fit_gaussians(residual, brain, every=1)
    ours = mixture.fit_mixture(residual, brain, reading="weights", start="kmeans")
    for name in ("weights", "means", "variances"):
        np.testing.assert_allclose(getattr(found, name), getattr(ours, name), atol=0.02)
    assert ((found.posterior > 0.5) == (ours.posterior > 0.5)).mean() > 0.999


def test_a_part_of_the_pixels_is_enough_for_nearly_the_same_mixture():
    residual, brain = two_tissues()
    found, whole = (alternatives.fit_gaussians(residual, brain, every=n) for n in (4, 1))
    assert not np.array_equal(found.means, whole.means)
    np.testing.assert_allclose(found.means, whole.means, atol=0.1)
    np.testing.assert_array_equal(found.posterior > 0.5, whole.posterior > 0.5)


def test_k_means_finds_the_best_split_of_all():
    residual, brain = two_tissues(1)
    values = np.sort(residual[brain])
    costs = [
        part.var() * part.size + rest.var() * rest.size
        for cut in range(1, values.size)
        for part, rest in [(values[:cut], values[cut:])]
    ]
    cut = int(np.argmin(costs)) + 1
    low = residual < (values[cut - 1] + values[cut]) / 2
    found = alternatives.fit_two_means(residual, brain)
    np.testing.assert_array_equal(found.posterior > 0.5, low & brain)
    np.testing.assert_allclose(found.means, [values[cut:].mean(), values[:cut].mean()])


@pytest.mark.parametrize("fit", FITS)
def test_component_1_is_the_lower_one_and_the_tumour_is_the_smaller(fit):
    residual, brain = two_tissues(2)
    found = fit(residual, brain)
    mask = mixture.tumour_mask(found, residual, brain, cluster="smallest", tail="both")
    assert found.means[1] < found.means[0]
    assert not found.degenerate
    truth = np.zeros(brain.shape, bool)
    truth[10:20, 10:20] = True
    np.testing.assert_array_equal(mask, truth)
    turned = fit(-residual, brain)
    mask = mixture.tumour_mask(turned, -residual, brain, cluster="smallest", tail="both")
    np.testing.assert_array_equal(mask, truth)


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("pixels", [0, 1, 50])
def test_a_slice_that_cannot_be_divided_is_degenerate(fit, pixels):
    brain = np.zeros((10, 10), bool)
    brain.ravel()[:pixels] = True
    found = fit(np.ones((10, 10)), brain)
    assert found.degenerate
    assert not found.posterior.any()


@pytest.mark.parametrize("fit", FITS)
def test_a_cluster_of_four_pixels_is_degenerate(fit):
    residual, brain = two_tissues(3)
    residual[10:20, 10:20] = 0.1
    residual[15, 10:14] = -30
    assert fit(residual, brain).degenerate
