"""One slice of a finished run, against the arrays it comes from."""

import numpy as np
import pytest

from paperlib import artifacts
from paperlib.pipeline.method import patients, segments
from paperlib.pipeline.pages import slice_view

PAIR = "VAE-MSE-f0-s0"


def test_a_slice_is_what_the_stages_stored(mini_run):
    table = patients.load_slices(mini_run)
    case = patients.load_fold(mini_run, 0).test[0]
    place = int(patients.usable_of(table, [case])[3])
    view = slice_view.load_slice(mini_run, PAIR, case, int(table["z"][place]))

    prepared = mini_run.stage("prepare")
    for sequence, image in view.images.items():
        expected = artifacts.load_array(prepared, sequence)[place]
        np.testing.assert_array_equal(image, expected)
        network = next(n for n in mini_run.networks() if n.sequence == sequence)
        residual = segments.load_residual(mini_run, network).of(np.array([place]))[0]
        np.testing.assert_array_equal(view.residuals[sequence][view.brain], residual[view.brain])
        assert not view.residuals[sequence][~view.brain].any()
    np.testing.assert_array_equal(view.labels, artifacts.load_array(prepared, "labels")[place])
    segmented = mini_run.stage(f"segments/{PAIR}")
    row = list(artifacts.load_array(segmented, "place")).index(place)
    stored = artifacts.load_array(segmented, "segmentation")[row]
    np.testing.assert_array_equal(view.segmentation, stored)
    assert set(view.images) == set(view.residuals) == {"flair", "t1ce"}


def test_an_unknown_pair_names_those_of_the_run(mini_run):
    with pytest.raises(ValueError, match=r"no pair 'dVAE-MSE-f0-s0'; its pairs are VAE-MSE-f0-s0"):
        slice_view.load_slice(mini_run, "dVAE-MSE-f0-s0", 0, 90)


def test_a_slice_of_a_training_patient_is_refused(mini_run):
    case = patients.load_fold(mini_run, 0).training[0]
    with pytest.raises(ValueError, match=rf"has not segmented slice 100 of patient {case}"):
        slice_view.load_slice(mini_run, PAIR, case, 100)
