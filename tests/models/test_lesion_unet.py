"""The network of synthetic lesions: its size, what it is shown, and that it learns to find them."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from paperlib.models import lesion_unet, unet_training

SIDE = 64
BRAIN = np.zeros((4, SIDE, SIDE), bool)
BRAIN[:, 10:54, 16:48] = True
RNG = np.random.default_rng(0)
IMAGES = tuple(np.where(BRAIN, RNG.normal(0, 0.2, BRAIN.shape), 0).astype(np.float32)
               for _ in range(2))  # fmt: skip
PLACES = np.array([0, 2, 3])


def task(gamma=False):
    return lesion_unet.lesion_task(IMAGES, BRAIN, PLACES, gamma=gamma)


def test_it_has_the_weights_of_its_four_levels_and_no_more():
    widths = {"down": [(8, 16), (16, 32), (32, 48), (48, 64)],
              "up": [(112, 48), (80, 32), (48, 16)]}  # fmt: skip
    pairs = widths["down"] + widths["up"]
    convolutions = sum(9 * into * out + 9 * out * out for into, out in pairs)
    norms = sum(4 * out for _, out in pairs)
    model = lesion_unet.build_lesion_unet(seed=0)
    found = sum(weights.numel() for weights in model.parameters())
    assert found == convolutions + norms + 16 * 4 + 4 == 228_036


def test_a_logit_sees_its_own_pixel_whichever_of_the_four_it_is():
    model = lesion_unet.build_lesion_unet(seed=0).eval()
    images = torch.randn(1, 2, 32, 32, generator=torch.Generator().manual_seed(0))
    images.requires_grad_()
    logits = model(images)
    assert logits.shape == (1, 1, 32, 32)
    for row, column in ((8, 8), (8, 9), (9, 8), (9, 9)):
        (gradient,) = torch.autograd.grad(logits[0, 0, row, column], images, retain_graph=True)
        assert (gradient[0, :, row, column] != 0).all()


def test_the_seed_decides_the_first_weights_and_leaves_other_randomness_alone():
    state = torch.random.get_rng_state()
    first, same, other = (
        torch.cat([p.flatten() for p in lesion_unet.build_lesion_unet(seed=seed).parameters()])
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert torch.equal(state, torch.random.get_rng_state())


def test_an_example_is_moved_within_what_is_decided_and_varies_with_the_generator():
    example = task().example
    areas, centres = [], []
    for seed in range(60):
        images, mask = example(1, np.random.default_rng(seed))
        assert images.shape == (2, SIDE, SIDE)
        assert mask.shape == (1, SIDE, SIDE)
        inside = (images != 0).any(axis=0)
        assert not (mask[0] & ~inside).any()
        areas.append(inside.sum() / BRAIN[2].sum())
        centres.append(np.argwhere(inside).mean(axis=0) - np.argwhere(BRAIN[2]).mean(axis=0))
    assert 0.85**2 - 0.06 < min(areas) < 0.85
    assert 1.15 < max(areas) < 1.15**2 + 0.06
    farthest = np.abs(centres).max()  # shifted, then scaled, sheared and turned
    assert 1.5 < farthest < 0.08 * SIDE / 2 / 0.85 * 1.5
    again, _ = example(1, np.random.default_rng(3))
    np.testing.assert_array_equal(again, example(1, np.random.default_rng(3))[0])


def test_some_networks_learn_from_bent_brightness():
    plain, bent = (task(gamma).example(0, np.random.default_rng(1))[0] for gamma in (False, True))
    assert not np.array_equal(plain, bent)


def test_the_loss_is_cross_entropy_and_one_minus_the_dice_of_the_batch():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 1, 8, 8, generator=generator)
    truth = (torch.rand(3, 1, 8, 8, generator=generator) > 0.7).float()
    truth[1] = 0  # a slice without a lesion
    chance = logits.sigmoid()
    dice = 2 * (chance * truth).sum() / (chance.sum() + truth.sum())
    mine = functional.binary_cross_entropy_with_logits(logits, truth) + 1 - dice
    torch.testing.assert_close(task().loss(logits, truth), mine, rtol=1e-4, atol=1e-5)


def test_logits_are_the_mean_of_a_slice_and_its_mirror_image():
    model = lesion_unet.build_lesion_unet(seed=0)
    images = np.random.default_rng(0).normal(0, 1, (5, 2, 32, 32)).astype(np.float32)
    found = lesion_unet.lesion_logits(model, images)
    assert found.shape == (5, 32, 32)
    np.testing.assert_allclose(
        lesion_unet.lesion_logits(model, images[..., ::-1]), found[..., ::-1], atol=1e-5
    )
    with torch.no_grad():
        seen, mirrored = (
            model.eval()(torch.from_numpy(np.ascontiguousarray(stack))).numpy()[:, 0]
            for stack in (images, images[..., ::-1])
        )
    np.testing.assert_allclose(found, (seen + mirrored[..., ::-1]) / 2, atol=1e-5)


def test_it_learns_to_find_a_bright_blob_that_it_never_saw():
    model = lesion_unet.build_lesion_unet(seed=0)
    schedule = unet_training.Schedule(
        480, batch_size=8, learning_rate=4e-3, warm_up=0.15, weight_decay=1e-4
    )
    rows = unet_training.fit_unet(model, task(), schedule, name="lesions")
    assert rows[-1]["slice_steps"] == 480
    blob = np.hypot(*(np.indices((SIDE, SIDE)) - 30)) < 8
    image = np.stack([np.where(blob, 2.5, IMAGES[0][1]), np.where(blob, -0.6, IMAGES[1][1])])
    logits = lesion_unet.lesion_logits(model, image[None].astype(np.float32))[0]
    assert logits[blob].mean() > logits[BRAIN[1] & ~blob].mean() + 1
    found = logits > 0
    assert 2 * (found & blob).sum() / (found.sum() + blob.sum()) > 0.6


@pytest.mark.parametrize(("share", "rate"), [(0.0, 0.04), (0.075, 0.52), (0.15, 1.0),
                                             (0.575, 0.5), (1.0, 0.0)])  # fmt: skip
def test_the_rate_rises_along_a_cosine_and_falls_along_another(share, rate):
    schedule = unet_training.Schedule(100, learning_rate=2.0, warm_up=0.15)
    found = unet_training.learning_rate(schedule, share=share)
    assert found == pytest.approx(2 * rate, abs=1e-12)


def test_without_a_rise_the_rate_falls_from_its_start():
    schedule = unet_training.Schedule(100, learning_rate=2.0)
    rates = [unet_training.learning_rate(schedule, share=share) for share in (0.0, 0.5, 1.0)]
    assert rates == pytest.approx([2, 1, 0])


def test_decay_pulls_weights_towards_zero_besides_the_gradient():
    def train(decay):
        model = lesion_unet.build_lesion_unet(seed=0)
        schedule = unet_training.Schedule(8, batch_size=8, weight_decay=decay)
        unet_training.fit_unet(model, task(), schedule._replace(slice_steps=3), name="lesions")
        return torch.cat([weights.detach().flatten() for weights in model.parameters()])

    start = torch.cat(
        [w.detach().flatten() for w in lesion_unet.build_lesion_unet(seed=0).parameters()]
    )
    plain, decayed = train(0.0), train(0.5)
    # One step at the rate 1e-3: AdamW subtracts rate x decay x weight, whatever the gradient.
    torch.testing.assert_close(plain - decayed, 1e-3 * 0.5 * start, rtol=1e-2, atol=1e-6)
