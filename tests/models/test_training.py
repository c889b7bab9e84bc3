import dataclasses

import numpy as np
import pytest
import torch

from paperlib.config import TrainingSettings
from paperlib.models import inference, losses, training

RANGE = losses.IntensityRange(-2.0, 4.0)
SETTINGS = TrainingSettings(model="VAE", loss="MSE", slice_steps=48, batch_size=8)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    images = np.zeros((12, 128, 128), np.float32)
    images[:, 30:100, 30:100] = rng.normal(size=(12, 70, 70))
    return training.TrainingData(images, np.arange(8), np.arange(8, 12), 3)


def _fit(data, folder, settings=SETTINGS, probe=lambda model: {"seen": 1.0}):
    return training.fit(
        data, settings, intensities=RANGE, checkpoint=folder / "checkpoint.pt", probe=probe
    )


def _weights(fitted):
    return {name: value.numpy() for name, value in fitted.model.state_dict().items()}


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(data, tmp_path):
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    first, second = _weights(_fit(data, folders[0])), _weights(_fit(data, folders[1]))
    other = _weights(_fit(data, folders[2], dataclasses.replace(SETTINGS, seed=1)))
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name], err_msg=name)
    assert not np.array_equal(first["latent_mean.weight"], other["latent_mean.weight"])


class _KilledError(Exception):
    pass


@pytest.mark.parametrize(
    ("model", "fatal_step"), [("VAE", 1), ("VAE", 3), ("VAE", 5), ("VAE-CE", 3), ("BiAAE", 3)]
)
def test_a_run_interrupted_at_any_step_ends_with_the_weights_of_one_that_was_not(
    data, tmp_path, monkeypatch, model, fatal_step
):
    settings = dataclasses.replace(SETTINGS, model=model)
    whole = tmp_path / "whole"
    broken = tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    expected = _fit(data, whole, settings)
    step = training._step
    calls = []

    def stopping(*arguments):
        calls.append(1)
        if len(calls) == fatal_step:
            raise _KilledError
        return step(*arguments)

    monkeypatch.setattr(training, "_step", stopping)
    with pytest.raises(_KilledError):
        _fit(data, broken, settings)
    monkeypatch.setattr(training, "_step", step)
    resumed = _fit(data, broken, settings)
    for name, value in _weights(expected).items():
        np.testing.assert_array_equal(value, _weights(resumed)[name], err_msg=name)
    assert resumed.epochs == expected.epochs


def test_the_budget_counts_slices_whatever_the_batch(data, tmp_path):
    for batch_size in (4, 8):
        folder = tmp_path / str(batch_size)
        folder.mkdir()
        settings = dataclasses.replace(SETTINGS, batch_size=batch_size)
        assert _fit(data, folder, settings).slice_steps == 48


def test_training_lowers_the_loss(data, tmp_path):
    fitted = _fit(data, tmp_path, dataclasses.replace(SETTINGS, slice_steps=160))
    assert fitted.epochs[-1]["reconstruction"] < 0.9 * fitted.epochs[0]["reconstruction"]


def test_a_loss_that_is_not_finite_stops_and_names_the_network(data, tmp_path):
    bad = data._replace(images=data.images + np.float32(np.inf))
    with pytest.raises(FloatingPointError, match=r"VAE-MSE-f0-s0, flair, epoch 0, batch 0"):
        _fit(bad, tmp_path)


@pytest.fixture(scope="module")
def opposite(data):
    """Return slices whose validation gets worse as training succeeds."""
    images = np.abs(data.images)
    images[data.validation] *= -1
    return data._replace(images=images)


def test_best_weights_are_kept_with_enough_patients_and_the_last_ones_without(opposite, tmp_path):
    data = opposite
    few, many = tmp_path / "few", tmp_path / "many"
    few.mkdir()
    many.mkdir()
    settings = dataclasses.replace(SETTINGS, slice_steps=144, learning_rate=0.002)
    last = _fit(data, few, settings)
    best = _fit(data._replace(training_patients=20), many, settings)
    history = [row["validation_loss"] for row in last.epochs]
    assert history[-1] > 1.1 * min(history)
    loss = training.validation_loss(best.model, data, settings, RANGE)
    assert loss == pytest.approx(min(history), rel=1e-5)
    assert training.validation_loss(last.model, data, settings, RANGE) == pytest.approx(
        history[-1], rel=1e-5
    )


def test_patience_stops_a_training_that_no_longer_improves(opposite, tmp_path):
    settings = dataclasses.replace(
        SETTINGS, slice_steps=None, max_epochs=30, patience=2, learning_rate=0.002
    )
    fitted = _fit(opposite, tmp_path, settings)
    assert fitted.stopped_by == "patience"
    losses_seen = [row["validation_loss"] for row in fitted.epochs]
    assert len(losses_seen) - 1 - int(np.argmin(losses_seen)) == 2


def test_the_probe_sees_the_milestones_and_leaves_the_training_alone(data, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "FIRST_MILESTONE", 16)
    seen, plain = tmp_path / "seen", tmp_path / "plain"
    seen.mkdir()
    plain.mkdir()

    def probe(model):
        inference.reconstruct(model, data.images, np.arange(4))
        return {"ap": 0.5}

    fitted = _fit(data, seen, probe=probe)
    assert [row["slice_steps"] for row in fitted.milestones] == [16, 32, 48]
    unprobed = _weights(_fit(data, plain))
    for name, value in _weights(fitted).items():
        np.testing.assert_array_equal(value, unprobed[name], err_msg=name)


def test_training_without_an_end_or_without_slices_is_refused(data, tmp_path):
    with pytest.raises(ValueError, match="slice_steps` or `max_epochs"):
        _fit(data, tmp_path, dataclasses.replace(SETTINGS, slice_steps=None))
    with pytest.raises(ValueError, match="No healthy training slice"):
        _fit(data._replace(training=np.arange(0)), tmp_path)


def test_everything_stays_float32_on_one_device(data, tmp_path):
    fitted = _fit(data, tmp_path, dataclasses.replace(SETTINGS, slice_steps=8, autocast=True))
    device = inference.select_device()
    for name, value in fitted.model.state_dict().items():
        assert value.device.type == device.type, name
        assert value.dtype in (torch.float32, torch.int64), name
    found = inference.reconstruct(fitted.model, data.images, np.arange(5), batch_size=2)
    assert found.reconstruction.dtype == np.float32
    assert found.reconstruction.shape == (5, 128, 128)
    assert found.latent_mean.shape == (5, 64 * 4 * 4)


def test_an_adversarial_training_logs_every_term_and_how_often_the_discriminator_is_right(
    data, tmp_path
):
    (row, *_) = _fit(data, tmp_path, dataclasses.replace(SETTINGS, model="AAE")).epochs
    assert {"loss", "reconstruction", "kl_nats", "adversarial", "gradient_ratio"} < set(row)
    assert {"discriminator_loss", "real_accuracy", "fake_accuracy"} < set(row)
    assert 0 <= row["real_accuracy"] <= 1
    assert row["loss"] == pytest.approx(
        row["reconstruction"] + row["kl_nats"] / 128**2 + row["adversarial"], rel=1e-4
    )


def test_two_sequences_can_be_learnt_at_once(data, tmp_path):
    joint = data._replace(images=np.stack([data.images, -data.images], axis=1))
    fitted = _fit(joint, tmp_path, dataclasses.replace(SETTINGS, model="dVAE", slice_steps=16))
    found = inference.reconstruct(fitted.model, joint.images, np.arange(3))
    assert found.reconstruction.shape == (3, 2, 128, 128)


def test_biaae_on_another_column_of_table_1_is_refused_before_anything_is_trained(data, tmp_path):
    settings = dataclasses.replace(SETTINGS, model="BiAAE", architecture="VAE1px")
    with pytest.raises(ValueError, match="BiAAE cannot be built on 'VAE1px'"):
        _fit(data, tmp_path, settings)
