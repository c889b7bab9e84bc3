"""The mixture of section 4.3 against its equations written out plainly and scikit-learn."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from paperlib.postprocessing import mixture
from paperlib.postprocessing.mixture import MixtureFit, fit_mixture, tumour_mask


def slice_with_tumour(seed=0):
    """Return a noisy residual with a low block, and a ragged brain with holes and loners."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:40, :36]
    brain = (rows - 19) ** 2 / 17**2 + (columns - 17) ** 2 / 15**2 < 1
    brain &= rng.random(brain.shape) > 0.1
    brain[0, 0] = brain[39, 30] = True
    residual = rng.normal(0.3, 0.8, brain.shape)
    residual[12:22, 8:17] -= 2.5
    return residual, brain


def neighbour_mean(posterior, brain):
    """Equation 2, pixel by pixel."""
    weight = np.full(brain.shape, 0.5)
    for y, x in np.argwhere(brain):
        around = [
            posterior[y + down, x + right]
            for down in (-1, 0, 1)
            for right in (-1, 0, 1)
            if (down, right) != (0, 0)
            and 0 <= y + down < brain.shape[0]
            and 0 <= x + right < brain.shape[1]
            and brain[y + down, x + right]
        ]
        if around:
            weight[y, x] = np.mean(around)
    return weight


def plain_fit(residual, brain, reading, steps, tolerance=0.0):
    """Equations 1 and 2 as they are printed, on 2-D arrays, without any shortcut."""
    values = residual[brain]
    floor = 1e-4 * values.var()
    shares = np.array([0.9, 0.1])
    means = np.percentile(values, [50, 2])
    variances = np.full(2, values.var() / 4)
    posterior = None
    step, change = 0, np.inf
    while step < steps and change >= tolerance:
        step += 1
        factor = np.ones((2, *brain.shape))
        if reading != "neighbourhood" or posterior is None:
            factor *= shares[:, None, None]
        if reading != "weights" and posterior is not None:
            low = neighbour_mean(posterior, brain)
            factor *= np.stack([1 - low, low])
        for k in range(2):
            factor[k] *= norm.pdf(residual, means[k], np.sqrt(variances[k]))
        new = np.where(brain, factor[1] / factor.sum(axis=0), 0)
        change = np.inf if posterior is None else np.abs(new - posterior)[brain].mean()
        posterior = new
        for k, held in enumerate([1 - posterior[brain], posterior[brain]]):
            shares[k] = held.mean()
            means[k] = (held * values).sum() / held.sum()
            variances[k] = max((held * (values - means[k]) ** 2).sum() / held.sum(), floor)
    return posterior, shares, means, variances, step


@pytest.mark.parametrize("reading", list(mixture.READINGS))
@pytest.mark.parametrize("steps", [1, 2, 7, 1000])
def test_every_reading_is_equations_1_and_2_written_out(reading, steps):
    residual, brain = slice_with_tumour()
    fit = fit_mixture(residual, brain, reading=reading, max_iterations=steps)
    expected = plain_fit(residual, brain, reading, steps, tolerance=1e-4)
    np.testing.assert_allclose(fit.posterior, expected[0], atol=1e-9)
    for found, wanted in zip(fit[1:4], expected[1:4], strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-8)
    assert fit.iterations == expected[4]
    assert fit.converged == (steps == 1000)


def test_the_readings_differ_from_the_second_step_on():
    residual, brain = slice_with_tumour()
    first, second = (
        [
            fit_mixture(residual, brain, reading=r, max_iterations=n).posterior
            for r in mixture.READINGS
        ]
        for n in (1, 2)
    )
    np.testing.assert_array_equal(first[0], first[1])
    np.testing.assert_array_equal(first[0], first[2])
    assert min(np.abs(second[i] - second[j]).max() for i, j in ((0, 1), (0, 2), (1, 2))) > 0.01


def test_a_pixel_without_neighbours_gets_equal_odds():
    residual, brain = slice_with_tumour()
    before = fit_mixture(residual, brain, reading="neighbourhood", max_iterations=1)
    after = fit_mixture(residual, brain, reading="neighbourhood", max_iterations=2)
    healthy, low = norm.pdf(residual[0, 0], before.means, np.sqrt(before.variances))
    assert after.posterior[0, 0] == pytest.approx(low / (healthy + low), rel=1e-9)


@pytest.mark.parametrize("steps", [1, 5, 40])
def test_the_weights_reading_is_scikit_learns_mixture_from_the_same_start(steps):
    residual, brain = slice_with_tumour()
    values = residual[brain][:, None]
    other = GaussianMixture(
        2,
        weights_init=[0.9, 0.1],
        means_init=np.percentile(values, [50, 2])[:, None],
        precisions_init=np.full((2, 1, 1), 4 / values.var()),
        reg_covar=0,
        tol=0,
        max_iter=steps,
    )
    with pytest.warns(ConvergenceWarning):  # it takes all the steps, as `fit_mixture` does
        other.fit(values)
    fit = fit_mixture(residual, brain, reading="weights", max_iterations=steps, tolerance=0.0)
    np.testing.assert_allclose(fit.weights, other.weights_, rtol=1e-6)
    np.testing.assert_allclose(fit.means, other.means_[:, 0], rtol=1e-6)
    np.testing.assert_allclose(fit.variances, other.covariances_[:, 0, 0], rtol=1e-6)


def test_the_likelihood_of_the_weights_reading_never_falls():
    residual, brain = slice_with_tumour(3)
    values = residual[brain]
    likelihood = []
    for steps in range(1, 30):
        fit = fit_mixture(residual, brain, reading="weights", max_iterations=steps, tolerance=0.0)
        density = fit.weights * norm.pdf(values[:, None], fit.means, np.sqrt(fit.variances))
        likelihood.append(np.log(density.sum(axis=1)).sum())
    assert np.diff(likelihood).min() > -1e-8
    assert likelihood[-1] > likelihood[0] + 1


def test_the_low_block_is_found_and_its_noise_smoothed_by_the_neighbours():
    residual, brain = slice_with_tumour()
    truth = np.zeros_like(brain)
    truth[12:22, 8:17] = True
    wrong = {}
    for reading in ("weights", "neighbourhood"):
        fit = fit_mixture(residual, brain, reading=reading)
        mask = tumour_mask(fit, residual, brain, cluster="smallest", tail="both")
        wrong[reading] = int((mask != truth & brain).sum())
    assert wrong["neighbourhood"] < wrong["weights"] / 2
    assert wrong["neighbourhood"] <= 10


def test_nothing_outside_the_brain_takes_part():
    residual, brain = slice_with_tumour()
    other = np.where(brain, residual, np.nan)
    kept, changed = (fit_mixture(r, brain, reading="both") for r in (residual, other))
    np.testing.assert_array_equal(kept.posterior, changed.posterior)
    assert (kept.posterior[~brain] == 0).all()


def test_unit_and_zero_point_of_the_residual_do_not_matter():
    residual, brain = slice_with_tumour()
    fit = fit_mixture(residual, brain, reading="neighbourhood")
    scaled = fit_mixture(100 * residual + 7, brain, reading="neighbourhood")
    np.testing.assert_allclose(scaled.posterior, fit.posterior, atol=1e-6)
    np.testing.assert_allclose(scaled.means, 100 * fit.means + 7, rtol=1e-6)
    np.testing.assert_allclose(scaled.variances, 1e4 * fit.variances, rtol=1e-6)


def test_single_precision_residuals_give_the_same_fit():
    residual, brain = slice_with_tumour()
    single = residual.astype(np.float32)
    kept, other = (fit_mixture(r, brain, reading="both") for r in (single.astype(float), single))
    np.testing.assert_array_equal(kept.posterior, other.posterior)


def test_a_shared_table_changes_nothing():
    residual, brain = slice_with_tumour()
    table = mixture.neighbour_table(brain)
    own, shared = (
        fit_mixture(residual, brain, reading="both", table=given) for given in (None, table)
    )
    np.testing.assert_array_equal(own.posterior, shared.posterior)


def test_the_kmeans_start_is_the_best_split_of_two_means():
    rng = np.random.default_rng(5)
    values = np.concatenate([rng.normal(0, 1, 900), rng.normal(-5, 1, 100)])
    centres = KMeans(2, n_init=10, random_state=0).fit(values[:, None]).cluster_centers_
    found = mixture.STARTS["kmeans"](values)
    np.testing.assert_allclose(found, np.sort(centres[:, 0])[::-1], atol=0.03)


def test_every_start_finds_a_clear_tumour():
    residual, brain = slice_with_tumour()
    fits = [fit_mixture(residual, brain, reading="weights", start=s) for s in mixture.STARTS]
    np.testing.assert_allclose(fits[0].means, fits[1].means, atol=0.05)
    assert fits[0].iterations != fits[1].iterations


@pytest.mark.parametrize(
    ("brain_px", "low_px"), [(0, 0), (4, 1), (100, 0), (100, 4)], ids=["no", "few", "flat", "4 px"]
)
def test_a_slice_that_can_not_be_divided_is_flagged_and_empty(brain_px, low_px):
    brain = np.zeros((12, 12), bool)
    brain.ravel()[:brain_px] = True
    residual = np.zeros((12, 12))
    residual.ravel()[:low_px] = -np.arange(5, 5 + low_px)
    for reading in mixture.READINGS:
        fit = fit_mixture(residual, brain, reading=reading)
        assert fit.degenerate
        mask = tumour_mask(fit, residual, brain, cluster="lower_mean", tail="both")
        assert not mask.any()


def test_a_cluster_of_one_value_stands_at_the_variance_floor_and_is_flagged():
    rng = np.random.default_rng(0)
    residual = rng.normal(0, 1, (20, 20))
    residual[:5] = -8.0
    fit = fit_mixture(residual, np.ones((20, 20), bool), reading="weights")
    assert fit.variances[1] == pytest.approx(1e-4 * residual.var())
    assert fit.degenerate


def test_a_starved_component_ends_the_fit_without_a_number_lost():
    rng = np.random.default_rng(0)
    residual, brain = rng.normal(0, 1, (30, 30)), np.ones((30, 30), bool)
    fit = fit_mixture(residual, brain, reading="both", tolerance=0.0)
    assert fit.degenerate
    assert fit.iterations < 1000
    assert np.isfinite(fit.means).all()
    assert np.isfinite(fit.posterior).all()


def test_a_fit_that_ran_out_of_steps_says_so():
    residual, brain = slice_with_tumour()
    fit = fit_mixture(residual, brain, reading="neighbourhood", max_iterations=3)
    assert (fit.iterations, fit.converged) == (3, False)


def clusters_by_hand():
    """Component 1 holds 6 of 20 pixels and the higher mean."""
    posterior = np.zeros((4, 5))
    posterior.ravel()[:6] = 0.9
    residual = np.arange(20, dtype=float).reshape(4, 5)[::-1, ::-1].copy()
    fit = MixtureFit(
        posterior=posterior,
        weights=np.array([0.7, 0.3]),
        means=np.array([6.5, 16.5]),
        variances=np.ones(2),
        iterations=1,
        converged=True,
        degenerate=False,
    )
    return fit, residual, np.ones((4, 5), bool)


def test_the_smallest_cluster_need_not_be_the_lower_one():
    fit, residual, brain = clusters_by_hand()
    smallest = tumour_mask(fit, residual, brain, cluster="smallest", tail="both")
    lower = tumour_mask(fit, residual, brain, cluster="lower_mean", tail="both")
    np.testing.assert_array_equal(np.flatnonzero(smallest), np.arange(6))
    np.testing.assert_array_equal(lower, ~smallest)


def test_of_two_equal_clusters_the_lower_one_is_taken():
    fit, residual, brain = clusters_by_hand()
    fit.posterior.ravel()[:10] = 0.9
    mask = tumour_mask(fit, residual, brain, cluster="smallest", tail="both")
    np.testing.assert_array_equal(np.flatnonzero(mask), np.arange(10, 20))
    swapped = fit._replace(means=fit.means[::-1])
    mask = tumour_mask(swapped, residual, brain, cluster="smallest", tail="both")
    np.testing.assert_array_equal(np.flatnonzero(mask), np.arange(10))


def test_the_negative_tail_ends_at_the_median_of_the_brain():
    fit, residual, brain = clusters_by_hand()
    mask = tumour_mask(fit, residual, brain, cluster="lower_mean", tail="negative")
    np.testing.assert_array_equal(np.flatnonzero(mask), np.arange(10, 20))


def test_the_other_cluster_stays_inside_the_brain():
    fit, residual, brain = clusters_by_hand()
    brain[3] = False
    mask = tumour_mask(fit, residual, brain, cluster="lower_mean", tail="both")
    np.testing.assert_array_equal(np.flatnonzero(mask), np.arange(6, 15))


def test_unknown_choices_are_refused():
    residual, brain = slice_with_tumour()
    with pytest.raises(KeyError, match="alpha"):
        fit_mixture(residual, brain, reading="alpha")
    with pytest.raises(KeyError, match="random"):
        fit_mixture(residual, brain, reading="both", start="random")
    fit, residual, brain = clusters_by_hand()
    with pytest.raises(KeyError, match="biggest"):
        tumour_mask(fit, residual, brain, cluster="biggest", tail="both")
    with pytest.raises(ValueError, match=r"'positive'; expected one of \('both', 'negative'\)"):
        tumour_mask(fit, residual, brain, cluster="smallest", tail="positive")


def test_wrong_input_is_refused_with_its_cure():
    residual, brain = slice_with_tumour()
    with pytest.raises(ValueError, match="max_iterations is 0"):
        fit_mixture(residual, brain, reading="both", max_iterations=0)
    moved = mixture.neighbour_table(np.roll(brain, 1, axis=0))
    with pytest.raises(ValueError, match=r"not the \d+ of this brain"):
        fit_mixture(residual, brain, reading="both", table=moved)
    residual[brain.nonzero()[0][0], brain.nonzero()[1][0]] = np.nan
    with pytest.raises(ValueError, match=r"1 of \d+ residuals inside the brain are not finite"):
        fit_mixture(residual, brain, reading="both")
