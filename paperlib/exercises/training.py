"""Exercises of the page on training (section 4.1)."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from paperlib.evaluation.networks import trainings
from paperlib.exercises import answers

FIRST = "pixel_ap"  # the measure that the page shows before the student chooses another


def check_epochs(epochs: object, network: Mapping[str, Any], batch_size: int) -> None:
    """Check how many epochs a training of the run was.

    Args:
        epochs: The answer: passes through all training slices and their copies.
        network: Of the run's provenance: its `slice_steps` and `training_slices`.
        batch_size: Slices in one step of the optimiser.
    """
    steps, slices = network["slice_steps"], network["training_slices"]
    mistakes = [
        answers.Mistake(steps / slices, "an epoch of this book has more than the slices alone."),
        answers.Mistake(steps / batch_size, "these are the steps of the optimiser, not epochs."),
    ]
    answers.check_number(
        "epochs",
        epochs,
        right=steps / (2 * slices),
        mistakes=mistakes,
        otherwise="divide what the optimiser saw by what one epoch holds, with the copies.",
    )
    answers.passed(f"{steps:,} slice-steps are {epochs:.2f} epochs of {slices:,} slices.")


def check_followed(measure: object, helped: object, looks: pd.DataFrame) -> None:
    """Check in how many rows a falling validation loss went with a rising measure.

    Args:
        measure: The answer: a key of `trainings.MEASURES`, not the one the page shows.
        helped: The answer: share of rows of Table 2, 0 to 1.
        looks: Milestones of one sequence: model, loss, fold, seed, validation_loss, measures.
    """
    answers.check_answered(measure=measure, helped=helped)
    if measure == FIRST or measure not in trainings.MEASURES:
        known = ", ".join(repr(name) for name in trainings.MEASURES if name != FIRST)
        why = "the table has it already" if measure == FIRST else "it was not measured"
        raise answers.WrongAnswerError(f"`measure` is {measure!r}: {why}; choose one of {known}.")
    followed = _rank_correlations(looks, str(measure))
    mistakes = [
        answers.Mistake(
            float((followed > 0).mean()), "a rank correlation above zero: they fall together."
        ),
        answers.Mistake(
            float((_rank_correlations(looks, FIRST) < 0).mean()), f"this is the share of {FIRST}."
        ),
        answers.Mistake(
            float(followed.mean()), "this is the mean correlation, not a share of rows."
        ),
    ]
    answers.check_number(
        "helped",
        helped,
        right=float((followed < 0).mean()),
        mistakes=mistakes,
        otherwise="count the rows whose rank correlation says that one fell while the other rose.",
    )
    answers.passed(f"in {helped:.0%} of {len(followed)} rows the loss fell while {measure} rose.")


def _rank_correlations(looks: pd.DataFrame, measure: str) -> pd.Series:
    """Return the rank correlation of validation loss and measure, mean over networks, by row."""
    found = {}
    for (model, loss), row in looks.groupby(["model", "loss"]):
        networks = [part["validation_loss"].corr(part[measure], method="spearman")
                 for _, part in row.groupby(["fold", "seed"])]  # fmt: skip
        found[model, loss] = pd.Series(networks, dtype=float).mean()
    return pd.Series(found, dtype=float)
