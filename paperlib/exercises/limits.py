"""Exercises of the page on limits (section 6)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy import ndarray

from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures import metrics
from paperlib.evaluation.patients import by_patient
from paperlib.evaluation.patients.by_patient import Method
from paperlib.exercises import answers

PLAIN, THREE_D = "B2 fixed", "B12"


def check_one_pixel(cost: object, slices: pd.DataFrame) -> None:
    """Check what one pixel costs where the truth is empty and an empty pair counts 1.

    Args:
        cost: The answer: difference in Dice of one slice, 0 to 1.
        slices: Test slices with `ET_truth`.
    """
    free = slices["ET_truth"].to_numpy() == 0
    silent, one = metrics.dice_from_counts(
        np.zeros(2, int), np.array([0, 1]), np.zeros(2, int), empty=1
    )
    few = "one pixel of thousands is few, but Dice leaves out what both masks leave out. "
    half = "both masks together hold one pixel. What do they share?"
    answers.check_number(
        "cost",
        cost,
        right=silent - one,
        mistakes=[
            answers.Mistake(0.0, f"{few}What is left to count?"),
            answers.Mistake(0.5, half),
        ],
        otherwise="write down the Dice of either method by its definition, then subtract.",
    )
    answers.passed(f"so it is in {free.sum()} of the {free.size} slices of this run.")


def check_empty_pair(empty: object, nothing_dice: object, parts: Sequence[ndarray]) -> None:
    """Check the Dice of a method without any finding under another worth of an empty pair.

    Args:
        empty: The answer: what an empty pair counts, 1.
        nothing_dice: The answer: mean over all slices of the Dice of nothing found.
        parts: Overlap, predicted and true pixels of the network in each slice.
    """
    answers.check_answered(empty=empty, nothing_dice=nothing_dice)
    known = answers.Mistake(0.0, "this is the row that the table has already.")
    answers.check_number(
        "empty", empty, right=1.0, mistakes=[known], otherwise="what does the task ask for?"
    )
    absent = parts[2] == 0
    mistakes = [
        answers.Mistake(
            metrics.dice_from_counts(*parts, empty=1).mean(),
            "this is the Dice of the network. Which prediction finds nothing?",
        ),
        answers.Mistake(
            (~absent).mean(), "this is the share of slices that have the tissue. Who wins the rest?"
        ),
        answers.Mistake(0.0, "an empty prediction meets an empty truth now and then."),
    ]
    otherwise = "in which slices are both masks empty, and what does each of them count?"
    answers.check_number(
        "nothing_dice", nothing_dice, right=absent.mean(), mistakes=mistakes, otherwise=otherwise
    )
    answers.passed(f"who finds nothing gets {nothing_dice:.3f}: such slices are {absent.sum()}.")


def check_third_dimension(name: object, gain: object, found: Evidence) -> None:
    """Check what smoothing and cleaning in three dimensions changes.

    Args:
        name: The answer: "B12".
        gain: The answer: mean volume Dice of the whole tumour minus that of the plain threshold.
        found: Evidence of the run, of the tested patients.
    """
    answers.check_answered(name=name, gain=gain)
    remarks = {PLAIN: "this is the column that the table has already."}
    answers.check_choice("name", name, right=THREE_D, remarks=remarks)
    plain, cleaned = (by_patient.measure_patients(found, Method(one)) for one in (PLAIN, THREE_D))
    change = cleaned["WT_volume"].mean() - plain["WT_volume"].mean()
    slices = cleaned["WT_every_slice"].mean() - plain["WT_every_slice"].mean()
    mistakes = [
        answers.Mistake(-change, "which of the two is taken from which?"),
        answers.Mistake(cleaned["WT_volume"].mean(), "this is a Dice. How much more is it?"),
        answers.Mistake(slices, "this is a change in Dice over slices, not over volumes."),
    ]
    otherwise = "take the column WT_volume of `measure_patients`, and its mean, of both methods."
    answers.check_number("gain", gain, right=change, mistakes=mistakes, otherwise=otherwise)
    answers.passed(f"{name} changes the volume Dice by {gain:+.3f}, n = {found.patients}.")
