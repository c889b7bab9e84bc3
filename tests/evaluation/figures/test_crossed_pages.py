"""What a page says of a crossed table, and in place of one."""

import pandas as pd
import pytest

from paperlib.evaluation.comparisons.crossed import POSTPROCESSINGS, Crossed
from paperlib.evaluation.figures import crossed_pages
from paperlib.evaluation.tables import Draws

DRAWS = Draws(20, 0)
TRUTH = pd.DataFrame(
    {"case": [1, 1, 2], "z": [70, 71, 70], "fold": 0, "WT_truth": [10, 0, 20]}
    | {"TC_truth": [4, 0, 0], "ET_truth": [4, 0, 2]}
)


def counts(predicted, overlap, names):
    parts = {f"{name}_predicted": predicted for name in names}
    return TRUTH.assign(**parts, **{f"{name}_overlap": overlap for name in names})


FOUND = Crossed(
    {
        "VAE-MSE-s0": counts([10, 0, 20], [10, 0, 20], POSTPROCESSINGS),
        "B3": counts([10, 0, 20], [5, 0, 10], POSTPROCESSINGS),
    },
    pd.DataFrame({"case": [1, 1], "ap": [0.5, 0.4], "method": ["VAE-MSE-s0", "B3"]}),
    counts([10, 5, 20], [10, 0, 10], ("WT", "TC", "ET")),
    [
        {
            "components": {"16": 16, "64": 40},
            "explained": [0.02 * (n + 1) for n in range(40)],
            "norm_reach": {"70": 1, "71": 3},
            "component_slices": 80,
            "healthy_validation_slices": 30,
            "training_patients": 22,
            "unets": {"supervised": {"parameters": 163588, "settings": {"slice_steps": 10000}}},
        }
    ],
    {},
)
SHOW = {
    "table": crossed_pages.show_table,
    "gain": lambda found: crossed_pages.show_gain(found, "others", draws=DRAWS),
    "components": crossed_pages.show_components,
    "supervised": lambda found: crossed_pages.show_supervised(found, draws=DRAWS),
}


@pytest.mark.parametrize("name", SHOW)
def test_a_copy_without_the_table_says_so_and_how_to_make_it(name):
    text = SHOW[name](None).text
    assert "no crossed table of these patients. `make ablations` makes that of the" in text


def test_the_note_names_patients_slices_and_the_healthy_ones():
    assert crossed_pages.describe(FOUND) == (
        "n = 2 test patients, 3 slices, 1 tumour-free; 1 fold; thresholds from 30 healthy slices"
    )


def test_the_gain_is_shown_with_its_sign_and_not_for_the_image_itself():
    text = SHOW["gain"](FOUND).text
    network, image = (line for line in text.splitlines() if line.startswith(("VAE", "none")))
    assert "0.67 [" in network
    assert "+0.33 [" in network
    assert image.rstrip().endswith("–")
    assert "labels of the others" in text


def test_components_are_those_that_were_had():
    text = SHOW["components"](FOUND).text
    assert "64 wished for         40               80 %" in text
    assert "up to 2 (median) and 3 (at most) slices away" in text


def test_the_supervised_network_stands_beside_the_published_range():
    text = SHOW["supervised"](FOUND).text
    whole = next(line for line in text.splitlines() if line.startswith("whole tumour"))
    assert "0.50 [" in whole
    assert "0.67" in whole
    assert "0.75 to 0.90" in whole
    assert "163,588 weights, trained with the labels of 22 patients for 10,000" in text


def test_networks_are_counted_by_the_interval_of_their_difference_to_the_plain_image():
    above = crossed_pages.say_gain(FOUND, "others", draws=DRAWS)
    assert "Of 1 networks 0 are below the plain image by an interval without zero, 1 above" in above
    assert "The best, VAE-MSE-s0, has 0.67: +0.33 [+0.25, +0.50]." in above
    ours, plain = FOUND.counts["VAE-MSE-s0"], FOUND.counts["B3"]
    worse = FOUND._replace(counts={"VAE-MSE-s0": plain, "AAE-MSE-s0": ours, "B3": ours})
    below = crossed_pages.say_gain(worse, "others", draws=DRAWS)
    assert "Of 2 networks 1 are below the plain image by an interval without zero, 0 above" in below
    assert ", 1 neither. The best, AAE-MSE-s0, has 0.67: +0.00" in below
    assert "no crossed table" in crossed_pages.say_gain(None, "others", draws=DRAWS)
