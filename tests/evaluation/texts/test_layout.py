"""Tables as texts: what stands where, and what is bold."""

import numpy as np
import pandas as pd

from paperlib.evaluation.texts import layout
from paperlib.postprocessing.mixture import READINGS

PRINTED = {("VAE", "MSE"): 0.377, ("AAE", "MSE"): 0.383, ("VAE", "SSIM"): 0.409}


def line(key, row, loss, printed, both, weights, other):
    """Return a row of tables.table_2; intervals reach 0.1 to both sides."""
    cells = {"key": key, "row": row, "loss": loss, "paper": printed}
    for reading, value in (("both", both), ("weights", weights)):
        cells |= {f"{reading}_value": value, f"{reading}_low": value - 0.1}
        cells[f"{reading}_high"] = value + 0.112
    return cells | {"volume": other, "tumour_slices": other + 0.11}


def table_2():
    lines = [
        line("VAE-MSE", "VAE", "MSE", 0.377, 0.2, 0.5, 0.3),
        line("AAE-MSE", "AAE", "MSE", 0.383, 0.3, 0.4, 0.3),
        line("B11 truth", "the truth itself", "", np.nan, 0.7, np.nan, 1.0),
        line("B3", "no network", "", np.nan, 0.9, np.nan, 0.5),
    ]
    return pd.DataFrame(lines).set_index("key")


def laid_out():
    return layout.lay_out_table_2(table_2(), PRINTED, readings=("both", "weights"))


BOTH = ("ours, by reading of equation 1", "as printed (a · W)")
WEIGHTS = ("ours, by reading of equation 1", "weights (a)")


def test_networks_come_by_loss_then_baselines_then_ceilings():
    frame, _ = laid_out()
    assert frame.index.tolist() == [
        ("networks, MSE loss", "VAE"),
        ("networks, MSE loss", "AAE"),
        ("networks, SSIM loss", "VAE"),
        ("no network", "no network"),
        ("made with the truth at hand", "the truth itself"),
    ]


def test_a_cell_is_value_and_interval_and_the_papers_number_has_three_digits():
    frame, _ = laid_out()
    row = frame.loc[("networks, MSE loss", "VAE")]
    assert row[BOTH] == "0.20 [0.10,\u00a00.31]"
    assert row["paper", ""] == "0.377"
    assert row["ours, other averages", "tumour slices"] == "0.41"


def test_a_network_that_only_the_paper_has_is_there_without_our_numbers():
    frame, _ = laid_out()
    row = frame.loc[("networks, SSIM loss", "VAE")]
    assert row["paper", ""] == "0.409"
    assert set(row.drop(("paper", ""))) == {layout.MISSING}


def test_a_row_without_a_mixture_has_no_second_reading():
    frame, _ = laid_out()
    assert frame.loc[("no network", "no network"), WEIGHTS] == layout.MISSING


def test_the_best_network_of_a_loss_is_bold_and_no_baseline():
    frame, bold = laid_out()
    marked = pd.DataFrame(bold, index=frame.index, columns=frame.columns)
    vae, aae = ("networks, MSE loss", "VAE"), ("networks, MSE loss", "AAE")
    assert marked.loc[aae, ("paper", "")]
    assert not marked.loc[vae, ("paper", "")]
    assert marked.loc[aae, BOTH]
    assert not marked.loc[vae, BOTH]
    assert marked.loc[vae, WEIGHTS]
    assert not marked.loc[aae, WEIGHTS]
    # Equal values are both the best, as in the paper's table.
    assert marked.loc[[vae, aae], ("ours, other averages", "per volume")].all()
    assert not marked.loc["no network"].to_numpy().any()
    assert not marked.loc["made with the truth at hand"].to_numpy().any()


def test_a_network_alone_in_its_loss_is_no_best():
    _, bold = laid_out()
    assert not bold[2].any()


def test_the_best_network_stands_beside_the_best_without_one():
    best = layout.best_rows(table_2(), reading="both")
    assert best["best network"] == "0.30, AAE-MSE"
    assert best["best without a network"] == "0.90, no network"
    assert best["the truth itself"] == "0.70"
    assert best["methods without a network at or above the best network"] == "1 of 1"


def test_a_baseline_below_the_networks_is_not_counted():
    table = table_2()
    table.loc["B3", "both_value"] = 0.25
    counted = layout.best_rows(table, reading="both")
    assert counted["methods without a network at or above the best network"] == "0 of 1"


def test_a_loss_that_the_paper_does_not_print_is_a_group_after_its_own():
    lines = [line("VAE-L1", "VAE", "L1", np.nan, 0.4, 0.4, 0.3)]
    table = pd.concat([pd.DataFrame(lines).set_index("key"), table_2()])
    frame, bold = layout.lay_out_table_2(table, PRINTED, readings=("both", "weights"))
    assert frame.index.get_level_values(0).unique().tolist() == [
        "networks, MSE loss", "networks, SSIM loss", "networks, L1 loss", "no network",
        "made with the truth at hand",
    ]  # fmt: skip
    row = frame.loc[("networks, L1 loss", "VAE")]
    assert row["paper", ""] == layout.MISSING
    assert row[BOTH].startswith("0.40")
    assert not bold[3].any()  # alone in its loss


def test_a_network_that_not_every_fold_has_tested_says_so_and_is_no_best():
    table = pd.concat(
        [
            table_2(),
            pd.DataFrame([line("dVAE-MSE", "dVAE", "MSE", 0.379, 0.25, 0.45, 0.2)]).set_index(
                "key"
            ),
        ]
    )
    partly = {"AAE-MSE": " (2 of 4 folds)"}
    frame, bold = layout.lay_out_table_2(
        table, PRINTED, readings=("both", "weights"), partly=partly
    )
    marked = pd.DataFrame(bold, index=frame.index, columns=frame.columns)
    group = "networks, MSE loss"
    assert not marked.loc[(group, "AAE (2 of 4 folds)"), BOTH]
    assert marked.loc[(group, "dVAE"), BOTH]  # 0.25 beats 0.20; AAE's 0.30 is of fewer patients
    assert marked.loc[(group, "AAE (2 of 4 folds)"), ("paper", "")]  # the paper's own is whole


def test_table_3_groups_scores_by_whether_they_need_the_network():
    cells = {"paper": 0.835, "value": 0.8, "low": 0.7, "high": 0.9, "blind": np.nan}
    cells |= {"height_corrected": 0.61, "mixed_heights": 0.72, "same_height": 0.66}
    cells |= {"matched_value": 0.56, "matched_low": 0.4, "matched_high": 0.75}
    table = pd.DataFrame(
        [{**cells, "key": "mean_residual", "score": "mean residual"},
         {**cells, "key": "slice_height", "score": "slice height", "paper": np.nan}]
    ).set_index("key")  # fmt: skip
    frame = layout.lay_out_table_3(table)
    assert frame.index.tolist() == [
        ("scores of the network", "mean residual"),
        ("no network", "slice height"),
    ]
    row = frame.iloc[0]
    assert row.tolist() == [
        "0.835", "0.80 [0.70,\u00a00.90]", layout.MISSING, "0.61", "0.72", "0.66",
        "0.56 [0.40,\u00a00.75]",
    ]  # fmt: skip
    assert frame.iloc[1]["paper", ""] == layout.MISSING


def test_a_score_that_table_3_does_not_name_is_a_group_of_its_own():
    cells = dict.fromkeys(("paper", "value", "low", "high", "blind", "height_corrected"), 0.5)
    cells |= {"mixed_heights": 0.5, "same_height": 0.5}
    table = pd.DataFrame([{**cells, "key": "mine", "score": "mine"}]).set_index("key")
    assert layout.lay_out_table_3(table).index.tolist() == [("added scores", "mine")]


def test_gates_show_rates_with_their_n_and_where_a_rule_looks_at_no_height_nothing():
    rates = pd.DataFrame(
        {"sensitivity": [0.5, 0.25], "false positives": [0.1, 0.0], "emptied": [0.6, 0.9],
         "fallback": [np.nan, 0.75], "found": [4, 2], "tumour": [8, 8], "wrong": [1, 0],
         "free": [10, 10]},
        index=["max_healthy", "height"],
    )  # fmt: skip
    frame = layout.lay_out_gates({"mean residual": rates, "latent distance": rates})
    assert frame.index.tolist() == [
        (name, rule) for name in ("mean residual", "latent distance")
        for rule in ("max_healthy", "height")
    ]  # fmt: skip
    assert frame.iloc[0].tolist() == [
        "50\u00a0% (4 of 8)", "10\u00a0% (1 of 10)", "90\u00a0%", "60\u00a0%", layout.MISSING,
    ]  # fmt: skip
    assert frame.iloc[1].iloc[-1] == "75\u00a0%"


def convention(aggregation, empty, name, ceiling):
    return {"aggregation": aggregation, "empty": empty, "convention": name, "region": "WT",
            "value": 0.5, "low": 0.4, "high": 0.6, "ceiling": ceiling, "nothing": 0.1,
            "brain": 0.2, "gated_brain": 0.3}  # fmt: skip


def test_admissible_conventions_are_bold_and_those_with_empty_one_come_first():
    gated = pd.DataFrame(
        [convention("every_slice", 0.0, "a", 0.9), convention("volume", 0.0, "b", 0.6),
         convention("flagged_slices", 0.0, "c", 0.7), convention("volume", 1.0, "d", 0.9)]
    )  # fmt: skip
    plain = gated[gated["convention"] != "c"].assign(value=0.45)
    frame, bold = layout.lay_out_conventions(gated, plain, {"WT": 0.64})
    assert frame.index.tolist() == [("whole tumour, paper 0.64", name) for name in "dabc"]
    assert frame["can be the paper's"].tolist() == [
        "yes", "no: a gate only lowers it", "no: the truth scores less", "yes",
    ]  # fmt: skip
    assert bold[:, 1].tolist() == [True, False, False, True]
    assert not bold[:, 2:].any()
    assert frame.iloc[0].tolist()[1:] == [
        "0.50 [0.40,\u00a00.60]", "0.45", "0.90", "0.10", "0.20", "0.30",
    ]  # fmt: skip
    assert frame["ours, no gate"].iloc[-1] == layout.MISSING


def test_every_reading_has_a_name_a_reader_understands():
    assert set(layout.READING_NAMES) == set(READINGS)
