"""Exercises of the page on architectures and losses (section 4.1)."""

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray

from paperlib.exercises import answers
from paperlib.models import architectures

GREY = 0.3  # of a reconstruction that is the same everywhere; any number does


def check_flat(
    correlation: object,
    image: Float[ndarray, "height width"],
    brain: Bool[ndarray, "height width"],
) -> None:
    """Check what a flat reconstruction's residual has to do with the image.

    Args:
        correlation: The answer: correlation of r with -x over the brain, -1 to 1.
        image: The slice, in z-scores.
        brain: True inside the brain.
    """
    x = image[brain].astype(float)
    mistakes = [
        answers.Mistake(0.0, "then r would know nothing of the image. Write r = c - x down."),
        answers.Mistake(-1.0, "look at the sign: r is reconstruction minus image."),
    ]
    answers.check_number(
        "correlation",
        correlation,
        right=float(np.corrcoef(GREY - x, -x)[0, 1]),
        mistakes=mistakes,
        otherwise="what does subtracting x from one grey, the same everywhere, make of -x?",
    )
    answers.passed(
        f"over the {x.size:,} brain pixels of this slice, r and -x differ by a constant."
    )


def check_dilation(dilation: object, side: int) -> None:
    """Check a dilation with which the second layer of the dVAE reads its whole input.

    Args:
        dilation: The answer: a whole number from 1 on.
        side: Pixels along one side of the layer's input.
    """
    answers.check_answered(dilation=dilation)
    printed = architectures.MODELS["dVAE"].encoder[1]
    if isinstance(dilation, bool) or not isinstance(dilation, int) or dilation < 1:
        raise answers.WrongAnswerError(
            f"`dilation` is {dilation!r}; expected a whole number that is positive."
        )
    if dilation == printed.dilation:
        raise answers.WrongAnswerError(f"`dilation` is {dilation}: so it is printed.")
    reach = dilation * (printed.kernel - 1) + 1
    if reach > side:
        raise answers.WrongAnswerError(f"`dilation` is {dilation}: the kernel leaves the map.")
    starts = np.arange(0, side - reach + 1, printed.stride)
    read = np.unique(starts[:, None] + dilation * np.arange(printed.kernel))
    if read.size < side:
        why = "every place it looks at is even" if (read % 2 == 0).all() else "some at the edge"
        raise answers.WrongAnswerError(
            f"`dilation` is {dilation}: along one side, {side - read.size} places are never read "
            f"({why})."
        )
    answers.passed(f"with dilation {dilation} all {side} places along a side are read.")
