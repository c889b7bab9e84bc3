"""Signs that need no truth against what only the truth says, by hand."""

import numpy as np
import pandas as pd
import pytest
from beyond_by_hand import make_beyond
from scipy import stats

from paperlib.evaluation.comparisons import doubt
from paperlib.evaluation.figures import doubt as figures
from paperlib.evaluation.tables import Draws

DRAWS = Draws(number=200)
FOCI = pd.Series([1, 1, 1, 1, 2, 2])
CASES = pd.DataFrame({"foci": FOCI, "WT_ml": 20.0, "TC_ml": 5.0})


def test_a_sign_that_orders_the_patients_correlates_with_their_dice():
    value, low, high = doubt.rank_correlation(make_beyond(), "networks", draws=DRAWS)
    # Two neighbours of six change places: 1 - 6 * 2 / (6 * 35).
    assert value == pytest.approx(1 - 12 / 210)
    assert low < value <= high <= 1
    assert doubt.rank_correlation(make_beyond(), "unlike", draws=DRAWS)[0] == pytest.approx(-1)


def test_a_sign_with_one_value_has_no_order():
    assert np.isnan(doubt.rank_correlation(make_beyond(), "methods", draws=DRAWS)[0])


def test_patients_without_a_dice_are_left_out():
    found = make_beyond()
    volumes = found.volumes.copy()
    volumes.loc[volumes["case"] == 0, "WT"] = np.nan
    table = doubt.by_patient(found)[1:]
    expected = stats.spearmanr(table["networks"], table["WT"]).statistic
    left = doubt.rank_correlation(found._replace(volumes=volumes), "networks", draws=DRAWS)
    assert left[0] == pytest.approx(expected)


def test_a_warning_is_counted_for_those_who_need_it_and_for_those_who_do_not():
    # Dice 0.9 to 0.4, of which 0.5 and 0.4 are poor; they agree with 0.6 and 0.5.
    everybody = {"poor": 2, "good": 4}
    strict = doubt.count_warnings(make_beyond(), limit=0.75)
    assert strict == everybody | {"poor, warned": 2, "good, warned": 1}
    loose = doubt.count_warnings(make_beyond(), limit=0.6)
    assert loose == everybody | {"poor, warned": 1, "good, warned": 0}


def test_volumes_without_a_tumour_are_flagged_by_the_radius_that_tumours_reach():
    found = make_beyond(free=(1, 5))
    flagged = doubt.flagged_without_tumour(found, "synthetic")
    assert flagged == {
        "radius": 5.0,  # the narrowest of 9, 7, 6, 5
        "volumes with tumour": 4,
        "of them flagged": 1.0,
        "volumes without": 2,
        "of those flagged": 0.5,  # 8 is, 4 is not
        "slices with tumour flagged": 1.0,
        "slices without flagged": pytest.approx(1 / 8),  # four of the ill, four of the free
    }
    with pytest.raises(ValueError, match="Every patient has a tumour"):
        doubt.flagged_without_tumour(make_beyond(), "synthetic")


def test_second_foci_are_counted_apart():
    table = doubt.foci_by_rule(make_beyond(), FOCI)
    assert list(table.index) == ["largest", "widest", "all wide"]
    assert table.loc["widest", "patients, more foci"] == 2
    assert table.loc["widest", "Dice, one focus"] == pytest.approx(0.75)
    assert table.loc["widest", "Dice, more foci"] == pytest.approx(0.45)
    assert table["share of these foci found"].to_list() == [0.5, 0.5, 0.75]


def test_the_page_shows_signs_worst_patients_foci_and_healthy_volumes():
    found = make_beyond(free=(1, 5))
    signs = figures.show_signs(make_beyond(), draws=DRAWS).text
    assert "0.94 [" in signs
    assert "the same for all" in signs
    foci = figures.show_foci(make_beyond(), cases=CASES).text
    assert "0.750" in foci
    healthy = figures.show_no_tumour(found).text
    assert "5.0 mm" in healthy
    assert "50 % of 2" in healthy
    axis = figures.plot_agreement({"real36": make_beyond(), "phantom": None}).axes[0]
    assert [line.get_label() for line in axis.lines] == ["real36"]


def test_without_rows_the_page_says_so():
    for shown in (
        figures.show_signs(None, draws=DRAWS),
        figures.plot_agreement({"real36": None}),
        figures.show_worst(None, cases=CASES),
        figures.show_worst(make_beyond(), cases=None),
        figures.show_no_tumour(None),
        figures.show_foci(None, cases=CASES),
    ):
        assert "make beyond" in shown.text
