"""Exercises of the page on what each choice costs."""

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from paperlib.evaluation.measures import metrics
from paperlib.exercises import answers

LEVEL = 0.95
FIRST, SECOND = "B12", "B2 fixed"


def check_by_chance(chance: object, rows: Sequence[str]) -> None:
    """Check how likely some interval excludes zero although no row has an effect.

    Args:
        chance: The answer, 0 to 1.
        rows: Names of all rows of the page.
    """
    number = len(rows)
    all_hold = LEVEL**number
    mistakes = [
        answers.Mistake(all_hold, "this is the chance that every interval holds zero."),
        answers.Mistake(number * (1 - LEVEL), "this is how many are expected; is it a chance?"),
        answers.Mistake(1 - LEVEL, "so it is with a single row. How many rows have to hold zero?"),
    ]
    otherwise = "one interval holds zero in 95 % of cases. What of all of them at once?"
    answers.check_number(
        "chance", chance, right=1 - all_hold, mistakes=mistakes, otherwise=otherwise
    )
    answers.passed(f"{chance:.2f} with {number} rows; {number * (1 - LEVEL):.1f} are expected.")


def check_no_tidying(
    morphology: object,
    raw_dice: object,
    outline_of: Callable[[bool], Bool[ndarray, "height width"]],
    truth: Bool[ndarray, "height width"],
) -> None:
    """Check the Dice of an outline that is neither opened nor closed.

    Args:
        morphology: The answer: False.
        raw_dice: The answer: Dice of the slice.
        outline_of: Outline of the slice with the steps or without.
        truth: The true tumour.
    """
    answers.check_answered(morphology=morphology, raw_dice=raw_dice)
    if morphology is not False:
        raise answers.WrongAnswerError(
            f"`morphology` is {morphology!r}: with it the outline is the one that the table has."
        )
    raw, tidy = outline_of(False), outline_of(True)
    shared = (raw & truth).sum()
    mistakes = [
        answers.Mistake(
            shared / max((raw | truth).sum(), 1), "overlap over union: Dice counts it twice."
        ),
        answers.Mistake(
            shared / max(truth.sum(), 1), "so much of the tumour is found. And what beside it?"
        ),
        answers.Mistake(metrics.dice(tidy, truth, empty=0), "this is the tidied outline."),
    ]
    otherwise = "pass the new outline and `truth` to `metrics.dice`."
    right = metrics.dice(raw, truth, empty=0)
    answers.check_number(
        "raw_dice",
        raw_dice,
        right=right,
        mistakes=mistakes,
        otherwise=otherwise,
        tolerance=0.001,  # tidying moves Dice by little
    )
    answers.passed(f"{(raw != tidy).sum()} pixels differ, and Dice is {right:.3f}.")


def check_unpaired(seed: object, width: object, draw: Callable[[str, int], ndarray]) -> None:
    """Check how wide the interval of a difference is when both methods draw other patients.

    Args:
        seed: The answer: of the second method's draws; the first has 0.
        width: The answer: from the lower to the upper end of the 95 % interval.
        draw: Dice of a method over each draw of patients of the run, from a name and a seed.
    """
    answers.check_answered(seed=seed, width=width)
    if not isinstance(seed, int) or seed <= 0:
        raise answers.WrongAnswerError(
            f"`seed` is {seed!r}: the second method has to draw patients of its own, by a whole "
            "number above that of the first."
        )
    first = draw(FIRST, 0)
    apart, paired = (first - draw(SECOND, one) for one in (seed, 0))
    ends = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    right, narrow = (float(np.ptp(np.quantile(one, ends))) for one in (apart, paired))
    mistakes = [
        answers.Mistake(narrow, "so wide is it on the same patients."),
        answers.Mistake(right / 2, "this is half of it: from the middle to an end."),
        answers.Mistake(2 * 1.96 * apart.std(), "take the quantiles, not the spread."),
    ]
    otherwise = "subtract draw by draw, take both quantiles, then their distance."
    answers.check_number("width", width, right=right, mistakes=mistakes, otherwise=otherwise)
    answers.passed(f"{right:.3f} wide on other patients, {narrow:.3f} on the same.")
