"""Exercises of the page on data (section 3)."""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from numpy import ndarray

from paperlib.data import preprocess
from paperlib.evaluation.measures import metrics
from paperlib.exercises import answers


def check_gain(
    zscores_then: object,
    image: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
) -> None:
    """Check what twice the intensities make of z-scores, with one patient of the run.

    Args:
        zscores_then: The answer: "unchanged", "doubled" or "shifted".
        image: Intensities of the patient, cropped and resized.
        brain: True inside the brain.
    """
    before, after = (_zscores(factor * image, brain) for factor in (1, 2))
    same = np.allclose(before, after, atol=1e-4)
    remarks = {
        "doubled": "the formula also divides by s. What does a factor of 2 make of s?",
        "shifted": "the formula also subtracts m. What does a factor of 2 make of m?",
        "unchanged": "with this run's images they are not.",
    }
    right = "unchanged" if same else "doubled" if np.allclose(2 * before, after) else "shifted"
    answers.check_choice("zscores_then", zscores_then, right=right, remarks=remarks)
    answers.passed(f"the z-scores of {brain.sum():,} brain pixels are {zscores_then}.")


def check_turned(turned: object, test: pd.DataFrame) -> None:
    """Check the AUROC of a score whose order is turned around.

    Args:
        turned: The answer: the AUROC of the height z itself, 0 to 1.
        test: Test slices with `slice_height` (which is -z) and `tumour`.
    """
    score, tumour = test["slice_height"].to_numpy(float), test["tumour"].to_numpy()
    upright = metrics.slice_auroc(score, tumour)
    mistakes = [
        answers.Mistake(upright, "this is the area of -z. What becomes of a pair of slices?"),
        answers.Mistake(-upright, "an area under a curve is a chance, from 0 to 1."),
    ]
    answers.check_number(
        "turned",
        turned,
        right=metrics.slice_auroc(-score, tumour),
        mistakes=mistakes,
        otherwise="in how many of all pairs does the tumour slice now have the higher score?",
    )
    answers.passed(f"z itself has an AUROC of {turned:.3f}, and -z of {upright:.3f}.")


def check_zscore(
    method: object,
    shift: object,
    image: Float[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
    healthy: Bool[ndarray, "slice height width"],
) -> None:
    """Check how far the tumour moves the zero point under another normalisation.

    Args:
        method: The answer: a key of `preprocess.ZSCORES`, not "mean_sd".
        shift: The answer: difference of the centres with and without tumour, in units of the
            spread without.
        image: Intensities of the patient, cropped and resized.
        brain: True inside the brain.
        healthy: True inside the brain outside the tumour.
    """
    answers.check_answered(method=method, shift=shift)
    other = next(name for name in preprocess.ZSCORES if name != "mean_sd")
    remarks = {"mean_sd": "this is the row that the table has already. Which other one is there?"}
    answers.check_choice("method", method, right=other, remarks=remarks)
    whole, rest = (preprocess.normalisation(image[k], method=other) for k in (brain, healthy))
    moved = float(whole.centre - rest.centre)
    wide, narrow = float(whole.spread), float(rest.spread)
    mistakes = [
        answers.Mistake(moved, "it is in the units of the scanner. In whose spread is it counted?"),
        answers.Mistake(moved / wide, "it is divided by a spread that knows the tumour."),
        answers.Mistake(-moved / narrow, "look at the sign: which way does a bright part pull?"),
    ]
    otherwise = "compute both centres with `method`, and the spread of healthy tissue with it, too."
    answers.check_number(
        "shift", shift, right=moved / narrow, mistakes=mistakes, otherwise=otherwise
    )
    answers.passed(f"under {method!r} the tumour moves the zero point by {shift:.2f}.")


def _zscores(
    image: Float[ndarray, "slice height width"], brain: Bool[ndarray, "slice height width"]
) -> Float[ndarray, "slice height width"]:
    scale = preprocess.normalisation(image[brain], method="mean_sd")
    return preprocess.apply_zscore(image, brain, scale, clip=(-np.inf, np.inf))
