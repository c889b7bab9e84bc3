"""The neighbour table, counted by hand."""

import numpy as np
import pytest

from paperlib.postprocessing.neighbours import neighbour_table


def shape(text):
    return np.array([[c == "#" for c in row] for row in text.split()])


def test_rim_pixels_count_only_their_neighbours_inside_the_brain():
    table = neighbour_table(shape("###.. ###.. ##..#"))
    np.testing.assert_array_equal(table.pixels, [0, 1, 2, 5, 6, 7, 10, 11, 14])
    np.testing.assert_array_equal(table.counts, [3, 5, 3, 5, 7, 4, 3, 4, 0])


def test_four_neighbours_share_an_edge():
    table = neighbour_table(shape("###.. ###.. ##..#"), neighbours=4)
    np.testing.assert_array_equal(table.counts, [2, 3, 2, 3, 4, 2, 2, 2, 0])


def test_the_neighbours_listed_are_the_pixels_around():
    brain = np.random.default_rng(0).random((9, 7)) > 0.4
    table = neighbour_table(brain)
    rows, columns = np.divmod(table.pixels, 7)
    for pixel in range(table.pixels.size):
        apart = np.maximum(abs(rows - rows[pixel]), abs(columns - columns[pixel]))
        listed = table.neighbours[pixel]
        inside = listed[listed < table.pixels.size]
        np.testing.assert_array_equal(np.sort(inside), np.flatnonzero(apart == 1))
        assert inside.size == table.counts[pixel]


def test_an_empty_brain_has_an_empty_table():
    assert neighbour_table(np.zeros((3, 3), bool)).neighbours.shape == (0, 8)


def test_other_neighbourhoods_are_refused():
    with pytest.raises(ValueError, match="neighbours is 6; a pixel has 4 or 8"):
        neighbour_table(np.ones((3, 3), bool), neighbours=6)
