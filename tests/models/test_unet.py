"""The two U-Nets outside the paper: what they are shown, what they lose, and that they learn."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from paperlib.models import unet, unet_tasks, unet_training

SIDE = 32
RNG = np.random.default_rng(0)
BRAIN = np.zeros((6, SIDE, SIDE), bool)
BRAIN[:, 4:28, 6:20] = True  # not symmetric
IMAGES = np.where(BRAIN, RNG.normal(0, 1, BRAIN.shape), 0).astype(np.float32)
LABELS = np.zeros(BRAIN.shape, np.uint8)
LABELS[:, 10:20, 8:14], LABELS[:, 12:16, 9:12], LABELS[:, 13:15, 10:11] = 2, 4, 1
PLACES = np.array([1, 4, 5])


def test_coarse_noise_is_a_small_grid_with_lines_in_between_rolled_at_random():
    found = unet_tasks.coarse_noise((128, 128), np.random.default_rng(3))
    rng = np.random.default_rng(3)
    coarse = torch.from_numpy(rng.normal(0, 1.4, (16, 16)))[None, None]
    fine = functional.interpolate(coarse, size=(128, 128), mode="bilinear", align_corners=True)
    rolled = np.roll(fine[0, 0].numpy(), tuple(rng.integers(0, (128, 128))), axis=(0, 1))
    np.testing.assert_allclose(found, rolled, atol=1e-5)


def test_the_denoiser_is_shown_noise_in_the_brain_and_asked_for_the_clean_slice():
    task = unet_tasks.denoising_task(IMAGES, BRAIN, PLACES)
    assert task.slices == 3
    turned = 0
    for seed in range(20):
        noisy, target = task.example(1, np.random.default_rng(seed))
        clean, inside = target[0], target[1].astype(bool)
        flipped = not np.array_equal(clean, IMAGES[4])
        turned += flipped
        np.testing.assert_array_equal(clean, IMAGES[4][:, ::-1] if flipped else IMAGES[4])
        np.testing.assert_array_equal(inside, BRAIN[4][:, ::-1] if flipped else BRAIN[4])
        assert (noisy[0][~inside] == 0).all()
        assert np.abs(noisy[0] - clean)[inside].std() > 0.3
    assert 3 < turned < 17


def test_the_denoisers_loss_is_the_squared_error_inside_the_brain():
    task = unet_tasks.denoising_task(IMAGES, BRAIN, PLACES)
    target = torch.zeros(1, 2, 2, 2)
    target[0, 0] = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    target[0, 1] = torch.tensor([[1.0, 1.0], [0.0, 0.0]])
    assert task.loss(torch.zeros(1, 1, 2, 2), target) == 2.5


def test_labels_turn_with_the_images_and_become_running_numbers():
    task = unet_tasks.labelling_task([IMAGES, 2 * IMAGES], LABELS, PLACES)
    kinds = set()
    for seed in range(12):
        images, classes = task.example(0, np.random.default_rng(seed))
        turn = 1 if np.array_equal(images[0], IMAGES[1]) else -1
        kinds.add(turn)
        np.testing.assert_array_equal(images, np.stack([IMAGES[1], 2 * IMAGES[1]])[..., ::turn])
        codes = np.array([0, 1, 2, 4])[classes[0]]
        np.testing.assert_array_equal(codes, LABELS[1][:, ::turn])
    assert kinds == {1, -1}


def test_the_loss_of_the_labels_is_cross_entropy_and_one_minus_dice_of_the_tissues():
    task = unet_tasks.labelling_task([IMAGES, IMAGES], LABELS, PLACES)
    classes = torch.from_numpy(np.searchsorted([0, 1, 2, 4], LABELS[:2]))
    logits = torch.randn(2, 4, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    chance = logits.softmax(dim=1)[:, 1:]
    truth = functional.one_hot(classes, 4).permute(0, 3, 1, 2)[:, 1:]
    overlap, size = (chance * truth).sum(dim=(2, 3)), (chance + truth).sum(dim=(2, 3))
    mine = functional.cross_entropy(logits, classes) + (1 - 2 * overlap / size).mean()
    found = task.loss(logits, classes[:, None].float())
    torch.testing.assert_close(found, mine, rtol=1e-4, atol=1e-5)


def test_a_supervised_network_learns_labels_that_it_has_seen():
    bright = np.where(LABELS > 0, 2.0, IMAGES).astype(np.float32)
    task = unet_tasks.labelling_task([bright, LABELS.astype(np.float32)], LABELS, np.arange(6))
    model = unet.build_unet(inputs=2, outputs=4, seed=0)
    rows = unet_training.fit_unet(model, task, unet_training.Schedule(600), name="supervised")
    assert [row["slice_steps"] for row in rows][-1] == 600
    assert rows[-1]["loss"] < 0.6 * rows[0]["loss"]
    found = unet.apply_unet(model, np.stack([bright, LABELS.astype(np.float32)], axis=1))
    assert found.shape == (6, 4, SIDE, SIDE)
    mask, truth = found.argmax(axis=1) > 0, LABELS > 0
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) > 0.8


def test_the_same_seed_ends_in_the_same_weights_and_another_does_not():
    def train(seed):
        task = unet_tasks.denoising_task(IMAGES, BRAIN, PLACES)
        model = unet.build_unet(inputs=1, outputs=1, seed=seed)
        schedule = unet_training.Schedule(9, batch_size=2, seed=seed)
        unet_training.fit_unet(model, task, schedule, name="denoiser")
        return torch.cat([weights.flatten() for weights in model.parameters()])

    first = train(0)
    assert torch.equal(first, train(0))
    assert not torch.equal(first, train(1))


def test_a_loss_that_is_not_finite_stops_the_training_and_says_where():
    images = IMAGES.copy()
    images[4, 10, 10] = np.nan
    task = unet_tasks.denoising_task(images, BRAIN, np.array([4]))
    model = unet.build_unet(inputs=1, outputs=1, seed=0)
    with pytest.raises(FloatingPointError, match="denoiser is nan in epoch 0, batch 0"):
        unet_training.fit_unet(model, task, unet_training.Schedule(8), name="denoiser")


def test_a_training_without_slices_is_refused():
    task = unet_tasks.denoising_task(IMAGES, BRAIN, np.array([], int))
    model = unet.build_unet(inputs=1, outputs=1, seed=0)
    with pytest.raises(ValueError, match="No training slice for the denoiser; check the split"):
        unet_training.fit_unet(model, task, unet_training.Schedule(8), name="denoiser")
