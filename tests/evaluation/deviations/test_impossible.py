"""What cannot be: sizes by the textbook's formula and from torch, shares by hand."""

import pandas as pd
import pytest
import torch
from torch import nn

from paperlib.evaluation import paper
from paperlib.evaluation.deviations import impossible
from paperlib.models import architectures


@pytest.fixture(scope="module")
def sizes():
    return impossible.try_paddings()


def test_what_is_built_gives_the_image_back(sizes):
    for model in architectures.MODELS:
        assert sizes.loc[(model, "as built here"), "image"] == "128"


def test_no_equal_padding_gives_the_vae_its_image_back(sizes):
    alike = sizes.loc["VAE"].drop(index="as built here")
    assert "128" not in set(alike["image"])
    assert all(text.endswith(impossible.INEXACT) for text in alike["encoder and latent"])


def test_three_paddings_divide_in_the_dilated_network(sizes):
    dilated = sizes.loc["dVAE"]
    assert set(dilated["image"]) == {"128"}
    assert not dilated["encoder and latent"].str.contains(impossible.INEXACT, regex=False).any()
    first = "128 → 123 → 58 → 48 → 14 → 12"
    assert dilated.loc["0 everywhere", "encoder and latent"] == first


def test_a_kernel_larger_than_its_map_is_said(sizes):
    text, image = sizes.loc[("VAE1px", "0 everywhere")]
    assert text == "a kernel is larger than its map"
    assert image == "–"


@pytest.mark.parametrize("padding", range(4))
def test_a_latent_layer_of_stride_two_never_divides_an_even_map(padding):
    layer = nn.Conv2d(1, 1, 3, 2, padding)
    back = nn.ConvTranspose2d(1, 1, 3, 2, padding)
    assert back(layer(torch.zeros(1, 1, 8, 8))).shape[-1] == 7


def test_one_latent_path_fits_without_rounding():
    table = impossible.try_latent_paths()
    assert list(table.index[table["fits"] == "yes"]) == ["stride 1, padding 1"]
    assert table.loc["stride 1, padding 1", "sizes"] == "4 → 3 → 2"
    assert table.loc["stride 2, padding 2", "fits"] == "yes, rounded"
    assert table.loc["stride 1, padding 0", "sizes"] == "smaller than the kernel"


def test_readings_are_described_by_what_they_leave(a_cohort):
    found = a_cohort(wrong=5)
    counts = found.counts.copy()
    printed = counts["reading"] == "both"
    counts.loc[printed & (counts["case"] < 3), ["WT_overlap", "WT_predicted"]] = 0
    counts.loc[printed & (counts["case"] == 0), "flair_degenerate"] = 1
    table = impossible.compare_readings(found._replace(counts=counts))
    line = table.loc["as printed (a · W)"]
    assert line["Dice"] == pytest.approx(0.8 / 8)
    assert line["empty"] == pytest.approx(6 / 8)
    assert line["not divided"] == pytest.approx(2 / 8)
    assert line["size"] == pytest.approx(15 / 40)
    assert table.loc["neighbourhood (W)", "empty"] == 0


def test_clusters_are_counted_where_the_fit_divides(a_cohort):
    found = a_cohort()
    counts = found.counts.copy()
    own = counts["reading"] == "weights"
    counts.loc[own & (counts["z"] == 80), "flair_clusters_differ"] = 1
    counts.loc[own & (counts["case"] == 0) & (counts["z"] == 110), "flair_degenerate"] = 1
    line = impossible.compare_clusters(found._replace(counts=counts)).loc["weights (a)"]
    assert line["differ"] == pytest.approx(4 / 7)
    assert line["tumour slices"] == 1
    assert (line["n"], line["tumour n"]) == (7, 4)


def test_without_the_mean_the_latent_gate_flags_what_is_far_from_zero(a_cohort):
    found = a_cohort()
    scores = found.scores.assign(latent_distance=10.0)
    healthy = scores[scores["role"] == "validation"]
    scores = pd.concat([scores, healthy.assign(latent_distance=12.0)], ignore_index=True)
    table = impossible.compare_latent_gates(found._replace(scores=scores))
    assert list(table.loc["2sd_literal"]) == [1, 1]  # twice a deviation of 1
    assert list(table.loc["mean_2sd"]) == [0, 0]  # 11 and twice 1


def test_a_ceiling_is_the_share_of_slices_that_hold_the_region(a_cohort):
    table = impossible.compare_ceilings(a_cohort())
    assert table.loc["whole tumour", "ceiling"] == 0.5
    assert table.loc["enhancing tumour", "ceiling"] == 0
    assert table.loc["tumour core", "paper"] == paper.GATED["TC"]


def test_without_the_papers_network_there_is_nothing_to_compare(a_cohort):
    other = a_cohort(networks={("VAE", "MSE"): [1, 2, 3]})
    for compare in (
        impossible.compare_readings,
        impossible.compare_clusters,
        impossible.compare_latent_gates,
    ):
        assert compare(other).empty
