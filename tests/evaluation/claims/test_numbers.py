"""Verdicts on the paper's 29 numbers: the rule on made-up intervals, claims on made-up runs."""

import pandas as pd
import pytest
from claims_by_hand import make_claims_evidence

from paperlib.evaluation import tables
from paperlib.evaluation.claims import numbers
from paperlib.evaluation.claims.contrasts import NOT_TESTABLE
from paperlib.evaluation.measures import statistics
from paperlib.evaluation.measures.statistics import Interval

DRAWS = tables.Draws(200, 0)
# Typed from the tables of the paper, as they are printed there.
TABLE_2 = {
    "VAE": (0.377, 0.409, 0.232, 0.253),
    "dVAE": (0.379, 0.410, 0.234, 0.260),
    "VAE1px": (0.371, 0.350, 0.221, 0.201),
    "VAE-CE": (0.383, 0.408, 0.236, 0.260),
    "AAE": (0.377, 0.370, 0.231, 0.216),
    "BiAAE": (0.383, 0.407, 0.235, 0.248),
}
COLUMNS = [("outline", "MSE"), ("outline", "SSIM"), ("semantic", "MSE"), ("semantic", "SSIM")]


def test_every_number_of_the_paper_is_a_claim_and_no_other():
    two = numbers.table_2_claims(None, draws=DRAWS)
    found = {(c["model"], c["target"], c["loss"]): c["paper"] for _, c in two.iterrows()}
    typed = {
        (model, *column): number
        for model, numbers in TABLE_2.items()
        for column, number in zip(COLUMNS, numbers, strict=True)
    }
    assert found == typed
    three = numbers.table_3_claims(None, draws=DRAWS)
    assert dict(zip(three["name"], three["paper"], strict=True)) == {
        "AUROC, mean residual": 0.835,
        "AUROC, latent distance": 0.471,
    }
    gated = numbers.gated_claims(None, draws=DRAWS)
    assert dict(zip(gated["name"], gated["paper"], strict=True)) == {
        "gated Dice, whole tumour": 0.64,
        "gated Dice, tumour core": 0.61,
        "gated Dice, enhancing tumour": 0.62,
    }
    everything = pd.concat([two, three, gated])
    assert len(everything) == everything["anchor"].nunique() == 29
    assert set(everything["verdict"]) == {NOT_TESTABLE}


@pytest.mark.parametrize(
    ("low", "high", "tuned", "verdict"),
    [
        (0.37, 0.45, False, statistics.AGREES),
        (0.37, 0.45, True, numbers.TUNED),
        (0.35, 0.45, False, statistics.UNDECIDED),
        (0.35, 0.45, True, statistics.UNDECIDED),
        (0.10, 0.35, False, statistics.DIFFERS),
        (0.10, 0.35, True, statistics.DIFFERS),
        (0.47, 0.60, True, statistics.DIFFERS),
    ],
)
def test_a_tuned_number_can_differ_but_not_agree(low, high, tuned, verdict):
    found = Interval((low + high) / 2, low, high, 36)
    assert numbers.judge_number(found, 0.41, tuned=tuned) == verdict


def around(value, half, patients=36):
    return Interval(value, value - half, value + half, patients)


def test_more_and_less_than_a_limit():
    assert numbers.judge_above(around(0.7, 0.1), limit=0.5) == numbers.HOLDS
    assert numbers.judge_above(around(0.55, 0.1), limit=0.5) == numbers.UNDECIDED
    assert numbers.judge_above(around(0.3, 0.1), limit=0.5) == numbers.FAILS
    assert numbers.judge_below(around(0.3, 0.1), limit=0.5) == numbers.HOLDS
    assert numbers.judge_below(around(0.55, 0.1), limit=0.5) == numbers.UNDECIDED
    assert numbers.judge_below(around(0.7, 0.1), limit=0.5) == numbers.FAILS
    assert numbers.judge_below(around(-0.2, 0.1), limit=0.0) == numbers.HOLDS


def test_near_zero_is_inside_its_margin():
    assert numbers.judge_near_zero(around(0.03, 0.05)) == numbers.HOLDS
    assert numbers.judge_near_zero(around(0.08, 0.05)) == numbers.UNDECIDED
    assert numbers.judge_near_zero(around(-0.2, 0.05)) == numbers.FAILS


def test_similar_or_better_is_either_of_them():
    assert numbers.judge_similar(around(0.0, 0.02), sign=1) == numbers.HOLDS
    assert numbers.judge_similar(around(0.08, 0.05), sign=1) == numbers.HOLDS
    assert numbers.judge_similar(around(0.08, 0.05), sign=-1) == numbers.FAILS
    assert numbers.judge_similar(around(0.03, 0.05), sign=-1) == numbers.UNDECIDED


def test_never_is_not_once():
    assert numbers.judge_never(around(0.0, 0.0)) == numbers.HOLDS
    assert numbers.judge_never(around(0.001, 0.0)) == numbers.FAILS


def test_a_convention_is_determined_where_all_verdicts_are_one():
    assert numbers.judge_conventions(["differs", "differs"]) == "differs"
    assert numbers.judge_conventions(["differs", "undecided"]) == numbers.NOT_DETERMINED
    assert numbers.judge_conventions([]) == numbers.NOT_DETERMINED


def test_an_interval_needs_patients_to_fit_into_the_margin():
    assert numbers.patients_for_margin(around(0.4, 0.1)) == 4 * 36
    needed = numbers.patients_for_margin(around(0.4, 0.07))
    root = (36 / needed) ** 0.5
    assert 0.07 * root <= numbers.VALUE_MARGIN < 0.07 * (36 / (needed - 1)) ** 0.5


def test_table_2_is_judged_for_every_reading():
    found = make_claims_evidence({("dVAE", "SSIM"): [8] * 6, ("VAE", "MSE"): [1] * 6})
    table = numbers.table_2_claims(found, draws=DRAWS)
    table = table.set_index(["target", "model", "loss", "reading"]).sort_index()
    assert len(table) == 24 * 3
    outline = table.loc["outline", "dVAE", "SSIM"]
    assert outline["value"].tolist() == pytest.approx([0.4] * 3)
    assert outline["verdict"].to_dict() == {
        "both": statistics.AGREES,
        "neighbourhood": numbers.TUNED,
        "weights": statistics.AGREES,
    }
    assert set(table.loc["outline", "VAE", "MSE"]["verdict"]) == {statistics.DIFFERS}
    # One of three tissues is found as often as the outline.
    assert table.loc["semantic", "dVAE", "SSIM"]["value"].tolist() == pytest.approx([0.4 / 3] * 3)
    assert set(table.loc["outline", "AAE", "SSIM"]["verdict"]) == {NOT_TESTABLE}
    assert set(table.loc["outline", "dVAE", "SSIM"]["n"]) == {6}


def test_a_row_with_fewer_patients_says_so():
    networks = {("dVAE", "SSIM"): [8] * 6, ("VAE", "SSIM"): [8] * 4}
    table = numbers.table_2_claims(make_claims_evidence(networks), draws=DRAWS)
    kept = table[table["value"].notna()].groupby("model")["n"].first()
    assert kept.to_dict() == {"dVAE": 6, "VAE": 4}


def test_simulated_patients_are_not_judged():
    found = make_claims_evidence({("dVAE", "SSIM"): [8] * 6}, cohort="phantom")
    for table in (
        numbers.table_2_claims(found, draws=DRAWS),
        numbers.table_3_claims(found, draws=DRAWS),
        numbers.gated_claims(found, draws=DRAWS),
    ):
        assert set(table["verdict"]) == {""}


def test_scores_are_judged_on_the_papers_network():
    found = make_claims_evidence({("dVAE", "SSIM"): [8] * 6})
    table = numbers.table_3_claims(found, draws=DRAWS).set_index("name")
    assert table["value"].tolist() == [1.0, 0.0]  # every tumour slice scores above, or below
    assert set(table["verdict"]) == {statistics.DIFFERS}
    other = make_claims_evidence({("VAE", "SSIM"): [8] * 6})
    assert set(numbers.table_3_claims(other, draws=DRAWS)["verdict"]) == {NOT_TESTABLE}


def test_section_5_3_is_judged_over_the_conventions_that_can_be_the_papers():
    found = make_claims_evidence({("dVAE", "SSIM"): [8] * 6}, wrong=3)
    line = numbers.gated_claims(found, draws=DRAWS).iloc[0]
    # All tumour slices are flagged: 0.8 there, and 0.9 where an emptied slice counts 1.
    assert (line["lowest"], line["highest"]) == pytest.approx((0.8, 0.9))
    assert line["verdict"] == statistics.DIFFERS
    assert line["admissible"] == 9  # a gate cannot raise the other two
    assert line["verdicts"] == "9 × differs"
    near = make_claims_evidence({("dVAE", "SSIM"): [6] * 6}, wrong=3)
    line = numbers.gated_claims(near, draws=DRAWS).iloc[0]
    assert line["verdict"] == numbers.NOT_DETERMINED
    assert "8 × inside, but tuned" in line["verdicts"]


def test_a_run_on_real_patients_is_judged_itself():
    real, phantom = (
        make_claims_evidence({("dVAE", "SSIM"): [8] * 6}, cohort=cohort)
        for cohort in ("real", "phantom")
    )
    smoke = make_claims_evidence({("VAE", "MSE"): [8] * 6}, cohort="phantom")
    own = make_claims_evidence({("dVAE", "SSIM"): [7] * 6})
    assert numbers.choose_cohorts(own, real=real, phantom=phantom) == (own, phantom)
    assert numbers.choose_cohorts(phantom, real=real, phantom=smoke) == (real, phantom)
    assert numbers.choose_cohorts(smoke, real=real, phantom=phantom) == (real, phantom)
    assert numbers.choose_cohorts(smoke, real=None, phantom=None) == (None, smoke)


def test_margins_are_those_fixed_in_the_design():
    assert (numbers.VALUE_MARGIN, numbers.NEAR_ZERO_MARGIN, numbers.MOSTLY) == (0.05, 0.1, 0.5)
