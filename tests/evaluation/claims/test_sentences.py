"""The paper's sentences: measurements by hand, reasons that fit verdicts, links that lead."""

import re
from pathlib import Path

import jupytext
import numpy as np
import pandas as pd
import pytest
from claims_by_hand import make_claims_evidence, with_pixels

from paperlib.evaluation import tables
from paperlib.evaluation.claims import mask_answers, numbers, residual_answers, sentences
from paperlib.evaluation.claims.answers import NOT_MEASURED, Absent
from paperlib.evaluation.claims.contrasts import NOT_TESTABLE
from paperlib.evaluation.claims.sentence import TABLE_2, Part, Why
from paperlib.evaluation.measures.statistics import Interval

DRAWS = tables.Draws(100, 0)
NETWORK = {("dVAE", "SSIM"): [8, 6, 4, 8]}
NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"
PARTS = [part for sentence in sentences.SENTENCES.values() for part in sentence.parts]


def found(**options):
    return make_claims_evidence(NETWORK, **options)


def evaluate(real, phantom=None):
    return sentences.evaluate_sentences(real, phantom, draws=DRAWS).set_index(["key", "number"])


def test_every_sentence_of_the_paper_that_compares_is_there():
    assert set(sentences.SENTENCES) == {
        "ssim-best",
        "l1-worse",
        "adversarial-no-help",
        "blur-sharpen",
        "dvae-vaece",
        "earlier-methods",
        "no-copy",
        "no-labels",
        "sequences",
        "residual-sign",
        "core-enclosed",
        "mean-residual",
        "gate",
        "order-of-regions",
        "hull",
        "smallest-cluster",
    }


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.measured[:40])
def test_a_link_leads_to_a_heading_or_figure_of_its_page(part):
    source = NOTEBOOKS / f"{part.link.page}.py"
    cells = jupytext.read(source, fmt="py:percent").cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    anchors = {re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-") for heading in headings}
    anchors |= set(re.findall(r'"name": "(fig-[^"]+)"', source.read_text("utf-8")))
    assert part.link.anchor in anchors


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.measured[:40])
def test_the_two_reasons_are_sentences_and_not_the_same(part):
    if part.measured == "the numbers of the earlier papers":
        return
    assert part.why.holds.endswith(".")
    assert part.why.fails.endswith(".")
    assert part.why.holds != part.why.fails
    assert not re.search(r"\d\.\d", part.why.holds + part.why.fails)


def a_part(beside=False):
    def measure(_found, _draws):
        return Interval(0.2, 0.1, 0.3, 4)

    judge = sentences.SENTENCES["gate"].parts[0].judge  # above zero
    return Part("x", measure, judge, Why("Because.", "For."), TABLE_2, needs=(), beside=beside)


def test_the_reason_is_chosen_by_the_verdict():
    up, down, both = (Interval(v, v - 0.1, v + 0.1, 4) for v in (0.2, -0.2, 0.0))
    assert sentences.judge_part(a_part(), up) == (numbers.HOLDS, "Because.")
    assert sentences.judge_part(a_part(), down) == (numbers.FAILS, "For.")
    undecided = sentences.judge_part(a_part(), both)
    assert undecided == (numbers.UNDECIDED, "4 patients leave both answers open.")


def test_a_control_of_ours_gets_a_reason_and_no_verdict():
    up = Interval(0.2, 0.1, 0.3, 4)
    assert sentences.judge_part(a_part(beside=True), up) == (sentences.NO_VERDICT, "Because.")


def test_what_is_absent_says_why():
    absent = Absent(NOT_MEASURED, "No numbers.")
    assert sentences.judge_part(a_part(), absent) == (NOT_MEASURED, "No numbers.")
    assert sentences.answer(None, a_part(), DRAWS) == Absent(NOT_TESTABLE, sentences.NO_REAL_RUN)


def test_without_real_patients_nothing_is_judged():
    table = evaluate(None, found(cohort="phantom"))
    assert set(table["verdict"]) == {NOT_TESTABLE}
    assert table["phantom_value"].notna().any()


def test_simulated_patients_are_refused_as_real_ones():
    with pytest.raises(ValueError, match="Simulated patients were given as real ones"):
        sentences.evaluate_sentences(found(cohort="phantom"), None, draws=DRAWS)


def test_a_network_that_is_missing_is_named():
    table = evaluate(make_claims_evidence({("VAE", "SSIM"): [8, 6, 4, 8]}))
    assert table.loc[("gate", 0), "verdict"] == NOT_TESTABLE
    assert table.loc[("gate", 0), "why"] == "Not trained here: dVAE-SSIM."
    partly = make_claims_evidence({("VAE", "SSIM"): [8, 6, 4, 8], ("dVAE", "SSIM"): [8]})
    assert evaluate(partly).loc[("gate", 0), "why"] == (
        "Not trained here: dVAE-SSIM (1 of 4 patients)."
    )


def test_models_that_a_mean_lacks_are_named():
    both = {("VAE", loss): [8, 6, 4, 8] for loss in ("SSIM", "MSE")}
    why = evaluate(make_claims_evidence(both)).loc[("ssim-best", 0), "why"]
    assert why.endswith("Without dVAE, VAE1px, VAE-CE, AAE, BiAAE, not trained here.")


def test_earlier_methods_are_never_judged():
    line = evaluate(found()).loc[("earlier-methods", 0)]
    assert line["verdict"] == NOT_TESTABLE
    assert "other patients, other sequences" in line["why"]


def test_labels_choose_the_training_slices():
    line = evaluate(found()).loc[("no-labels", 0)]
    assert line["value"] == pytest.approx(1 - 3 / 12)
    assert line["verdict"] == numbers.FAILS
    assert "labels choose the slices" in line["why"]


def test_l1_is_compared_where_it_was_trained():
    networks = {("VAE", "L1"): [4, 6, 3, 8], ("VAE", "MSE"): [6, 8, 5, 10]}
    line = evaluate(make_claims_evidence(networks)).loc[("l1-worse", 0)]
    assert line["value"] == pytest.approx(-0.1)
    assert line["verdict"] == numbers.HOLDS


def test_the_gate_is_compared_with_none_and_with_nothing():
    table = evaluate(found(wrong=5))
    mean = np.mean(NETWORK["dVAE", "SSIM"]) / 10
    assert table.loc[("gate", 0), "value"] == pytest.approx(0.5)
    assert table.loc[("gate", 1), "value"] == pytest.approx(mean / 2)  # empty masks: 1 in half
    assert table.loc[("gate", 3), "value"] == 0  # there is no enhancing tumour, nor is it predicted


def test_regions_are_compared_after_the_gate():
    found_ = mask_answers.region_difference(found(wrong=5), DRAWS, first="WT", second="ET")
    mean = np.mean(NETWORK["dVAE", "SSIM"]) / 10
    assert found_.value == pytest.approx((mean + 1) / 2 - 1)  # there is no enhancing tumour
    empty = mask_answers.region_difference(found(), DRAWS, first="WT", second="ET", gate="shut")
    assert empty.value == pytest.approx(-0.5)  # half of the slices have tumour


def test_the_smallest_cluster_is_looked_for_in_tumour_slices():
    table = evaluate(found())
    assert table.loc[("smallest-cluster", 0), "value"] == 0  # 10 of 100 pixels
    assert table.loc[("smallest-cluster", 0), "verdict"] == numbers.HOLDS
    assert table.loc[("smallest-cluster", 1), "value"] == pytest.approx(3 / 4)  # 8, 6, 8 of 10
    half = found()
    half.slices.loc[half.slices["WT_truth"] > 0, "brain_px"] = 20
    assert mask_answers.oversized_share(half, DRAWS).value == 1


def test_clusters_that_differ_are_a_share_of_the_fits():
    own = found()
    own.counts["flair_clusters_differ"] = (own.counts["z"] == 80).astype(int)
    own.counts["flair_degenerate"] = (own.counts["case"] == 0).astype(int)
    assert mask_answers.clusters_differ(own, DRAWS) == Interval(0.5, 0.5, 0.5, 3)


def with_core(hull_overlap, predicted):
    own = found()
    own.slices.loc[own.slices["z"] == 80, "NCR_truth"] = [8, 8, 4, 0]
    rows = own.counts[own.counts["reading"] == "both"].assign(
        method=mask_answers.HULL, reading=None
    )
    places = rows["z"] == 80
    rows.loc[places, "NCR_overlap"] = hull_overlap
    rows.loc[places, "NCR_predicted"] = predicted
    return own._replace(counts=pd.concat([own.counts, rows], ignore_index=True))


def test_the_core_inside_the_hull_is_a_mean_over_patients_who_have_one():
    inside = mask_answers.core_in_hull(with_core([8, 4, 0, 0], [8, 8, 0, 0]), DRAWS)
    assert inside.value == pytest.approx((1 + 0.5 + 0) / 3)
    assert inside.patients == 3
    own = with_core([8, 4, 0, 0], [8, 8, 16, 0])
    assert mask_answers.core_in_hull(own, DRAWS, pooled=True).value == pytest.approx(12 / 20)


def test_the_dice_of_the_core_leaves_out_patients_without_any():
    own = with_core([8, 4, 0, 0], [8, 8, 0, 0])
    hull = mask_answers.core_dice(own, DRAWS, method=mask_answers.HULL)
    assert hull.value == pytest.approx((1 + 8 / 16 + 0) / 3)
    assert hull.patients == 3
    assert mask_answers.core_dice(own, DRAWS).value == 0  # the network predicts none
    none = mask_answers.core_in_hull(found(), DRAWS)
    assert none.verdict == NOT_MEASURED


def test_residuals_of_slices_are_averaged_within_patients():
    free = residual_answers.slice_residual(found(), DRAWS, kind="tumour-free")
    assert free.value == 1  # minus the score of -1
    drop = residual_answers.slice_residual(found(), DRAWS, kind="difference")
    assert drop.value == pytest.approx(np.mean([-(2.0 + case) - 1 for case in range(4)]))


def test_a_patient_without_tumour_free_slices_has_no_difference():
    own = found()
    only = own.slices[(own.slices["case"] > 0) | (own.slices["z"] == 80)]
    cut = own._replace(
        slices=only,
        counts=own.counts.merge(only[["case", "z"]]),
        scores=own.scores[(own.scores["case"] > 0) | (own.scores["z"] == 80)],
    )
    assert residual_answers.slice_residual(cut, DRAWS, kind="difference").patients == 3


def test_scores_are_compared_on_the_same_slices():
    difference = residual_answers.auroc_difference(
        found(), DRAWS, first="mean_residual", second="latent_distance"
    )
    assert difference[:3] == (1, 1, 1)


def test_pixels_that_were_not_counted_are_not_measured():
    absent = residual_answers.copied_share(found(), DRAWS)
    assert absent.verdict == NOT_MEASURED
    assert "tumour_mean_residual" in absent.reason
    table = evaluate(found())
    for place in (("no-copy", 0), ("residual-sign", 2), ("sequences", 0)):
        assert table.loc[place, "verdict"] == NOT_MEASURED


def test_the_copied_share_is_a_ratio_of_sums():
    own = with_pixels(
        found(),
        healthy_mean_image=[0.0, 0.0, 1.0, 0.0],
        tumour_mean_image=[2.0, 2.0, 3.0, 2.0],
        healthy_mean_residual=[0.0, 0.0, -1.0, 0.0],
        tumour_mean_residual=[-2.0, -1.0, -1.0, -1.0],
    )
    # Of 2 in each patient 0, 1, 2 and 1 return.
    assert residual_answers.copied_share(own, DRAWS).value == pytest.approx(4 / 8)
    mean = residual_answers.pixel_mean(own, DRAWS, column="tumour_mean_residual")
    assert mean.value == pytest.approx(-5 / 4)
    assert evaluate(own).loc[("residual-sign", 2), "verdict"] == numbers.HOLDS


def test_sharpness_is_relative_to_the_input_and_paired():
    networks = {("VAE", "SSIM"): [1] * 3, ("AAE", "SSIM"): [1] * 3}
    own = with_pixels(
        make_claims_evidence(networks),
        "VAE-SSIM-s0",
        gradient_energy=[1.0, 2.0, 3.0],
        image_gradient_energy=[4.0, 4.0, 4.0],
    )
    own = with_pixels(
        own,
        "AAE-SSIM-s0",
        gradient_energy=[2.0, 3.0, 4.0],
        image_gradient_energy=[4.0, 4.0, 4.0],
    )
    table = evaluate(own)
    assert table.loc[("blur-sharpen", 0), "value"] == pytest.approx(0.5)
    assert table.loc[("blur-sharpen", 0), "verdict"] == numbers.HOLDS
    assert table.loc[("blur-sharpen", 1), "value"] == pytest.approx(0.25)
    assert table.loc[("blur-sharpen", 2), "why"] == "Not trained here: BiAAE-SSIM."


def test_a_network_counted_before_a_column_existed_is_not_measured():
    networks = {("VAE", "SSIM"): [1] * 3, ("dVAE", "SSIM"): [1] * 3}
    own = with_pixels(make_claims_evidence(networks), "VAE-SSIM-s0", input_correlation=[0.9] * 3)
    own = with_pixels(own, "dVAE-SSIM-s0", ap=[0.5] * 3, image_ap=[0.7] * 3)
    absent = residual_answers.pixel_mean(own, DRAWS, column="input_correlation")
    assert absent.verdict == NOT_MEASURED
    assert residual_answers.pixel_gain(own, DRAWS).value == pytest.approx(-0.2)


def test_a_sequence_shows_a_region_however_dark_it_is():
    own = with_pixels(
        found(), "z", "flair", auroc=[0.9, 0.8, 0.9, 0.8], other_region_auroc=[0.7] * 4
    )
    own = with_pixels(
        own, "z", "t1ce", auroc=[0.95] * 4, other_region_auroc=[0.2, 0.2, 0.2, np.nan]
    )
    whole = residual_answers.sequence_difference(own, DRAWS, region="WT")
    assert whole.value == pytest.approx(np.mean([0.4 - 0.3, 0.3 - 0.3, 0.4 - 0.3]))
    assert whole.patients == 3
    enhancing = residual_answers.sequence_difference(own, DRAWS, region="ET")
    assert enhancing.value == pytest.approx(0.45 - 0.2)
