"""Exercises of the page on post-processing (section 4.3)."""

import numpy as np
from jaxtyping import Bool, Float
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
    fit: mixture.MixtureFit,
    residual: Float[ndarray, "height width"],
    brain: Bool[ndarray, "height width"],
) -> None:
    """Check which share of the tumour cluster of a slice is lost without its upper tail.

    Args:
        tail: The answer: one of `mixture.TAILS`, not the paper's.
        lost: The answer: share of the cluster's pixels, 0 to 1.
        fit: The two clusters of the slice.
        residual: Reconstruction minus image.
        brain: True inside the brain.
    """
    answers.check_answered(tail=tail, lost=lost)
    remarks = {"both": "this is the paper's rule, which the table has already."}
    answers.check_choice("tail", tail, right="negative", remarks=remarks)
    whole, kept = (
        int(mixture.tumour_mask(fit, residual, brain, cluster="smallest", tail=rule).sum())
        for rule in ("both", "negative")
    )
    share = kept / whole if whole else float("nan")
    mistakes = [
        answers.Mistake(share, "this is the share that stays."),
        answers.Mistake(
            (whole - kept) / int(brain.sum()), "it is counted against the whole brain."
        ),
        answers.Mistake(float(whole - kept), "these are pixels. Which share of the cluster is it?"),
    ]
    answers.check_number(
        "lost",
        lost,
        right=1 - share,
        mistakes=mistakes,
        otherwise="compare the masks under both tails, and divide by the pixels under the paper's.",
    )
    shown = "nothing, for there is no cluster" if np.isnan(share) else f"{1 - share:.0%}"
    answers.passed(f"without its upper tail the cluster of this slice loses {shown}.")
