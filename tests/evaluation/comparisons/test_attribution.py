"""Attribution by hand: two patients of two slices whose every variant is written down."""

import numpy as np
import pandas as pd
import pytest

from paperlib.evaluation.comparisons import attribution, variants
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.tables import Draws
from paperlib.labels import REGIONS

METHOD = "dVAE-SSIM-s0"
DRAWS = Draws(40, 0)
PLACES = [(0, 70), (0, 110), (1, 70), (1, 110)]
TRUTH = [100, 0, 50, 50]  # pixels of each region; patient 0 has a slice without tumour
OURS = [25, 0, 25, 0]  # overlap; predicted: 100 everywhere
DICE = [0.25, 0.0, 1 / 3, 0.0]
TRUE_DICE = [1.0, 0.0, 1.0, 1.0]
# Every other variant: the overlap; what is predicted has as many pixels as the truth.
OVERLAPS = {
    "cluster": [50, 0, 25, 0],
    "threshold": [60, 0, 25, 25],
    "pooled": [40, 0, 25, 25],
    "morphology": [30, 0, 25, 0],
    "outline": [70, 0, 40, 40],
    "enhancing": [80, 0, 40, 40],
    "threshold+morphology": [60, 0, 30, 30],
    "reconstruction+threshold": [80, 0, 40, 40],
    "reconstruction+threshold+morphology": [90, 0, 40, 40],
    "reconstruction+threshold+morphology+outline": [95, 0, 45, 45],
}
PERFECT, HULL = [70, 0, 40, 40], [98, 0, 49, 49]
# The paper's gate keeps what is above the healthy maximum, 1.
SCORES = [5.0, 0.5, 0.5, 5.0]


def rows_of(overlap, predicted, **named):
    lines = []
    for (case, z), shared, area in zip(PLACES, overlap, predicted, strict=True):
        parts = {f"{region}_overlap": shared for region in REGIONS}
        parts |= {f"{region}_predicted": area for region in REGIONS}
        lines.append({**named, "case": case, "z": z, **parts})
    return pd.DataFrame(lines[::-1])  # an order that nobody may rely on


def make_found():
    slices = [
        {"case": case, "fold": 0, "z": z, "brain_px": 500}
        | {f"{region}_truth": area for region in REGIONS}
        for (case, z), area in zip(PLACES, TRUTH, strict=True)
    ]
    named = {"reading": "neighbourhood", "component": "all"}
    counts = [
        rows_of(OURS, [100] * 4, method=METHOD, **named),
        rows_of(PERFECT, TRUTH, method="B11 perfect reconstruction", **named),
        rows_of(HULL, TRUTH, method="B11 hull of the true ET"),
        rows_of(TRUTH, TRUTH, method="B11 truth"),
    ]
    scores = [
        {"method": METHOD, "role": "test", "case": case, "fold": 0, "z": z, "mean_residual": score}
        for (case, z), score in zip(PLACES, SCORES, strict=True)
    ]
    healthy = {"method": METHOD, "role": "validation", "case": 9, "fold": 0, "z": 110}
    scores += [healthy | {"mean_residual": score} for score in (0.0, 1.0)]
    provenance = {"seeds": [0], "mixture": {"reading": "neighbourhood"}}
    return Evidence(
        slices=pd.DataFrame(slices),
        counts=pd.concat(counts),
        scores=pd.DataFrame(scores),
        pixels=pd.DataFrame(),
        milestones=pd.DataFrame({"model": ["dVAE"], "loss": ["SSIM"]}),
        epochs=pd.DataFrame(),
        provenance=provenance,
    )


def make_rows():
    return pd.concat(
        rows_of(overlap, TRUTH, method=METHOD, changes=name) for name, overlap in OVERLAPS.items()
    )


def dice_of(overlap):
    return [2 * o / (2 * t) if t else 0.0 for o, t in zip(overlap, TRUTH, strict=True)]


def cell(table, view, name, column, region="WT"):
    by = "change" if name in {"", *variants.NAMES} else "name"
    line = table[(table["view"] == view) & (table["region"] == region) & (table[by] == name)]
    assert len(line) == 1
    return line[column].iloc[0]


@pytest.fixture(scope="module")
def single():
    return attribution.single_changes(make_found(), make_rows(), METHOD, draws=DRAWS)


def test_every_rows_of_the_list_of_variants_is_in_this_example():
    assert {variants.name_of(variant) for variant in variants.VARIANTS} == set(OVERLAPS)


def test_each_change_alone_has_its_dice_and_its_gain(single):
    ours = np.mean(DICE)
    expected = {"": ours, "reconstruction": np.mean(dice_of(PERFECT)), "truth": np.mean(TRUE_DICE)}
    for change in ("cluster", "threshold", "pooled", "morphology", "outline", "enhancing"):
        expected[change] = np.mean(dice_of(OVERLAPS[change]))
    for change, value in expected.items():
        assert cell(single, "every_slice", change, "value") == pytest.approx(value)
        gain = cell(single, "every_slice", change, "difference")
        assert gain == pytest.approx(value - ours)
    low, high = (cell(single, "every_slice", "", f"difference_{end}") for end in ("low", "high"))
    assert low == high == 0


def test_an_oracle_gate_gains_nothing_over_slices_but_over_volumes(single):
    assert cell(single, "every_slice", "gate", "difference") == 0
    # Patient 0 loses the 100 pixels predicted in its slice without tumour.
    volumes = [2 * 25 / 300, 2 * 25 / 300]
    assert cell(single, "volume", "", "value") == pytest.approx(np.mean(volumes))
    gated = [2 * 25 / 200, 2 * 25 / 300]
    assert cell(single, "volume", "gate", "value") == pytest.approx(np.mean(gated))


def test_the_papers_gate_keeps_slices_above_the_healthy_maximum(single):
    kept = np.array(SCORES) > 1
    expected = np.mean(np.array(DICE) * kept)
    assert cell(single, "every_slice", "papers_gate", "value") == pytest.approx(expected)


def test_a_gain_is_paired_by_patient(single):
    # Patient 1 gains nothing in its first slice: with it alone the threshold gains 1/6 + 1/4.
    low = cell(single, "volume", "threshold", "difference_low")
    high = cell(single, "volume", "threshold", "difference_high")
    gains = [60 / 100 - 50 / 300, 50 / 100 - 50 / 300]
    assert (low, high) == (pytest.approx(min(gains)), pytest.approx(max(gains)))


@pytest.mark.parametrize("order", [variants.NETWORK_FIRST, variants.NETWORK_LAST])
def test_a_waterfall_adds_up_to_the_truth(order):
    table = attribution.waterfall(make_found(), make_rows(), METHOD, order=order, draws=DRAWS)
    for view, truth in (("every_slice", np.mean(TRUE_DICE)), ("volume", 1.0)):
        for region in attribution.SHOWN:
            part = table[(table["view"] == view) & (table["region"] == region)]
            assert part["change"].tolist() == list(order)
            assert part["before"].iloc[0] + part["effect"].sum() == pytest.approx(truth)
            np.testing.assert_allclose(part["before"].iloc[1:], part["after"].iloc[:-1])
    start = cell(table, "every_slice", order[0], "before")
    assert start == pytest.approx(np.mean(DICE))


def test_the_steps_of_both_orders_are_the_rows_that_they_name():
    def after(order):
        table = attribution.waterfall(make_found(), make_rows(), METHOD, order=order, draws=DRAWS)
        return [cell(table, "every_slice", change, "after") for change in order]

    both = "reconstruction+threshold+morphology"
    last = [np.mean(dice_of(o)) for o in (OVERLAPS[both + "+outline"], HULL, TRUTH)]
    first = [PERFECT, *(OVERLAPS[name] for name in ("reconstruction+threshold", both, both))]
    assert after(variants.NETWORK_FIRST) == pytest.approx(
        [np.mean(dice_of(overlap)) for overlap in first] + last
    )
    names = ("threshold", "threshold+morphology", "threshold+morphology", both)
    assert after(variants.NETWORK_LAST) == pytest.approx(
        [np.mean(dice_of(OVERLAPS[name])) for name in names] + last
    )


def test_patients_that_were_not_looked_into_are_left_out_of_ours_too():
    rows = make_rows()
    only = rows[rows["case"] == 1]
    table = attribution.single_changes(make_found(), only, METHOD, draws=DRAWS)
    assert cell(table, "every_slice", "", "value") == pytest.approx(np.mean(DICE[2:]))
    assert cell(table, "every_slice", "papers_gate", "value") == 0
    assert cell(table, "every_slice", "truth", "value") == 1


def test_a_network_without_rows_is_named():
    with pytest.raises(KeyError, match=r"No rows of 'AAE-L1-s0'.*rows of dVAE-SSIM-s0"):
        variants.variant_counts(make_found(), make_rows(), "AAE-L1-s0", ())
    with pytest.raises(KeyError, match=r"with the changes 'cluster\+morphology'; there are 'clust"):
        variants.variant_counts(make_found(), make_rows(), METHOD, ("morphology", "cluster"))


def test_the_papers_own_network_is_chosen_if_it_was_looked_into():
    rows = pd.DataFrame({"method": ["VAE-MSE-s0", "dVAE-SSIM-s0", "AAE-MSE-s0"]})
    assert variants.choose_method(rows) == "dVAE-SSIM-s0"
    assert variants.choose_method(rows[::2]) == "AAE-MSE-s0"
    assert variants.choose_method(rows, "VAE-MSE-s0") == "VAE-MSE-s0"
    with pytest.raises(ValueError, match="error of VAE-L1-s0; looked into was AAE-MSE-s0, VAE"):
        variants.choose_method(rows, "VAE-L1-s0")
    with pytest.raises(ValueError, match="error of any network; looked into was none"):
        variants.choose_method(rows[:0])


def test_a_folder_without_rows_gives_none(tmp_path):
    assert variants.load_rows(tmp_path).empty


def test_texts_carry_signs_and_intervals(single):
    frame = attribution.lay_out_single(single, view="every_slice")
    assert frame.loc["ours"].tolist() == ["0.15", ""] * 3
    low, high = (cell(single, "every_slice", "truth", f"difference_{e}") for e in ("low", "high"))
    gain = np.mean(TRUE_DICE) - np.mean(DICE)
    assert frame.loc["the truth: ceiling", ("whole tumour", "gain")] == (
        f"+{gain:.2f} [+{low:.2f},\u00a0+{high:.2f}]"
    )
    assert frame.loc["oracle gate", ("tumour core", "gain")] == "+0.00 [+0.00,\u00a0+0.00]"
    assert frame.loc["the paper's gate", ("whole tumour", "gain")].startswith("−0.08 [−")


def test_the_largest_step_is_named():
    fall = attribution.waterfall(
        make_found(), make_rows(), METHOD, order=variants.NETWORK_FIRST, draws=DRAWS
    )
    found = attribution.largest_steps(fall, view="every_slice")
    gain = np.mean(dice_of(PERFECT)) - np.mean(DICE)
    total = np.mean(TRUE_DICE) - np.mean(DICE)
    assert found["whole tumour"] == f"perfect reconstruction, +{gain:.2f} of {total:.2f}"
