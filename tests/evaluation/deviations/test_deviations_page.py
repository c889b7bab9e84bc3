"""The deviations page: each choice once, its numbers with what they are, what is missing said."""

import re

import numpy as np
import pytest
from test_effects import DRAWS, NO_ROWS, a_row

from paperlib.evaluation.claims.answers import Absent
from paperlib.evaluation.claims.numbers import Cohorts
from paperlib.evaluation.deviations import deviation, effects, page
from paperlib.evaluation.deviations.effects import DEVIATIONS
from paperlib.evaluation.figures import deviations as figures
from paperlib.evaluation.measures.statistics import Interval


@pytest.fixture
def cohorts(a_cohort):
    return Cohorts(a_cohort("real"), a_cohort("phantom"))


@pytest.fixture
def measured(cohorts):
    found = effects.measure_effects(NO_ROWS, cohorts, draws=DRAWS)
    return found, effects.rank_deviations(found)


def ids(shown):
    return re.findall(r' id="deviation-([^"]+)"', shown.html)


def test_every_choice_stands_once_on_the_page_in_its_order(measured):
    found, order = measured
    first = page.show_measured(found, order, NO_ROWS, note="somewhere")
    second = page.show_unmeasured(found, order, NO_ROWS)
    assert ids(first) == order.measured
    assert ids(second) == [*order.waiting, *order.unmeasured]
    assert sorted(ids(first) + ids(second)) == sorted(DEVIATIONS)


def test_an_effect_says_of_what_from_whom_and_how_sure(measured):
    found, order = measured
    text = page.show_measured(found, order, NO_ROWS, note="somewhere").text
    assert "Dice of the outline, real, n = 4. slices with tumour only: +0.325 [" in text
    assert "AUROC, slices with tumour, phantom, n = 4." in text
    assert "Dice of the outline at a threshold, real, n = 4. stopped where it differs most along "\
        "the training: +0.200." in text  # fmt: skip
    assert "Data: somewhere." in text


def test_what_waits_names_its_rows_and_what_nobody_measured_says_so(measured):
    found, order = measured
    text = page.show_unmeasured(found, order, NO_ROWS).text
    assert "Not measured yet." in text
    assert "Rows not run yet: guard-5, guard-10." in text
    silent = [key for key in order.unmeasured if not DEVIATIONS[key].note]
    assert text.count("Effect. Not measured.") == len(silent) > 0
    assert "Effect. None: it is in no table." in text


def test_a_finished_row_moves_its_choice_up_with_its_verdict(cohorts):
    table = a_row("guard-5", -1.9, retrained=True, change="5 mm away")
    found = effects.measure_effects(table, cohorts, draws=DRAWS)
    order = effects.rank_deviations(found)
    assert order.measured[0] == "guard"
    text = page.show_measured(found, order, table, note="x").text
    assert "phantom, ablation, n = 20. 5 mm away: −1.900 [−1.910, −1.890]" in text
    assert "Rows not run yet: guard-10." in text


def test_texts_are_escaped_and_code_is_marked(measured):
    found, order = measured
    html = page.show_unmeasured(found, order, NO_ROWS).html
    assert "<code>SCAN_NOISE_SD</code>" in html
    assert "<code>z_low = 60</code>" in html
    assert "`" not in html.replace("`make ablations`", "")


def test_kinds_are_counted_and_the_tuned_one_is_linked():
    shown = page.show_kinds()
    assert 'href="#deviation-reading"' in shown.html
    for kind in deviation.KINDS:
        own = [one for one in DEVIATIONS.values() if one.kind == kind]
        assert f"{kind} | " in shown.text
        assert f" | {len(own)} | " in shown.text


def test_an_answer_is_one_line_whatever_it_is():
    assert page.describe(Interval(-0.1, -0.2, 0.0, 5)) == "−0.100 [−0.200,\u00a0+0.000], n = 5"
    assert page.describe(Interval(0.1, np.nan, np.nan, 5)) == "+0.100, n = 5"
    assert page.describe(Absent("not testable here", "No run.")) == "not testable here: No run."


@pytest.mark.parametrize(
    "show", [page.show_readings, page.show_clusters, page.show_latent_gates, page.show_ceilings]
)
def test_cohorts_stand_beside_each_other(show, cohorts):
    text = show(cohorts, note="from here").text
    assert "real" in text
    assert "phantom" in text
    assert "from here" in text
    assert "real" not in show(cohorts._replace(real=None), note="x").text.split("\n", 1)[1]
    assert "not in this copy" in show(Cohorts(None, None), note="x").text


def test_sizes_are_shown():
    assert "128 → 63 → 30*" in page.show_sizes().text
    assert "4 → 3 → 2" in page.show_latent_paths().text


def test_the_figure_has_a_line_for_each_measured_choice_in_their_order(measured):
    found, order = measured
    axis = figures.plot_effects(found, order, note="n").axes[0]
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert len(labels) == len(order.measured)
    for label, key in zip(labels, order.measured, strict=True):
        assert label.startswith(DEVIATIONS[key].title)
    points = [line.get_xdata()[0] for line in axis.lines if len(line.get_xdata()) == 1]
    assert np.allclose(np.abs(points), [effects.largest_effect(found, k) for k in order.measured])


def test_without_any_effect_the_figure_is_empty():
    found = effects.measure_effects(NO_ROWS, Cohorts(None, None), draws=DRAWS)
    assert figures.plot_effects(found, effects.rank_deviations(found)).axes == []
