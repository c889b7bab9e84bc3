"""The paper's tables as a reader meets them: its number, ours, the interval, and of what.

The captions say what a number is: data, patients, slices, convention.
"""

from collections.abc import Mapping

import pandas as pd

from paperlib.evaluation import conventions, paper, tables
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures.statistics import Interval
from paperlib.evaluation.present import Shown, absent, show
from paperlib.evaluation.slices import matching, slice_scores
from paperlib.evaluation.texts import layout


def show_table_2(found: Evidence | None, target: str, *, draws: tables.Draws, note: str) -> Shown:
    """Return Table 2 of one target: the paper beside the three readings of equation 1.

    Args:
        found: Evidence of a run; None where a reference is not in this copy.
        target: `tables.OUTLINE` or `tables.SEMANTIC`.
        draws: Of the intervals.
        note: Data, profile, seed and commit, in words.
    """
    if found is None:
        return absent()
    readings = found.provenance["mixture"]["readings"]
    printed = {tables.OUTLINE: paper.OUTLINE, tables.SEMANTIC: paper.SEMANTIC}[target]
    table = tables.table_2(found, target, draws=draws)
    partly = partly_tested(found)
    frame, bold = layout.lay_out_table_2(table, printed, readings=readings, partly=partly)
    what = {
        tables.OUTLINE: "whole tumour",
        tables.SEMANTIC: "mean of the three tissue labels",
    }[target]
    reading = layout.READING_NAMES[found.provenance["mixture"]["reading"]]
    caption = (
        f"Dice, {what}. Mean over every slice; a slice without tumour counts 0 (section 5.1). "
        f"Ours: value [95 % interval], {draws.number} draws of patients. A method without a "
        f"mixture has no reading: its one value stands under “{reading}”. The last two columns "
        f"are for that reading, too. {_of(found)} {_trained(found)} "
        f"Bold: best network of a loss{' among those tested in every fold' if partly else ''}. "
        f"{layout.MISSING}: not part of this run. {note}."
    )
    return show(frame, caption=caption, bold=bold)


def show_table_3(
    found: Evidence | None, method: str, *, draws: tables.Draws, note: str, short: bool = False
) -> Shown:
    """Return Table 3 with its controls.

    Args:
        found: Evidence of a run; None where a reference is not in this copy.
        method: A network with its seed, such as "VAE-MSE-s0".
        draws: Of the intervals.
        note: Data, profile, seed and commit, in words.
        short: Leave out the controls and the gate.
    """
    if found is None:
        return absent()
    table = tables.table_3(found, method, draws=draws)
    if not short:
        table = _with_matched(table, found, method, draws)
    frame = layout.lay_out_table_3(table)
    if short:
        frame = frame[["paper", "ours"]].droplevel(1, axis=1)
    caption = (
        f"Area under the ROC curve for “this slice holds tumour”, network {method}; 0.5 is "
        f"guessing. In brackets: 95 % interval, {draws.number} draws of patients. "
        f"{_of_method(found, method)} {layout.MISSING}: not defined. {note}."
    )
    return show(frame, caption=caption)


def compare_cohorts(
    cohorts: Mapping[str, Evidence | None], method: str, *, draws: tables.Draws, note: str
) -> Shown:
    """Return the areas of Table 3 of one network in several cohorts, side by side.

    Args:
        cohorts: Evidence by name; None where it is not in this copy.
        method: A network with its seed, trained in each.
        draws: Of the intervals.
        note: Data, profile, seed and commit of each, in words.
    """
    columns, said = {}, []
    for name, found in cohorts.items():
        if found is None:
            continue
        table = tables.table_3(found, method, draws=draws).set_index("score")
        columns[name] = [
            layout.interval_text(Interval(line["value"], line["low"], line["high"], found.patients))
            for _, line in table.iterrows()
        ]
        slices = table[["tumour_slices", "tumour_free_slices"]].iloc[0].astype(int)
        said.append(f"{name}: {slices.iloc[0]} slices with tumour, {slices.iloc[1]} without")
    if not columns:
        return absent()
    caption = (
        f"Area under the ROC curve for “this slice holds tumour”, network {method}, with its "
        f"95 % interval. {'; '.join(said)}. {note}."
    )
    return show(pd.DataFrame(columns, index=table.index), caption=caption)


def show_gates(found: Evidence | None, method: str, *, note: str) -> Shown:
    """Return what every gate does to the test slices, for each score that the paper gates.

    Args:
        found: Evidence of a run; None where a reference is not in this copy.
        method: A network with its seed.
        note: Data, profile, seed and commit, in words.
    """
    if found is None:
        return absent()
    rates = {
        name: slice_scores.gate_rates(found, method, score)
        for score, name in slice_scores.GATED_SCORES.items()
    }
    caption = (
        f"What every gate does, network {method}. Sensitivity: share of the slices with tumour "
        "that are flagged; false positives: share of those without; emptied: share of all test "
        "slices that lose their mask. Last column: share of the test slices for which the rule "
        "“height” found too few healthy slices and took the quantile of all heights. "
        f"{_of_method(found, method)} {note}."
    )
    return show(layout.lay_out_gates(rates), caption=caption)


def show_network_scores(found: Evidence | None, *, draws: tables.Draws, note: str) -> Shown:
    """Return the paper's two scores for every trained network, plain and matched.

    Args:
        found: Evidence of a run; None where a reference is not in this copy.
        draws: Of the intervals.
        note: Data, profile, seed and commit, in words.
    """
    if found is None:
        return absent()
    partly, lines = partly_tested(found), {}
    for model, loss in found.networks:
        method, cells = slice_scores.first_seed(found, model, loss), {}
        for score in paper.AUROC:
            name = slice_scores.GATED_SCORES[score]
            plain = slice_scores.auroc_interval(
                found, method, score, draws=draws.number, seed=draws.seed
            )
            matched = matching.matched_interval(found, method, score, draws=draws)
            cells[name, "all slices"] = layout.interval_text(plain)
            cells[name, "matched"] = layout.interval_text(matched)
        lines[method + partly.get(f"{model}-{loss}", "")] = cells
    frame = pd.DataFrame.from_dict(lines, orient="index")
    frame.columns = pd.MultiIndex.from_tuples(frame.columns)
    printed = ", ".join(
        f"{slice_scores.GATED_SCORES[key]} {value:.3f}" for key, value in paper.AUROC.items()
    )
    caption = (
        f"Area under the ROC curve of every network; the paper: {printed}. Matched: only pairs "
        "of slices of two patients at about the same height with about the same area of brain. "
        f"In brackets: 95 % interval, {draws.number} draws of patients. {_of(found)} {note}."
    )
    return show(frame, caption=caption)


def show_conventions(
    found: Evidence | None,
    method: str,
    *,
    reading: str,
    rule: str,
    draws: tables.Draws,
    note: str,
) -> Shown:
    """Return section 5.3 under every convention, gated by the mean residual.

    Args:
        found: Evidence of a run; None where a reference is not in this copy.
        method: A network with its seed.
        reading: Of equation 1.
        rule: One of `slice_scores.RULES`.
        draws: Of the intervals.
        note: Data, profile, seed and commit, in words.
    """
    if found is None:
        return absent()
    table = conventions.slice_counts(found, method, reading=reading)
    flagged = slice_scores.flag_slices(found, method, score="mean_residual", rule=rule)
    gated, plain = (
        conventions.compare_conventions(table, flagged=flags, draws=draws)
        for flags in (flagged, None)
    )
    frame, bold = layout.lay_out_conventions(gated, plain, paper.GATED)
    number = gated["convention"].nunique()
    caption = (
        f"One prediction under {number} conventions: {method}, gate {rule} on the mean residual, "
        f"{flagged.mean():.0%} of the slices keep their mask. Bold: the convention can be the "
        "paper's, because a gate can raise Dice under it and the truth itself reaches the "
        "paper's number. In brackets: 95 % interval over patients. Whole brain: every pixel of "
        "the brain is called the region, in every slice or in those that the gate keeps. "
        f"{_of_method(found, method)} {note}."
    )
    return show(frame, caption=caption, bold=bold)


def partly_tested(found: Evidence) -> dict[str, str]:
    """Return " (2 of 4 folds)" for each network that not every fold has tested yet."""
    folds = found.slices["fold"].nunique()
    test = found.scores[found.scores["role"] == "test"]
    tested = test.groupby("method")["fold"].nunique()
    notes = {}
    for model, loss in found.networks:
        number = tested[slice_scores.first_seed(found, model, loss)]
        if number < folds:
            notes[f"{model}-{loss}"] = f" ({number} of {folds} folds)"
    return notes


def _trained(found: Evidence) -> str:
    """Return at which point of their training the networks were taken."""
    networks = found.provenance["networks"]
    steps = [int(network["slice_steps"]) for network in networks]
    span = f"{min(steps):,}" if min(steps) == max(steps) else f"{min(steps):,} to {max(steps):,}"
    converged = sum(bool(network["converged"]) for network in networks)
    return (
        f"Networks after {span} slice-steps; "
        f"{len(networks) - converged} of {len(networks)} not converged."
    )


def _with_matched(
    table: pd.DataFrame, found: Evidence, method: str, draws: tables.Draws
) -> pd.DataFrame:
    cells = {
        score: matching.matched_interval(found, method, score, draws=draws) for score in table.index
    }
    parts = {
        f"matched_{part}": [getattr(cell, part) for cell in cells.values()]
        for part in ("value", "low", "high")
    }
    return table.assign(**parts)


def _of_method(found: Evidence, method: str) -> str:
    test = slice_scores.load_test_slices(found, method)
    tumour, patients, folds = test["tumour"], test["case"].nunique(), test["fold"].nunique()
    every = f"{folds} of {found.provenance['folds']} folds"
    return (
        f"n = {patients} test patients ({every}), {tumour.sum()} slices with and "
        f"{(~tumour).sum()} without tumour."
    )


def _of(found: Evidence) -> str:
    free = int((found.slices["WT_truth"] == 0).sum())
    folds = int(found.provenance["folds"])
    split = f"{folds} folds" if folds > 1 else "one test set"
    return (
        f"n = {found.patients} test patients ({split}), {len(found.slices)} slices, {free} of "
        "them tumour-free."
    )
