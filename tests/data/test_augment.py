import numpy as np
import pytest
import torch

from paperlib.config import AugmentSettings
from paperlib.data import augment

STILL = AugmentSettings(
    flip_probability=0.0, rotation_deg=0.0, scale=0.0, shear_deg=0.0, square_probability=0.0
)


def _brain():
    image = np.zeros((128, 128), np.float32)
    image[20:110, 30:100] = 1.0
    return image


def _apply(image, transform):
    images = torch.from_numpy(image)[None, None]
    inputs, targets = augment.apply_transforms(images, [transform])
    return inputs[0, 0].numpy(), targets[0, 0].numpy()


def test_no_movement_and_no_square_leave_the_image_alone():
    image = _brain()
    transform = augment.draw_transform(image, STILL, np.random.default_rng(0))
    inputs, targets = _apply(image, transform)
    np.testing.assert_allclose(inputs, image, atol=1e-5)
    np.testing.assert_allclose(targets, image, atol=1e-5)


def test_a_flip_swaps_left_and_right_and_never_front_and_back():
    image = np.zeros((128, 128), np.float32)
    image[10:30, 5:25] = 2.0
    settings = AugmentSettings(
        flip_probability=1.0, rotation_deg=0.0, scale=0.0, shear_deg=0.0, square_probability=0.0
    )
    transform = augment.draw_transform(image, settings, np.random.default_rng(0))
    _, targets = _apply(image, transform)
    np.testing.assert_allclose(targets, image[:, ::-1], atol=1e-4)


def test_a_square_is_on_the_input_only_and_overlaps_the_brain():
    settings = AugmentSettings(
        flip_probability=0.0, rotation_deg=0.0, scale=0.0, shear_deg=0.0, square_probability=1.0
    )
    image = _brain()
    for seed in range(20):
        transform = augment.draw_transform(image, settings, np.random.default_rng(seed))
        ((row, column, noise),) = transform.squares
        side = len(noise)
        assert 15 <= side <= 50
        assert image[row : row + side, column : column + side].any()
        inputs, targets = _apply(image, transform)
        np.testing.assert_allclose(targets, image, atol=1e-5)
        changed = np.argwhere(np.abs(inputs - targets) > 1e-4)
        assert changed.min(axis=0).tolist() == pytest.approx([row, column], abs=1)
        assert inputs[row : row + side, column : column + side].std() == pytest.approx(1, abs=0.2)


def test_the_same_generator_gives_the_same_copy():
    image = _brain()
    settings = AugmentSettings()
    first, second = (
        augment.draw_transform(image, settings, np.random.default_rng(7)) for _ in range(2)
    )
    np.testing.assert_array_equal(first.matrix, second.matrix)
    assert first.squares[0][:2] == second.squares[0][:2]
    np.testing.assert_array_equal(first.squares[0].noise, second.squares[0].noise)


def test_scale_above_one_enlarges_the_brain():
    image = _brain()
    grown = augment.Transform(np.array([[1 / 1.1, 0, 0], [0, 1 / 1.1, 0]], np.float32), ())
    _, targets = _apply(image, grown)
    assert targets.sum() == pytest.approx(1.21 * image.sum(), rel=0.02)


def test_a_copy_can_get_one_to_three_squares():
    settings = AugmentSettings(square_probability=1.0, squares_low=1, squares_high=3)
    numbers = {
        len(augment.draw_transform(_brain(), settings, np.random.default_rng(seed)).squares)
        for seed in range(30)
    }
    assert numbers == {1, 2, 3}
