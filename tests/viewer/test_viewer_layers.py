"""The layers of the slice viewer in a real browser, against the arrays of the run."""

import numpy as np
import test_browser
from selenium.webdriver import Keys

from paperlib.evaluation.figures import sheets, slices, style

pytestmark = test_browser.pytestmark  # long, and only with a browser


def colours(layer, place):
    return layer.palette[layer.numbers[place]][..., :3].astype(int)


def grey(volume, sequence, place):
    window = {"flair": slices.FLAIR_WINDOW, "t1ce": slices.T1CE_WINDOW}[sequence]
    return colours(sheets.image_layer(volume.images[sequence], volume.brain, window), place)


def residual(volume, sequence, place):
    brain = volume.brain & volume.examined[:, None, None]
    return colours(sheets.residual_layer(volume.residuals[sequence], brain), place)


def test_it_opens_where_the_tumour_is_largest_and_the_arrow_keys_move_on(page, shown):
    volume = shown.volumes[shown.first]
    largest = ((volume.labels > 0) & volume.brain).sum(axis=(1, 2))[:-1].argmax()
    assert page.z == volume.z[largest]
    page.only("flair")
    np.testing.assert_array_equal(page.pixels(), grey(volume, "flair", largest))
    slider = page.find("#viewer-z")
    slider.send_keys(Keys.ARROW_RIGHT)
    slider.send_keys(Keys.ARROW_RIGHT)
    assert page.z == volume.z[largest] + 2
    np.testing.assert_array_equal(page.pixels(), grey(volume, "flair", largest + 2))
    page.find("[data-step='-1']").click()
    assert page.z == volume.z[largest] + 1
    np.testing.assert_array_equal(page.pixels(), grey(volume, "flair", largest + 1))
    assert page.find(".viewer-where").text == f"{volume.z[largest] + 1}, examined"


def test_every_layer_shows_its_array(page, shown):
    volume = shown.volumes[shown.first]
    for place in (0, 11, 20):  # in all three rows of the sheet
        page.slide("#viewer-z", int(volume.z[place]))
        for sequence in ("flair", "t1ce"):
            page.only(sequence)
            np.testing.assert_array_equal(page.pixels(), grey(volume, sequence, place))
            page.only(f"residual_{sequence}")
            np.testing.assert_array_equal(page.pixels(), residual(volume, sequence, place))
        page.only("prediction")
        page.slide("[data-opacity=prediction]", 100)
        expected = colours(sheets.label_layer(volume.segmentation), place)
        np.testing.assert_array_equal(page.pixels(), expected)


def test_the_truth_is_an_outline_in_the_colours_of_the_tissues(page, shown):
    volume = shown.volumes[shown.first]
    place = page.z - int(volume.z[0])
    page.only("truth")
    codes = volume.labels[place]
    expected = colours(sheets.label_layer(volume.labels), place)
    drawn = page.canvas().astype(int)
    left = (codes > 0) & (codes != np.pad(codes, ((0, 0), (1, 0)))[:, :-1])
    upper = (codes > 0) & (codes != np.pad(codes, ((1, 0), (0, 0)))[:-1])
    np.testing.assert_array_equal(drawn[2::4, ::4][left], expected[left])
    np.testing.assert_array_equal(drawn[::4, 2::4][upper], expected[upper])
    inner = np.ones_like(codes, bool)
    for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
        inner &= codes == np.roll(codes, step, axis)
    inner[[0, -1]] = inner[:, [0, -1]] = False
    assert inner[codes > 0].any()
    assert not drawn[2::4, 2::4][inner].any()
    assert not drawn[1::4, 1::4][codes == 0].any()
    names = {
        f"#{bytes(rgb.tolist()).hex()}".upper() for rgb in np.unique(drawn[2::4, ::4][left], axis=0)
    }
    assert names <= set(style.TISSUE_COLOURS.values())


def test_opacity_mixes_a_layer_with_those_below(page, shown):
    volume = shown.volumes[shown.first]
    place = page.z - int(volume.z[0])
    page.only("flair", "residual_flair")
    inside = volume.brain[place]
    below, above = grey(volume, "flair", place), residual(volume, "flair", place)
    for percent in (0, 25, 80, 100):
        page.slide("[data-opacity=residual_flair]", percent)
        mixed = below + (above - below) * percent / 100
        np.testing.assert_allclose(page.pixels()[inside], mixed[inside], atol=2)


def test_another_patient_is_shown_at_the_same_height(page, shown):
    from_, to = shown.volumes[shown.first], shown.volumes[shown.second]
    page.only("flair")
    page.slide("#viewer-z", 95)
    page.choose("#viewer-case", f"case-{shown.second}.js")
    assert page.z == 95
    place = 95 - int(to.z[0])
    np.testing.assert_array_equal(page.pixels(), grey(to, "flair", place))
    page.choose("#viewer-case", f"case-{shown.first}.js")
    np.testing.assert_array_equal(page.pixels(), grey(from_, "flair", place))


def test_a_slice_that_nobody_examined_says_so_and_has_no_prediction(page, shown):
    volume = shown.volumes[shown.first]
    page.slide("#viewer-z", int(volume.z[-1]))
    pixels = int(volume.brain[-1].sum())
    assert f"was not examined: only {pixels} pixels of brain" in page.said
    assert "not mean that there is no tumour" in page.said
    assert page.row("WT") == ["", "", "", ""]
    page.only("prediction", "residual_flair", "residual_t1ce")
    assert not page.pixels().any()
    page.only("flair")
    np.testing.assert_array_equal(page.pixels(), grey(volume, "flair", -1))
