import pytest

from paperlib.evaluation.networks import table1
from paperlib.models import architectures


@pytest.mark.parametrize("model", architectures.MODELS)
def test_the_live_layers_are_those_that_table_1_prints(model):
    table = table1.layer_table(model)
    column = architectures.MODELS[model]
    printed = [row.printed for row in column.encoder] + 2 * [column.latent.printed]
    assert table["layer"].tolist()[: len(printed)] == printed
    assert table.loc["decoder 5", "output"] == "128 × 128"
    assert table.loc["decoder 5", "channels"] == 1


def test_the_dvae_has_the_sizes_of_the_exact_reading():
    table = table1.layer_table("dVAE")
    sides = [int(text.split(" ")[0]) for text in table["output"]]
    assert sides == [123, 58, 48, 14, 12, 12, 14, 48, 58, 123, 128]
    assert table.loc["encoder 2", ["kernel", "stride", "dilation", "channels"]].tolist() == [
        5,
        2,
        2,
        16,
    ]
    assert list(table.index[4:6]) == ["latent, mean", "latent, log sd"]


def test_output_padding_is_named_where_there_is_one():
    assert table1.layer_table("VAE").loc["decoder 1", "padding"] == "1, output 1"
    assert (table1.layer_table("dVAE")["padding"] == "0").all()


def test_the_columns_of_table_1_stand_side_by_side_without_the_decoder():
    table = table1.encoder_columns(["VAE", "dVAE"])
    assert list(table.columns) == ["VAE", "dVAE"]
    assert table.loc["encoder 1", "VAE"] == "conv4, 2,1-16 → 64 × 64"
    assert table.loc["latent, log sd", "dVAE"] == "conv3, 1,1-16 → 12 × 12"
    assert len(table) == 6


def test_sizes_and_compression_are_those_measured_in_torch():
    table = table1.size_table(["VAE", "dVAE", "VAE1px"])
    assert table["parameters"].tolist() == [325_281, 45_489, 1_001_121]
    assert table["pixels for each of them"].tolist() == [16.0, 7.1, 256.0]
    assert table["latent"].tolist() == ["64 × 4 × 4", "16 × 12 × 12", "64 × 1 × 1"]


def test_layers_read_from_a_live_network_are_those_of_the_table():
    network = architectures.build("dVAE")
    assert table1.printed_layers(network.encoder) == [
        "conv6, 1,1-8", "conv5, 2,2-16", "conv6, 1,2-16", "conv5, 3,2-16",
    ]  # fmt: skip
    assert table1.printed_layers(network.decoder)[-1] == "conv6, 1,1-1"


def test_both_discriminators_stand_side_by_side_with_the_sizes_they_have():
    table = table1.discriminator_table()
    assert table.columns.tolist() == ["AAE", "BiAAE"]
    assert table.loc["image 1", "AAE"] == "conv4, 2,1-16 → 64 × 64"
    assert table.loc["image 6"].tolist() == ["conv4, 2,1-64 → 2 × 2", "conv4, 2,1-128 → 2 × 2"]
    assert table.loc["latent 1"].tolist() == ["", "conv4, 1,1-128 → 3 × 3"]
    assert table.index[-1] == "logit"
    assert (table.loc["logit"] == "conv1, 1,1-1 → 2 × 2").all()
