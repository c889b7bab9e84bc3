"""Exercises of the page on where this companion differs from the paper."""

from collections.abc import Callable

import pandas as pd

from paperlib.exercises import answers

SHOWN, WANTED = ("every_slice", "volume"), ("pooled_pixels", "tumour_slices")


def check_tumour_slices(tumour_dice: object, counts: pd.DataFrame) -> None:
    """Check the mean Dice over slices with tumour from the mean over every slice.

    Args:
        tumour_dice: The answer.
        counts: From `conventions.slice_counts`.
    """
    tumour = counts["WT_truth"] > 0
    share, every = tumour.mean(), counts["dice"].mean()
    mistakes = [
        answers.Mistake(every * share, "the zeros are gone now. Does the mean go up or down?"),
        answers.Mistake(every, "so it is over every slice. What do those without tumour add?"),
        answers.Mistake(
            every + 1 - share, "this counts a slice without tumour fully, as if found."
        ),
    ]
    otherwise = "the sum of all Dice stays. What is it divided by, if slices are left out?"
    answers.check_number(
        "tumour_dice",
        tumour_dice,
        right=counts.loc[tumour, "dice"].mean(),
        mistakes=mistakes,
        otherwise=otherwise,
    )
    answers.passed(f"{tumour_dice:.3f} over {tumour.sum()} slices, {every:.3f} over {len(counts)}.")


def check_way(aggregation: object, lift: object, dice_counted: Callable[[str], float]) -> None:
    """Check what another way of counting makes of the same masks.

    Args:
        aggregation: The answer: a way that the table has not yet.
        lift: The answer: Dice counted so, minus the mean over every slice.
        dice_counted: Dice of the prediction, from a way.
    """
    answers.check_answered(aggregation=aggregation, lift=lift)
    if aggregation in SHOWN:
        raise answers.WrongAnswerError(f"`aggregation` is {aggregation!r}: the table has this row.")
    if aggregation not in WANTED:
        raise answers.WrongAnswerError(
            f"`aggregation` is {aggregation!r}; expected one of {', '.join(map(repr, WANTED))}"
        )
    dice, every, volume = map(dice_counted, (str(aggregation), *SHOWN))
    mistakes = [
        answers.Mistake(dice, "this is a Dice. How much more than over every slice is it?"),
        answers.Mistake(every - dice, "which of the two is taken from which?"),
        answers.Mistake(dice - volume, "this is the change against volumes."),
    ]
    otherwise = "subtract the first row of the table from the Dice that is counted your way."
    answers.check_number("lift", lift, right=dice - every, mistakes=mistakes, otherwise=otherwise)
    answers.passed(f"the same masks have {every:.3f} over every slice and {dice:.3f} this way.")


def check_silence(silent_way: object, ways: pd.DataFrame) -> None:
    """Check under which way of counting a method that finds nothing fares best.

    Args:
        silent_way: The answer: one of the names.
        ways: Of the whole tumour from `conventions.compare_conventions`, by name.
    """
    nothing = ways["nothing"].fillna(0.0)
    best = nothing.index[nothing == nothing.max()]
    right = str(silent_way if silent_way in best else best[0])
    remarks = {
        name: f"an empty pair has to occur. Here the method gets {value:.3g} of 1."
        if "= 1" in name
        else "find a way that gives a point to two empty masks; this one does not."
        for name, value in nothing.items()
    }
    answers.check_choice("silent_way", silent_way, right=right, remarks=remarks)
    answers.passed(
        f"who finds nothing has {nothing.max():.3f} there, {nothing.median():.3g} mostly."
    )
