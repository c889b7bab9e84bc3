"""Exercises of the page on what a network is compared with."""

import numpy as np
from jaxtyping import Bool, Float, Shaped
from numpy import ndarray

from paperlib.evaluation.measures import best_threshold, metrics
from paperlib.exercises import answers
from paperlib.models import simple
from paperlib.postprocessing import thresholds

FIRST_NUMBER = 16  # of components in the table that the page shows


def check_constant(
    mask_of_constant: object,
    image: Float[ndarray, "height width"],
    brain: Bool[ndarray, "height width"],
) -> None:
    """Check what Otsu's threshold makes of a network that returns one constant.

    Args:
        mask_of_constant: The answer: "smaller", "the same" or "larger".
        image: A slice of the run.
        brain: True inside its brain.
    """
    values = image.astype(np.float64)
    residual = values[brain].mean() - values
    mask, plain = (thresholds.otsu(anomaly, brain).sum() for anomaly in (-residual, values))
    same = np.isclose(mask, plain, rtol=0.01)  # a pixel on a border of the histogram may move
    right = "the same" if same else "smaller" if mask < plain else "larger"
    remarks = {
        "smaller": "-r is darker than the image by c. Does the threshold stay where it was?",
        "larger": "where would the further pixels come from? Each lost the same c.",
        "the same": "with this slice it is not.",
    }
    answers.check_choice("mask_of_constant", mask_of_constant, right=right, remarks=remarks)
    answers.passed(f"{mask} pixels with the constant, {plain} without.")


def check_components(
    number: object,
    above_image: object,
    subspace: simple.Subspace,
    images: Float[ndarray, "slice height width"],
    tumour: Bool[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
) -> None:
    """Check how much better than the image another number of components ranks the pixels.

    Args:
        number: The answer: how many components.
        above_image: The answer: difference in average precision.
        subspace: Principal components of the run's healthy slices.
        images: All slices of one patient.
        tumour: The true tumour in them.
        brain: True inside the brain.
    """
    answers.check_answered(number=number, above_image=above_image)
    most = len(subspace.directions)
    if number == FIRST_NUMBER:
        raise answers.WrongAnswerError("`number`: the table above has this row already.")
    if not isinstance(number, int) or not 1 <= number <= most:
        raise answers.WrongAnswerError(f"`number` is {number!r}; there are 1 to {most} components.")
    residual = simple.project(subspace, images, components=number) - images
    left, turned, image = (
        metrics.pixel_average_precision(anomaly, tumour, brain)
        for anomaly in (-residual, residual, images)
    )
    mistakes = [
        answers.Mistake(image - left, "which of the two is taken from which?"),
        answers.Mistake(turned - image, "this ranks by r. Which sign has r in a bright tumour?"),
        answers.Mistake(left, "this is an average precision. How far is it above the image's?"),
    ]
    otherwise = "project all slices of the patient on `number` components and rank by minus r."
    answers.check_number(
        "above_image", above_image, right=left - image, mistakes=mistakes, otherwise=otherwise
    )
    answers.passed(f"{number} components rank the pixels with {left:.3f}, the image {image:.3f}.")


def check_honest_threshold(
    fair: object,
    advantage: object,
    curves: Float[ndarray, "slice threshold"],
    cases: Shaped[ndarray, " slice"],
    limits: Float[ndarray, " threshold"],
) -> None:
    """Check what an oracle threshold has above one from the labels of other patients.

    Args:
        fair: The answer: mean Dice with the threshold of the others.
        advantage: The answer: mean Dice of the oracle above it.
        curves: Dice of each slice for each threshold, one slice a patient.
        cases: The patient of each slice.
        limits: The thresholds.
    """
    answers.check_answered(fair=fair, advantage=advantage)
    chosen = best_threshold.thresholds_of_others(curves, cases, limits)
    columns = [limits.tolist().index(chosen[int(case)]) for case in cases]
    honest = float(curves[np.arange(len(cases)), columns].mean())
    oracle = float(curves.mean(axis=0).max())
    own = float(curves.max(axis=1).mean())
    mistakes = [
        answers.Mistake(float(curves.mean()), "this averages all columns. Who would take all?"),
        answers.Mistake(
            float(np.mean(list(chosen.values()))), "this is a threshold. Which Dice does it give?"
        ),
        answers.Mistake(own, "each patient has his own best threshold here. Who may choose it?"),
        answers.Mistake(oracle, "this is the oracle: it has seen every label it is scored on."),
    ]
    otherwise = "take for each row the column that `thresholds_of_others` names, then the mean."
    answers.check_number("fair", fair, right=honest, mistakes=mistakes, otherwise=otherwise)
    mistakes = [
        answers.Mistake(own - honest, "this oracle has a threshold per patient, not one for all."),
        answers.Mistake(oracle, "this is the oracle's Dice. How much more than `fair` is it?"),
        answers.Mistake(honest - oracle, "which of the two is taken from which?"),
    ]
    otherwise = "the best mean of a column, less your `fair`."
    answers.check_number(
        "advantage", advantage, right=oracle - honest, mistakes=mistakes, otherwise=otherwise
    )
    answers.passed(f"the oracle has {oracle:.3f}, the threshold of the others {honest:.3f}.")
