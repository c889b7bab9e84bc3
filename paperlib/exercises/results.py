"""Exercises of the page on results (section 5)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Bool
from numpy import ndarray

from paperlib.evaluation import conventions
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures import metrics
from paperlib.evaluation.tables import Draws
from paperlib.exercises import answers

FEW_DRAWS = Draws(2)  # the intervals are not looked at


def check_ceiling(ceiling: object, table: pd.DataFrame) -> None:
    """Check what the truth scores as a prediction, over every slice, with empty = 0.

    Args:
        ceiling: The answer, 0 to 1.
        table: From `conventions.slice_counts`.
    """
    truth = table["WT_truth"].to_numpy(int)
    free = float((truth == 0).mean())
    mistakes = [
        answers.Mistake(1.0, "not every slice gets its full mark. What does an empty one get?"),
        answers.Mistake(free, "this is the share of slices that get nothing."),
    ]
    answers.check_number(
        "ceiling",
        ceiling,
        right=float(metrics.dice_from_counts(truth, truth, truth, empty=0).mean()),
        mistakes=mistakes,
        otherwise="what does a slice with tumour get, what one without, and how many are there?",
    )
    answers.passed(f"even the truth gets {ceiling:.3f}: {free:.0%} of {len(truth)} slices count 0.")


def check_policies(counts_zero: object, counts_one: object, gated: pd.DataFrame) -> None:
    """Check a mean Dice under both policies for pairs of empty masks.

    Args:
        counts_zero: The answer where such a pair counts 0.
        counts_one: The answer where it counts 1.
        gated: Per slice `WT_overlap`, `WT_predicted`, `WT_truth`, after the gate.
    """
    answers.check_answered(counts_zero=counts_zero, counts_one=counts_one)
    parts = [gated[f"WT_{part}"].to_numpy(int) for part in metrics.RegionCounts._fields]
    zero, one = (float(metrics.dice_from_counts(*parts, empty=empty).mean()) for empty in (0, 1))
    dice = metrics.dice_from_counts(*parts, empty=float("nan"))
    left_out = float(np.nanmean(dice)) if not np.isnan(dice).all() else float("nan")
    overlap, predicted, truth = (int(part.sum()) for part in parts)
    pooled = 2 * overlap / max(predicted + truth, 1)
    general = [
        answers.Mistake(left_out, "pairs of empty masks are left out of the mean."),
        answers.Mistake(pooled, "the pixels of all slices are pooled. Take the mean over slices."),
    ]
    for name, answer, right, other in (
        ("counts_zero", counts_zero, zero, one),
        ("counts_one", counts_one, one, zero),
    ):
        mistakes = [*general, answers.Mistake(other, "this is the other policy.")]
        how = "compute the Dice of each slice, fill in the undefined ones, and average all."
        answers.check_number(name, answer, right=right, mistakes=mistakes, otherwise=how)
    answers.passed(f"one prediction, {counts_zero:.3f} or {counts_one:.3f}.")


def check_lead(
    other: object,
    best: object,
    found: Evidence,
    readings: Mapping[str, str],
    flagged: Bool[ndarray, " slice"],
) -> None:
    """Check under which convention a network looks best beside a method without one.

    Args:
        other: The answer: a method of `readings`, not the first.
        best: The answer: the convention in words.
        found: Evidence of the run.
        readings: Of equation 1, by method; the first is the network.
        flagged: The gate's answer for each slice.
    """
    answers.check_answered(other=other, best=best)
    network, *plain = readings
    if other not in plain:
        why = "this is the network itself" if other == network else "it is not on this page"
        raise answers.WrongAnswerError(f"`other` is {other!r}: {why}; take one of {plain}.")
    tables = [conventions.slice_counts(found, str(name), reading=readings[str(name)])
              for name in (network, other)]  # fmt: skip
    ours, theirs = (_whole_tumour(table, flagged) for table in tables)
    lead = ours - theirs
    if best not in lead.index:
        raise answers.WrongAnswerError(
            f"`best` is {best!r}; expected one of {', '.join(map(repr, sorted(lead.index)))}."
        )
    if lead[best] < lead.max() - 1e-9:
        remark = f"there the network leads by {lead[best]:+.3f}, elsewhere by more."
        if best == ours.idxmax():
            remark = f"there the network is highest; its lead is {lead[best]:+.3f}, elsewhere more."
        if best == lead.idxmin():
            remark = f"there the network looks worst beside it ({lead[best]:+.3f})."
        raise answers.WrongAnswerError(f"`best` is {best!r}: {remark}")
    answers.passed(f"under {best!r} the lead over {other} is {lead[best]:+.3f}.")


def _whole_tumour(table: pd.DataFrame, flagged: Bool[ndarray, " slice"]) -> pd.Series:
    scored = conventions.compare_conventions(table, flagged=flagged, draws=FEW_DRAWS)
    return scored[scored["region"] == "WT"].set_index("convention")["value"]
