"""Exercises of the page on the length of training (section 5.1)."""

import numpy as np
from scipy import stats

from paperlib.evaluation.networks import training_length
from paperlib.exercises import answers

LOSS = "validation_loss"


def check_tau(tau: object, rows: int) -> None:
    """Check Kendall's tau between two orders that differ in two neighbours.

    Args:
        tau: The answer, -1 to 1.
        rows: How many rows are ordered.
    """
    order = np.arange(rows)
    swapped = order.copy()
    swapped[:2] = swapped[1::-1]
    pairs = rows * (rows - 1) / 2
    mistakes = [
        answers.Mistake(1 - 1 / pairs, "the pair is missing in C. What does it do to D?"),
        answers.Mistake(1 - 2 / rows, "tau counts pairs of rows, not rows."),
    ]
    answers.check_number(
        "tau",
        tau,
        right=float(stats.kendalltau(order, swapped).statistic),
        mistakes=mistakes,
        otherwise="how many pairs are there, and how many of them changed sides?",
        tolerance=0.001,
    )
    answers.passed(f"of {pairs:.0f} pairs of {rows} rows one changed sides.")


def check_label_free(other: object, direction: object, measure: str) -> None:
    """Check by what rows can be ordered without a label, and which end is the better one.

    Args:
        other: The answer: a key of `training_length.MEASURES`.
        direction: The answer: 1 if a higher value is better, -1 if a lower one is.
        measure: What the page orders by.
    """
    answers.check_answered(other=other, direction=direction)
    remarks = dict.fromkeys(
        training_length.MEASURES,
        "it is measured with the true tumour, so nothing may be chosen by it.",
    )
    remarks["input_correlation"] = "no label is needed for it, but no weights were chosen by it."
    if other == measure != LOSS:
        remarks[measure] = "the table has this row already, and it is measured with the truth."
    answers.check_choice("other", other, right=LOSS, remarks=remarks)
    if direction not in (1, -1):
        raise answers.WrongAnswerError(
            f"`direction` is {direction!r}; expected one of the two signs."
        )
    if direction == 1:
        raise answers.WrongAnswerError(
            "`direction` says that the row with the largest loss is the best one. Is it?"
        )
    answers.passed("the loss needs no label, and the lowest is best.")
