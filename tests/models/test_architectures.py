import numpy as np
import pytest
import torch
from torch import nn

from paperlib.models import architectures

# Table 1 of the paper, row by row, as printed; the sizes and counts are worked out by hand.
PRINTED = {
    "VAE": ["conv4, 2,1-16", "conv4, 2,1-32", "conv4, 2,1-64", "conv4, 2,1-64", "conv3, 2,1-64"],
    "dVAE": ["conv6, 1,1-8", "conv5, 2,2-16", "conv6, 1,2-16", "conv5, 3,2-16", "conv3, 1,1-16"],
    "VAE1px": ["conv4, 2,1-16", "conv4, 2,1-32", "conv4, 2,1-64", "conv4, 2,1-64", "conv8, 1,1-64"],
}
SIDES = {
    "VAE": [64, 32, 16, 8, 4],
    "dVAE": [123, 58, 48, 14, 12],
    "VAE1px": [64, 32, 16, 8, 1],
}
PARAMETERS = {"VAE": 325_281, "dVAE": 45_489, "VAE1px": 1_001_121}


@pytest.mark.parametrize("name", list(architectures.MODELS))
def test_every_row_reads_as_printed_in_table_1(name):
    column = architectures.MODELS[name]
    assert [row.printed for row in (*column.encoder, column.latent)] == PRINTED[name]


@pytest.mark.parametrize("name", list(architectures.MODELS))
def test_every_layer_of_the_live_network_matches_table_1(name):
    model = architectures.build(name)
    convolutions = [m for m in model.encoder.modules() if isinstance(m, nn.Conv2d)]
    convolutions += [model.latent_mean]
    printed = [
        f"conv{m.kernel_size[0]}, {m.stride[0]},{m.dilation[0]}-{m.out_channels}"
        for m in convolutions
    ]
    assert printed == PRINTED[name]


@pytest.mark.parametrize("name", list(architectures.MODELS))
def test_decoder_mirrors_the_encoder(name):
    model = architectures.build(name)
    sizes = [shape[1] for _, shape in architectures.layer_sizes(model)]
    encoder, latents, decoder = sizes[:4], sizes[4:6], sizes[6:]
    assert [*encoder, latents[0]] == SIDES[name]
    assert latents[0] == latents[1]
    assert decoder == [*reversed(encoder), 128]


@pytest.mark.parametrize("name", list(architectures.MODELS))
def test_number_of_parameters_is_the_one_worked_out_by_hand(name):
    assert architectures.count_parameters(architectures.build(name)) == PARAMETERS[name]


def test_blocks_have_norm_and_activation_but_latent_and_last_layer_have_none():
    model = architectures.build("VAE")
    for block in [*model.encoder, *list(model.decoder)[:-1]]:
        assert [type(part) for part in block][1:] == [nn.BatchNorm2d, nn.LeakyReLU]
    assert isinstance(model.latent_mean, nn.Conv2d)
    assert isinstance(model.decoder[-1], nn.ConvTranspose2d)


def test_noise_is_scaled_by_the_standard_deviation_once():
    model = architectures.build("VAE1px").eval()
    image = torch.randn(2, 1, 128, 128, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        encoding = model.encode(image)
        noise = torch.ones_like(encoding.mean)
        expected = model.decode(encoding.mean + encoding.log_sd.exp())
        output, _ = model(image, noise)
    np.testing.assert_allclose(output, expected)


def test_testing_takes_the_mean_of_the_latent():
    model = architectures.build("dVAE").eval()
    image = torch.randn(1, 1, 128, 128, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        output, encoding = model(image)
        np.testing.assert_allclose(output, model.decode(encoding.mean))


def test_an_unknown_model_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="Unknown network 'VAE2'; there are VAE, dVAE, VAE1px"):
        architectures.build("VAE2")


@pytest.mark.parametrize("name", list(architectures.VARIANTS))
def test_every_variant_returns_the_size_it_was_given(name):
    model = architectures.build(name).eval()
    with torch.no_grad():
        output, _ = model(torch.zeros(1, 1, 128, 128))
    assert output.shape == (1, 1, 128, 128)


def test_the_padded_reading_of_the_dilated_column_has_the_sizes_worked_out_by_hand():
    sizes = [shape[1] for _, shape in architectures.layer_sizes(architectures.build("dVAE padded"))]
    assert sizes[:5] == [127, 64, 64, 22, 22]


@pytest.mark.parametrize("name", list(architectures.TAKEN_FROM))
def test_models_without_a_column_of_their_own_take_the_first(name):
    assert architectures.count_parameters(architectures.build(name)) == PARAMETERS["VAE"]


def test_two_sequences_at_once_are_two_channels_in_and_out():
    model = architectures.build("dVAE", 2).eval()
    with torch.no_grad():
        output, _ = model(torch.zeros(1, 2, 128, 128))
    assert output.shape == (1, 2, 128, 128)
