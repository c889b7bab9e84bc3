"""Exercises of the page on anomaly scores (section 4.2)."""

import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from paperlib.evaluation.measures import metrics
from paperlib.exercises import answers


def check_sign(sign: object, residual: Float[ndarray, " pixel"]) -> None:
    """Check the sign of the mean residual in a true tumour.

    Args:
        sign: The answer: "negative" or "positive".
        residual: Reconstruction minus image at the pixels of the tumour.
    """
    mean = float(residual.mean())
    look = "r is reconstruction minus image. Which of the two is brighter in the green line?"
    remarks = {
        "negative": look,
        "positive": look,
        "zero": "it would be for a network that rebuilds the tumour as it is.",
    }
    right = "negative" if mean < 0 else "positive"
    answers.check_choice("sign", sign, right=right, remarks=remarks)
    answers.passed(f"the mean of {residual.size:,} tumour pixels is {mean:.2f}.")


def check_pairs(by_hand: object, test: pd.DataFrame) -> None:
    """Check an AUROC that was counted over pairs of slices.

    Args:
        by_hand: The answer, 0 to 1.
        test: Test slices with `slice_height` and `tumour`.
    """
    score, tumour = test["slice_height"].to_numpy(float), test["tumour"].to_numpy()
    ill, free = score[tumour][:, None], score[~tumour][None]
    higher, tied = float((ill > free).mean()), float((ill == free).mean())
    mistakes = [
        answers.Mistake(
            higher, "pairs at the same height are counted as lost. A coin would win half."
        ),
        answers.Mistake(higher + tied, "pairs at the same height are counted as won."),
        answers.Mistake(
            1 - higher - tied / 2, "these are the pairs in which the wrong one is higher."
        ),
    ]
    answers.check_number(
        "by_hand",
        by_hand,
        right=metrics.slice_auroc(score, tumour),
        mistakes=mistakes,
        otherwise="compare each tumour slice with each tumour-free one.",
        tolerance=0.001,
    )
    answers.passed(f"{ill.size * free.size:,} pairs give the AUROC of the table: {by_hand:.3f}.")


def check_quantile(quantile: object, promised: object) -> None:
    """Check a gate between two of the table, and what it promises.

    Args:
        quantile: The answer: above 0.95 and below 1.
        promised: The answer: share of tumour-free slices that it should flag.
    """
    answers.check_answered(quantile=quantile, promised=promised)
    if (
        not isinstance(quantile, int | float)
        or isinstance(quantile, bool)
        or not 0 <= quantile <= 1
    ):
        raise answers.WrongAnswerError(
            f"`quantile` is {quantile!r}; expected a share, not per cent."
        )
    if not 0.95 < quantile < 1:
        which = "max_healthy, or above" if quantile == 1 else "quantile_95, or more lenient"
        raise answers.WrongAnswerError(f"`quantile` is {quantile}: this is the gate {which}.")
    mistakes = [
        answers.Mistake(float(quantile), "this is the share of healthy slices that stay below."),
        answers.Mistake(0.05, "this is what quantile_95 promises."),
    ]
    answers.check_number(
        "promised",
        promised,
        right=1 - float(quantile),
        mistakes=mistakes,
        otherwise="which share of the healthy validation slices lies above your quantile?",
    )
    answers.passed(f"the gate promises to flag {promised:.1%} of healthy slices; see the table.")
