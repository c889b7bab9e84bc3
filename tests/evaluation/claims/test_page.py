"""The claims page: anchors, verdicts, links and what is said when there is nothing to say."""

import re

import numpy as np
import pytest
from claims_by_hand import make_claims_evidence

from paperlib.evaluation import tables
from paperlib.evaluation.claims import anchored_table, contrasts, numbers, page, sentences, unsaid
from paperlib.evaluation.claims.anchored_table import Group, Line
from paperlib.evaluation.claims.sentence import TABLE_3
from paperlib.evaluation.figures import claims as figures

DRAWS = tables.Draws(50, 0)
NETWORKS = {
    ("VAE", "SSIM"): [2, 4, 4, 6, 2, 8, 4, 6],
    ("dVAE", "SSIM"): [4, 5, 6, 9, 3, 9, 6, 10],
}
VERDICTS = "agrees|differs|undecided|not testable here|inside, but tuned"


@pytest.fixture(scope="module")
def cohorts():
    return [make_claims_evidence(NETWORKS, cohort=name) for name in ("real", "phantom")]


def seven(found, reading="neighbourhood"):
    return contrasts.evaluate_contrasts(found, reading=reading, draws=DRAWS)


def ids(shown):
    return re.findall(r' id="([^"]+)"', shown.html)


def test_cells_are_escaped_and_a_short_row_fills_the_table():
    shown = anchored_table.render(
        [Group("a < b", [Line(["x", "1 > 0"], "row"), Line(["all & all"])], "group")],
        heads=["one", "two"],
        caption="n = 3",
    )
    assert ids(shown) == ["group", "row"]
    assert "a &lt; b" in shown.html
    assert 'colspan="2" style' in shown.html
    assert shown.text == "n = 3\none | two\na < b\nx | 1 > 0\nall & all"


def test_a_link_names_page_and_anchor():
    html = anchored_table.linked(TABLE_3)
    assert html == '<a href="04_anomaly_scores.html#table-3-with-controls">Table 3</a>'


def test_each_number_of_table_2_has_an_anchor_and_three_verdicts(cohorts):
    ours, beside = (numbers.table_2_claims(one, draws=DRAWS) for one in cohorts)
    shown = page.show_table_2(ours, beside, note="here")
    rows = [name for name in ids(shown) if name.startswith("number-")]
    assert len(set(rows)) == len(rows) == 24
    assert "number-semantic-VAE-CE-MSE" in ids(shown)
    row = re.search(r'<tr id="number-outline-dVAE-SSIM">.*?</tr>', shown.html, re.S).group()
    assert len(re.findall(rf"<strong>({VERDICTS})</strong>", row)) == 3
    assert "0.410" in row
    assert "Data: here." in shown.html


def test_the_reason_of_a_reading_is_given_where_it_lies_below(cohorts):
    ours = numbers.table_2_claims(cohorts[0], draws=DRAWS)
    ours["verdict"], ours["value"] = "differs", 0.1
    below = page.show_table_2(ours, ours, note="").text
    assert "as printed (a · W): 24 of 24 differ, 24 of them from below. As printed" in below
    ours["value"] = 0.9
    above = page.show_table_2(ours, ours, note="").text
    assert "24 of 24 differ, 0 of them from below.\n" in above


def test_the_other_five_numbers_have_anchors(cohorts):
    both = [
        (numbers.table_3_claims(one, draws=DRAWS), numbers.gated_claims(one, draws=DRAWS))
        for one in cohorts
    ]
    shown = page.show_other_numbers(*both, note="here")
    assert len(set(ids(shown))) == 5
    assert "conventions can be the paper" in shown.text


def test_each_sentence_has_an_anchor_and_each_measurement_a_verdict(cohorts):
    table = sentences.evaluate_sentences(*cohorts, draws=DRAWS)
    shown = page.show_sentences(table, note="here")
    assert ids(shown) == [f"claim-{key}" for key in sentences.SENTENCES]
    assert shown.html.count("<strong>") == len(table)
    assert "undecided at n = 8" in shown.text or "undecided" not in set(table["verdict"])
    assert "0.835" in shown.text


def test_contrasts_have_anchors_and_say_when_the_test_is_weaker(cohorts):
    ours, beside = (seven(one) for one in cohorts)
    shown = page.show_contrasts(ours, beside, reading="both", note="here")
    assert ids(shown) == [f"contrast-{key}" for key in contrasts.CONTRASTS]
    assert shown.html.count('href="06_results.html#table-2-outline') == len(ids(shown)) - 1
    assert shown.html.count('href="06_results.html#fig-conventions"') == 1  # the gate's
    assert "as printed" in shown.text
    assert "By the interval" not in shown.text
    weak = ours.assign(holm=0.2)
    again = page.show_contrasts(weak, beside, reading="both", note="here").text
    assert "the corrected test has p = 0.20." in again


def test_patients_that_would_be_needed_stand_in_a_table_of_their_own(cohorts):
    ours = seven(cohorts[0])
    text = page.show_power(ours, note="here").text
    row = next(line for line in text.splitlines() if line.startswith("dVAE − VAE |"))
    assert row.split(" | ")[-1] == f"{ours.loc['dvae-vae', 'needed_0.01']:,.0f}"


def test_limits_are_said_from_the_numbers(cohorts):
    ours = numbers.table_2_claims(cohorts[0], draws=DRAWS)
    others = (
        numbers.table_3_claims(cohorts[0], draws=DRAWS),
        numbers.gated_claims(None, draws=DRAWS),
    )
    table = sentences.evaluate_sentences(*cohorts, draws=DRAWS)
    text = unsaid.show_limits(ours, others, table, seven(cohorts[0]).assign(holm=0.2)).text
    widths = ours.dropna(subset="value").eval("(high - low) / 2").max()
    assert f"from {np.ceil(8 * (widths / 0.05) ** 2):.0f} patients on" in text
    assert "There are 8 here; the paper tested 30." in text
    assert "Nothing is known of SSIM − MSE, mean over the models, dVAE − VAE-CE" in text
    assert "dVAE − VAE: the interval excludes zero, but as one of 2 contrasts" in text
    assert "Without a number here, in whole or in part: " in text
    assert "; The L1 loss is slightly worse than MSE; " in text


def test_without_a_run_the_page_says_that_nothing_is_concluded():
    ours = numbers.table_2_claims(None, draws=DRAWS)
    others = numbers.table_3_claims(None, draws=DRAWS), numbers.gated_claims(None, draws=DRAWS)
    table = sentences.evaluate_sentences(None, None, draws=DRAWS)
    text = unsaid.show_limits(ours, others, table, seven(None)).text
    assert "there is no run on real patients here" in text
    assert page.show_table_2(ours, ours, note="").html
    assert page.show_other_numbers(others, others, note="").html
    assert page.show_contrasts(seven(None), seven(None), reading="both", note="").html


def test_the_figure_draws_real_phantom_and_paper(cohorts):
    ours, beside = (seven(one) for one in cohorts)
    axis = figures.plot_contrasts(ours, beside, margin=0.03).axes[0]
    drawn = {line.get_label(): line.get_xdata() for line in axis.lines}
    np.testing.assert_allclose(drawn["real patients"], ours["value"])
    np.testing.assert_allclose(drawn["phantom"], beside["value"])
    np.testing.assert_allclose(drawn["paper"], ours["paper"])
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == [one.name for one in contrasts.CONTRASTS.values()]
    assert [text.get_text() for text in axis.texts] == ["no real run"] * 5
