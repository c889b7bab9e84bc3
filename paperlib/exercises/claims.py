"""Exercises of the page on claims."""

from collections.abc import Callable
from numbers import Integral

import numpy as np
import pandas as pd

from paperlib.evaluation.claims import contrasts, numbers
from paperlib.evaluation.measures import statistics
from paperlib.evaluation.measures.statistics import AGREES, DIFFERS, UNDECIDED, Interval
from paperlib.exercises import answers

READINGS = ("both", "neighbourhood", "weights")


def check_outside_margin(verdict: object, made_up: Interval, number: float) -> None:
    """Check the verdict on a value outside the margin whose interval reaches into it.

    Args:
        verdict: The answer: "agrees", "differs" or "undecided".
        made_up: Value and interval.
        number: The paper's.
    """
    right = numbers.judge_number(made_up, number, tuned=False)
    remarks = {
        AGREES: "look at the lower end of the interval. Does it lie inside the margin?",
        DIFFERS: "the value lies outside, but the rule asks for both ends. Where is the upper one?",
        UNDECIDED: "both ends lie on one side here.",
    }
    answers.check_choice("verdict", verdict, right=right, remarks=remarks)
    answers.passed(f"{right}, from {made_up.low:.3f} to {made_up.high:.3f} beside {number}.")


def check_enough_patients(
    enough: object, interval_of: Callable[[int], Interval], number: float
) -> None:
    """Check the smallest number of patients with which a value can agree.

    Args:
        enough: The answer.
        interval_of: Interval that so many patients give around the paper's number.
        number: The paper's.
    """
    answers.check_answered(enough=enough)
    if not isinstance(enough, Integral) or isinstance(enough, bool) or enough < 1:
        raise answers.WrongAnswerError(f"`enough` is {enough!r}; patients come in whole numbers.")
    given, one_less = (
        numbers.judge_number(interval_of(patients), number, tuned=False)
        for patients in (int(enough), max(1, int(enough) - 1))
    )
    if given != AGREES:
        found = interval_of(int(enough))
        raise answers.WrongAnswerError(
            f"`enough` is {enough}: the interval is {found.high - found.low:.4f} wide and still "
            "reaches out of the margin."
        )
    if one_less == AGREES:
        raise answers.WrongAnswerError(f"`enough` is {enough}: it agrees, but fewer do as well.")
    answers.passed(f"{enough} patients; with one less the same value is {one_less}.")


def check_smallest_p(fewest: object, tests: int) -> None:
    """Check how many patients Holm's correction needs at least.

    Args:
        fewest: The answer: number of patients.
        tests: How many were named.
    """

    def reaches(patients: int, number: int) -> bool:
        strongest = np.r_[statistics.smallest_p(patients), np.ones(number - 1)]
        return bool(statistics.holm(strongest)[0] < contrasts.ALPHA)

    right, alone = (next(n for n in range(1, 1000) if reaches(n, number)) for number in (tests, 1))
    mistakes = [
        answers.Mistake(float(alone), "enough for a single test. How many were named?"),
        answers.Mistake(right - 1.0, "nearly. Multiply once more: is it below ALPHA?"),
        answers.Mistake(right + 1.0, "it is enough, but is it the least?"),
    ]
    otherwise = "halve the p for each further patient, and multiply it by the number of tests."
    answers.check_number(
        "fewest", fewest, right=float(right), mistakes=mistakes, otherwise=otherwise
    )
    answers.passed(f"{right} patients for {tests} tests, {alone} for one.")


def check_reading(
    other: object,
    changed: object,
    reading: str,
    verdicts: pd.Series,
    judge_under: Callable[[str], pd.Series],
) -> None:
    """Check how many verdicts another reading of equation 1 changes.

    Args:
        other: The answer: a reading that has no column yet.
        changed: The answer: number of contrasts.
        reading: That the page took.
        verdicts: By contrast, under it.
        judge_under: Verdicts of the run under a reading.
    """
    answers.check_answered(other=other, changed=changed)
    if other == reading:
        raise answers.WrongAnswerError(f"`other` is {other!r}: the page took this one already.")
    if not isinstance(other, str) or other not in READINGS:
        raise answers.WrongAnswerError(f"`other` is {other!r}; it is no reading of the three.")
    again = judge_under(other)
    differing = float((again != verdicts).sum())
    mistakes = [
        answers.Mistake(
            float(len(verdicts)), "so many contrasts there are. How many have two verdicts?"
        ),
        answers.Mistake(len(verdicts) - differing, "so many keep their verdict."),
    ]
    otherwise = "put both verdicts of each contrast side by side and count where they differ."
    answers.check_number(
        "changed", changed, right=differing, mistakes=mistakes, otherwise=otherwise
    )
    answers.passed(f"{differing:.0f} of {len(verdicts)} verdicts change with the reading.")
