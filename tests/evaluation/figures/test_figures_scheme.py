"""What the scheme of Figure 2 names."""

import pytest

from paperlib.evaluation.figures import scheme
from paperlib.evaluation.networks import table1
from paperlib.models import adversaries, architectures


def test_the_three_networks_stand_with_their_layers_and_the_losses_with_the_weight():
    vae, judge = architectures.build("VAE"), adversaries.build("AAE")
    layers = {
        "encoder": table1.printed_layers(vae.encoder),
        "decoder": table1.printed_layers(vae.decoder),
        "discriminator": table1.printed_layers(judge),
    }
    figure = scheme.plot_scheme(layers, weight=0.25)
    texts = [text.get_text() for text in figure.axes[0].texts]
    for name, rows in layers.items():
        assert "\n".join([name, *rows]) in texts
    assert any("0.25 log D" in text for text in texts)
    assert any("reconstruction loss" in text for text in texts)
    assert any("KL" in text for text in texts)


def test_a_scheme_without_a_part_is_refused():
    with pytest.raises(ValueError, match="No layers of decoder, discriminator; give those of"):
        scheme.plot_scheme({"encoder": ["conv4, 2,1-16"]}, weight=0.1)
