import numpy as np
import pytest

from paperlib.evaluation.figures import slices, style
from paperlib.evaluation.figures.slices import Panel

IMAGE = np.array([[0.0, 1.0], [2.0, -1.0]])


def pictures(figure):
    return [axis.images[0] for axis in figure.axes if axis.images]


def test_a_grid_has_one_picture_a_panel_and_leaves_missing_places_empty():
    panel = Panel(IMAGE, "flair", "FLAIR")
    figure = slices.show_grid([[panel, panel, panel], [panel]], row_titles=["a", "b"])
    assert len(pictures(figure)) == 4
    assert [axis.get_ylabel() for axis in figure.axes if axis.get_ylabel()] == ["a", "b"]
    assert [axis.axison for axis in figure.axes] == [True] * 4 + [False] * 2
    assert [axis.get_title() for axis in figure.axes[:3]] == ["FLAIR"] * 3


def test_the_background_of_an_image_is_black_and_the_window_is_the_same_for_all():
    figure = slices.show_grid([[Panel(IMAGE, "flair"), Panel(IMAGE + 1, "flair")]])
    first, second = pictures(figure)
    assert first.get_array()[0, 0] == slices.FLAIR_WINDOW[0]
    assert first.get_array()[0, 1] == 1.0
    assert first.get_clim() == second.get_clim() == slices.FLAIR_WINDOW


def test_residuals_share_one_scale_centred_at_zero_and_negative_ones_are_red():
    figure = slices.show_grid([[Panel(IMAGE, "residual"), Panel(9 * IMAGE, "residual")]])
    limit = slices.RESIDUAL_LIMIT
    assert [picture.get_clim() for picture in pictures(figure)] == [(-limit, limit)] * 2
    red, _, blue, _ = pictures(figure)[0].to_rgba(np.array([-limit]))[0]
    assert red > blue
    assert any("minus image" in axis.get_xlabel() for axis in figure.axes)


def test_labels_have_the_colours_of_their_tissues_and_a_legend():
    labels = np.array([[0, 1], [2, 4]], np.uint8)
    figure = slices.show_grid([[Panel(labels, "labels")]])
    shown = np.asarray(pictures(figure)[0].get_array())
    assert not shown[0, 0].any()
    np.testing.assert_allclose(shown[0, 1], [0xD5 / 255, 0x5E / 255, 0], atol=1e-9)
    np.testing.assert_allclose(shown[1, 0], [0x56 / 255, 0xB4 / 255, 0xE9 / 255], atol=1e-9)
    np.testing.assert_allclose(shown[1, 1], [0xF0 / 255, 0xE4 / 255, 0x42 / 255], atol=1e-9)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["necrotic and non-enhancing core", "edema", "enhancing tumour"]


def test_a_grid_without_labels_or_residuals_has_neither_legend_nor_scale():
    figure = slices.show_grid([[Panel(IMAGE, "t1ce"), Panel(IMAGE > 0, "mask")]])
    assert not figure.legends
    assert len(figure.axes) == 2


def test_an_outline_is_drawn_and_an_empty_one_is_not():
    inside = np.zeros((8, 8), bool)
    inside[2:5, 2:5] = True
    image = np.ones((8, 8))
    drawn, empty = Panel(image, "flair", "", inside), Panel(image, "flair", "", ~(inside | True))
    figure = slices.show_grid([[drawn, empty]])
    assert [len(axis.collections) for axis in figure.axes] == [1, 0]


def test_the_note_stands_under_the_figure():
    figure = slices.show_grid([[Panel(IMAGE, "flair")]], note="phantom, seed 0")
    assert figure.get_supxlabel() == "phantom, seed 0"


def test_a_figure_shows_itself_as_png():
    figure = slices.show_grid([[Panel(IMAGE, "flair")]])
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_the_same_figure_twice_is_the_same_file():
    first, second = (slices.show_grid([[Panel(IMAGE, "residual")]])._repr_png_() for _ in range(2))
    assert first == second


def test_a_long_note_is_broken_and_makes_the_figure_higher():
    note = "word " * 60
    figure = style.new_figure(2.0, note=note)
    assert figure.get_supxlabel().count("\n") == 2
    assert style.note_height_in(note) > style.note_height_in("word")


def test_outside_the_brain_an_image_becomes_background():
    brain = np.array([[True, False], [True, True]])
    shown = slices.background_black(np.full((2, 2), 5.0), brain)
    assert shown.tolist() == [[5.0, 0.0], [5.0, 5.0]]


def test_an_unknown_kind_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'t2' is unknown; expected flair, t1ce"):
        slices.show_grid([[Panel(IMAGE, "t2")]])


def test_row_titles_must_match_the_rows():
    with pytest.raises(ValueError, match="2 row titles for 1 rows"):
        slices.show_grid([[Panel(IMAGE, "flair")]], row_titles=["a", "b"])


def test_an_empty_grid_is_refused():
    with pytest.raises(ValueError, match="no panel to show"):
        slices.show_grid([[]])


def test_a_place_may_stay_empty_in_the_middle_of_a_row():
    panel = Panel(IMAGE, "flair", "a")
    figure = slices.show_grid([[panel, None, panel], [None, None, panel]])
    assert [bool(axis.images) for axis in figure.axes] == [True, False, True, False, False, True]
    with pytest.raises(ValueError, match="no panel to show"):
        slices.show_grid([[None]])
