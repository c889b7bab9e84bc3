import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from paperlib.models import losses

RANGE = losses.IntensityRange(-2.0, 4.0)
SEEN = losses.Comparison(RANGE)


def _pair(seed=0, side=40):
    rng = np.random.default_rng(seed)
    first = rng.normal(size=(2, 1, side, side)).astype(np.float32)
    second = 0.7 * first + 0.4 * rng.normal(size=first.shape).astype(np.float32)
    return torch.from_numpy(first), torch.from_numpy(second)


@pytest.mark.parametrize("data_range", [1.0, 6.0])
def test_ssim_agrees_with_scikit_image(data_range):
    first, second = _pair()
    margin = losses.SSIM_WINDOW // 2
    expected = []
    for a, b in zip(first[:, 0].numpy(), second[:, 0].numpy(), strict=True):
        _, image = structural_similarity(
            a, b, data_range=data_range, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False, full=True,
        )  # fmt: skip
        expected.append(image[margin:-margin, margin:-margin].mean())
    found = losses.ssim(first, second, data_range=data_range)
    assert float(found) == pytest.approx(np.mean(expected), abs=2e-5)


def test_ssim_of_an_image_with_itself_is_one():
    first, _ = _pair()
    assert float(losses.ssim(first, first, data_range=6.0)) == pytest.approx(1.0, abs=1e-6)


def test_ssim_on_z_values_calls_opposite_signs_dissimilar_and_shifting_does_not():
    bright = torch.full((1, 1, 20, 20), 0.1)
    dark = -bright
    literal = losses.ssim_loss(dark, bright, losses.Comparison(RANGE, "z"))
    shifted = losses.ssim_loss(dark, bright, losses.Comparison(RANGE, "shifted"))
    c1, c2 = (0.01 * 6) ** 2, (0.03 * 6) ** 2
    luminance = (-2 * 0.01 + c1) / (2 * 0.01 + c1)
    assert float(literal) == pytest.approx(1 - luminance * c2 / c2, abs=1e-4)
    assert float(shifted) < 0.02


def test_unit_domain_equals_shifted_domain_because_ssim_ignores_a_common_scale():
    first, second = _pair(3)
    shifted = losses.ssim_loss(first, second, losses.Comparison(RANGE, "shifted"))
    unit = losses.ssim_loss(first, second, losses.Comparison(RANGE, "unit"))
    assert float(unit) == pytest.approx(float(shifted), abs=1e-5)


def test_an_unknown_domain_and_an_empty_range_are_refused():
    first, second = _pair()
    with pytest.raises(ValueError, match="Unknown SSIM domain 'log'"):
        losses.ssim_loss(first, second, losses.Comparison(RANGE, "log"))
    with pytest.raises(ValueError, match="positive data range, got 0"):
        losses.ssim(first, second, data_range=0.0)


def test_mse_and_l1_are_means_per_pixel():
    zero = torch.zeros(2, 1, 4, 4)
    output = zero.clone()
    output[0, 0, 0, 0] = 4.0
    assert float(losses.mse(output, zero)) == pytest.approx(16 / 32)
    assert float(losses.l1(output, zero)) == pytest.approx(4 / 32)


def test_kl_of_two_units_is_the_one_by_hand():
    mean = torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1)
    log_sd = torch.tensor([0.0, np.log(2.0)], dtype=torch.float32).reshape(1, 2, 1, 1)
    expected = 0.5 * (1 + 1 - 0 - 1) + 0.5 * (0 + 4 - 2 * np.log(2.0) - 1)
    assert float(losses.kl_divergence(mean, log_sd)[0]) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", list(losses.RECONSTRUCTION_LOSSES))
def test_every_loss_is_zero_for_a_perfect_reconstruction_and_falls_towards_it(name):
    target, other = _pair(5)
    loss = losses.RECONSTRUCTION_LOSSES[name]
    assert float(loss(target, target, SEEN)) == pytest.approx(0, abs=1e-5)
    nearer = target + 0.5 * (other - target)
    assert loss(nearer, target, SEEN) < loss(other, target, SEEN)


def test_range_and_window_of_ssim_can_be_given():
    first, second = _pair(4)
    by_range = losses.ssim_loss(first, second, SEEN._replace(data_range=1.0))
    assert float(by_range) == pytest.approx(1 - float(losses.ssim(first, second, data_range=1.0)))
    smaller = losses.ssim_loss(first, second, SEEN._replace(window=5))
    assert float(smaller) == pytest.approx(
        1 - float(losses.ssim(first, second, data_range=6.0, window=5))
    )
    assert float(smaller) != pytest.approx(float(losses.ssim_loss(first, second, SEEN)))
    with pytest.raises(ValueError, match="odd window, got 10"):
        losses.ssim(first, second, data_range=6.0, window=10)
