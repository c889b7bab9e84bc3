import numpy as np
import pytest
from skimage.transform import resize

from paperlib.data import native_grid
from paperlib.data.preprocess import Window

WINDOW = Window(2, 3, 1, 4, 18)
SHAPE = (24, 22, 6)
CHOICE = {"size": 30, "zscore": "mean_sd", "clip": (-5.0, 10.0), "brain_share": 0.05}
BIG = Window(5, 5, 2, 8, 60)


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    volumes = {name: np.zeros((70, 70, 10), np.float32) for name in ("flair", "t1ce")}
    for volume in volumes.values():
        volume[10:50, 10:50] = rng.uniform(10, 90, (40, 40, 10))
    volumes["flair"][:, :, 4] = 0
    volumes["flair"][10:12, 10:12, 4] = 10
    return volumes


def test_labels_come_back_to_the_same_slices():
    labels = np.random.default_rng(1).integers(0, 5, SHAPE).astype(np.uint8)
    small = native_grid.prepare_labels(labels, WINDOW, 12)
    restored = native_grid.restore_labels(small, WINDOW, SHAPE)
    assert restored.shape == SHAPE
    assert not restored[:2].any()
    assert not restored[:, 21:].any()
    np.testing.assert_array_equal(native_grid.prepare_labels(restored, WINDOW, 12), small)
    agree = (restored == labels)[2:20, 3:21].mean()
    assert agree > 12**2 / 18**2  # every voxel that was taken, and by chance some others


def test_images_come_back_linearly_and_lie_inside_the_window():
    stack = np.random.default_rng(2).normal(size=(6, 12, 12)).astype(np.float32)
    volume = native_grid.restore_images(stack, WINDOW, SHAPE)
    expected = resize(stack[5].astype(float), (18, 18), order=1).T
    np.testing.assert_allclose(volume[2:20, 3:21, 5], expected, atol=1e-5)
    assert np.count_nonzero(volume) <= 6 * 18**2


def test_intensities_are_scaled_by_the_slices_that_are_seen(images):
    found = native_grid.prepare_patient(images, BIG, **(CHOICE | {"size": 60}))
    inside = images["flair"][5:65, 5:65, 2:8]
    values = inside[inside > 0]
    expected = (images["flair"][5:65, 5:65, 9].T - values.mean()) / values.std()
    outside = images["flair"][5:65, 5:65, 9].T == 0
    np.testing.assert_allclose(
        found.images["flair"][9], np.where(outside, 0, expected), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_array_equal(found.brain, images["flair"][5:65, 5:65].T > 0)


def test_slices_count_inside_the_range_and_with_enough_brain(images):
    found = native_grid.prepare_patient(images, BIG, **CHOICE)
    assert np.flatnonzero(found.usable).tolist() == [2, 3, 5, 6, 7]  # 4 is nearly empty


def test_a_scale_of_each_slice_is_that_of_the_slice(images):
    found = native_grid.prepare_patient(images, BIG, **(CHOICE | {"zscore": "slice", "size": 60}))
    for z in (2, 7):
        inside = found.images["t1ce"][z][images["t1ce"][5:65, 5:65, z].T > 0]
        assert (inside.mean(), inside.std()) == pytest.approx((0, 1), abs=1e-4)


def test_too_little_brain_and_a_scale_that_needs_the_truth_are_refused(images):
    with pytest.raises(ValueError, match=r"healthy_oracle\); a new patient has none"):
        native_grid.prepare_patient(images, BIG, **(CHOICE | {"zscore": "healthy_oracle"}))
    images["t1ce"][:, :, 2:8] = 0
    with pytest.raises(ValueError, match=r"t1ce, slices 2 to 7: Only 0 brain voxels.*skull-strip"):
        native_grid.prepare_patient(images, BIG, **CHOICE)
