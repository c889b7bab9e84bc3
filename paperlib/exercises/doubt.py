"""Exercises of the page on doubt."""

from collections.abc import Mapping

import numpy as np

from paperlib.exercises import answers
from paperlib.postprocessing import outline

ALWAYS, NEVER, USUAL = "low, always", "one, never", "as with two networks"


def check_twin(twin: object) -> None:
    """Check what the agreement of a network with its copy is worth.

    Args:
        twin: The answer: "low, always", "one, never" or "as with two networks".
    """
    mask = np.zeros((2, 4, 4), bool)
    mask[0, 1:3, 1:3] = True
    agreed = outline.agreement([mask, mask.copy()])
    right = NEVER if agreed == 1 else USUAL
    remarks = {
        ALWAYS: "how could two equal outlines disagree?",
        USUAL: "two networks differ where one of them is wrong; do these?",
    }
    answers.check_choice("twin", twin, right=right, remarks=remarks)
    answers.passed(f"two equal outlines agree with a Dice of {agreed:.0f}, right or wrong.")


def check_radius(radius_of_all: object, radii: Mapping[int, float]) -> None:
    """Check which radius flags every patient.

    Args:
        radius_of_all: The answer in mm.
        radii: Of the widest ball of each patient, mm.
    """
    answers.check_answered(radius_of_all=radius_of_all)
    values = list(radii.values())
    mistakes = [
        answers.Mistake(max(values), "this is the widest: it flags one patient."),
        answers.Mistake(float(np.mean(values)), "the mean leaves out whoever lies below it."),
    ]
    answers.check_number(
        "radius_of_all",
        radius_of_all,
        right=min(values),
        mistakes=mistakes,
        otherwise="a patient is flagged if its radius is at least this one.",
    )
    answers.passed(f"{min(values):.1f} mm flags all {len(values)} patients.")
