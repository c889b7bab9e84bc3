"""One patient through an untrained pair: grids, gate, and what was not examined."""

import subprocess
import sys

import numpy as np
import pytest
from skimage.transform import resize

import paperlib
from paperlib.data import rules
from paperlib.pipeline.new_patients import one_patient

LOW, HIGH = 84, 96


@pytest.fixture
def found(make_model, volumes):
    return paperlib.segment(volumes["flair"], volumes["t1ce"], make_model(), gate=None)


def test_the_result_lies_on_the_patients_own_grid(found, volumes):
    assert found.segmentation.shape == found.examined.shape == (240, 240, 155)
    assert found.segmentation.dtype == np.uint8
    assert set(np.unique(found.segmentation)) == {0, 1, 2, 4}
    for residual in found.residuals.values():
        assert residual.shape == (240, 240, 155)
        assert residual.dtype == np.float32
        assert not residual[volumes["flair"] == 0].any()
    assert not found.segmentation[volumes["flair"] == 0].any()
    tumour = volumes["labels"][:, :, LOW:HIGH] > 0
    assert found.residuals["flair"][:, :, LOW:HIGH][tumour].mean() < -0.5


def test_label_maps_are_the_prepared_ones_enlarged_by_the_nearest_pixel(found, volumes):
    place = np.floor((np.arange(180) + 0.5) * 128 / 180).astype(int)
    for z in (LOW, 90):
        enlarged = found.prepared.segmentation[z][np.ix_(place, place)].T
        expected = np.zeros((240, 240), np.uint8)
        expected[30:210, 38:218] = enlarged
        expected[volumes["flair"][:, :, z] == 0] = 0
        np.testing.assert_array_equal(found.segmentation[:, :, z], expected)


def test_residual_volumes_are_the_prepared_ones_enlarged_linearly(found, volumes):
    for sequence in ("flair", "t1ce"):
        small = found.prepared.residuals[sequence][90]
        expected = np.zeros((240, 240))
        expected[30:210, 38:218] = resize(small.astype(float), (180, 180), order=1).T
        expected[volumes["flair"][:, :, 90] == 0] = 0
        np.testing.assert_allclose(found.residuals[sequence][:, :, 90], expected, atol=1e-4)


def test_slices_outside_the_range_have_no_score_and_no_volume(found):
    table = found.slices
    assert table["z"].tolist() == list(range(155))
    seen = (table["z"] >= LOW) & (table["z"] < HIGH)
    assert table["examined"].tolist() == seen.tolist()
    assert set(table.loc[~seen, "reason"]) == {"outside z = 84 to 95"}
    assert set(table.loc[seen, "reason"]) == {""}
    for column in ("mean_residual", "latent_distance", "WT_ml", "ET_ml"):
        assert table[column].notna().tolist() == seen.tolist()
    outside = ~seen.to_numpy()
    assert not found.segmentation[:, :, outside].any()
    assert not found.examined[:, :, outside].any()
    assert any("12 of 155 slices were examined (z = 84 to 95)" in note for note in found.notes)


def test_a_slice_with_too_little_brain_is_not_examined(make_model, volumes):
    images = {name: volumes[name].copy() for name in ("flair", "t1ce")}
    for image in images.values():
        image[:, :, 90] = 0
        image[100:130, 100:120, 90] = 50
    found = one_patient.segment(images["flair"], images["t1ce"], make_model(), gate=None)
    row = found.slices.iloc[90]
    assert not row["examined"]
    assert row["reason"] == "less than 5 % of the slice is brain"
    assert row["brain_px"] == pytest.approx(30 * 20 * (128 / 180) ** 2, rel=0.1)
    assert np.isnan(row["WT_ml"])
    assert not found.examined[:, :, 90].any()
    assert not found.residuals["flair"][:, :, 90].any()
    assert found.slices["examined"].sum() == HIGH - LOW - 1


def test_examined_is_the_brain_inside_the_window(found, volumes):
    expected = np.zeros((240, 240, 155), bool)
    expected[30:210, 38:218, LOW:HIGH] = volumes["flair"][30:210, 38:218, LOW:HIGH] > 0
    np.testing.assert_array_equal(found.examined, expected)


def test_volumes_are_voxels_times_their_size(make_model, volumes):
    images = volumes["flair"], volumes["t1ce"]
    found = one_patient.segment(*images, make_model(), gate=None, spacing_mm=(1.0, 1.0, 2.0))
    assert found.volumes_ml["WT"] == pytest.approx((found.segmentation > 0).sum() * 0.002)
    assert found.volumes_ml["ET"] == pytest.approx((found.segmentation == 4).sum() * 0.002)
    core = np.isin(found.segmentation[:, :, 90], (1, 4)).sum() * 0.002
    assert found.slices["TC_ml"][90] == pytest.approx(core)
    assert core > 0


def test_the_gate_empties_slices_at_or_below_its_threshold_and_no_others(
    found, make_model, volumes
):
    scores = found.slices["mean_residual"].dropna()
    limit = float(scores.sort_values().iloc[4])
    model = make_model("gated", thresholds={"mean_residual": {"max_healthy": limit}})
    gated = one_patient.segment(volumes["flair"], volumes["t1ce"], model)
    np.testing.assert_array_equal(gated.slices["mean_residual"], found.slices["mean_residual"])
    kept = (scores > limit).to_numpy()
    assert kept.sum() == 4  # the phantom is made of blocks of four slices
    assert gated.slices["flagged"][LOW:HIGH].tolist() == kept.tolist()
    assert gated.slices["flagged"].isna().sum() == 155 - len(scores)
    for z, stays in zip(range(LOW, HIGH), kept, strict=True):
        expected = found.segmentation[:, :, z] if stays else 0 * found.segmentation[:, :, z]
        np.testing.assert_array_equal(gated.segmentation[:, :, z], expected)
        assert expected.any() == stays
    assert any("8 examined slices were not flagged" in note for note in gated.notes)
    assert not any("not flagged" in note for note in found.notes)


def test_without_a_gate_no_slice_has_a_threshold_or_a_flag(found):
    assert found.slices["threshold"].isna().all()
    assert found.slices["flagged"].isna().all()


def test_another_reading_of_equation_1_can_be_asked_for(found, make_model, volumes):
    images, model = (volumes["flair"], volumes["t1ce"]), make_model("again")
    plain = one_patient.segment(*images, model, gate=None, reading="weights")
    same = one_patient.segment(*images, model, gate=None, reading="neighbourhood")
    np.testing.assert_array_equal(same.segmentation, found.segmentation)
    assert (plain.segmentation != found.segmentation).any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gate": "highest"}, "Unknown gate 'highest'; there are max_healthy, .*height"),
        ({"reading": "alpha"}, "Unknown reading 'alpha' of equation 1; there are both, neigh"),
    ],
)
def test_unknown_choices_are_refused(make_model, volumes, options, message):
    with pytest.raises(ValueError, match=message):
        one_patient.segment(volumes["flair"], volumes["t1ce"], make_model(), **options)


def test_arrays_that_break_the_rules_for_files_are_refused_with_all_reasons(make_model, volumes):
    wrong = volumes["flair"][:, :, :100].astype(float)
    negative = volumes["t1ce"][:, :, :100] - 5
    with pytest.raises(
        rules.UnusableError, match=r"(?s)flair: found shape 240x240x100.*t1ce: found neg"
    ):
        one_patient.segment(wrong, negative, make_model())


def test_a_range_without_brain_is_refused_with_its_slices(make_model, volumes):
    flair = volumes["flair"].copy()
    flair[:, :, LOW:HIGH] = 0
    with pytest.raises(ValueError, match=r"flair, slices 84 to 95: Only 0 brain voxels"):
        one_patient.segment(flair, volumes["t1ce"], make_model())


def test_slices_of_little_brain_only_are_refused(make_model, volumes):
    flair = volumes["flair"].copy()
    flair[:, :, LOW:HIGH] = 0
    flair[100:120, 100:130, LOW:HIGH] = volumes["flair"][100:120, 100:130, LOW:HIGH]
    with pytest.raises(ValueError, match=r"No slice from z = 84 to 95 is brain for at least 5 %"):
        one_patient.segment(flair, volumes["t1ce"], make_model())


def test_importing_the_package_takes_neither_torch_nor_numpy():
    code = "import sys, paperlib; print(sorted({'torch', 'numpy', 'numba'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert paperlib.segment is one_patient.segment
    with pytest.raises(AttributeError, match="no attribute 'segments'"):
        _ = paperlib.segments
