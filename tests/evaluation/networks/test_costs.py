"""The cost of the whole paper, by hand."""

import pytest

from paperlib.evaluation import paper
from paperlib.evaluation.networks import costs


def _network(pair, seconds, steps=10_000):
    return {"pair": pair, "seconds": seconds, "slice_steps": steps}


TIMED = {
    "platform": {"cores": 2},
    "networks": [_network(f"{model}-SSIM-f0-s0", 100) for model in paper.MODELS],
}
COUNTED = {"healthy_slices": 666, "patients": 36}  # 18.5 slices a patient


def test_a_models_time_is_the_median_over_its_networks_whatever_its_name_holds():
    networks = [_network("VAE-CE-MSE-f0-s0", 90), _network("VAE-CE-SSIM-f1-s2", 110),
                _network("VAE-CE-L1-f0-s0", 60, 5_000), _network("VAE-MSE-f0-s0", 50)]  # fmt: skip
    assert costs.milliseconds(networks) == {"VAE-CE": 11, "VAE": 5}


def test_the_whole_paper_is_networks_times_epochs_times_slices_times_milliseconds():
    found = costs.summarise_costs(TIMED, COUNTED)
    assert found["cost.training_patients"] == 255 - 26
    assert found["cost.epoch_slices"] == 8_473  # 2 * 229 * 18.5
    assert (found["cost.networks"], found["cost.epochs"]) == (24, 200)
    hours = 0.010 * 8_473 * 200 / 3600
    assert found["cost.dVAE.network_hours"] == pytest.approx(hours)
    assert found["cost.dVAE.hours"] == pytest.approx(4 * hours)
    assert found["cost.hours"] == pytest.approx(24 * hours)
    assert found["cost.days"] == pytest.approx(hours)
    assert found["cost.timed_hours"] == pytest.approx(600 / 3600)


def test_a_model_without_a_time_is_named():
    some = {**TIMED, "networks": TIMED["networks"][:-1]}
    with pytest.raises(ValueError, match="No network of BiAAE was timed"):
        costs.summarise_costs(some, COUNTED)
