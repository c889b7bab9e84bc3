"""Exercises of the page on where the error comes from."""

from collections.abc import Callable, Collection

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from numpy import ndarray

from paperlib.evaluation.comparisons.variants import (
    POOLED,
    RECONSTRUCTION,
    THRESHOLD,
    variant_counts,
)
from paperlib.evaluation.evidence import Evidence
from paperlib.evaluation.measures import metrics
from paperlib.exercises import answers
from paperlib.labels import REGIONS


def check_half_image(
    precision: object,
    image: Float[ndarray, "slice height width"],
    tumour: Bool[ndarray, "slice height width"],
    brain: Bool[ndarray, "slice height width"],
) -> None:
    """Check how the residual of a network that returns half the image ranks the pixels.

    Args:
        precision: The answer: "lower", "the same" or "higher".
        image: FLAIR of one patient of the run.
        tumour: The true tumour.
        brain: True inside the brain.
    """
    residual = image / 2 - image
    half, plain = (
        metrics.pixel_average_precision(anomaly, tumour, brain) for anomaly in (-residual, image)
    )
    right = "the same" if np.isclose(half, plain) else "lower" if half < plain else "higher"
    remarks = {
        "lower": "the tumour is half as bright in -r. And everything that it is ranked against?",
        "higher": "the error is smaller. Does average precision ask how large a value is?",
        "the same": "with this patient's image it is not.",
    }
    answers.check_choice("precision", precision, right=right, remarks=remarks)
    answers.passed(f"{half:.4f} for -r and {plain:.4f} for the image.")


def check_two_oracles(
    changes: object, excess: object, volume_dice: Callable[[Collection[str]], float]
) -> None:
    """Check what two oracles together gain beyond the sum of both alone.

    Args:
        changes: The answer: names of both changes.
        excess: The answer: difference in Dice.
        volume_dice: Dice of the patient's volume under some changes.
    """
    answers.check_answered(changes=changes, excess=excess)
    wanted = {RECONSTRUCTION, THRESHOLD}
    if not isinstance(changes, tuple | list | set) or set(changes) != wanted:
        raise answers.WrongAnswerError(
            f"`changes` is {changes!r}; it should name both decisions that the cell above replaced "
            "one at a time, each in quotes."
        )
    ours, first, second, both = (
        volume_dice(one) for one in ((), (RECONSTRUCTION,), (THRESHOLD,), tuple(wanted))
    )
    right = (both - ours) - (first - ours) - (second - ours)
    mistakes = [
        answers.Mistake(both - first - second, "a Dice is not a gain. What is it to be above?"),
        answers.Mistake(both - ours, "this is what both gain. How much of it gains each alone?"),
        answers.Mistake(-right, "which is taken from which?"),
    ]
    otherwise = "write down the three gains over ours first: the first, the second, both."
    answers.check_number("excess", excess, right=right, mistakes=mistakes, otherwise=otherwise)
    answers.passed(
        f"both gain {both - ours:+.3f}, alone they gain {first + second - 2 * ours:+.3f}."
    )


def check_oracle_knew(own_labels: object, found: Evidence, rows: pd.DataFrame, method: str) -> None:
    """Check what it is worth to choose a threshold by the labels of each patient.

    Args:
        own_labels: The answer: difference in mean volume Dice of the whole tumour.
        found: Evidence of the run.
        rows: From `variants.load_rows` of the same run.
        method: A network with its seed.
    """
    ours, each, pooled = (
        _volume_dice(found, rows, method, changes) for changes in ((), (THRESHOLD,), (POOLED,))
    )
    mistakes = [
        answers.Mistake(pooled - each, "which of the two knows more, and is taken from which?"),
        answers.Mistake(each - ours, "this is the gain over ours, of which it is only a part."),
        answers.Mistake(pooled - ours, "this is what one threshold for all gains over ours."),
    ]
    otherwise = "which two rows differ in nothing but whose labels the threshold has seen?"
    answers.check_number(
        "own_labels", own_labels, right=each - pooled, mistakes=mistakes, otherwise=otherwise
    )
    answers.passed(f"{own_labels:+.3f} of the {each - ours:+.3f} that the first row gains.")


def _volume_dice(
    found: Evidence, rows: pd.DataFrame, method: str, changes: Collection[str]
) -> float:
    counted = variant_counts(found, rows, method, changes)
    ratios = metrics.aggregate(counted.counts, counted.cases, aggregation="volume", empty=1.0)
    return float(metrics.pooled_value(ratios.sums, ratios.counts)[list(REGIONS).index("WT")])
