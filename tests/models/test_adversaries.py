import pytest
import torch
from torch import nn
from torch.nn import functional

from paperlib.models import adversaries
from paperlib.models.adversaries import Pair

# Table 1's last column and the two paths of BiAAE, sizes worked out by hand for 128 x 128.
IMAGE_SIZES = [(16, 64), (32, 32), (64, 16), (64, 8), (64, 4), (64, 2)]
BI_IMAGE_SIZES = [*IMAGE_SIZES[:-1], (128, 2)]
BI_LATENT_SIZES = [(128, 3), (128, 2)]


def _draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _pair(seed=0, number=4):
    return Pair(_draw(number, 1, 128, 128, seed=seed), _draw(number, 64, 4, 4, seed=seed + 100))


def _sizes(path, given):
    found = []
    for block in path:
        given = block(given)
        found.append((given.shape[1], given.shape[2]))
    return found


def test_the_discriminator_is_table_1s_last_column():
    network = adversaries.build("AAE")
    assert _sizes(network.image_path, _draw(2, 1, 128, 128)) == IMAGE_SIZES
    assert isinstance(network.logit, nn.Conv2d)
    assert network(_pair()).shape == (4,)


def test_the_discriminator_of_pairs_fuses_two_paths_of_two_by_two():
    network = adversaries.build("BiAAE")
    assert _sizes(network.image_path, _draw(2, 1, 128, 128)) == BI_IMAGE_SIZES
    assert _sizes(network.latent_path, _draw(2, 64, 4, 4)) == BI_LATENT_SIZES
    assert _sizes(network.fusion, _draw(2, 256, 2, 2)) == [(128, 2), (64, 2)]


def test_models_without_an_adversary_get_none():
    assert adversaries.build("VAE") is None
    assert adversaries.build("VAE-CE") is None


@pytest.mark.parametrize("model", list(adversaries.DISCRIMINATORS))
def test_a_discriminator_can_tell_bright_from_dark_within_one_batch(model):
    torch.manual_seed(0)
    network = adversaries.build(model)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    real, fake = _pair(1), _pair(2)
    real = real._replace(image=real.image + 2)
    for _ in range(25):
        loss, logged = adversaries.discriminator_loss(network, real, fake, bf16=False)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert logged["real_accuracy"] == logged["fake_accuracy"] == 1
    assert logged["discriminator_loss"] < 0.7 < 2 * 0.6931


def test_the_loss_of_the_discriminator_is_the_sum_of_two_cross_entropies():
    network = adversaries.build("AAE")
    loss, _ = adversaries.discriminator_loss(network, _pair(1), _pair(2), bf16=False)
    both = torch.cat([_pair(1).image, _pair(2).image])
    logits = network(Pair(both, both))
    expected = functional.softplus(-logits[:4]).mean() + functional.softplus(logits[4:]).mean()
    torch.testing.assert_close(loss, expected)


def test_the_discriminator_teaches_nothing_to_what_made_its_pairs():
    network = adversaries.build("BiAAE")
    fake = Pair(*(part.requires_grad_() for part in _pair(2)))
    loss, _ = adversaries.discriminator_loss(network, _pair(1), fake, bf16=False)
    loss.backward()
    assert fake.image.grad is None
    assert fake.latent.grad is None


@pytest.mark.parametrize("model", list(adversaries.DISCRIMINATORS))
def test_feedback_has_the_gradient_of_the_plain_sum_and_leaves_the_discriminator_alone(model):
    network = adversaries.build(model)
    image, latent = (part.requires_grad_() for part in _pair(3))
    real, fake = Pair(_pair(1).image, latent), Pair(2 * image, latent)
    feedback = adversaries.generator_feedback(network, real, fake, weight=0.5, bf16=False)
    found = torch.autograd.grad(
        feedback.loss, [image, latent], retain_graph=True, allow_unused=True
    )
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(parameter.requires_grad for parameter in network.parameters())

    real_logits, fake_logits = adversaries.judge(network, real, fake, bf16=False)
    expected = 0.5 * functional.softplus(-fake_logits).mean()
    if model == "BiAAE":
        expected = expected + 0.5 * functional.softplus(real_logits).mean()
    *wanted, at_image = torch.autograd.grad(
        expected, [image, latent, fake.image], allow_unused=True
    )
    torch.testing.assert_close(feedback.loss.detach(), expected.detach())
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)
    assert (found[1] is None) == (model == "AAE")  # AAE looks at the image only
    assert feedback.image_gradient == pytest.approx(float(at_image.norm()), rel=1e-4)
