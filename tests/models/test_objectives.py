"""What each model adds to reconstruction and KL, seen on a batch that is worked out by hand."""

import dataclasses

import numpy as np
import pytest
import torch

from paperlib.config import TrainingSettings
from paperlib.models import adversaries, architectures, losses, objectives

IMAGES = torch.randn(4, 1, 128, 128, generator=torch.Generator().manual_seed(5))


def _step(model, seed=(0, 1, 2), **changed):
    settings = dataclasses.replace(TrainingSettings(model=model, loss="MSE"), **changed)
    torch.manual_seed(0)
    network = architectures.build(model)
    discriminator = adversaries.build(model)
    adversary = None
    if discriminator is not None:
        optimiser = torch.optim.Adam(discriminator.parameters(), lr=1e-3)
        adversary = objectives.Adversary(discriminator, optimiser)
    encoding = network.encode(IMAGES)
    latent = encoding.mean + 0.1
    output = network.decode(latent)
    reconstruction = losses.mse(output, IMAGES)
    return objectives.Step(
        network, adversary, settings, IMAGES, encoding.mean, latent, output,
        reconstruction, reconstruction + 3.0, lambda found: losses.mse(found, IMAGES), seed,
    )  # fmt: skip


def _gradient(loss, step):
    step.model.zero_grad()
    loss.backward(retain_graph=True)
    return step.model.encoder[0][0].weight.grad.clone()


@pytest.mark.parametrize("model", ["VAE", "dVAE", "VAE1px"])
def test_the_plain_models_add_nothing(model):
    step = _step(model)
    loss, logged = objectives.OBJECTIVES[model](step)
    assert loss is step.loss
    assert logged == {}


def test_every_model_of_the_paper_has_an_objective_and_an_architecture():
    assert list(objectives.OBJECTIVES) == ["VAE", "dVAE", "VAE1px", "VAE-CE", "AAE", "BiAAE"]
    for model in objectives.OBJECTIVES:
        architectures.build(model)


def test_the_context_branch_rebuilds_the_clean_image_from_the_latent_mean():
    step = _step("VAE-CE", context_share=0.25)
    loss, logged = objectives.context_encoding(step)
    masked = torch.from_numpy(objectives.hide_squares(IMAGES.numpy(), step.seed))
    assert not torch.equal(masked, IMAGES)
    step.model.train()
    output = step.model.decode(step.model.encode(masked).mean)
    expected = losses.mse(output, IMAGES)  # the clean image, not the masked one
    assert logged["context"] == pytest.approx(float(expected.detach()), rel=1e-5)
    assert float(loss.detach()) == pytest.approx(
        0.75 * float(step.loss.detach()) + 0.25 * float(expected.detach()), rel=1e-5
    )


def test_each_image_has_its_own_squares_of_at_most_half_its_side():
    images = np.zeros((200, 1, 128, 128), np.float32)
    images[:, :, 40:90, 40:90] = np.linspace(1, 2, 2500).reshape(50, 50)
    hidden = objectives.hide_squares(images, (0, 0))
    changed = (hidden != images).any(axis=(1, 2, 3))
    assert 0.6 < changed.mean() < 0.85  # one of four draws is no square
    assert hidden.min() >= 0
    assert hidden.max() <= 2
    assert len({picture.tobytes() for picture in hidden[changed]}) == changed.sum()
    one = objectives.hide_squares(np.zeros((1, 1, 128, 128), np.float32) + np.eye(128), (0, 3))
    assert one.shape == (1, 1, 128, 128)
    np.testing.assert_array_equal(hidden, objectives.hide_squares(images, (0, 0)))


@pytest.mark.parametrize("model", ["AAE", "BiAAE"])
def test_the_adversary_learns_once_and_its_weight_scales_what_the_autoencoder_hears(model):
    gradients = {}
    for weight in (0.0, 1.0, 2.0):
        step = _step(model, gan_weight=weight)
        before = step.adversary.network.logit.weight.detach().clone()
        loss, logged = objectives.adversarial(step)
        assert not torch.equal(before, step.adversary.network.logit.weight)
        gradients[weight] = _gradient(loss, step)
        if weight:
            assert logged["gradient_ratio"] > 0
        plain = _gradient(step.loss, step)
    torch.testing.assert_close(gradients[0.0], plain)
    torch.testing.assert_close(
        gradients[2.0] - plain, 2 * (gradients[1.0] - plain), rtol=1e-2, atol=1e-5
    )


@pytest.mark.parametrize("pairing", objectives.PAIRINGS)
def test_every_pairing_of_biaae_gives_a_finite_loss(pairing):
    loss, logged = objectives.adversarial(_step("BiAAE", pairing=pairing))
    assert torch.isfinite(loss)
    assert all(np.isfinite(value) for value in logged.values())


def test_pairs_are_those_that_the_reading_names():
    step = _step("BiAAE")
    real, fake = objectives._pairs(step)
    assert real.latent is fake.latent is step.latent
    literal = _step("BiAAE", pairing="literal")
    real, fake = objectives._pairs(literal)
    assert real.latent is literal.mean
    assert fake.latent is literal.latent
    drawn = _step("BiAAE", pairing="ali")
    real, fake = objectives._pairs(drawn)
    assert real.latent is drawn.latent
    assert abs(float(fake.latent.mean())) < 0.1
    assert float(fake.latent.std()) == pytest.approx(1, abs=0.05)


def test_an_adversarial_model_without_a_discriminator_says_so():
    with pytest.raises(ValueError, match="AAE needs a discriminator"):
        objectives.adversarial(_step("AAE")._replace(adversary=None))


def test_what_names_no_network_is_refused():
    settings = TrainingSettings(model="BiAAE", loss="MSE")
    objectives.refuse_impossible(settings)
    for changed, message in (
        ({"architecture": "dVAE"}, "BiAAE cannot be built on 'dVAE'"),
        ({"pairing": "none"}, "Unknown pairing 'none'"),
        ({"model": "GAN"}, "Unknown model 'GAN'; there are VAE, dVAE"),
    ):
        with pytest.raises(ValueError, match=message):
            objectives.refuse_impossible(dataclasses.replace(settings, **changed))
