"""Exercises of the page on post-processing (section 4.3)."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool
from numpy import ndarray

from paperlib.exercises import answers
from paperlib.postprocessing import mixture


def check_twice(twice: object, posterior: object, share: float) -> None:
    """Check what counting the prior twice does to a pixel that the Gaussians leave open.

    Args:
        twice: The answer: a key of `mixture.READINGS`.
        posterior: The answer: its probability of cluster 2 under that reading, 0 to 1.
        share: Of cluster 2 in the brain, and the mean probability of the pixel's neighbours.
    """
    answers.check_answered(twice=twice, posterior=posterior)
    right = next(name for name, factors in mixture.READINGS.items() if all(factors))
    remarks = {
        "neighbourhood": "it takes W alone before the Gaussian.",
        "weights": "it takes the share alone before the Gaussian.",
    }
    answers.check_choice("twice", twice, right=right, remarks=remarks)
    mistakes = [
        answers.Mistake(share, "this is the prior counted once."),
        answers.Mistake(
            share**2, "the two clusters' probabilities do not add up to one like this."
        ),
    ]
    answers.check_number(
        "posterior",
        posterior,
        right=share**2 / (share**2 + (1 - share) ** 2),
        mistakes=mistakes,
        otherwise="write equation 1 for k = 2: equal densities cancel, and W is the share, too.",
        tolerance=0.001,
    )
    answers.passed(f"a prior of {share:.3f} counted twice acts like one of {posterior:.3f}.")


def check_tail(
    tail: object,
    lost: object,
    segment: Callable[[str], Bool[ndarray, "slice height width"]],
    brain: Bool[ndarray, "slice height width"],
) -> None:
    """Check which share of a patient's tumour clusters is lost without their upper tails.

    Args:
        tail: The answer: one of `mixture.TAILS`, not the paper's.
        lost: The answer: share of the clusters' pixels, 0 to 1.
        segment: From one of `mixture.TAILS`, the clusters of all slices of the patient.
        brain: True inside the brain.
    """
    answers.check_answered(tail=tail, lost=lost)
    remarks = {"both": "this is the paper's rule, which the table has already."}
    answers.check_choice("tail", tail, right="negative", remarks=remarks)
    taken = segment("both")
    gone, whole = int((taken & ~segment("negative")).sum()), int(taken.sum())
    share = gone / whole if whole else float("nan")
    mistakes = [
        answers.Mistake(1 - share, "this is the share that stays."),
        answers.Mistake(gone / int(brain.sum()), "it is counted against the whole brain."),
        answers.Mistake(float(gone), "these are pixels. Which share of the clusters is it?"),
    ]
    answers.check_number(
        "lost",
        lost,
        right=share,
        mistakes=mistakes,
        otherwise="compare the masks under both tails, and divide by the pixels under the paper's.",
    )
    shown = "nothing, for there are none" if np.isnan(share) else f"{share:.0%}"
    answers.passed(f"without their upper tails the clusters of this patient lose {shown}.")
