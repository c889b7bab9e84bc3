"""Layers of the slice viewer: numbers of colours, by hand."""

import numpy as np

from paperlib.evaluation.figures import sheets, slices, style

RED_AND_BLUE = {1: (103, 0, 31), 255: (5, 48, 97)}  # the ends of RdBu


def stack(*values):
    return np.array(values, np.float32).reshape(1, 1, -1)


def test_an_image_runs_from_black_to_white_over_its_window_and_background_is_transparent():
    low, high = slices.FLAIR_WINDOW
    middle = (low + high) / 2
    images = stack(low - 1, low, middle, high, high + 1, middle)
    brain = np.array([[[True, True, True, True, True, False]]])
    layer = sheets.image_layer(images, brain, slices.FLAIR_WINDOW)
    assert layer.numbers[0, 0].tolist() == [1, 1, 128, 255, 255, 0]
    assert layer.palette[[0, 1, 128, 255]].tolist() == [
        [0, 0, 0, 0],
        [0, 0, 0, 255],
        [128, 128, 128, 255],
        [255, 255, 255, 255],
    ]


def test_a_residual_is_red_where_it_is_low_and_has_one_colour_for_zero():
    residual = stack(-9, -3, -1.2, 0, 3, 0)
    brain = np.array([[[True, True, True, True, True, False]]])
    layer = sheets.residual_layer(residual, brain)
    assert layer.numbers[0, 0].tolist() == [1, 1, 77, 128, 255, 0]
    assert {number: tuple(layer.palette[number, :3]) for number in (1, 255)} == RED_AND_BLUE
    assert layer.palette[128, :3].min() > 240


def test_tissues_have_the_colours_of_the_figures_and_their_codes_as_numbers():
    labels = np.array([[[0, 1, 2, 4]]], np.uint8)
    layer = sheets.label_layer(labels)
    assert layer.numbers is labels
    shown = {code: "#" + bytes(layer.palette[code, :3]).hex().upper() for code in (1, 2, 4)}
    colours = style.TISSUE_COLOURS
    assert shown == {1: colours["NCR"], 2: colours["ED"], 4: colours["ET"]}
    assert layer.palette[:, 3].tolist() == [0, 255, 255, 0, 255]  # 3 is no BraTS code


def test_a_slice_has_its_place_on_the_sheet():
    numbers = np.arange(12, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 3), np.uint8)
    sheet = sheets.tile(numbers)
    assert sheet.shape == (4, 30)
    assert sheet[0, ::3].tolist() == list(range(10))
    assert sheet[3, 5] == 11
    assert not sheet[2:, 6:].any()
