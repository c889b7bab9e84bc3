"""Exercises of the page on what would beat the paper."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from paperlib.evaluation.measures import metrics
from paperlib.exercises import answers
from paperlib.postprocessing import outline


def check_rule(rule: object) -> None:
    """Check which rule keeps a round tumour of fewer voxels than a thin rim.

    Args:
        rule: The answer: one of `outline.RULES`.
    """
    brain = np.ones((24, 40, 40), bool)
    rim, tumour = np.zeros_like(brain), np.zeros_like(brain)
    rim[:, 4:6, 2:38] = True
    tumour[8:16, 20:28, 20:28] = True
    kept = outline.under_each_rule(rim | tumour, brain)
    right = next(name for name, mask in kept.items() if np.array_equal(mask, tumour))
    remarks = {
        "all": "then the rim stays, too.",
        "largest_3d": "count the voxels: here the rim has more.",
    }
    answers.check_choice("rule", rule, right=right, remarks=remarks)
    answers.passed(f"the rim has {rim.sum()} voxels, the tumour {tumour.sum()}.")


def check_shift(
    fall_of_threshold: object,
    fall_of_contrast: object,
    before: Mapping[str, Bool[ndarray, "slice height width"]],
    after: Mapping[str, Bool[ndarray, "slice height width"]],
    truth: Bool[ndarray, "slice height width"],
) -> None:
    """Check by how much the Dice of two outlines falls when the score is lowered.

    Args:
        fall_of_threshold: The answer: the Dice before minus the Dice after.
        fall_of_contrast: The same of the clearest outline.
        before: The outlines "threshold" and "clearest" of the score as it is.
        after: Those of the lowered score.
        truth: The true tumour.
    """
    given = {"threshold": fall_of_threshold, "clearest": fall_of_contrast}
    names = {"threshold": "fall_of_threshold", "clearest": "fall_of_contrast"}
    answers.check_answered(**{names[key]: answer for key, answer in given.items()})
    said = []
    for key, answer in given.items():
        old, new = (metrics.dice(masks[key], truth, empty=1) for masks in (before, after))
        mistakes = [
            answers.Mistake(new - old, "positive means that the Dice falls."),
            answers.Mistake(new, "this is the new Dice; by how much does it fall?"),
        ]
        otherwise = "take the volume Dice of the same outline before and after, of `truth`."
        answers.check_number(
            names[key], answer, right=old - new, mistakes=mistakes, otherwise=otherwise
        )
        said.append(f"{key} {old:.2f} to {new:.2f}")
    answers.passed(", ".join(said) + ".")
