"""One step of the training loop, seen from outside: what reaches the decoder, what is minimised."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from paperlib.config import TrainingSettings
from paperlib.models import losses, training
from paperlib.models.architectures import Encoding

RANGE = losses.IntensityRange(-2.0, 4.0)
MEAN, SD = 0.3, 0.5
SETTINGS = TrainingSettings(model="VAE", loss="MSE")


class Recorder(nn.Module):
    """A network whose posterior is known and whose decoder writes down what it is given."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))
        self.latents = []

    def encode(self, image):
        mean = torch.full((len(image), 64, 4, 4), MEAN)
        return Encoding(mean, torch.full_like(mean, float(np.log(SD))))

    def decode(self, latent):
        self.latents.append(latent.detach())
        return self.gain * torch.zeros(len(latent), 1, 128, 128)


def _step(place=(0, 0), **changed):
    settings = dataclasses.replace(SETTINGS, **changed)
    state = training.TrainingState(settings, torch.device("cpu"))
    state.model = Recorder()
    targets = torch.ones(8, 1, 128, 128)
    terms = training._step(state, targets, targets, settings, RANGE, place)
    return terms, state.model.latents[0]


def test_the_decoder_is_given_the_mean_plus_the_standard_deviation_times_noise():
    _, latent = _step()
    assert latent.mean() == pytest.approx(MEAN, abs=0.02)
    assert latent.std() == pytest.approx(SD, abs=0.02)


def test_the_noise_depends_on_seed_epoch_and_batch_and_on_nothing_else():
    _, first = _step()
    _, again = _step()
    torch.testing.assert_close(first, again, rtol=0, atol=0)
    for other in (_step(place=(0, 1)), _step(place=(1, 0)), _step(seed=1)):
        assert not torch.equal(first, other[1])


def test_the_loss_is_the_error_plus_beta_kl_over_the_pixels():
    terms, _ = _step()
    posterior = torch.distributions.Normal(MEAN, SD)
    unit = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0))
    kl = 64 * 4 * 4 * float(unit)
    assert terms["kl_nats"] == pytest.approx(kl, rel=1e-4)
    assert terms["reconstruction"] == pytest.approx(1)  # ones against zeros
    assert terms["loss"] == pytest.approx(1 + 1.0 * kl / 128**2, rel=1e-5)
    lower, _ = _step(beta={"MSE": 0.25})
    assert lower["loss"] == pytest.approx(1 + 0.25 * kl / 128**2, rel=1e-5)


def test_a_latent_that_never_moves_has_no_active_unit():
    terms, _ = _step()
    assert terms["active_units"] == 0
