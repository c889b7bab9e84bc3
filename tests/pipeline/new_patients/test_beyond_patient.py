"""One patient beyond the paper: scores, the piece that is kept, and who is unlike the others."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.morphology import remove_small_objects

import paperlib
from paperlib.models import lesion_unet
from paperlib.pipeline.new_patients import beyond_patient
from paperlib.postprocessing import morphology, outline, regions, volume

LOW, HIGH = 84, 96


@pytest.fixture(scope="module")
def found(beyond_model, volumes):
    return beyond_patient.segment(
        volumes["flair"], volumes["t1ce"], beyond_model, method="clean-up"
    )


def _unlike(found):
    return [note for note in found.notes if "unlike those" in note]


def test_labels_are_the_outline_near_the_threshold_and_otsus_bright_part_of_it(found):
    patient = found.prepared.patient
    images = {name: image[LOW:HIGH] for name, image in patient.images.items()}
    brain = patient.brain[LOW:HIGH]
    start = volume.segment_smoothed(
        images["flair"], brain, threshold=1.0, spacing_mm=morphology.SPACING_MM
    )
    drawn = outline.clearest_outline(
        volume.smooth(images["flair"], brain, sigma_px=1.0), brain, start, threshold=1.0
    )
    t1ce = volume.smooth(images["t1ce"], brain, sigma_px=0.5)
    bright = drawn & (t1ce > max(0.8, threshold_otsu(t1ce[drawn])))
    bright = remove_small_objects(bright, max_size=19, connectivity=3)
    expected = regions.label_tissues(drawn, bright)
    assert set(np.unique(expected)) == {0, 1, 2, 4}
    np.testing.assert_array_equal(found.prepared.segmentation[LOW:HIGH], expected)
    assert not np.delete(found.prepared.segmentation, np.s_[LOW:HIGH], axis=0).any()


def test_scores_are_positive_where_tumour_may_be(found, volumes):
    assert list(found.maps) == ["score_tumour", "score_enhancing"]
    inside = volumes["labels"][:, :, LOW:HIGH] > 0
    brain = volumes["flair"][:, :, LOW:HIGH] > 0
    score = found.maps["score_tumour"][:, :, LOW:HIGH]
    assert score[inside].mean() > 0 > score[brain & ~inside].mean()
    assert found.maps["score_tumour"].dtype == np.float32
    for part in found.maps.values():
        assert part.shape == (240, 240, 155)
        assert not part[~found.examined].any()


def test_a_slice_is_flagged_where_the_tumour_that_was_kept_meets_it(make_beyond_model, volumes):
    flair = volumes["flair"].copy()
    upper = flair[:, :, 91:]
    upper[upper > 0] = np.median(flair[flair > 0])  # nothing bright is left there
    found = beyond_patient.segment(flair, volumes["t1ce"], make_beyond_model(), method="clean-up")
    table = found.slices
    area = (found.prepared.segmentation > 0).sum(axis=(1, 2))
    assert table["tumour_px"][LOW:HIGH].tolist() == area[LOW:HIGH].tolist()
    assert table["flagged"][LOW:HIGH].tolist() == (area[LOW:HIGH] > 0).tolist()
    assert 0 < (area[LOW:HIGH] > 0).sum() < HIGH - LOW
    outside = np.delete(np.arange(155), np.s_[LOW:HIGH])
    assert table["tumour_px"][outside].isna().all()
    assert table["flagged"][outside].isna().all()
    assert np.isnan(table["WT_ml"][10])


def test_what_was_not_kept_is_said_with_its_volume(found, beyond_model, volumes):
    flair = volumes["flair"].copy()
    grid = np.stack(np.mgrid[:240, :240, :155])
    centre = np.array([[90], [140], [90]])
    ball = np.linalg.norm(grid.reshape(3, -1) - centre, axis=0).reshape(flair.shape) < 4
    assert (volumes["flair"][ball] > 0).all()
    assert not volumes["labels"][ball].any()
    flair[ball] = flair.max()
    second = beyond_patient.segment(flair, volumes["t1ce"], beyond_model, method="clean-up")
    assert not second.segmentation[ball].any()
    assert second.maps["score_tumour"][90, 140, 90] > 0
    (note,) = (note for note in second.notes if "hold no label" in note)
    before = [note for note in found.notes if "hold no label" in note]
    dropped_ml = float(note.split(" ml of")[0]) - sum(float(n.split(" ml of")[0]) for n in before)
    assert dropped_ml == pytest.approx(ball.sum() / 1000, rel=0.8)  # smoothing widens its rim
    assert "the rule 'ball' names" in note


def test_networks_add_the_mean_of_their_logits(found, beyond_model, volumes):
    both = paperlib.segment_beyond(
        volumes["flair"], volumes["t1ce"], beyond_model, method="synthetic"
    )
    patient = both.prepared.patient
    stack = np.stack([patient.images[name][LOW:HIGH] for name in ("flair", "t1ce")], axis=1)
    logits = [
        lesion_unet.lesion_logits(lesion_unet.build_lesion_unet(seed=seed), stack)
        for seed in (0, 1)
    ]
    assert not np.allclose(*logits, atol=0.01)
    brain = patient.brain[LOW:HIGH]
    extra = volume.smooth((logits[0] + logits[1]) / 2, brain, sigma_px=1.0) / 8
    scores = [one.prepared.maps["score_tumour"][LOW:HIGH] for one in (both, found)]
    difference = np.where(brain, scores[0] - scores[1], 0)
    np.testing.assert_allclose(difference, np.where(brain, extra + 0.2, 0), atol=1e-3)
    assert both.used["thresholds_z"] == {"tumour": 0.8, "enhancing": 0.8}
    assert both.used["method"] == "synthetic"
    assert both.used["outline"] == "agreed"
    agreement = both.used["agreement_of_networks"]
    assert 0 <= agreement <= 1
    (note,) = (note for note in both.notes if "networks' own outlines" in note)
    assert f"a Dice of {agreement:.2f}" in note
    assert ("look closely" in note) == (agreement < beyond_patient.DOUBTFUL)


def test_one_network_says_nothing_of_agreement(found):
    assert found.used["agreement_of_networks"] is None
    assert not [note for note in found.notes if "networks' own outlines" in note]


def test_a_patient_like_the_others_gets_no_warning(found):
    assert not _unlike(found)
    assert found.used["unlike_training"] == []


def _bent(image):
    brain = image > 0
    values = image[brain].astype(float)
    bent = np.zeros(image.shape)
    bent[brain] = 1000 * (values / values.max()) ** 4 + 1
    return bent


def _inverted(image):
    return np.where(image > 0, image.max() + 1.0 - image, 0.0)


@pytest.mark.parametrize("method", ["clean-up", "synthetic"])
@pytest.mark.parametrize("change", [_bent, _inverted])
def test_another_curve_of_intensities_is_said(beyond_model, volumes, method, change):
    found = beyond_patient.segment(
        change(volumes["flair"]), volumes["t1ce"], beyond_model, method=method
    )
    (note,) = _unlike(found)
    assert "its result deserves less trust: " in note
    assert "FLAIR" in note
    assert "the training patients'" in note
    for one in found.used["unlike_training"]:
        assert not one["low"] <= one["value"] <= one["high"]


@pytest.mark.parametrize(
    ("low", "high", "what"),
    [
        ((0, 0, 0), (240, 240, 90), "examined slices: 6, "),
        ((0, 0, 0), (120, 240, 155), "share of brain in an examined slice: "),
    ],
)
def test_a_field_of_view_that_is_cut_is_said(beyond_model, volumes, low, high, what):
    part = tuple(slice(*ends) for ends in zip(low, high, strict=True))
    cut = {name: np.zeros_like(volumes[name]) for name in ("flair", "t1ce")}
    for name, image in cut.items():
        image[part] = volumes[name][part]
    found = beyond_patient.segment(cut["flair"], cut["t1ce"], beyond_model, method="clean-up")
    (note,) = _unlike(found)
    assert what in note


def test_nothing_bright_is_no_tumour_and_no_error(make_beyond_model, volumes):
    model = make_beyond_model(thresholds={"clean-up": 50.0, "synthetic": 50.0, "t1ce": 50.0})
    found = beyond_patient.segment(volumes["flair"], volumes["t1ce"], model, method="clean-up")
    assert not found.segmentation.any()
    assert not found.slices["flagged"][LOW:HIGH].any()
    assert found.volumes_ml["WT"] == 0


def test_an_unknown_method_is_refused(beyond_model, volumes):
    with pytest.raises(ValueError, match="Unknown method 'paper'; there are clean-up, synthetic"):
        beyond_patient.segment(volumes["flair"], volumes["t1ce"], beyond_model, method="paper")


def test_a_model_may_keep_every_piece(found, make_beyond_model, volumes):
    model = make_beyond_model(beyond={"clean_up_component": "all"})
    every = beyond_patient.segment(volumes["flair"], volumes["t1ce"], model, method="clean-up")
    pieces = ndimage.label(every.prepared.segmentation)[1]
    assert pieces > ndimage.label(found.prepared.segmentation)[1] == 1
    assert not [note for note in every.notes if "hold no label" in note]
