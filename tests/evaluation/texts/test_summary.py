"""The numbers of prose of three patients worked out by hand, and those of the paper."""

import numpy as np
import pytest
from tables_by_hand import DRAWS, OUTLINE, SEMANTIC, make_three_patients

from paperlib.evaluation.texts import summary


def test_the_summary_holds_every_cell_as_a_plain_number_under_its_key():
    facts = summary.summarise(make_three_patients(), prefix="run", draws=DRAWS)
    assert facts["run.outline.VAE-MSE.neighbourhood_value"] == pytest.approx(OUTLINE)
    assert facts["run.semantic.VAE-MSE.neighbourhood_value"] == pytest.approx(SEMANTIC)
    assert facts["run.outline.B11_truth.neighbourhood_value"] == pytest.approx(0.4)
    assert facts["run.score.VAE-MSE.mean_residual.value"] == pytest.approx(5 / 6)
    assert facts["run.score.VAE-MSE.mean_residual.tumour_slices"] == 2
    assert (facts["run.patients"], facts["run.test_patients"]) == (11, 3)
    assert (facts["run.test_slices"], facts["run.tumour_free_slices"]) == (5, 3)
    assert facts["run.tumour_free_share"] == pytest.approx(0.6)
    assert not [key for key, value in facts.items() if isinstance(value, float) and np.isnan(value)]
    assert not [key for key in facts if " " in key]


def test_the_papers_summary_holds_its_printed_numbers():
    facts = summary.paper_summary()
    assert facts["paper.outline.dVAE-SSIM"] == 0.410
    assert facts["paper.semantic.VAE-CE-SSIM"] == 0.260
    assert facts["paper.score.latent_distance"] == 0.471
    assert facts["paper.gated.TC"] == 0.61
    assert len(facts) == 1 + 2 * 12 + 2 + 3
