import numpy as np
import pytest
from skimage.transform import resize

from paperlib.data import preprocess

WINDOW = preprocess.Window(x_low=30, y_low=38, z_low=60, z_high=130, side=180)


def test_the_window_takes_the_named_voxels_with_height_along_y():
    volume = np.zeros((240, 240, 155), np.float32)
    volume[40, 50, 70] = 7.0
    stack = preprocess.crop(volume, WINDOW)
    assert stack.shape == (70, 180, 180)
    assert stack[10, 12, 10] == 7.0
    assert stack.sum() == 7.0


def test_a_window_beyond_the_volume_is_refused():
    with pytest.raises(ValueError, match=r"leaves the volume of shape \(100, 240, 155\)"):
        preprocess.crop(np.zeros((100, 240, 155), np.float32), WINDOW)


def test_lost_brain_is_counted_inside_the_slice_range_only():
    volume = np.zeros((240, 240, 155), np.float32)
    volume[100:104, 100, 80] = 1  # inside
    volume[5, 100, 80] = 1  # outside the window
    volume[5, 100, 10] = 1  # below the range: not counted
    assert preprocess.lost_brain_share(volume, WINDOW) == pytest.approx(1 / 5)


def test_resizing_agrees_with_scikit_image_slice_by_slice():
    stack = np.random.default_rng(0).normal(size=(2, 180, 180)).astype(np.float32)
    found = preprocess.resize_images(stack, 128)
    for image, expected in zip(found, stack, strict=True):
        reference = resize(expected, (128, 128), order=1, anti_aliasing=True)
        np.testing.assert_allclose(image[2:-2, 2:-2], reference[2:-2, 2:-2], atol=2e-3)


def test_labels_keep_their_codes_and_agree_with_nearest_neighbour():
    stack = np.random.default_rng(1).choice([0, 1, 2, 4], size=(2, 180, 180)).astype(np.uint8)
    found = preprocess.resize_labels(stack, 128)
    reference = resize(
        stack[0], (128, 128), order=0, anti_aliasing=False, preserve_range=True
    ).astype(np.uint8)
    np.testing.assert_array_equal(found[0], reference)


def test_zscores_have_mean_zero_and_deviation_one_inside_and_zero_outside():
    rng = np.random.default_rng(2)
    brain = np.zeros((3, 40, 40), bool)
    brain[:, 5:35, 5:35] = True
    stack = np.where(brain, rng.normal(300, 50, brain.shape), 0)
    scale = preprocess.normalisation(stack[brain], method="mean_sd")
    found = preprocess.apply_zscore(stack, brain, scale, clip=(-5.0, 10.0))
    assert found[brain].mean() == pytest.approx(0, abs=1e-5)
    assert found[brain].std() == pytest.approx(1, abs=1e-5)
    assert not found[~brain].any()


def test_zscores_are_clipped():
    brain = np.ones((1, 2, 2), bool)
    stack = np.array([[[-100.0, 0.0], [1.0, 100.0]]])
    found = preprocess.apply_zscore(
        stack, brain, preprocess.Normalisation(0.0, 1.0), clip=(-5.0, 10.0)
    )
    assert found.ravel().tolist() == [-5, 0, 1, 10]


def test_median_and_mad_ignore_an_outlier():
    values = np.concatenate([np.random.default_rng(3).normal(5, 2, 20_000), [1e6]])
    found = preprocess.normalisation(values, method="median_mad")
    assert found.centre == pytest.approx(5, abs=0.05)
    assert found.spread == pytest.approx(2, abs=0.05)


def test_too_few_or_constant_values_are_refused():
    with pytest.raises(ValueError, match="Only 999 brain voxels, at least 1000"):
        preprocess.normalisation(np.arange(999.0), method="mean_sd")
    with pytest.raises(ValueError, match="do not vary: all are 3"):
        preprocess.normalisation(np.full(2000, 3.0), method="mean_sd")


@pytest.fixture
def patient():
    rng = np.random.default_rng(4)
    brain = np.zeros((3, 50, 50), bool)
    brain[:, 5:40, 5:40] = True
    brain[2] = False
    brain[2, :5, :5] = True  # too little for a scale of its own
    tumour = np.zeros_like(brain)
    tumour[:2, 10:20, 10:20] = True
    level = np.array([100.0, 300.0, 200.0])[:, None, None]
    stack = np.where(brain, rng.normal(level, 20, brain.shape) + 150 * tumour, 0)
    return stack, brain, tumour


@pytest.mark.parametrize("method", ["mean_sd", "median_mad"])
def test_a_scale_of_the_brain_is_one_of_its_values(patient, method):
    stack, brain, _ = patient
    expected = preprocess.normalisation(stack[brain], method=method)
    assert preprocess.scale_stack(*patient, method=method) == expected


def test_a_scale_of_the_image_counts_the_background(patient):
    stack, *_ = patient
    found = preprocess.scale_stack(*patient, method="image")
    assert found.centre == pytest.approx(stack.mean())
    assert found.spread == pytest.approx(stack.std())


def test_the_oracle_leaves_the_true_tumour_out(patient):
    stack, brain, tumour = patient
    found = preprocess.scale_stack(*patient, method="healthy_oracle")
    assert found.centre == pytest.approx(stack[brain & ~tumour].mean())
    assert found.centre < preprocess.scale_stack(*patient, method="mean_sd").centre


def test_each_slice_gets_its_own_scale_and_a_slice_with_little_brain_that_of_the_volume(patient):
    stack, brain, _ = patient
    scale = preprocess.scale_stack(*patient, method="slice")
    found = preprocess.apply_zscore(stack, brain, scale, clip=(-50.0, 50.0))
    for place in (0, 1):
        assert found[place][brain[place]].mean() == pytest.approx(0, abs=1e-5)
        assert found[place][brain[place]].std() == pytest.approx(1, abs=1e-5)
    whole = (stack[2] - stack[brain].mean()) / stack[brain].std()
    np.testing.assert_allclose(found[2], np.where(brain[2], whole, 0), rtol=1e-5, atol=1e-6)


def test_an_unknown_z_score_is_refused_with_those_there_are(patient):
    with pytest.raises(ValueError, match=r"no z-score 'rank'; choose from mean_sd, .*slice"):
        preprocess.scale_stack(*patient, method="rank")
