"""What the figure of the latent space shows."""

import numpy as np
import pandas as pd
from matplotlib.collections import PathCollection

from paperlib.evaluation.figures import latent
from paperlib.evaluation.networks.latent_space import PrincipalAxes

PLACES = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 5.0]])
AXES = PrincipalAxes(PLACES, np.array([0.6, 0.2]))
SLICES = pd.DataFrame(
    {"tumour": [True, True, False, False], "latent_distance": [4.0, 3.0, 2.0, 1.0],
     "z": [60, 90, 120, 150]}
)  # fmt: skip


def test_the_same_points_are_coloured_by_distance_and_by_height():
    figure = latent.plot_latent_space(AXES, SLICES, note="here")
    left, right = figure.axes[:2]
    for axis, column in ((left, "latent_distance"), (right, "z")):
        free, tumour = (c for c in axis.collections if isinstance(c, PathCollection))
        np.testing.assert_array_equal(free.get_offsets(), PLACES[2:])
        np.testing.assert_array_equal(tumour.get_offsets(), PLACES[:2])
        np.testing.assert_array_equal(tumour.get_array(), SLICES[column][:2])
        assert free.get_clim() == tumour.get_clim() == (SLICES[column].min(), SLICES[column].max())
    assert left.get_title(loc="left") == "latent distance"
    assert right.get_title(loc="left").endswith("correlation with the distance -1.00")
    assert left.get_xlabel() == "axis 1, 60% of the variance"
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["no tumour", "tumour"]
