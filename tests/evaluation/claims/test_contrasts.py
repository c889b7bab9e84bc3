"""The seven contrasts: differences by hand, SciPy's test, and verdicts of made-up intervals."""

import numpy as np
import pytest
from claims_by_hand import make_claims_evidence
from scipy import stats

from paperlib.evaluation import paper, tables
from paperlib.evaluation.claims import contrasts
from paperlib.evaluation.measures import statistics
from paperlib.evaluation.measures.statistics import Interval

DRAWS = tables.Draws(200, 0)
VAE = [2, 4, 4, 6, 2, 8, 4, 6]
DVAE = [4, 5, 6, 9, 3, 9, 6, 10]
BOTH = {("VAE", "SSIM"): VAE, ("dVAE", "SSIM"): DVAE}


def evaluate(networks, *, reading="neighbourhood", **options):
    found = make_claims_evidence(networks, **options)
    return contrasts.evaluate_contrasts(found, reading=reading, draws=DRAWS)


def test_there_are_seven_named_as_in_the_design():
    assert list(contrasts.CONTRASTS) == [
        "ssim-mse",
        "dvae-vae",
        "dvae-vaece",
        "aae-vae",
        "biaae-vae",
        "vae1px-vae",
        "gate",
    ]


@pytest.mark.parametrize("key", [key for key in contrasts.CONTRASTS if key != "gate"])
def test_the_sign_is_that_of_the_papers_table(key):
    one = contrasts.CONTRASTS[key]
    assert np.sign(contrasts.papers_difference(one.pairs)) == one.sign


def test_the_papers_difference_is_read_from_table_2():
    pairs = contrasts.CONTRASTS["aae-vae"].pairs
    assert contrasts.papers_difference(pairs) == pytest.approx(0.370 - 0.409)
    semantic = contrasts.papers_difference(pairs, target=tables.SEMANTIC)
    assert semantic == pytest.approx(0.216 - 0.253)
    assert np.isnan(contrasts.papers_difference(((("VAE", "L1"), ("VAE", "MSE")),)))


def test_a_difference_is_paired_by_patient():
    line = evaluate(BOTH).loc["dvae-vae"]
    each = (np.array(DVAE) - VAE) / 20
    assert line["value"] == pytest.approx(each.mean())
    assert line["sd"] == pytest.approx(np.std(each, ddof=1))
    assert line["p"] == pytest.approx(stats.wilcoxon(each).pvalue)
    assert line["n"] == len(VAE)
    assert line["low"] < line["value"] < line["high"]
    assert line["verdict"] == statistics.PAPERS_SIGN
    swapped = {("VAE", "SSIM"): DVAE, ("dVAE", "SSIM"): VAE}
    assert evaluate(swapped).loc["dvae-vae", "verdict"] == statistics.OTHER_SIGN


def test_patients_needed_follow_from_the_spread():
    line = evaluate(BOTH).loc["dvae-vae"]
    reach = 1.959964 + 0.841621  # of 5 % two-sided and a power of 80 %
    for column, effect in (("needed", line["value"]), ("needed_0.03", 0.03), ("needed_0.01", 0.01)):
        assert line[column] == np.ceil((reach * line["sd"] / effect) ** 2)


def test_the_smallest_p_is_that_of_the_patients_who_differ():
    half = [2, 4, 4, 6, 3, 9, 6, 10]  # equal in the first four
    line = evaluate({("VAE", "SSIM"): VAE, ("dVAE", "SSIM"): half}).loc["dvae-vae"]
    assert line["smallest_p"] == 2 * 0.5**4
    assert line["p"] >= line["smallest_p"]


def test_equal_networks_need_no_number_of_patients():
    line = evaluate({("VAE", "SSIM"): VAE, ("dVAE", "SSIM"): VAE}).loc["dvae-vae"]
    assert (line["value"], line["p"], line["smallest_p"]) == (0, 1, 1)
    assert np.isnan(line["needed"])
    assert line["verdict"] == statistics.UNDECIDED


def test_only_those_that_can_be_tested_are_corrected_for():
    table = evaluate(BOTH)
    tested = table[table["p"].notna()]
    assert list(tested.index) == ["dvae-vae", "gate"]
    small, large = sorted(tested["p"])
    assert sorted(tested["holm"]) == pytest.approx([2 * small, max(2 * small, large)])


def test_a_network_that_is_missing_makes_a_contrast_not_testable():
    line = evaluate(BOTH).loc["dvae-vaece"]
    assert line["verdict"] == contrasts.NOT_TESTABLE
    assert line["missing"] == "VAE-CE-SSIM"
    assert line["paper"] == pytest.approx(0.002)
    assert np.isnan(line["value"])


def test_a_network_that_some_patients_have_not_tested_is_no_comparison():
    line = evaluate(BOTH | {("AAE", "SSIM"): VAE[:3]}).loc["aae-vae"]
    assert line["verdict"] == contrasts.NOT_TESTABLE
    assert line["missing"] == "AAE-SSIM (3 of 8 patients)"


def test_losses_are_compared_over_the_models_that_have_both():
    mse = {("VAE", "MSE"): [v - 1 for v in VAE], ("dVAE", "MSE"): [v - 3 for v in DVAE]}
    line = evaluate(BOTH | mse | {("AAE", "SSIM"): VAE}).loc["ssim-mse"]
    assert line["value"] == pytest.approx((1 + 3) / 2 / 20)
    assert line["compared"] == "VAE, dVAE"
    assert line["paper"] == pytest.approx((0.409 - 0.377 + 0.410 - 0.379) / 2)
    assert "AAE-MSE" in line["missing"]
    assert "dVAE-MSE" not in line["missing"]


def test_the_gate_is_judged_where_an_empty_pair_counts_one():
    line = evaluate(BOTH, wrong=5).loc["gate"]
    # Every tumour slice is flagged, every tumour-free one emptied: 0 becomes 1 in half of them.
    assert line["value"] == pytest.approx(0.5)
    assert line["verdict"] == statistics.PAPERS_SIGN
    assert np.isnan(line["paper"])
    assert evaluate(BOTH, wrong=0).loc["gate", "value"] == 0


def test_other_slices_scored_than_segmented_are_refused():
    found = make_claims_evidence(BOTH)
    cut = found._replace(scores=found.scores[found.scores["case"] != 0])
    with pytest.raises(ValueError, match="dVAE-SSIM-s0: 14 slices are scored and 16 segmented"):
        contrasts.evaluate_contrasts(cut, reading="both", draws=DRAWS)


def test_simulated_patients_get_no_verdict():
    table = evaluate(BOTH, cohort="phantom")
    assert set(table["verdict"]) == {""}
    assert table.loc["dvae-vae", "value"] > 0


def test_without_a_run_nothing_is_testable():
    table = contrasts.evaluate_contrasts(None, reading="both", draws=DRAWS)
    assert set(table["verdict"]) == {contrasts.NOT_TESTABLE}
    assert table["value"].isna().all()
    assert table.loc["ssim-mse", "paper"] == pytest.approx(
        np.mean([paper.OUTLINE[m, "SSIM"] - paper.OUTLINE[m, "MSE"] for m in paper.MODELS])
    )


@pytest.mark.parametrize(
    ("low", "high", "sign", "par", "verdict"),
    [
        (0.01, 0.09, 1, False, statistics.PAPERS_SIGN),
        (0.01, 0.09, -1, False, statistics.OTHER_SIGN),
        (-0.09, -0.01, -1, False, statistics.PAPERS_SIGN),
        (-0.01, 0.09, 1, False, statistics.UNDECIDED),
        (0.0, 0.09, 1, False, statistics.UNDECIDED),
        (-0.02, 0.02, 1, False, statistics.UNDECIDED),
        (-0.02, 0.02, 1, True, statistics.ON_A_PAR),
        (-0.02, -0.01, 1, True, statistics.ON_A_PAR),
        (-0.04, -0.01, 1, True, statistics.OTHER_SIGN),
        (-0.04, 0.02, 1, True, statistics.UNDECIDED),
        (0.01, 0.09, 1, True, statistics.PAPERS_SIGN),
    ],
)
def test_a_difference_is_judged_by_its_interval(low, high, sign, par, verdict):
    found = Interval((low + high) / 2, low, high, 36)
    assert contrasts.judge(found, sign=sign, par=par) == verdict
